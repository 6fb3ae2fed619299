use clap::Args;

use super::exit::Exit;
use super::fetch::{Asked, FetchArgs};
use super::report::report;
use super::running::on_runtime;
use super::source::Source;
use super::terminal::{complain, say};
use crate::config::Draft;
use crate::problem::Problem;
use crate::rules::{Explanation, RuleSet};
use crate::wire::{Authority, CanonicalPath, Scheme};

/// Tell what the rules make of one page, and why
///
/// Every rule that matches with its file and line, who decided which setting, where each mask comes
/// from, and the exact tag. With --fetch the page is fetched from its origin, too: the tag will run, or
/// it will not, and why.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  cobrowse-edge explain https://www.bank.example/mortgage/apply
  cobrowse-edge explain https://www.bank.example/chat --rules rules/
  cobrowse-edge explain --fetch https://www.bank.example/account --header 'Cookie: session=1'")]
pub(super) struct ExplainArgs {
    /// The page as visitors ask for it, in full
    #[arg(value_name = "URL", value_parser = PageUrl::parse)]
    url: PageUrl,
    #[command(flatten)]
    fetch: FetchArgs,
    #[command(flatten)]
    source: Source,
}

/// A page's host and path, which alone decide what the rules make of it; and all that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PageUrl {
    host: String,
    path: CanonicalPath,
    asked: Asked,
}

impl ExplainArgs {
    pub(super) fn run(self) -> Exit {
        let draft = self.source.draft();
        let rules = match rules(&draft) {
            Ok(rules) => rules,
            Err(problems) => {
                report(&problems);
                return Exit::Config;
            }
        };
        match explain(&rules, &self.url) {
            Ok(explanation) => {
                say(explanation.to_string().trim_end());
                match self.fetch.fetch {
                    true => fetch(self.fetch, draft, &self.url.asked),
                    false => Exit::Success,
                }
            }
            Err(message) => {
                complain(message);
                Exit::Refused
            }
        }
    }
}

fn fetch(fetch: FetchArgs, draft: Draft, page: &Asked) -> Exit {
    match draft.config {
        Some(config) => on_runtime(fetch.run(&config, page)),
        None => {
            report(&draft.problems);
            Exit::Config
        }
    }
}

/// Faults elsewhere in the settings are no reason not to explain.
fn rules(draft: &Draft) -> Result<RuleSet, Vec<Problem>> {
    match &draft.rules {
        Some(directory) => RuleSet::load(directory, draft.env).map(|loaded| loaded.rules),
        None => Err(draft.problems.clone()),
    }
}

fn explain(rules: &RuleSet, url: &PageUrl) -> Result<Explanation, String> {
    match rules.site(&url.host) {
        Some(site) => Ok(site.explain(url.path.as_str())),
        None => {
            let hosts = rules.sites().iter().flat_map(|site| site.hosts());
            let hosts: Vec<_> = hosts.map(ToString::to_string).collect();
            Err(format!(
                "no site has the host {}; there are: {}",
                url.host,
                hosts.join(", ")
            ))
        }
    }
}

impl PageUrl {
    fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let scheme = Scheme::parse(scheme).ok_or("write it in full: https://host/path")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let authority =
            Authority::parse(authority.as_bytes()).map_err(|error| error.to_string())?;
        let target = rest.split('#').next().unwrap_or_default();
        let target = match target.starts_with('/') {
            true => target.to_owned(),
            false => format!("/{target}"),
        };
        let path = target.split('?').next().unwrap_or_default();
        let path = CanonicalPath::parse(path)
            .map_err(|refusal| format!("a request for this is refused with 400: {refusal}"))?;
        Ok(Self {
            host: authority.host().to_owned(),
            path,
            asked: Asked {
                scheme,
                authority,
                target,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::problem::SourceFile;
    use crate::rules::SiteEnv;

    #[test]
    fn reads_host_and_path_of_a_page() {
        for (text, host, path) in [
            ("https://www.bank.example", "www.bank.example", "/"),
            ("HTTP://WWW.Bank.example:8080?x=/y", "www.bank.example", "/"),
            ("https://a/b/../c?d#e", "a", "/c"),
            ("https://[::1]/", "[::1]", "/"),
        ] {
            let url = PageUrl::parse(text).unwrap();
            assert_eq!((&*url.host, url.path.as_str()), (host, path), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_url() {
        for (text, words) in [
            ("www.bank.example/", "in full"),
            ("/chat", "in full"),
            ("ftp://a/", "in full"),
            ("https:///x", "no host"),
            ("https://a/../b", "refused with 400"),
        ] {
            let error = PageUrl::parse(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    fn rules() -> RuleSet {
        let text = "version = 1\n[[site]]\nhosts = [\"www.bank.example\", \"*.shop.example\"]\n\
                    origin = \"http://127.0.0.1:1\"\ngroup = 1\n";
        let file = SourceFile {
            path: "bank.toml".into(),
            text: text.to_owned(),
        };
        let loaded = RuleSet::compile(vec![Arc::new(file)], SiteEnv::Production);
        loaded.unwrap().rules
    }

    #[test]
    fn explains_the_page_that_is_asked_for() {
        let url = PageUrl::parse("https://a.shop.example/x/../chat?y").unwrap();
        let explanation = explain(&rules(), &url).unwrap();
        assert_eq!(explanation.path, "/chat");
        assert!(explanation.tag.unwrap().contains("data-groupid=\"1\""));
    }

    #[test]
    fn an_unknown_host_is_told_which_there_are() {
        let url = PageUrl::parse("https://nobody.example/").unwrap();
        assert_eq!(
            explain(&rules(), &url).unwrap_err(),
            "no site has the host nobody.example; there are: www.bank.example, *.shop.example"
        );
    }
}
