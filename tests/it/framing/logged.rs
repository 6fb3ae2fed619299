//! The edge's access log, held against what an origin saw.

use cobrowse_edge::wire::CanonicalPath;

use crate::support::Seen;

/// The exchanges that were logged.
pub(super) struct Log(Vec<Line>);

struct Line {
    /// Method and canonical path.
    asked: String,
    /// Whether it belongs to a site, and so may have gone up.
    has_site: bool,
}

impl Log {
    pub(super) fn read(text: &str) -> Self {
        Self(text.lines().map(Line::read).collect())
    }

    /// A request that the origin saw and the log does not know.
    pub(super) fn oddity(&self, seen: &[Seen]) -> Option<String> {
        let logged = self.0.iter().filter(|line| line.has_site);
        let mut logged: Vec<_> = logged.map(|line| line.asked.as_str()).collect();
        seen.iter().find_map(|request| {
            let asked = asked(request);
            match logged.iter().position(|line| *line == asked) {
                Some(at) => {
                    logged.remove(at);
                    None
                }
                None => Some(format!("{asked} went up and is not in the log: {logged:?}")),
            }
        })
    }
}

impl Line {
    fn read(line: &str) -> Self {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let path = line["path"].as_str().unwrap();
        let canonical = CanonicalPath::parse(path);
        let path = canonical.map_or_else(|_| path.to_owned(), |path| path.to_string());
        Self {
            asked: format!("{} {path}", line["method"].as_str().unwrap()),
            has_site: line["site"].is_string(),
        }
    }
}

/// As the log has it: without the query, and without the values of parameters.
fn asked(request: &Seen) -> String {
    let mut words = request.head.split(' ');
    let (method, target) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let path = target.split('?').next().unwrap_or_default();
    let segments = path
        .split('/')
        .map(|segment| match segment.split_once(';') {
            Some((name, _)) => format!("{name};"),
            None => segment.to_owned(),
        });
    format!("{method} {}", segments.collect::<Vec<_>>().join("/"))
}
