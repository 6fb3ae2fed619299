//! `agent` and `audit` as an operator meets them.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::Directory;

/// What a command said and how it ended.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    output: String,
    errors: String,
}

/// Runs a command in a directory, with this on its standard input.
fn run(directory: &Directory, arguments: &[&str], input: &str) -> Said {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cobrowse-edge"))
        .args(arguments)
        .current_dir(&directory.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have ended without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Said {
        code: output.status.code(),
        output: String::from_utf8(output.stdout).unwrap(),
        errors: String::from_utf8(output.stderr).unwrap(),
    }
}

#[track_caller]
fn told(said: &Said, code: i32, words: &[&str]) {
    assert_eq!(said.code, Some(code), "{said:#?}");
    for word in words {
        let found = said.output.contains(word) || said.errors.contains(word);
        assert!(found, "{word:?} is not in {said:#?}");
    }
}

const PASSWORD: &str = "correct horse battery\n";

#[test]
fn agents_come_get_rights_and_go() {
    let directory = Directory::new();
    let run = |arguments: &[&str], input| run(&directory, arguments, input);
    let add = [
        "agent",
        "add",
        "Ada",
        "--display-name",
        "Ada L.",
        "--groups",
        "15687,15690",
    ];
    told(
        &run(&add, PASSWORD),
        0,
        &["agent ada is there", "group 15687\tview,point,end"],
    );
    told(
        &run(&["agent", "add", "bo"], PASSWORD),
        0,
        &["no right in any group"],
    );
    told(
        &run(&["agent", "list"], ""),
        0,
        &[
            "ada\tAda L.\n  group 15687\tview,point,end\n  group 15690",
            "\nbo\tbo\n",
        ],
    );
    let view = ["agent", "grant", "bo", "15690", "--may", "view,end"];
    told(&run(&view, ""), 0, &["group 15690\tview,end"]);
    let less = ["agent", "revoke", "ada", "15687", "--may", "end"];
    told(&run(&less, ""), 0, &["group 15687\tview,point\n"]);
    told(
        &run(&["agent", "revoke", "bo", "15690"], ""),
        0,
        &["no right in any group"],
    );
    told(
        &run(&["agent", "passwd", "bo"], "another long password\n"),
        0,
        &["all its logins have ended"],
    );
    told(
        &run(&["agent", "remove", "bo"], ""),
        0,
        &["agent bo is gone"],
    );
    let left = run(&["agent", "list"], "");
    assert!(!left.output.contains("bo"), "{left:?}");
    told(
        &run(&["audit", "verify"], ""),
        0,
        &["9 lines, whole; the last one is "],
    );
    told(
        &run(&["audit", "show", "--last", "3"], ""),
        0,
        &[
            "operator\trevoke\tallowed\t15690\t-\tbo: view,point,end",
            "operator\tagent_remove\tallowed\t-\t-\tbo",
        ],
    );
    assert!(directory.0.join("cobrowse.db").is_file());
}

#[test]
fn mistakes_are_told_with_what_would_be_right() {
    let directory = Directory::new();
    let run = |arguments: &[&str], input| run(&directory, arguments, input);
    told(
        &run(&["agent", "add", "ada"], "short\n"),
        1,
        &["fewer than 12 characters", "remedy: choose"],
    );
    told(
        &run(&["agent", "add", "ada"], ""),
        1,
        &["fewer than 12 characters"],
    );
    let nobody = run(&["agent", "list"], "");
    told(&nobody, 0, &[]);
    assert_eq!(nobody.output, "");
    told(&run(&["agent", "add", "ada"], PASSWORD), 0, &[]);
    told(
        &run(&["agent", "add", "ADA"], PASSWORD),
        1,
        &["there is an agent ada already", "remedy"],
    );
    told(
        &run(&["agent", "grant", "bo", "1"], ""),
        1,
        &["no agent bo", "`cobrowse-edge agent list`"],
    );
    for wrong in [
        &["agent", "add", "a b"][..],
        &["agent", "add", "ada", "correct horse battery"],
        &["agent", "add", "ada", "--may", "view"],
        &["agent", "grant", "ada"],
        &["agent", "grant", "ada", "0"],
        &["agent", "grant", "ada", "1", "--may", "look"],
    ] {
        assert_eq!(run(wrong, PASSWORD).code, Some(64), "{wrong:?}");
    }
}

#[test]
fn a_file_of_something_else_is_left_alone() {
    let directory = Directory::new();
    let path = directory.0.join("letter.txt");
    fs::write(
        &path,
        "Dear Ada, this is a letter and no database at all. ".repeat(9),
    )
    .unwrap();
    let said = run(
        &directory,
        &["agent", "list", "--database", "letter.txt"],
        "",
    );
    told(
        &said,
        69,
        &[
            "letter.txt is no database of cobrowse-edge",
            "remedy: name another file",
        ],
    );
    assert!(fs::read_to_string(path).unwrap().starts_with("Dear Ada"));
}

#[test]
fn a_log_that_was_meddled_with_is_found_out() {
    let directory = Directory::new();
    told(&run(&directory, &["agent", "add", "ada"], PASSWORD), 0, &[]);
    let path = directory.0.join("cobrowse.db");
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes
        .windows(12)
        .position(|part| part == b"agent_addall")
        .unwrap();
    bytes[at..at + 9].copy_from_slice(b"agent_adx");
    fs::write(&path, bytes).unwrap();
    told(
        &run(&directory, &["audit", "verify"], ""),
        1,
        &["line 1 is not as it was written"],
    );
}
