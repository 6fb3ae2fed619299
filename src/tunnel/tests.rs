use std::pin::Pin;

use tokio::io::{DuplexStream, duplex};

use super::*;
use crate::wire::{Gone, Held};

const IDLE: Duration = Duration::from_mins(10);
const PIPE_BYTES: usize = 64;

/// A tunnel under way, with the far ends of its two sides.
fn tunnel(
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> (DuplexStream, DuplexStream, tokio::task::JoinHandle<Closed>) {
    held_tunnel(None, shutdown)
}

/// The same over a stream of a connection.
fn held_tunnel(
    hold: Option<Hold>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> (DuplexStream, DuplexStream, tokio::task::JoinHandle<Closed>) {
    let (client, downstream) = duplex(PIPE_BYTES);
    let (origin, upstream) = duplex(PIPE_BYTES);
    let ends = Ends {
        downstream,
        upstream,
        hold,
    };
    let running = tokio::spawn(join(ends, IDLE, shutdown));
    (client, origin, running)
}

async fn read(stream: &mut DuplexStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).await.unwrap();
    bytes
}

#[tokio::test(start_paused = true)]
async fn carries_both_ways_and_counts() {
    let (mut client, mut origin, running) = tunnel(pending());
    client.write_all(b"hello").await.unwrap();
    assert_eq!(read(&mut origin, 5).await, b"hello");
    origin.write_all(b"hi").await.unwrap();
    assert_eq!(read(&mut client, 2).await, b"hi");
    drop((client, origin));
    let closed = running.await.unwrap();
    assert_eq!((closed.bytes_up, closed.bytes_down), (5, 2));
}

#[tokio::test(start_paused = true)]
async fn a_side_that_ended_still_receives() {
    let (mut client, mut origin, running) = tunnel(pending());
    client.shutdown().await.unwrap();
    assert_eq!(origin.read(&mut [0; 8]).await.unwrap(), 0);
    origin.write_all(b"late").await.unwrap();
    assert_eq!(read(&mut client, 4).await, b"late");
    origin.shutdown().await.unwrap();
    let closed = running.await.unwrap();
    assert!(matches!(closed.end, End::Finished), "{closed:?}");
    assert_eq!(closed.bytes_down, 4);
}

#[tokio::test(start_paused = true)]
async fn ends_soon_after_one_side_did_and_the_other_is_silent() {
    let (mut client, mut origin, running) = tunnel(pending());
    tokio::time::advance(IDLE / 2).await;
    let start = Instant::now();
    client.shutdown().await.unwrap();
    assert_eq!(origin.read(&mut [0; 8]).await.unwrap(), 0);
    let closed = running.await.unwrap();
    assert!(matches!(closed.end, End::Idle), "{closed:?}");
    let lasted = start.elapsed();
    assert!(
        lasted >= HALF_CLOSED_TIMEOUT && lasted < HALF_CLOSED_TIMEOUT * 2,
        "{lasted:?}"
    );
}

/// A stream that is reset, or whose server leaves.
#[derive(Clone, Default)]
struct Stream {
    reset: Arc<Notify>,
    overdue: Arc<Notify>,
    leave: Arc<Notify>,
}

impl Held for Stream {
    fn stand(&self) {}

    fn go_on(&self) {}

    fn gone(&self) -> Pin<Box<dyn Future<Output = Gone> + Send + '_>> {
        Box::pin(async {
            tokio::select! {
                () = self.reset.notified() => Gone::Reset,
                () = self.overdue.notified() => Gone::Overdue,
            }
        })
    }

    fn leaving(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.leave.notified())
    }
}

