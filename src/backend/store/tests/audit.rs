use super::*;
use crate::backend::store::{Actor, AuditEntry, Broken, Outcome, Verified};

pub(super) fn entry(number: i64) -> AuditEntry {
    AuditEntry {
        at: 1_795_376_400 + number,
        actor: Actor::Agent("ada".to_owned()),
        action: "join",
        group: (number % 2 == 0).then(|| group(15687)),
        session: (number % 3 == 0).then(|| SessionId::new(7)),
        outcome: Outcome::Refused,
        reason: "no right".to_owned(),
    }
}

pub(super) fn with_lines(count: i64) -> (Scratch, Database) {
    let scratch = Scratch::new();
    let mut database = scratch.open();
    for number in 0..count {
        database.audit(&entry(number)).unwrap();
    }
    (scratch, database)
}

/// As somebody would who has the file and knows SQLite.
pub(super) fn meddle(database: &Database, sql: &str) {
    let all = format!("DROP TRIGGER audit_stays; DROP TRIGGER audit_holds; {sql}");
    database.connection.execute_batch(&all).unwrap();
}

#[test]
fn a_whole_log_is_found_whole() {
    let (_scratch, mut database) = with_lines(0);
    let Verified::Whole { lines: 0, head, .. } = database.verify_audit().unwrap() else {
        panic!("an empty log is whole")
    };
    database.audit(&entry(1)).unwrap();
    database.audit(&entry(2)).unwrap();
    let found = database.verify_audit().unwrap();
    assert!(
        matches!(&found, Verified::Whole { lines: 2, head: later, .. } if *later != head),
        "{found:?}"
    );
}

#[test]
fn nothing_can_be_changed_unseen() {
    for sql in [
        "UPDATE audit SET at = at + 1 WHERE seq = 5",
        "UPDATE audit SET actor = 'agent:bo' WHERE seq = 5",
        "UPDATE audit SET action = 'leave' WHERE seq = 5",
        "UPDATE audit SET group_id = 15688 WHERE seq = 5",
        "UPDATE audit SET group_id = NULL WHERE seq = 5",
        "UPDATE audit SET session = '0000000000000008' WHERE seq = 5",
        "UPDATE audit SET session = '' WHERE seq = 5",
        "UPDATE audit SET outcome = 'allowed' WHERE seq = 5",
        "UPDATE audit SET reason = reason || ' ' WHERE seq = 5",
        "UPDATE audit SET reason = '', outcome = outcome || reason WHERE seq = 5",
        "UPDATE audit SET hash = zeroblob(32) WHERE seq = 5",
    ] {
        let (_scratch, database) = with_lines(10);
        meddle(&database, sql);
        let found = database.verify_audit().unwrap();
        assert_eq!(found, Verified::Broken(Broken::Line(5)), "{sql}");
    }
}

#[test]
fn nothing_can_be_taken_out_or_put_in_unseen() {
    let renumbered =
        "DELETE FROM audit WHERE seq = 5; UPDATE audit SET seq = seq - 1 WHERE seq > 5";
    let swapped = "UPDATE audit SET seq = 99 WHERE seq = 5; UPDATE audit SET seq = 5 WHERE seq = 6; UPDATE audit SET seq = 6 WHERE seq = 99";
    for (sql, broken) in [
        ("DELETE FROM audit WHERE seq = 5", Broken::Gap(6)),
        ("DELETE FROM audit WHERE seq = 1", Broken::Gap(2)),
        ("DELETE FROM audit WHERE seq > 7", Broken::End(8)),
        ("DELETE FROM audit", Broken::End(1)),
        (renumbered, Broken::Line(5)),
        (swapped, Broken::Line(5)),
        (
            "INSERT INTO audit SELECT 11, at, actor, action, group_id, session, outcome, reason, hash FROM audit WHERE seq = 10",
            Broken::Line(11),
        ),
    ] {
        let (_scratch, database) = with_lines(10);
        meddle(&database, sql);
        let found = database.verify_audit().unwrap();
        assert_eq!(found, Verified::Broken(broken), "{sql}");
    }
}

#[test]
fn nothing_is_changed_by_mistake() {
    let (_scratch, database) = with_lines(2);
    for sql in [
        "UPDATE audit SET at = 0",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE seq = 2",
    ] {
        assert!(database.connection.execute_batch(sql).is_err(), "{sql}");
    }
}

#[test]
fn two_processes_write_one_chain() {
    let scratch = Scratch::new();
    let path = scratch.path();
    drop(scratch.open());
    let write = || {
        let mut database = Database::open(&path).unwrap();
        for number in 0..50 {
            database.audit(&entry(number)).unwrap();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(write);
        scope.spawn(write);
    });
    let found = scratch.open().verify_audit().unwrap();
    assert!(
        matches!(found, Verified::Whole { lines: 100, .. }),
        "{found:?}"
    );
}

#[test]
fn no_text_begins_a_line_of_its_own_or_is_long() {
    let (_scratch, mut database) = with_lines(0);
    let mut forged = entry(1);
    forged.actor = Actor::Agent("ada\r\nroot".to_owned());
    forged.reason = format!("\u{1b}[2Jx\n{}", "y".repeat(100_000));
    database.audit(&forged).unwrap();
    let line = &database.audit_lines(1).unwrap()[0];
    assert_eq!(line.actor, "agent:ada  root");
    assert!(line.reason.starts_with(" [2Jx y") && line.reason.len() == 200);
}

#[test]
fn the_newest_lines_are_shown_in_their_order() {
    let (_scratch, database) = with_lines(10);
    let lines = database.audit_lines(3).unwrap();
    assert_eq!(
        lines.iter().map(|line| line.seq).collect::<Vec<_>>(),
        [8, 9, 10]
    );
    assert_eq!(lines[0].actor, "agent:ada");
}
