use std::fs;
use std::os::unix::fs::PermissionsExt;

use rusqlite::Connection;

use super::*;
use crate::backend::store::{Store, StoreError};

#[test]
fn a_new_file_is_for_its_user_alone() {
    let scratch = Scratch::new();
    let path = scratch.directory.path().join("state/of/edge.db");
    drop(Database::open(&path).unwrap());
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
}

#[test]
fn what_is_not_ours_is_refused_and_left_as_it_is() {
    let scratch = Scratch::new();
    let foreign = [
        b"this is no database, but it is long enough for a header, and more".to_vec(),
        other_database(&scratch, "CREATE TABLE a (b)"),
        other_database(&scratch, "PRAGMA application_id = 7"),
        other_database(&scratch, "PRAGMA user_version = 1"),
    ];
    for bytes in foreign {
        fs::write(scratch.path(), &bytes).unwrap();
        let error = Database::open(&scratch.path()).unwrap_err();
        assert!(matches!(error, StoreError::Foreign(_)), "{error:?}");
        assert!(error.to_string().contains("cobrowse.db"));
        assert_eq!(fs::read(scratch.path()).unwrap(), bytes);
    }
}

fn other_database(scratch: &Scratch, sql: &str) -> Vec<u8> {
    let path = scratch.directory.path().join("other.db");
    let _ = fs::remove_file(&path);
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    fs::read(path).unwrap()
}

#[test]
fn a_newer_file_is_left_alone() {
    let scratch = Scratch::new();
    let database = scratch.open();
    let newer = database.connection.pragma_update(None, "user_version", 99);
    newer.unwrap();
    drop(database);
    let error = Database::open(&scratch.path()).unwrap_err();
    assert!(
        matches!(error, StoreError::Newer { found: 99, .. }),
        "{error:?}"
    );
}

#[test]
fn a_damaged_file_is_an_error_that_names_it() {
    let scratch = Scratch::new();
    let mut database = scratch.open();
    for number in 0..500 {
        database.save_session(&session(number, "k")).unwrap();
    }
    database.end_logins(&[]).unwrap();
    drop(database);
    let bytes = fs::read(scratch.path()).unwrap();
    assert!(bytes.len() > 40_000, "{}", bytes.len());
    let mut seen = 0;
    for page in 1..bytes.len() / 4096 {
        let mut damaged = bytes.clone();
        damaged[page * 4096..page * 4096 + 200].fill(0xff);
        fs::write(scratch.path(), damaged).unwrap();
        match Database::open(&scratch.path()) {
            Err(StoreError::Damaged { path, .. }) => {
                assert_eq!(path, scratch.path());
                seen += 1;
            }
            Err(error) => panic!("page {page}: {error:?}"),
            // An unused page.
            Ok(_) => {}
        }
    }
    assert!(seen > 5, "{seen}");
}

#[test]
fn a_file_cut_short_is_an_error() {
    let scratch = Scratch::new();
    let database = scratch.open();
    database.save_session(&session(1, "k")).unwrap();
    drop(database);
    let bytes = fs::read(scratch.path()).unwrap();
    for length in [1, 99, 100, 4096, bytes.len() - 4096] {
        fs::write(scratch.path(), &bytes[..length]).unwrap();
        assert!(Database::open(&scratch.path()).is_err(), "{length}");
    }
}

#[test]
fn a_place_where_no_file_can_be_is_told() {
    let scratch = Scratch::new();
    let error = Database::open(scratch.directory.path()).unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error:?}");
}

#[tokio::test]
async fn one_edge_at_a_time_and_commands_beside_it() {
    let scratch = Scratch::new();
    let store = Store::open(&scratch.path()).unwrap();
    let second = Store::open(&scratch.path()).unwrap_err();
    assert!(matches!(second, StoreError::InUse(_)), "{second:?}");
    let before = store.data_version().await.unwrap();
    assert_eq!(store.data_version().await.unwrap(), before);
    store.save_session(session(1, "k")).await.unwrap();
    assert_eq!(store.data_version().await.unwrap(), before, "its own");
    let mut beside = scratch.open();
    beside.add_agent(&name("ada"), "Ada", None, "x", 1).unwrap();
    assert_ne!(store.data_version().await.unwrap(), before);
    assert_eq!(store.load_agents().await.unwrap().len(), 1);
}

#[test]
fn readers_and_the_writer_do_not_wait_for_each_other() {
    let scratch = Scratch::new();
    let mut writer = scratch.open();
    let pragma = |name: &str| {
        let connection = &writer.connection;
        connection.pragma_query_value(None, name, |row| row.get::<_, String>(0))
    };
    assert_eq!(pragma("journal_mode").unwrap(), "wal");
    let reader = scratch.open();
    let reading = reader.connection.unchecked_transaction().unwrap();
    let count = || {
        let sql = "SELECT count(*) FROM session";
        reading
            .query_row(sql, (), |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(count(), 0);
    // Without waiting; and who reads goes on reading what was there.
    writer.save_session(&session(1, "k")).unwrap();
    writer.audit(&audit::entry(1)).unwrap();
    assert_eq!(count(), 0);
}

#[test]
fn the_version_is_written_once() {
    let scratch = Scratch::new();
    for _ in 0..2 {
        let version = scratch
            .open()
            .connection
            .pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
        assert_eq!(version.unwrap(), 2);
    }
}
