use std::path::PathBuf;

use super::*;

fn file(name: &str, text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile {
        path: PathBuf::from(name),
        text: text.to_owned(),
    })
}

fn place(file: &Arc<SourceFile>, words: &str) -> Place {
    let start = file.text.find(words).unwrap();
    Place::span(file, start..start + words.len())
}

fn related(file: &Arc<SourceFile>, words: &str, label: &str) -> Related {
    let start = file.text.find(words).unwrap();
    Related {
        file: Arc::clone(file),
        span: start..start + words.len(),
        label: label.to_owned(),
    }
}

fn with(place: Place, more: Related) -> Place {
    match place {
        Place::Span { file, span, .. } => Place::Span {
            file,
            span,
            also: vec![more],
        },
        other => other,
    }
}

/// A warning, an error in a line, one that concerns two files, one without a line.
fn problems() -> Vec<Problem> {
    let edge = file(
        "edge.toml",
        "[server]\nhttp = [\"127.0.0.1:1\"]\ndrian = \"3ö0s\" # x\n",
    );
    let (one, two) = (
        file("a.toml", "hosts = [\"a\"]\n"),
        file("b.toml", "# b\nhosts = [\"a\"]\n"),
    );
    let collision = with(
        place(&two, "\"a\""),
        related(&one, "\"a\"", "the other site"),
    );
    let twice = with(place(&edge, "drian"), related(&edge, "http", "in here"));
    vec![
        Problem::warning(place(&edge, "# x"), "this is odd", "remove it"),
        Problem::error(twice, "unknown key `drian`", "did you mean `drain`?"),
        Problem::error(collision, "two sites have the host \"a\"", "keep one"),
        Problem::error(Place::Path("certs".into()), "no such directory", "make it"),
        Problem::error(Place::Flag("--listen"), "is in use", "choose another"),
    ]
}

#[test]
fn plain_problems_are_lines_that_editors_can_read() {
    assert_eq!(
        render(&problems(), Look::Plain),
        "\
edge.toml:3:1: error: unknown key `drian`
  remedy: did you mean `drain`?
  see also edge.toml:2:1: in here
b.toml:2:10: error: two sites have the host \"a\"
  remedy: keep one
  see also a.toml:1:10: the other site
certs: error: no such directory
  remedy: make it
--listen: error: is in use
  remedy: choose another
edge.toml:3:16: warning: this is odd
  remedy: remove it
4 errors, 1 warning
"
    );
}

#[test]
fn a_terminal_is_shown_the_lines() {
    let text = render(&problems(), Look::Lines { colour: false });
    insta::assert_snapshot!(text, @r#"
      × unknown key `drian`
       ╭─[edge.toml:3:1]
     1 │ [server]
     2 │ http = ["127.0.0.1:1"]
       · ──┬─
       ·   ╰── in here
     3 │ drian = "3ö0s" # x
       · ──┬──
       ·   ╰── here
       ╰────
      help: did you mean `drain`?

      × two sites have the host "a"
       ╭─[b.toml:2:10]
     1 │ # b
     2 │ hosts = ["a"]
       ·          ─┬─
       ·           ╰── here
       ╰────
      help: keep one
      ☞ the other site
       ╭─[a.toml:1:10]
     1 │ hosts = ["a"]
       ·          ─┬─
       ·           ╰── here
       ╰────

      × certs: no such directory
      help: make it

      × --listen: is in use
      help: choose another

      ⚠ this is odd
       ╭─[edge.toml:3:17]
     2 │ http = ["127.0.0.1:1"]
     3 │ drian = "3ö0s" # x
       ·                ─┬─
       ·                 ╰── here
       ╰────
      help: remove it

    4 errors, 1 warning
    "#);
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let with = |colour| render(&problems(), Look::Lines { colour });
    assert!(with(true).contains("\u{1b}["));
    assert!(!with(false).contains('\u{1b}'));
    assert!(!render(&problems(), Look::Plain).contains('\u{1b}'));
}

#[test]
fn a_place_beyond_the_text_is_no_reason_to_fail() {
    let file = file("cut.toml", "a");
    let problem = Problem::error(Place::span(&file, 7..9), "gone", "look");
    for look in [Look::Plain, Look::Lines { colour: false }] {
        let text = render(std::slice::from_ref(&problem), look);
        assert!(text.contains("gone") && text.contains("look"), "{text}");
        assert!(text.contains("cut.toml:1:"), "{text}");
    }
}

#[test]
fn a_flood_is_cut_and_counted() {
    let one = Problem::error(Place::Flag("--x"), "bad", "mend");
    let whole = render(&vec![one.clone(); SHOWN_MAX], Look::Plain);
    assert!(!whole.contains("more"), "{whole}");
    let cut = render(&vec![one; SHOWN_MAX + 1], Look::Plain);
    assert!(cut.ends_with("... and 1 more\n101 errors\n"), "{cut}");
    assert_eq!(cut.matches("--x: error").count(), SHOWN_MAX);
}

#[test]
fn counts_in_words() {
    assert_eq!(count(1, 2), "1 error, 2 warnings");
    assert_eq!(count(0, 1), "1 warning");
}
