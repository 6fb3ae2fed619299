use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use super::super::load::draft;
use super::*;
use crate::config::{Draft, EdgeConfig, Environment, RulesSource};
use crate::problem::SourceFile;
use crate::test_directory::TestDirectory;

const KEY: &str = "Zm9yLXRlc3RzLW9ubHktdGhpcy1pcy1rZXktb25l";
const OTHER: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";

fn read(environment: &Environment, text: &str) -> Draft {
    let path = "/etc/edge/edge.toml".into();
    let text = text.to_owned();
    draft(&Arc::new(SourceFile { path, text }), environment)
}

fn grants(text: &str) -> Option<GrantsConfig> {
    let draft = read(&Environment::default(), text);
    let config = draft
        .config
        .unwrap_or_else(|| panic!("{:#?}", draft.problems));
    config.grants
}

fn with_keys(keys: &str) -> Environment {
    Environment {
        grant_keys: Some(Secret::new(keys.to_owned())),
        ..Environment::default()
    }
}

#[test]
fn without_anybody_who_reads_them_there_are_no_grants() {
    for text in [
        "",
        "[grants]",
        "[grants]\nepoch = \"1h\"",
        "[grants]\nenabled = false",
    ] {
        assert!(grants(text).is_none(), "{text}");
    }
}

#[test]
fn keys_or_a_word_switch_grants_on() {
    let made = grants("[grants]\nenabled = true").unwrap();
    assert!(matches!(made.keys, KeysSource::Made));
    assert_eq!(made.epoch, GrantEpoch::default());

    let file = grants("[grants]\nkeys = \"secret/grant.keys\"\nepoch = \"90m\"").unwrap();
    let KeysSource::File(path) = file.keys else {
        unreachable!("{file:?}")
    };
    assert_eq!(path, Path::new("/etc/edge/secret/grant.keys"));
    assert_eq!(file.epoch.expiry(UNIX_EPOCH), 2 * 90 * 60);
}

#[test]
fn keys_of_the_environment_win_and_are_heard_without_a_file_too() {
    let ids = |keys: &KeysSource| match keys {
        KeysSource::Given(keys) => keys.ids().map(str::to_owned).collect::<Vec<_>>(),
        KeysSource::File(_) | KeysSource::Kept(_) | KeysSource::Made => Vec::new(),
    };
    let environment = with_keys(&format!("{KEY},{OTHER}"));
    for text in ["", "[grants]\nkeys = \"file\""] {
        let draft = read(&environment, text);
        let grants = draft.config.unwrap().grants.unwrap();
        assert_eq!(ids(&grants.keys).len(), 2, "{text}");
    }
    let off = read(&environment, "[grants]\nenabled = false");
    assert!(off.config.unwrap().grants.is_none());

    let mut config = EdgeConfig::new(RulesSource::Directory("rules".into()));
    environment.apply(&mut config).unwrap();
    assert_eq!(ids(&config.grants.unwrap().keys).len(), 2);
}

#[test]
fn keys_are_in_no_message_and_no_debug_text() {
    let weak = with_keys("hunter2-hunter2");
    let draft = read(&weak, "");
    assert!(draft.config.is_none());
    assert_eq!(
        draft.problems[0].place.to_string(),
        "COBROWSE_EDGE_GRANT_KEYS"
    );
    let good = with_keys(KEY);
    let config = read(&good, "").config;
    let shown = format!("{weak:?} {:?} {good:?} {config:?}", draft.problems);
    assert!(
        !shown.contains("hunter2") && !shown.contains(&KEY[..8]),
        "{shown}"
    );
}

#[test]
fn keys_are_read_from_a_file_each_time() {
    let directory = TestDirectory::new();
    let file = directory.write("grant.keys", format!("# made in May\n{KEY}\n"));
    let config = GrantsConfig {
        keys: KeysSource::File(file),
        epoch: GrantEpoch::default(),
    };
    let first = config.load_keys(None).unwrap();
    assert_eq!(first.ids().count(), 1);
    directory.write("grant.keys", format!("{OTHER}\n{KEY}\n"));
    let second = config.load_keys(Some(&first)).unwrap();
    assert_eq!(second.ids().count(), 2);

    for (text, words) in [
        ("short", "key 1 has 5 characters"),
        ("\n", "there is no key"),
    ] {
        directory.write("grant.keys", text);
        let problem = config.load_keys(Some(&first)).unwrap_err();
        assert!(
            problem.is_error() && problem.message.contains(words),
            "{problem}"
        );
    }
    let missing = GrantsConfig {
        keys: KeysSource::File(directory.path().join("none")),
        ..config
    };
    let problem = missing.load_keys(None).unwrap_err();
    assert!(problem.remedy.contains("openssl rand"), "{problem}");
}

#[test]
fn a_key_that_was_made_stays_for_the_life_of_the_process() {
    let config = grants("[grants]\nenabled = true").unwrap();
    let made = config.load_keys(None).unwrap();
    let again = config.load_keys(Some(&made)).unwrap();
    assert!(made.ids().eq(again.ids()));
    assert!(!made.ids().eq(config.load_keys(None).unwrap().ids()));
}

#[test]
fn a_key_that_is_kept_is_made_once_and_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt;

    let directory = TestDirectory::new();
    let path = directory.path().join("cobrowse.db.grant-key");
    let config = GrantsConfig {
        keys: KeysSource::Kept(path.clone()),
        epoch: GrantEpoch::default(),
    };
    let ids = || {
        let keys = config.load_keys(None).unwrap();
        keys.ids().map(str::to_owned).collect::<Vec<_>>()
    };
    let first = ids();
    assert_eq!((first.len(), ids()), (1, first));
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let nowhere = GrantsConfig {
        keys: KeysSource::Kept("/nowhere/at/all".into()),
        epoch: GrantEpoch::default(),
    };
    assert!(nowhere.load_keys(None).is_err());
}
