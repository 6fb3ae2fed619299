use super::refusal::GrantRefusal;
use crate::groups::{GroupId, GroupSet, SiteEnv};

/// What one page allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageGrant(GrantFields);

/// What a grant is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantFields {
    /// The host that was asked for, in lower case and without port.
    pub host: Box<str>,
    /// The label of the page's rule.
    pub rule: Box<str>,
    pub env: SiteEnv,
    pub groups: GroupSet,
    /// Changes with the masks that hold on the page.
    pub mask_revision: u64,
    /// In seconds since 1970; from then on it is refused.
    pub expires: u64,
}

/// Something does not fit into a grant; the rules' own bounds are narrower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("host, rule or groups do not fit into a grant")]
pub struct UnwritableGrant;

/// As long as a name in the DNS can be, in brackets.
const HOST_BYTES_MAX: usize = 257;
/// 80 characters of four bytes.
const RULE_BYTES_MAX: usize = 320;
const GROUPS_MAX: usize = 256;

/// The longest payload: seven fields with their separators.
pub(super) const PAYLOAD_BYTES_MAX: usize =
    HOST_BYTES_MAX + RULE_BYTES_MAX + "production".len() + GROUPS_MAX * 11 + 16 + 20 + 7;

impl PageGrant {
    pub fn new(fields: GrantFields) -> Result<Self, UnwritableGrant> {
        let host = &fields.host;
        let plain_host = host.bytes().all(|byte| byte.is_ascii_graphic());
        let plain_rule = !fields.rule.chars().any(char::is_control);
        let fits = (1..=HOST_BYTES_MAX).contains(&host.len())
            && (1..=RULE_BYTES_MAX).contains(&fields.rule.len())
            && fields.groups.iter().count() <= GROUPS_MAX;
        match plain_host && plain_rule && fits {
            true => Ok(Self(fields)),
            false => Err(UnwritableGrant),
        }
    }

    pub fn host(&self) -> &str {
        &self.0.host
    }

    pub fn rule(&self) -> &str {
        &self.0.rule
    }

    pub fn env(&self) -> SiteEnv {
        self.0.env
    }

    pub fn groups(&self) -> &GroupSet {
        &self.0.groups
    }

    pub fn mask_revision(&self) -> u64 {
        self.0.mask_revision
    }

    pub fn expires(&self) -> u64 {
        self.0.expires
    }

    /// Whether this is a grant of a page of this host, in this environment.
    pub fn check_page(&self, host: &str, env: SiteEnv) -> Result<(), GrantRefusal> {
        match self.host() == host && self.env() == env {
            true => Ok(()),
            false => Err(GrantRefusal::ForeignPage),
        }
    }

    /// One line for each field; no field can hold a line break.
    pub(super) fn payload(&self) -> String {
        let fields = &self.0;
        let additional: Vec<_> = fields
            .groups
            .additional()
            .map(|group| group.to_string())
            .collect();
        format!(
            "{}\n{}\n{}\n{}\n{}\n{:016x}\n{}",
            fields.host,
            fields.rule,
            fields.env.as_str(),
            fields.groups.primary(),
            additional.join(","),
            fields.mask_revision,
            fields.expires,
        )
    }

    /// `None` for whatever [`Self::payload`] would write in another way.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(payload).ok()?;
        let mut lines = text.split('\n');
        let mut line = || lines.next();
        let fields = GrantFields {
            host: line()?.into(),
            rule: line()?.into(),
            env: SiteEnv::parse(line()?)?,
            groups: read_groups(line()?, line()?)?,
            mask_revision: u64::from_str_radix(line()?, 16).ok()?,
            expires: line()?.parse().ok()?,
        };
        let read = Self::new(fields).ok()?;
        (read.payload() == text).then_some(read)
    }
}

fn read_groups(primary: &str, additional: &str) -> Option<GroupSet> {
    let primary = primary.parse().ok()?;
    let additional: Vec<GroupId> = match additional {
        "" => Vec::new(),
        list => {
            let groups = list.split(',').map(|group| group.parse().ok());
            groups.collect::<Option<_>>()?
        }
    };
    Some(GroupSet::new(primary, additional))
}