#[tokio::test(start_paused = true)]
async fn ends_at_once_with_a_stream_that_was_reset() {
    let stream = Stream::default();
    let hold = Hold::new(stream.clone());
    let (mut client, mut origin, running) = held_tunnel(Some(hold), pending());
    let start = Instant::now();
    client.write_all(b"bye").await.unwrap();
    client.shutdown().await.unwrap();
    stream.reset.notify_one();
    assert_eq!(read(&mut origin, 3).await, b"bye");
    assert!(matches!(running.await.unwrap().end, End::Finished));
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn ends_at_once_with_a_stream_of_which_the_client_took_nothing() {
    let stream = Stream::default();
    let hold = Hold::new(stream.clone());
    let (_client, _origin, running) = held_tunnel(Some(hold), pending());
    let start = Instant::now();
    stream.overdue.notify_one();
    let end = running.await.unwrap().end;
    assert!(matches!(
        end,
        End::Broken {
            blame: Blame::Downstream,
            ..
        }
    ));
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn does_not_wait_for_long_for_an_origin_that_takes_nothing_of_a_reset_stream() {
    let stream = Stream::default();
    let hold = Hold::new(stream.clone());
    let (mut client, _origin, running) = held_tunnel(Some(hold), pending());
    client.write_all(&[0; PIPE_BYTES]).await.unwrap();
    client.write_all(&[0; PIPE_BYTES]).await.unwrap();
    let start = Instant::now();
    stream.reset.notify_one();
    assert!(matches!(running.await.unwrap().end, End::Idle));
    assert!(start.elapsed() < RESET_TIMEOUT * 2);
}

/// The client's answer to the last frame still goes to the origin.
#[tokio::test(start_paused = true)]
async fn a_visitor_is_told_that_the_edge_goes_away_where_a_frame_ends() {
    let stream = Stream::default();
    let hold = Hold::new(stream.clone());
    let (mut client, mut origin, running) = held_tunnel(Some(hold), pending());
    // A frame of three bytes, of which one is still to come.
    origin.write_all(b"\x82\x03ab").await.unwrap();
    assert_eq!(read(&mut client, 4).await, b"\x82\x03ab");
    stream.leave.notify_one();
    tokio::task::yield_now().await;
    origin.write_all(b"c").await.unwrap();
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, [b"c", &GOING_AWAY[..]].concat());
    client.write_all(b"answer").await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(read(&mut origin, 6).await, b"answer");
    assert!(matches!(running.await.unwrap().end, End::Finished));
}

#[tokio::test(start_paused = true)]
async fn ends_only_after_nothing_moved_for_the_whole_time() {
    let (mut client, mut origin, running) = tunnel(pending());
    let start = Instant::now();
    tokio::time::advance(IDLE - Duration::from_secs(1)).await;
    client.write_all(b"x").await.unwrap();
    assert_eq!(read(&mut origin, 1).await, b"x");
    let moved = start.elapsed();
    let closed = running.await.unwrap();
    assert!(matches!(closed.end, End::Idle), "{closed:?}");
    let idle = start.elapsed() - moved;
    assert!(
        idle >= IDLE && idle < IDLE + Duration::from_secs(1),
        "{idle:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_is_stuck_stops_its_writer() {
    let (mut client, _origin, running) = tunnel(pending());
    let endless = async { while client.write_all(&[0; 1024]).await.is_ok() {} };
    let accepted = timeout(IDLE / 2, endless).await;
    assert!(accepted.is_err(), "a stuck reader must hold the writer");
    let closed = running.await.unwrap();
    assert!(matches!(closed.end, End::Idle), "{closed:?}");
    assert_eq!(
        closed.bytes_up, PIPE_BYTES as u64,
        "only what the far end could hold"
    );
}

#[tokio::test(start_paused = true)]
async fn ends_with_the_edge() {
    let (shut_down, is_shut_down) = tokio::sync::oneshot::channel::<()>();
    let (_client, mut origin, running) = tunnel(async {
        let _ = is_shut_down.await;
    });
    shut_down.send(()).unwrap();
    assert!(matches!(running.await.unwrap().end, End::Shutdown));
    assert_eq!(origin.read(&mut [0; 8]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn blames_the_side_that_failed() {
    let (mut client, origin, running) = tunnel(pending());
    drop(origin);
    client.write_all(b"x").await.unwrap();
    let closed = running.await.unwrap();
    assert!(
        matches!(
            closed.end,
            End::Broken {
                blame: Blame::Upstream,
                ..
            }
        ),
        "{closed:?}"
    );
}
