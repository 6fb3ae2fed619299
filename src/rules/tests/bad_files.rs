use std::path::PathBuf;

use super::*;

/// Every `tests/rules-bad/NAME.toml` has a `NAME.txt` beside it: the problems that it must give, one
/// per line, as `line: message (remedy)`. `UPDATE_RULES_BAD=1` writes them anew, to be read in the diff.
#[test]
fn every_bad_file_gives_its_expected_problems() {
    let dir = root().join("tests/rules-bad");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "toml")
    });
    files.sort();
    assert!(files.len() > 30, "only {} bad files", files.len());
    let different: Vec<_> = files.iter().filter_map(|path| difference(path)).collect();
    assert!(different.is_empty(), "{}", different.join("\n"));
}

fn difference(path: &Path) -> Option<String> {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let file = Arc::new(SourceFile {
        path: PathBuf::from(&name),
        text: std::fs::read_to_string(path).unwrap(),
    });
    let found = match RuleSet::compile(vec![file], SiteEnv::Production) {
        Ok(_) => "no error at all\n".to_owned(),
        Err(problems) => problems
            .iter()
            .map(|problem| line(&name, problem))
            .collect(),
    };
    let expectation = path.with_extension("txt");
    if std::env::var_os("UPDATE_RULES_BAD").is_some() {
        std::fs::write(&expectation, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&expectation).unwrap_or_default();
    (found != expected).then(|| format!("{name} gives\n{found}instead of\n{expected}"))
}

fn line(name: &str, problem: &Problem) -> String {
    let shown = problem.to_string();
    format!(
        "{}\n",
        shown.strip_prefix(&format!("{name}:")).unwrap_or(&shown)
    )
}
