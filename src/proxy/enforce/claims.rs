use std::borrow::Cow;
use std::fmt;

use http::HeaderMap;
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};

use super::refusal::EnforceRefusal;
use super::{EnforceConfig, Places, query};
use crate::groups::GroupId;

/// What a request says of groups, each thing once.
#[derive(Debug, Default)]
pub(super) struct Claims {
    pub(super) groups: Vec<GroupId>,
    pub(super) grants: Vec<String>,
}

/// Collects what a request says, in all the places that the settings name. Each place may hold several
/// values: which of them a backend takes, nobody knows, so all count.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) config: &'a EnforceConfig,
    claims: Claims,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Grant,
    Group,
    Other,
}

impl<'a> Reader<'a> {
    pub(super) fn new(config: &'a EnforceConfig) -> Self {
        let claims = Claims::default();
        Self { config, claims }
    }

    pub(super) fn into_claims(self) -> Claims {
        self.claims
    }

    /// `-` and `_` are one to programs that get header fields as variables.
    pub(super) fn read_headers(&mut self, headers: &HeaderMap) -> Result<(), EnforceRefusal> {
        for (name, value) in headers {
            let role = self.role(|places| &places.headers, &name.as_str().replace('_', "-"));
            if role != Role::Other {
                let value = value
                    .to_str()
                    .map_err(|_| EnforceRefusal::GroupUnreadable)?;
                self.take(role, value)?;
            }
        }
        Ok(())
    }

    /// Of a request's target, or of a form, as it was sent.
    pub(super) fn read_query(&mut self, query: &str) -> Result<(), EnforceRefusal> {
        // To some programs `;` parts parameters, to others it does not.
        for separators in [&['&'][..], &['&', ';']] {
            for pair in query.split(separators) {
                self.read_pair(pair)?;
            }
        }
        Ok(())
    }

    pub(super) fn read_json(&mut self, json: &[u8]) -> Result<(), EnforceRefusal> {
        let mut refused = None;
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let node = Node {
            reader: self,
            role: Role::Other,
            refused: &mut refused,
        };
        let read = node.deserialize(&mut deserializer);
        match read.and_then(|()| deserializer.end()) {
            Ok(()) => Ok(()),
            Err(_) => Err(refused.unwrap_or(EnforceRefusal::BodyUnreadable)),
        }
    }

    fn read_pair(&mut self, pair: &str) -> Result<(), EnforceRefusal> {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = query::decode(name).ok_or(EnforceRefusal::QueryUnreadable)?;
        match self.role(|places| &places.query, &name) {
            Role::Other => Ok(()),
            role => {
                let value = query::decode(value).ok_or(EnforceRefusal::GroupUnreadable)?;
                self.take(role, &value)
            }
        }
    }

    fn role(&self, names: impl Fn(&Places) -> &Vec<String>, name: &str) -> Role {
        let name = folded(name);
        let is_in = |places| names(places).iter().any(|known| folded(known) == name);
        if is_in(&self.config.group) {
            Role::Group
        } else if is_in(&self.config.grant) {
            Role::Grant
        } else {
            Role::Other
        }
    }

    fn take(&mut self, role: Role, value: &str) -> Result<(), EnforceRefusal> {
        match role {
            Role::Grant if !self.claims.grants.iter().any(|known| known == value) => {
                self.claims.grants.push(value.to_owned());
            }
            Role::Group => {
                let group = value.parse().map_err(|_| EnforceRefusal::GroupUnreadable)?;
                self.take_group(group);
            }
            Role::Grant | Role::Other => {}
        }
        Ok(())
    }

    fn take_group(&mut self, group: GroupId) {
        if !self.claims.groups.contains(&group) {
            self.claims.groups.push(group);
        }
    }
}

/// A name as the most lenient reader compares it: in any case, without blanks around it, and without
/// what makes it a list to some (`group[]`).
fn folded(name: &str) -> String {
    let end = name.find(['[', '\0']).unwrap_or(name.len());
    let name = name[..end].trim_matches(|c: char| c.is_whitespace() || c.is_control());
    name.to_uppercase()
}

/// One value of a JSON text, on its way through the parser: a tree that keeps one of two members of one
/// name would hide the other.
struct Node<'r, 'c> {
    reader: &'r mut Reader<'c>,
    role: Role,
    /// Why the text is refused, where it is not for its grammar.
    refused: &'r mut Option<EnforceRefusal>,
}

impl<'c> Node<'_, 'c> {
    fn below(&mut self, role: Role) -> Node<'_, 'c> {
        Node {
            reader: &mut *self.reader,
            role,
            refused: &mut *self.refused,
        }
    }

    fn settle<E: Error>(self, taken: Result<(), EnforceRefusal>) -> Result<(), E> {
        taken.map_err(|refusal| {
            *self.refused = Some(refusal);
            E::custom("refused")
        })
    }

    /// A value that is neither a group nor a grant.
    fn only_if_other<E: Error>(self) -> Result<(), E> {
        let taken = match self.role {
            Role::Other => Ok(()),
            Role::Grant | Role::Group => Err(EnforceRefusal::GroupUnreadable),
        };
        self.settle(taken)
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.only_if_other()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.only_if_other()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.only_if_other()
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.only_if_other()
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        let taken = self.reader.take(self.role, &number.to_string());
        self.settle(taken)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let taken = self.reader.take(self.role, text);
        self.settle(taken)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(self.below(Role::Other))?.is_some() {}
        self.only_if_other()
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<Cow<'_, str>>()? {
            let role = self.reader.role(|places| &places.json, &name);
            members.next_value_seed(self.below(role))?;
        }
        self.only_if_other()
    }
}
