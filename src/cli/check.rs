use std::path::Path;

use clap::Args;

use super::exit::Exit;
use super::report::{counted, report};
use super::source::Source;
use super::terminal::say;
use crate::app::Routes;
use crate::config::{Draft, EdgeConfig};
use crate::problem::Problem;
use crate::rules::{Loaded, RuleSet, SiteEnv};
use crate::server::Certificates;
use crate::upstream::Client;

/// Look at settings, rules and certificates, and report every fault in them
///
/// The tests in the rule files ([[test]]) are run as well. Nothing is served, and no origin is asked.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  cobrowse-edge check
  cobrowse-edge check --config /etc/cobrowse-edge/edge.toml
  cobrowse-edge check --rules rules/

Ends with 0 when the edge would start, else with 1.")]
pub(super) struct CheckArgs {
    #[command(flatten)]
    source: Source,
}

/// What was found to be good.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    rules: Option<FoundRules>,
    certificates: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FoundRules {
    sites: usize,
    rules: usize,
    tests: usize,
}

impl CheckArgs {
    pub(super) fn run(self) -> Exit {
        let (found, problems) = check(&self.source.draft());
        report(&problems);
        if problems.iter().any(Problem::is_error) {
            return Exit::Refused;
        }
        say(found.summary());
        Exit::Success
    }
}

/// All problems of all three: settings, rules, certificates.
fn check(draft: &Draft) -> (Found, Vec<Problem>) {
    let mut problems = draft.problems.clone();
    let rules = match &draft.config {
        Some(config) => accept(check_routes(config), &mut problems),
        None => draft
            .rules
            .as_deref()
            .and_then(|directory| accept(check_rules(directory, draft.env), &mut problems)),
    };
    let certificates = draft
        .certificates
        .as_deref()
        .and_then(|directory| accept(check_certificates(directory, draft.orders), &mut problems));
    let found = Found {
        rules,
        certificates,
    };
    (found, problems)
}

/// The rules, and every origin and backend.
fn check_routes(config: &EdgeConfig) -> Result<(FoundRules, Vec<Problem>), Vec<Problem>> {
    let problems = match Routes::load(config, None) {
        Ok((routes, warnings)) => return Ok((FoundRules::of(&routes.rules), warnings)),
        Err(problems) => problems,
    };
    // Faults in the rules ended the look at what they name; the backend is named elsewhere.
    let backend = config.session.as_ref().map(|session| &session.backend);
    let client = backend.map(|backend| Client::new(backend, config.upstream.clone()));
    let faults = client.and_then(Result::err).unwrap_or_default();
    let known = |fault: &Problem| problems.contains(fault);
    let unknown: Vec<_> = faults.into_iter().filter(|fault| !known(fault)).collect();
    Err([problems, unknown].concat())
}

/// What can be said of the rules without the settings.
fn check_rules(directory: &Path, env: SiteEnv) -> Result<(FoundRules, Vec<Problem>), Vec<Problem>> {
    let Loaded { rules, warnings } = RuleSet::load(directory, env)?;
    Ok((FoundRules::of(&rules), warnings))
}

fn check_certificates(
    directory: &Path,
    may_be_empty: bool,
) -> Result<(usize, Vec<Problem>), Vec<Problem>> {
    if may_be_empty && !directory.exists() {
        return Ok((0, Vec::new()));
    }
    let (certificates, warnings) = Certificates::look(directory, may_be_empty)?;
    Ok((certificates.len(), warnings))
}

/// What was found to be good, if it was; problems and warnings are added to the others.
fn accept<T>(
    looked_at: Result<(T, Vec<Problem>), Vec<Problem>>,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    match looked_at {
        Ok((found, warnings)) => {
            problems.extend(warnings);
            Some(found)
        }
        Err(faults) => {
            problems.extend(faults);
            None
        }
    }
}

impl Found {
    fn summary(&self) -> String {
        let rules = self.rules.map(FoundRules::summary);
        let certificates = self
            .certificates
            .map(|number| counted(number, "certificate"));
        let all: Vec<_> = rules.into_iter().chain(certificates).collect();
        format!("{}: all good", all.join(", "))
    }
}

impl FoundRules {
    fn of(rules: &RuleSet) -> Self {
        let sites = rules.sites();
        Self {
            sites: sites.len(),
            rules: sites.iter().map(|site| site.rule_count()).sum(),
            tests: rules.test_count(),
        }
    }

    fn summary(self) -> String {
        let (sites, rules) = (counted(self.sites, "site"), counted(self.rules, "rule"));
        let tests = match self.tests {
            0 => "no tests".to_owned(),
            number => format!("{} passed", counted(number, "test")),
        };
        format!("{sites}, {rules}, {tests}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::test_directory::TestDirectory;

    const SETTINGS: &str = "rules = \"rules\"\n";
    const RULES: &str = "version = 1\n[[site]]\nhosts = [\"a\"]\norigin = \"http://127.0.0.1:1\"\n\
                         group = 1\n";

    fn look(settings: &str, rules: &str) -> (Found, Vec<Problem>) {
        let files = [("edge.toml", settings), ("rules/bank.toml", rules)];
        let directory = TestDirectory::with(&files);
        check(&config::read(&directory.path().join("edge.toml")))
    }

    fn messages(problems: &[Problem]) -> String {
        let lines = problems.iter().map(|problem| format!("{problem}\n"));
        lines.collect()
    }

    #[test]
    fn good_files_are_counted() {
        let (found, problems) = look(SETTINGS, RULES);
        assert_eq!(messages(&problems), "");
        assert_eq!(found.summary(), "1 site, 0 rules, no tests: all good");
        let more = "[[site.rule]]\npath = \"/x\"\ngroup = 2\n[[site.rule]]\npath = \"/y\"\n\
                    inject = false\n[[test]]\nurl = \"http://a/x\"\nexpect = { group = 2 }\n";
        let (found, problems) = look(SETTINGS, &format!("{RULES}{more}"));
        assert_eq!(messages(&problems), "");
        assert_eq!(found.summary(), "1 site, 2 rules, 1 test passed: all good");
    }

    #[test]
    fn faults_of_all_three_are_found_at_once() {
        let settings = format!("{SETTINGS}certs = \"none\"\nserver.drain_timeout = 3\n");
        let rules = RULES.replace("group = 1", "grop = 1");
        let (_, problems) = look(&settings, &rules);
        let messages = messages(&problems);
        for words in ["`drain_timeout` must be text", "`grop`", "none"] {
            assert!(messages.contains(words), "{words}: {messages}");
        }
    }

    #[test]
    fn the_backend_is_looked_at_though_the_rules_are_broken() {
        let session = "[session]\nbackend = \"https://a\"\nmount = \"/m\"\nca = \"none.pem\"\n";
        let settings = format!("{SETTINGS}{session}");
        let rules = RULES.replace("group = 1", "grop = 1");
        for rules in [RULES, &rules] {
            let (_, problems) = look(&settings, rules);
            let messages = messages(&problems);
            assert_eq!(messages.matches("none.pem").count(), 1, "{messages}");
        }
    }

    #[test]
    fn a_failing_test_of_the_rules_is_an_error() {
        let test = "[[test]]\nurl = \"http://a/\"\nexpect = { group = 2 }\n";
        let (_, problems) = look(SETTINGS, &format!("{RULES}{test}"));
        assert!(problems.iter().any(Problem::is_error));
    }
}
