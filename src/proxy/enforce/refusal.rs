use http::StatusCode;
use serde_json::json;

use crate::groups::{GrantRefusal, GroupId};

/// Why session traffic does not leave the edge.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnforceRefusal {
    #[error("the request's body broke off")]
    BodyBroken,
    #[error("the request's body took too long")]
    BodySlow,
    #[error("the request's body is longer than what is read for groups")]
    BodyTooLarge,
    #[error("bodies of this type or coding cannot be read for groups")]
    BodyType,
    #[error("the request's body cannot be read for groups in one way only")]
    BodyUnreadable,
    #[error("the page's grant is not good: {0}")]
    Grant(#[source] GrantRefusal),
    #[error("this page does not allow the group")]
    GroupNotAllowed {
        group: GroupId,
        allowed: Vec<GroupId>,
    },
    #[error("a group is not written as a plain whole number")]
    GroupUnreadable,
    #[error("a grant came along that cannot be checked here")]
    NoGrants,
    #[error("which page this comes from cannot be known")]
    PageUnknown { group: GroupId },
    #[error("the query cannot be read for groups in one way only")]
    QueryUnreadable,
    #[error("several grants came along")]
    SeveralGrants,
}

impl EnforceRefusal {
    /// A constant word for metrics, logs and the answer.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::BodyBroken => "session_body_broken",
            Self::BodySlow => "session_body_slow",
            Self::BodyTooLarge => "session_body_too_large",
            Self::BodyType => "session_body_type",
            Self::BodyUnreadable => "session_body_unreadable",
            Self::Grant(refusal) => refusal.as_str(),
            Self::GroupNotAllowed { .. } => "group_not_allowed",
            Self::GroupUnreadable => "group_unreadable",
            Self::NoGrants => "grant_unchecked",
            Self::PageUnknown { .. } => "page_unknown",
            Self::QueryUnreadable => "session_query_unreadable",
            Self::SeveralGrants => "grant_ambiguous",
        }
    }

    pub(in crate::proxy) fn status(&self) -> StatusCode {
        match self {
            Self::BodyBroken
            | Self::BodyUnreadable
            | Self::GroupUnreadable
            | Self::QueryUnreadable => StatusCode::BAD_REQUEST,
            Self::BodySlow => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Grant(_)
            | Self::GroupNotAllowed { .. }
            | Self::NoGrants
            | Self::PageUnknown { .. }
            | Self::SeveralGrants => StatusCode::FORBIDDEN,
        }
    }

    /// Whether some of the body may still be on its way.
    pub(in crate::proxy) fn closes_connection(&self) -> bool {
        matches!(self, Self::BodyBroken | Self::BodySlow | Self::BodyTooLarge)
    }

    /// For the script that asked, and the person who looks why it does not work.
    pub(in crate::proxy) fn to_json(&self) -> String {
        let numbers = self.allowed().iter().map(|group| group.as_u32());
        let allowed: Vec<_> = numbers.collect();
        let answer = json!({
            "error": self.kind(),
            "message": self.to_string(),
            "group": self.group().map(GroupId::as_u32),
            "allowed": allowed,
        });
        format!("{answer}\n")
    }

    pub(super) fn allowed(&self) -> &[GroupId] {
        match self {
            Self::GroupNotAllowed { allowed, .. } => allowed,
            _ => &[],
        }
    }

    fn group(&self) -> Option<GroupId> {
        match self {
            Self::GroupNotAllowed { group, .. } | Self::PageUnknown { group } => Some(*group),
            _ => None,
        }
    }
}
