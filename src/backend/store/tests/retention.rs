use std::time::Duration;

use super::audit::{entry, meddle, with_lines};
use super::*;
use crate::backend::store::{AuditRetention, Broken, Store, StoreError, Verified};

const DAY: i64 = 24 * 60 * 60;

/// When the first line of a log of these tests was written.
fn begun() -> i64 {
    entry(0).at
}

fn whole(database: &Database) -> (i64, i64) {
    match database.verify_audit().unwrap() {
        Verified::Whole { lines, pruned, .. } => (lines, pruned),
        Verified::Broken(broken) => panic!("{broken}"),
    }
}

const ALL: AuditRetention = AuditRetention {
    days: 36_500,
    lines: 1_000_000,
};

fn lines_max(lines: u32) -> AuditRetention {
    AuditRetention { lines, ..ALL }
}

#[test]
fn so_many_lines_are_kept_and_the_log_says_that_others_went() {
    let (_scratch, mut database) = with_lines(1_000);
    assert_eq!(database.prune_audit(lines_max(1_000), begun()).unwrap(), 0);
    assert_eq!(
        database.prune_audit(lines_max(800), begun()).unwrap(),
        0,
        "too few"
    );
    assert_eq!(database.prune_audit(lines_max(700), begun()).unwrap(), 300);
    assert_eq!(whole(&database), (701, 300));
    let last = &database.audit_lines(1).unwrap()[0];
    assert_eq!((&*last.actor, &*last.action), ("edge", "prune"));
    assert!(
        last.reason.starts_with("up to 300, whose hash is "),
        "{}",
        last.reason
    );
    assert_eq!(database.audit_lines(2_000).unwrap()[0].seq, 301);
    for number in 0..300 {
        database.audit(&entry(number)).unwrap();
    }
    assert_eq!(database.prune_audit(lines_max(700), begun()).unwrap(), 301);
    assert_eq!(whole(&database), (701, 601));
}

#[test]
fn what_is_too_old_goes_even_if_it_is_little() {
    let (_scratch, mut database) = with_lines(3);
    let keep = AuditRetention { days: 30, ..ALL };
    for (after, pruned) in [
        (29 * DAY, 0),
        (31 * DAY, 0),
        (31 * DAY + 1, 3),
        (31 * DAY + 2, 0),
    ] {
        let found = database.prune_audit(keep, begun() + after).unwrap();
        assert_eq!(found, pruned, "{after}");
    }
    assert_eq!(whole(&database), (1, 3));
    // The line about it grows old, too.
    assert_eq!(database.prune_audit(keep, begun() + 90 * DAY).unwrap(), 1);
    assert_eq!(whole(&database), (1, 4));
}

#[test]
fn it_is_pruned_in_pieces() {
    let (_scratch, mut database) = with_lines(10_600);
    let mut prune = || database.prune_audit(lines_max(100), begun()).unwrap();
    assert_eq!([prune(), prune(), prune()], [10_000, 501, 0]);
    assert_eq!(whole(&database), (101, 10_501));
}

#[test]
fn nobody_can_pass_off_as_pruned_what_was_not() {
    let anchored = |seq: i64| {
        format!(
            "UPDATE audit_anchor SET seq = {seq}, hash = (SELECT hash FROM audit WHERE seq = {seq});
             DELETE FROM audit WHERE seq <= {seq};"
        )
    };
    for (sql, broken) in [
        (anchored(400), Broken::Start(400)),
        // Back to where it was, with lines that were there.
        (
            "UPDATE audit_anchor SET seq = 299".to_owned(),
            Broken::Gap(301),
        ),
        (
            "UPDATE audit_anchor SET hash = zeroblob(32)".to_owned(),
            Broken::Line(301),
        ),
        (
            "DELETE FROM audit WHERE seq <= 400".to_owned(),
            Broken::Gap(401),
        ),
        (
            "DELETE FROM audit WHERE action = 'prune'".to_owned(),
            Broken::End(1_001),
        ),
    ] {
        let (_scratch, mut database) = with_lines(1_000);
        database.prune_audit(lines_max(700), begun()).unwrap();
        meddle(&database, &sql);
        let found = database.verify_audit().unwrap();
        assert_eq!(found, Verified::Broken(broken), "{sql}");
    }
    let (_scratch, database) = with_lines(1_000);
    meddle(&database, &anchored(300));
    let found = database.verify_audit().unwrap();
    assert_eq!(found, Verified::Broken(Broken::Start(300)));
}

