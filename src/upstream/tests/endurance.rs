//! Many exchanges with an origin that closes connections at any moment between them. As many as the
//! environment says (`make endurance`), or enough to see it happen.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::*;
use crate::upstream::balance::mix;

/// How often each request came.
type Counts = Arc<Mutex<HashMap<String, usize>>>;

/// Closes a connection that was idle for up to 3 milliseconds, each time another time, once it has
/// carried something.
async fn restless() -> (u16, Counts, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (counts, connections) = (Counts::default(), Arc::new(AtomicUsize::new(0)));
    let (noted, counted) = (Arc::clone(&counts), Arc::clone(&connections));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let seed = counted.fetch_add(1, Ordering::AcqRel) as u64;
            tokio::spawn(answer(stream, mix(seed), Arc::clone(&noted)));
        }
    });
    (port, counts, connections)
}

async fn answer(stream: TcpStream, mut chance: u64, counts: Counts) {
    let mut stream = BufReader::new(stream);
    let mut patience = PATIENCE;
    loop {
        let mut line = String::new();
        match timeout(patience, stream.read_line(&mut line)).await {
            Ok(Ok(count)) if count > 0 => {}
            _ => return,
        }
        let name = line.split(' ').nth(1).unwrap_or_default().to_owned();
        *counts.lock().unwrap().entry(name).or_default() += 1;
        let mut length = 0;
        while line != "\r\n" {
            line.clear();
            if !stream
                .read_line(&mut line)
                .await
                .is_ok_and(|count| count > 0)
            {
                return;
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
        }
        stream.read_exact(&mut vec![0; length]).await.unwrap();
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        if stream.get_mut().write_all(answer).await.is_err() {
            return;
        }
        chance = mix(chance);
        patience = Duration::from_micros(chance % 3_000);
    }
}

fn asked_for(variable: &str, otherwise: usize) -> usize {
    let told = std::env::var(variable).ok();
    told.and_then(|count| count.parse().ok())
        .unwrap_or(otherwise)
}

const VISITORS: usize = 16;

/// All of them, by several visitors at once who rest as the origin does; returns what failed, and how.
async fn ask_often(
    origins: &Origins,
    count: usize,
    make: fn(&str) -> Request<EdgeBody>,
) -> Vec<String> {
    let failures = Arc::<Mutex<Vec<String>>>::default();
    let visitors = (0..VISITORS).map(|visitor| {
        let (origins, failures) = (origins.clone(), Arc::clone(&failures));
        tokio::spawn(async move {
            let mut chance = mix(visitor as u64 + 1_000);
            for number in (visitor..count).step_by(VISITORS) {
                let answer = fetch(&origins, make(&format!("/{number}"))).await;
                if let Err(error) = answer {
                    failures
                        .lock()
                        .unwrap()
                        .push(format!("/{number}: {error:?}"));
                }
                chance = mix(chance);
                if chance.is_multiple_of(8) {
                    tokio::time::sleep(Duration::from_micros(chance % 3_000)).await;
                }
            }
        })
    });
    for visitor in visitors.collect::<Vec<_>>() {
        visitor.await.unwrap();
    }
    std::mem::take(&mut *failures.lock().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_get_fails_on_a_connection_that_the_origin_closes() {
    let count = asked_for("ENDURANCE_GETS", 3_000);
    let (port, counts, connections) = restless().await;
    let origins = origins_at(&target(port), config());
    let failures = ask_often(&origins, count, get).await;
    let connections = connections.load(Ordering::Acquire);
    let (seen, retries) = (counts.lock().unwrap().len(), origins.retries());
    let failed = failures.len();
    eprintln!("{count} GETs: {failed} failed, {retries} sent again, {connections} connections");
    let first = failures.first();
    assert_eq!((failed, seen), (0, count), "{first:?}");
    assert!(
        connections > count / 100,
        "it closed hardly any: {connections}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_post_is_sent_twice_to_an_origin_that_closes() {
    let count = asked_for("ENDURANCE_POSTS", 1_000);
    let (port, counts, connections) = restless().await;
    let origins = origins_at(&target(port), config());
    let failures = ask_often(&origins, count, post).await.len();
    let counts = counts.lock().unwrap();
    let connections = connections.load(Ordering::Acquire);
    let seen = counts.len();
    eprintln!("{count} POSTs: {seen} came, {failures} failed, {connections} connections");
    assert!(counts.values().all(|times| *times == 1), "one came twice");
    assert!(seen + failures >= count);
    assert_eq!(origins.retries(), 0);
}
