//! What a script needs of the policies of the pages that it runs on: as a rule file states it, else
//! as its URL and its tag tell.

use crate::document::{Fault, TableReader, text};
use crate::wire::csp::{Needs, Source, SourceError};

use super::decisions::Decided;
use super::tag::TagKey;

/// `needs` of a script. What is not stated follows from the script's URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct StatedNeeds {
    lists: [Option<Vec<Need>>; 5],
}

/// A source, or the page's own origin.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Need {
    Own,
    Source(Source),
}

/// A list of needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Script,
    Connect,
    Style,
    Img,
    Frame,
}

impl Kind {
    const ALL: [Self; 5] = [
        Self::Script,
        Self::Connect,
        Self::Style,
        Self::Img,
        Self::Frame,
    ];

    fn key(self) -> &'static str {
        match self {
            Self::Script => "script",
            Self::Connect => "connect",
            Self::Style => "style",
            Self::Img => "img",
            Self::Frame => "frame",
        }
    }

    fn of(self, needs: &mut Needs) -> &mut Vec<Source> {
        match self {
            Self::Script => &mut needs.script,
            Self::Connect => &mut needs.connect,
            Self::Style => &mut needs.style,
            Self::Img => &mut needs.img,
            Self::Frame => &mut needs.frame,
        }
    }
}

impl StatedNeeds {
    pub(super) fn read(mut table: TableReader<'_>) -> Self {
        let lists = Kind::ALL.map(|kind| {
            let list = table.take_list(kind.key(), text(need));
            let list = list.into_iter().map(|need| need.value).collect();
            table.has(kind.key()).then_some(list)
        });
        table.finish();
        Self { lists }
    }