#[test]
fn only_what_was_pruned_can_be_deleted() {
    let (_scratch, mut database) = with_lines(1_000);
    database.prune_audit(lines_max(700), begun()).unwrap();
    for sql in ["DELETE FROM audit", "DELETE FROM audit WHERE seq = 301"] {
        assert!(database.connection.execute_batch(sql).is_err(), "{sql}");
    }
}

#[test]
fn a_log_of_the_version_before_goes_on() {
    let (scratch, database) = with_lines(1_000);
    let before = "DROP TABLE audit_anchor; PRAGMA user_version = 1;
        CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'no'); END;";
    let sql = format!("DROP TRIGGER audit_stays; {before}");
    database.connection.execute_batch(&sql).unwrap();
    drop(database);
    let mut database = scratch.open();
    assert_eq!(whole(&database), (1_000, 0));
    assert_eq!(database.prune_audit(lines_max(700), begun()).unwrap(), 300);
    assert_eq!(whole(&database), (701, 300));
}

#[tokio::test]
async fn a_disk_that_has_stopped_holds_up_nobody() {
    let scratch = Scratch::new();
    let store = Store::open(&scratch.path()).unwrap();
    store.note(entry(0), || ()).unwrap();
    // The thread waits for what another process writes.
    let other = scratch.open();
    other.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut queued = 0_i64;
    while store.note(entry(1), || ()).is_ok() {
        queued += 1;
        assert!(queued < 5_000, "there is no end");
    }
    let full = store.audit(entry(2)).await.unwrap_err();
    assert!(matches!(full, StoreError::Busy), "{full:?}");
    // Agents are read, and do what they do, all the same: they wait.
    let read = store.data_version();
    tokio::pin!(read);
    let waits = tokio::time::timeout(Duration::from_millis(20), &mut read).await;
    assert!(waits.is_err(), "{waits:?}");
    other.connection.execute_batch("COMMIT").unwrap();
    drop(other);
    assert!(read.await.is_ok());
    // All that was taken is written.
    let Verified::Whole { lines, .. } = wait_for_place(&store).await else {
        panic!("the log is broken");
    };
    assert_eq!(lines, 1 + queued);
}

#[tokio::test]
async fn what_is_too_much_goes_with_the_next_jobs() {
    let (scratch, database) = with_lines(10_600);
    drop(database);
    let store = Store::open_keeping(&scratch.path(), lines_max(100)).unwrap();
    store.data_version().await.unwrap();
    store.data_version().await.unwrap();
    let Verified::Whole { lines, pruned, .. } = store.verify_audit().await.unwrap() else {
        panic!("the log is broken");
    };
    assert_eq!((lines, pruned), (101, 10_501));
}

#[tokio::test]
async fn it_is_told_back_what_the_disk_did_not_take() {
    let scratch = Scratch::new();
    let store = Store::open(&scratch.path()).unwrap();
    let (told, heard) = tokio::sync::oneshot::channel();
    store.note(entry(0), || panic!("it was written")).unwrap();
    let broken =
        "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END";
    store.meddle(broken).await.unwrap();
    store
        .note(entry(1), move || told.send(()).unwrap())
        .unwrap();
    heard.await.unwrap();
}

async fn wait_for_place(store: &Store) -> Verified {
    loop {
        match store.verify_audit().await {
            Ok(verified) => return verified,
            Err(StoreError::Busy) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}
