use serde::{Deserialize, Serialize};

/// `POST session/start`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct StartRequest {
    pub version: u32,
    pub grant: String,
    pub group: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    pub site: Site,
    pub url: String,
    pub visitor: Visitor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video: Option<Video>,
    pub storage: Storage,
}

/// Which of a group's two settings the page uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Site {
    Production,
    Staging,
}

/// What the page says of its visitor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Visitor {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// A wish of the vendor's protocol that this backend has no use for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Video {
    Off,
    Small,
    Large,
}

/// Where the browser keeps the resume token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Storage {
    pub kind: StorageKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StorageKind {
    Normal,
    Ls,
    Dual,
    Secure,
}

/// The answer to a start.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct StartReply {
    pub session: SessionName,
    /// Only for storage `ls` and `dual`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct SessionName {
    pub group: u32,
    pub key: String,
}

/// Every answer that is no success.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Refusal {
    pub error: SessionError,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct SessionError {
    pub code: ErrorCode,
    pub msg: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<serde_json::Map<String, serde_json::Value>>,
}

impl SessionError {
    /// In the words of the script, which looks first.
    pub(in crate::backend) fn of_group(group: u32, allowed: &[u32]) -> Self {
        let names: Vec<_> = allowed.iter().map(u32::to_string).collect();
        let names = names.join(",");
        let params = [("groupid", group.into()), ("allowed", allowed.into())];
        let params =
            params.map(|(name, value): (&str, serde_json::Value)| (name.to_owned(), value));
        Self {
            code: ErrorCode::GroupId,
            msg: format!("group {group} is not among those of this page: {names}"),
            params: Some(params.into_iter().collect()),
        }
    }
}

/// Those of the codes that a backend says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ErrorCode {
    DupKey,
    Grant,
    GroupId,
    MaskingError,
    Service,
    SessionKey,
}

impl ErrorCode {
    /// As it is on the wire: also a word for the audit log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DupKey => "dupkey",
            Self::Grant => "grant",
            Self::GroupId => "groupid",
            Self::MaskingError => "maskingerror",
            Self::Service => "service",
            Self::SessionKey => "sessionkey",
        }
    }
}

/// `POST session/end`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct EndRequest {
    pub reason: FinishReason,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<String>,
}

/// Why a visitor's script ends a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FinishReason {
    MaskingError,
    Visitor,
}

/// `GET session/settings`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct SettingsReply {
    pub group: u32,
    pub button: ButtonReply,
    pub terms: TermsReply,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct ButtonReply {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub css: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct TermsReply {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}