    /// Each list as the first of them has it that has it at all.
    pub(super) fn settle<'a>(levels: impl Iterator<Item = &'a Self>) -> Self {
        let mut settled = Self::default();
        for level in levels {
            for (list, stated) in settled.lists.iter_mut().zip(&level.lists) {
                if list.is_none() {
                    list.clone_from(stated);
                }
            }
        }
        settled
    }

    /// What a tag with this `src` needs. Its own script is always among it.
    pub(super) fn of_tag(&self, src: &str, tag: &[(TagKey, Decided<'_, &str>)]) -> Needs {
        let mut needs = usual(src, tag);
        for (kind, stated) in Kind::ALL.into_iter().zip(&self.lists) {
            if let Some(stated) = stated {
                let list = kind.of(&mut needs);
                list.clear();
                stated.iter().for_each(|need| need.add_to(kind, list));
            }
        }
        let covered = |source: &Source| source.is_beneath(&needs.script);
        let own = Source::folder_of(src).filter(|own| !covered(own));
        needs.script.splice(0..0, own);
        needs.integrity = find(tag, TagKey::Integrity)
            .map(|hashes| hashes.split_ascii_whitespace().map(Into::into).collect())
            .unwrap_or_default();
        needs
    }
}

impl Need {
    fn add_to(&self, kind: Kind, list: &mut Vec<Source>) {
        match self {
            Self::Source(source) => list.push(source.clone()),
            Self::Own => {
                list.push(Source::OWN);
                list.extend((kind == Kind::Connect).then_some(Source::OWN_SOCKET));
            }
        }
    }
}

fn need(given: &str) -> Result<Need, Fault> {
    if ["self", "'self'"].contains(&given) {
        return Ok(Need::Own);
    }
    Source::parse(given).map(Need::Source).map_err(|error| {
        let remedy = match error {
            SourceError::Form => {
                "write a host with its scheme, such as \"https://*.glance.net\", or \"self\" for the page's own origin"
            }
            SourceError::Scheme => "write https:// (or wss:// for WebSockets)",
            SourceError::Wide => "write the hosts that the script needs, such as \"https://*.glance.net\"",
        };
        Fault::new(format!("\"{given}\" {error}"), remedy)
    })
}

/// What is needed where nobody says anything: by the vendor's documentation if the vendor serves the
/// script, else all from where the script comes.
fn usual(src: &str, tag: &[(TagKey, Decided<'_, &str>)]) -> Needs {
    let mut needs = match VENDOR.iter().find(|vendor| vendor.serves(src)) {
        Some(vendor) => vendor.needs(),
        None => of_origin(src),
    };
    for key in [TagKey::Ws, TagKey::PresenceServer] {
        if let Some(host) = find(tag, key) {
            let sources =
                ["https", "wss"].map(|scheme| Source::parse(&format!("{scheme}://{host}")));
            add(&mut needs.connect, sources.into_iter().flatten());
        }
    }
    if let Some(folder) = find(tag, TagKey::ScriptServer) {
        add(&mut needs.script, Source::folder_of(&format!("{folder}/")));
        for list in [&mut needs.connect, &mut needs.style, &mut needs.img] {
            add(list, Source::origin_of(folder));
        }
    }
    needs
}

fn of_origin(src: &str) -> Needs {
    let origin = Source::origin_of(src).into_iter();
    let surroundings: Vec<_> = Source::surroundings_of(src).into_iter().collect();
    Needs {
        script: Vec::new(),
        connect: origin.chain(Source::sockets_of(src)).collect(),
        style: surroundings.clone(),
        img: surroundings.clone(),
        frame: surroundings,
        integrity: Vec::new(),
    }
}

fn add(list: &mut Vec<Source>, sources: impl IntoIterator<Item = Source>) {
    for source in sources {
        if !source.is_beneath(list) {
            list.push(source);
        }
    }
}

fn find<'a>(tag: &[(TagKey, Decided<'_, &'a str>)], key: TagKey) -> Option<&'a str> {
    let (_, value) = tag.iter().find(|(known, _)| *known == key)?;
    Some(value.value)
}

/// Domains of the vendor that belong together: where scripts come from, and what they talk to.
struct Vendor {
    cdn: &'static str,
    web: &'static str,
}

/// Production, and two for tests.
const VENDOR: [Vendor; 3] = [
    Vendor {
        cdn: "glancecdn.net",
        web: "glance.net",
    },
    Vendor {
        cdn: "myglance.net",
        web: "myglance.net",
    },
    Vendor {
        cdn: "myglance.org",
        web: "myglance.org",
    },
];

impl Vendor {
    fn serves(&self, src: &str) -> bool {
        let authority = src.strip_prefix("https://").unwrap_or_default();
        let host = authority
            .split(['/', '?', '#', ':'])
            .next()
            .unwrap_or_default();
        let host = host.to_ascii_lowercase();
        [self.cdn, self.web].iter().any(|domain| {
            let below = host.strip_suffix(domain);
            below.is_some_and(|below| below.ends_with('.'))
        })
    }

    /// "CSP headers" of the vendor's documentation; `'unsafe-inline'` is not needed.
    fn needs(&self) -> Needs {
        let hosts = |scheme: &str, domains: &[&str]| {
            let mut list = Vec::new();
            let sources = domains
                .iter()
                .map(|domain| format!("{scheme}://*.{domain}"));
            add(
                &mut list,
                sources.filter_map(|text| Source::parse(&text).ok()),
            );
            list
        };
        let both = hosts("https", &[self.cdn, self.web]);
        Needs {
            script: both.clone(),
            connect: [both.clone(), hosts("wss", &[self.web])].concat(),
            style: both.clone(),
            img: both,
            frame: hosts("https", &[self.web]),
            integrity: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(src: &str, tag: &[(TagKey, &str)]) -> [String; 5] {
        let tag: Vec<_> = tag
            .iter()
            .map(|(key, value)| {
                (
                    *key,
                    Decided {
                        value: *value,
                        by: None,
                    },
                )
            })
            .collect();
        let mut needs = StatedNeeds::default().of_tag(src, &tag);
        Kind::ALL.map(|kind| {
            let list: Vec<_> = kind
                .of(&mut needs)
                .iter()
                .map(ToString::to_string)
                .collect();
            list.join(" ")
        })
    }

    #[test]
    fn the_vendors_script_needs_the_vendors_hosts() {
        let both = "https://*.glancecdn.net https://*.glance.net";
        let connect = format!("{both} wss://*.glance.net");
        let production = [both, &*connect, both, both, "https://*.glance.net"];
        for src in [
            "https://www.glancecdn.net/cobrowse/CobrowseJS.ashx?group=1&site=production",
            "https://STORAGE.glancecdn.net:443/cobrowse/js/GlanceCobrowseLoader_6.41.0M.js",
            "https://www.glance.net/x.js",
        ] {
            assert_eq!(needs(src, &[]), production, "{src}");
        }
        let test = "https://*.myglance.net";
        assert_eq!(
            needs("https://staging-cdn.myglance.net/c.js", &[]),
            [
                test,
                "https://*.myglance.net wss://*.myglance.net",
                test,
                test,
                test
            ]
        );
    }

    #[test]
    fn another_script_needs_its_own_origin() {
        let origin = "https://static.bank.example:8443";
        assert_eq!(
            needs("https://static.bank.example:8443/glance/4/l.js", &[]),
            [
                "https://static.bank.example:8443/glance/4/",
                "https://static.bank.example:8443 wss://static.bank.example:8443",
                origin,
                origin,
                origin
            ]
        );
        assert_eq!(
            needs("/_cobrowse/visitor.js", &[]),
            [
                "'self' (/_cobrowse/)",
                "'self' 'self' (WebSockets)",
                "'self' (/_cobrowse/)",
                "'self' (/_cobrowse/)",
                "'self' (/_cobrowse/)"
            ]
        );
        let evil = needs("https://evilglance.net/x.js", &[]);
        assert_eq!(evil[0], "https://evilglance.net");
        assert_eq!(
            needs("https://glance.net.evil.example/", &[])[2],
            "https://glance.net.evil.example"
        );
    }

    #[test]
    fn servers_that_the_tag_names_are_needed_too() {
        let tag = [
            (TagKey::Ws, "ebay.glance.net"),
            (TagKey::PresenceServer, "presence.bank.example:5501"),
            (
                TagKey::ScriptServer,
                "https://static.bank.example/cobrowse/4.2.0",
            ),
        ];
        let vendor = "https://*.glancecdn.net https://*.glance.net";
        let with_static = format!("{vendor} https://static.bank.example");
        assert_eq!(
            needs("https://www.glancecdn.net/x", &tag),
            [
                &*format!("{vendor} https://static.bank.example/cobrowse/4.2.0/"),
                "https://*.glancecdn.net https://*.glance.net wss://*.glance.net \
                 https://presence.bank.example:5501 wss://presence.bank.example:5501 \
                 https://static.bank.example",
                &*with_static,
                &*with_static,
                "https://*.glance.net"
            ]
        );
    }
}
