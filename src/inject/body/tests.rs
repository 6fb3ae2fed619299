use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

use super::*;
use crate::html::{
    ExistingTag, LocatorStop, Mask, MaskScope, PageOutcome, Placement, ScriptTag, failing_rewriter,
};

const CODINGS: [Coding; 5] = [
    Coding::Identity,
    Coding::Gzip,
    Coding::Deflate,
    Coding::Br,
    Coding::Zstd,
];

const PAGE: &[u8] = b"<html><p id=ssn>078-05-1120</p></html>";
const EDITED: &[u8] =
    b"<html><p glance_masked=\"true\" id=ssn>078-05-1120</p></html><script id=\"t\"></script>";

fn plan() -> Arc<Plan> {
    let tag = ScriptTag::render([("id", Some("t"))]).unwrap();
    let mask = Mask {
        selector: "#ssn".parse().unwrap(),
        scope: MaskScope::Everyone,
    };
    Arc::new(Plan::new(
        tag,
        Placement::End,
        ExistingTag::Replace,
        vec![mask],
    ))
}

/// What an origin does, step by step.
enum Step {
    Data(Vec<u8>),
    Pause,
    Break,
}

struct ScriptedBody(VecDeque<Step>);

impl Body for ScriptedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if matches!(self.0.front(), Some(Step::Pause)) {
            return Poll::Pending;
        }
        match self.0.pop_front() {
            None | Some(Step::Pause) => Poll::Ready(None),
            Some(Step::Data(data)) => Poll::Ready(Some(Ok(Frame::data(data.into())))),
            Some(Step::Break) => Poll::Ready(Some(Err("reset".into()))),
        }
    }

    /// What was announced.
    fn size_hint(&self) -> SizeHint {
        let lengths = self.0.iter().map(|step| match step {
            Step::Data(data) => data.len() as u64,
            Step::Pause | Step::Break => 0,
        });
        SizeHint::with_exact(lengths.sum())
    }
}

fn encoded(coding: Coding, plain: &[u8]) -> Vec<u8> {
    let Some(mut encoder) = Encoder::new(coding, CodingLevels::default()) else {
        return plain.to_vec();
    };
    let mut out = BytesMut::new();
    encoder.encode(plain, &mut out).unwrap();
    encoder.finish(&mut out).unwrap();
    out.to_vec()
}

/// Decodes as far as can be; whether the stream was whole.
fn decoded(coding: Coding, bytes: &[u8]) -> (Vec<u8>, bool) {
    let Some(mut decoder) = Decoder::new(coding) else {
        return (bytes.to_vec(), true);
    };
    let mut input = Bytes::copy_from_slice(bytes);
    let mut plain = Vec::new();
    loop {
        let piece = decoder.decode(&mut input).unwrap();
        if piece.is_empty() {
            return (plain, decoder.finish().is_ok());
        }
        plain.extend_from_slice(&piece);
    }
}

/// Whoever wants to be polled again says so.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A body under test, polled by hand.
struct Run {
    body: RewriteBody<ScriptedBody>,
    ends: Arc<Mutex<Vec<PageEnd>>>,
}

impl Run {
    fn start(from: Coding, to: Coding, steps: Vec<Step>) -> Self {
        Self::by(plan(), from, to, steps)
    }

    fn by(plan: Arc<Plan>, from: Coding, to: Coding, steps: Vec<Step>) -> Self {
        let ends = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&ends);
        let codings = PageBody {
            from,
            to,
            charset: None,
            kind: PageKind::Document,
        };
        let origin = ScriptedBody(steps.into());
        let body = RewriteBody::new(origin, plan, codings, CodingLevels::default(), move |end| {
            noted.lock().unwrap().push(end)
        });
        Self { body, ends }
    }

    fn poll(&mut self) -> Poll<Option<Result<Bytes, String>>> {
        self.poll_with(Waker::noop())
    }

    fn poll_with(&mut self, waker: &Waker) -> Poll<Option<Result<Bytes, String>>> {
        let mut context = Context::from_waker(waker);
        Pin::new(&mut self.body)
            .poll_frame(&mut context)
            .map(|next| {
                next.map(|frame| {
                    frame
                        .map(|f| f.into_data().unwrap())
                        .map_err(|e| e.to_string())
                })
            })
    }

    /// Ends the pause that the origin makes, if it does, and reads on until the next or the end.
    fn read(&mut self) -> Result<Vec<u8>, String> {
        self.body
            .origin
            .0
            .pop_front_if(|step| matches!(step, Step::Pause));
        let mut out = Vec::new();
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        loop {
            match self.poll_with(&waker) {
                Poll::Pending if woken.0.swap(false, Ordering::Relaxed) => {}
                Poll::Pending | Poll::Ready(None) => return Ok(out),
                Poll::Ready(Some(bytes)) => out.extend_from_slice(&bytes?),
            }
        }
    }

    fn ends(&self) -> Vec<PageEnd> {
        self.ends.lock().unwrap().clone()
    }
}

#[test]
fn a_page_is_edited_from_every_coding_into_every_coding() {
    for from in CODINGS {
        for to in CODINGS {
            let steps = encoded(from, PAGE)
                .chunks(5)
                .map(|data| Step::Data(data.into()))
                .collect();
            let mut run = Run::start(from, to, steps);
            let out = run.read().unwrap();
            assert_eq!(
                decoded(to, &out),
                (EDITED.to_vec(), true),
                "{from:?} to {to:?}"
            );
            assert!(run.body.is_end_stream());
            let [PageEnd::Finished(report)] = &run.ends()[..] else {
                panic!("{from:?}")
            };
            assert_eq!(
                (report.outcome, report.mask_counts[0]),
                (PageOutcome::Tagged, 1)
            );
        }
    }
}

fn plan_in_head() -> Arc<Plan> {
    let tag = ScriptTag::render([("id", Some("t"))]).unwrap();
    let existing = ExistingTag::Replace;
    Arc::new(Plan::new(tag, Placement::Head, existing, Vec::new()))
}

#[test]
fn a_length_that_is_told_is_what_comes() {
    let page = [HEAD, &b"<p>more</p>".repeat(2000)].concat();
    for size in [1, 7, 1000, 5000, page.len()] {
        for coding in [Coding::Identity, Coding::Gzip] {
            let packed = encoded(coding, &page);
            let steps = packed.chunks(size).map(|data| Step::Data(data.into()));
            let mut run = Run::by(plan_in_head(), coding, coding, steps.collect());
            let (mut sent, mut told) = (0, Vec::new());
            while let Poll::Ready(Some(bytes)) = run.poll() {
                sent += bytes.unwrap().len() as u64;
                told.extend(run.body.size_hint().exact().map(|rest| sent + rest));
            }
            assert!(told.iter().all(|total| *total == sent), "{coding:?} {size}");
            let is_told_early = told.len() > 1;
            assert_eq!(
                is_told_early,
                coding == Coding::Identity,
                "{coding:?} {size}"
            );
        }
    }
}

/// What becomes of a plain page under that plan.
fn tagged(page: &[u8]) -> Vec<u8> {
    let steps = vec![Step::Data(page.into())];
    let plain = Coding::Identity;
    let out = Run::by(plan_in_head(), plain, plain, steps).read().unwrap();
    assert!(out.len() > page.len(), "a tag is in it");
    out
}

#[test]
fn what_the_origin_has_packed_goes_on_packed_as_it_is() {
    let rows: String = (0..9_000)
        .map(|n| format!("<p>{}</p>", n * n % 8191))
        .collect();
    let page = [HEAD, rows.as_bytes()].concat();
    let packed = encoded(Coding::Gzip, &page);
    for size in [1, 7, 1000, 5000, packed.len()] {
        let steps = packed.chunks(size).map(|data| Step::Data(data.into()));
        let mut run = Run::by(plan_in_head(), Coding::Gzip, Coding::Gzip, steps.collect());
        let out = run.read().unwrap();
        assert!(
            decoded(Coding::Gzip, &out) == (tagged(&page), true),
            "{size}"
        );
        // The first bytes tell whether it can be.
        let rest = packed.len() * 9 / 10..packed.len() - 8;
        let goes_on = out[..out.len() - 8].ends_with(&packed[rest]);
        assert_eq!(goes_on, size >= 1000, "{size}");
        let [PageEnd::Finished(report)] = &run.ends()[..] else {
            panic!("{size}")
        };
        assert_eq!(report.outcome, PageOutcome::Tagged);
    }
}

/// A page in two parts, packed so that the first can be read by itself.
fn packed_in_two(first: &[u8], second: &[u8]) -> [Vec<u8>; 2] {
    let mut encoder = Encoder::new(Coding::Gzip, CodingLevels::default()).unwrap();
    let (mut start, mut rest) = (BytesMut::new(), BytesMut::new());
    encoder.encode(first, &mut start).unwrap();
    encoder.flush(&mut start).unwrap();
    encoder.encode(second, &mut rest).unwrap();
    encoder.finish(&mut rest).unwrap();
    [start.to_vec(), rest.to_vec()]
}

#[test]
fn what_the_origin_has_packed_and_flushed_is_sent_when_it_pauses() {
    let long = b"<p>a row of many</p>".repeat(4000);
    let starts: [&[u8]; 4] = [
        b"<!DOCTYPE html><html>",
        b"<",
        HEAD,
        &[HEAD, &long].concat(),
    ];
    for first in starts {
        let page = [first, b"<head></head><p>the rest</p>"].concat();
        let [start, rest] = packed_in_two(first, &page[first.len()..]);
        let steps = vec![Step::Data(start), Step::Pause, Step::Data(rest)];
        let mut run = Run::by(plan_in_head(), Coding::Gzip, Coding::Gzip, steps);
        let mut sent = run.read().unwrap();
        let arrived = decoded(Coding::Gzip, &sent).0;
        let in_plain = Run::by(
            plan_in_head(),
            Coding::Identity,
            Coding::Identity,
            vec![Step::Data(first.into()), Step::Pause],
        )
        .read();
        assert_eq!(arrived, in_plain.unwrap());
        sent.extend(run.read().unwrap());
        assert!(decoded(Coding::Gzip, &sent) == (tagged(&page), true));
    }
}

#[test]
fn a_packed_page_without_a_place_for_a_tag_goes_on_whole() {
    let data = br#"{"head": "<head>", "rows": [1, 2, 3]}"#.repeat(3000);
    let blank = [&b" ".repeat(70_000)[..], HEAD].concat();
    for page in [&data[..], b"x", b"", &blank] {
        let packed = encoded(Coding::Gzip, page);
        let steps = packed.chunks(900).map(|data| Step::Data(data.into()));
        let mut run = Run::by(plan_in_head(), Coding::Gzip, Coding::Gzip, steps.collect());
        let (plain, whole) = decoded(Coding::Gzip, &run.read().unwrap());
        let plain = String::from_utf8(plain).unwrap();
        let without = plain.replace("<script id=\"t\"></script>", "");
        assert!(without.as_bytes() == page && whole, "{} bytes", page.len());
    }
}

#[test]
fn a_packed_page_behind_many_blocks_of_nothing_is_packed_anew() {
    let rows: String = (0..9_000)
        .map(|n| format!("<p>{}</p>", n * n % 8191))
        .collect();
    let page = [HEAD, rows.as_bytes()].concat();
    let packed = encoded(Coding::Gzip, &page);
    let (head, stream) = packed.split_at(10);
    for (blocks, goes_on) in [(100, true), (100_000, false)] {
        let nothing = b"\0\0\0\xff\xff".repeat(blocks);
        let packed = [head, &nothing, stream].concat();
        let steps = packed.chunks(8_000).map(|data| Step::Data(data.into()));
        let mut run = Run::by(plan_in_head(), Coding::Gzip, Coding::Gzip, steps.collect());
        let out = run.read().unwrap();
        assert!(decoded(Coding::Gzip, &out) == (tagged(&page), true));
        let rest = &stream[stream.len() * 9 / 10..stream.len() - 8];
        assert_eq!(out[..out.len() - 8].ends_with(rest), goes_on, "{blocks}");
    }
}

#[test]
fn a_packed_page_that_breaks_off_is_an_error_wherever_it_is_cut() {
    let page = [HEAD, &b"<p>a row</p>".repeat(9_000)].concat();
    let packed = encoded(Coding::Gzip, &page);
    for cut in [1, 4, 8, 9, packed.len() / 2, packed.len() - 30] {
        let whole = &packed[..packed.len() - cut];
        let steps = whole.chunks(500).map(|data| Step::Data(data.into()));
        let mut run = Run::by(plan_in_head(), Coding::Gzip, Coding::Gzip, steps.collect());
        assert_eq!(
            run.read(),
            Err("the compressed body ends early".to_owned()),
            "{cut}"
        );
        assert_eq!(run.ends(), [PageEnd::Broken], "{cut}");
    }
    for at in [packed.len() - 8, packed.len() / 2] {
        let mut wrong = packed.clone();
        wrong[at] ^= 0x55;
        let steps = vec![Step::Data(wrong)];
        let mut run = Run::by(plan_in_head(), Coding::Gzip, Coding::Gzip, steps);
        assert!(run.read().is_err(), "{at}");
    }
}

#[test]
fn bytes_behind_a_packed_page_are_left_away() {
    let page = [HEAD, &b"<p>a row</p>".repeat(9_000)].concat();
    for behind in [
        &b"more"[..],
        &encoded(Coding::Gzip, b"another page"),
        &encoded(Coding::Gzip, &page),
    ] {
        let packed = [&encoded(Coding::Gzip, &page)[..], behind].concat();
        for size in [600, packed.len()] {
            let steps = packed.chunks(size).map(|data| Step::Data(data.into()));
            let mut run = Run::by(plan_in_head(), Coding::Gzip, Coding::Gzip, steps.collect());
            let out = run.read().unwrap();
            assert!(
                decoded(Coding::Gzip, &out) == (tagged(&page), true),
                "{size}"
            );
        }
    }
}

#[test]
fn no_length_is_told_while_more_may_be_inserted() {
    let steps = vec![Step::Data(PAGE.into()), Step::Pause];
    let mut run = Run::start(Coding::Identity, Coding::Identity, steps);
    assert_eq!(run.body.size_hint().exact(), None);
    run.read().unwrap();
    assert_eq!(run.body.size_hint().exact(), None);
}

const HEAD: &[u8] = b"<!DOCTYPE html><html><head><title>t</title></head><body>";

#[test]
fn all_that_was_read_is_sent_when_the_origin_pauses() {
    for to in CODINGS {
        let steps = vec![
            Step::Data(b"<p>one</p>".into()),
            Step::Pause,
            Step::Data(b" two".into()),
            Step::Data(b" three".into()),
            Step::Pause,
            Step::Pause,
        ];
        let mut run = Run::start(Coding::Identity, to, steps);
        let mut sent = run.read().unwrap();
        assert_eq!(decoded(to, &sent).0, b"<p>one</p>", "{to:?}");
        sent.extend(run.read().unwrap());
        assert_eq!(decoded(to, &sent).0, b"<p>one</p> two three", "{to:?}");
        assert!(
            run.read().unwrap().is_empty(),
            "nothing new, so nothing is sent: {to:?}"
        );
    }
}

/// A socket is read by another task, which has its turn before that is taken for a pause.
#[test]
fn what_comes_with_the_next_turn_is_packed_with_what_came_before() {
    for to in [Coding::Gzip, Coding::Deflate] {
        let (first, rest) = (b"<p>one</p>", b" two");
        let steps = vec![
            Step::Data(first.into()),
            Step::Pause,
            Step::Data(rest.into()),
        ];
        let mut run = Run::start(Coding::Identity, to, steps);
        assert!(run.poll().is_pending(), "{to:?}");
        let in_two_reads = run.read().unwrap();
        let steps = vec![Step::Data([&first[..], rest].concat())];
        let at_once = Run::start(Coding::Identity, to, steps).read().unwrap();
        assert_eq!(in_two_reads, at_once, "{to:?}");
    }
}

#[test]
fn an_origin_that_breaks_off_is_passed_on_as_an_error_without_a_tag() {
    for to in CODINGS {
        let steps = vec![Step::Data(PAGE.into()), Step::Break];
        let mut run = Run::start(Coding::Identity, to, steps);
        assert_eq!(run.read(), Err("reset".to_owned()), "{to:?}");
        assert_eq!(run.ends(), [PageEnd::Broken]);
        assert!(run.poll().is_ready(), "a broken body has ended");
    }
}

#[test]
fn a_compressed_body_that_ends_early_is_an_error() {
    for from in [Coding::Gzip, Coding::Deflate, Coding::Br, Coding::Zstd] {
        let packed = encoded(from, PAGE);
        let steps = vec![Step::Data(packed[..packed.len() - 1].into())];
        let mut run = Run::start(from, Coding::Identity, steps);
        assert_eq!(
            run.read(),
            Err("the compressed body ends early".to_owned()),
            "{from:?}"
        );
        assert_eq!(run.ends(), [PageEnd::Broken]);
    }
}

#[test]
fn a_visitor_who_goes_away_is_noted_once() {
    let mut run = Run::start(
        Coding::Identity,
        Coding::Identity,
        vec![Step::Data(PAGE.into())],
    );
    assert!(run.poll().is_ready());
    let ends = Arc::clone(&run.ends);
    drop(run);
    assert_eq!(*ends.lock().unwrap(), [PageEnd::Abandoned]);
}

#[test]
fn an_empty_body_stays_empty() {
    for coding in CODINGS {
        let mut run = Run::start(coding, Coding::Identity, vec![]);
        assert_eq!(run.read().unwrap(), b"", "{coding:?}");
    }
}

/// A page for faults: in front of its end there is nowhere that a tag may go.
fn long_page() -> Vec<u8> {
    let row = "<tr><td>2024-02-29</td><td id=ssn>078-05-1120</td><td>a &amp; b</td></tr>\n";
    let rows = row.repeat(40);
    format!("<!DOCTYPE html><html><body><table>{rows}</table></body></html>").into()
}

const MASKED: &str = " glance_masked=\"true\"";

/// Forty faults between any two codings: the parser fails anywhere, in every way, and the page
/// arrives whole, untagged and unbroken.
#[test]
fn a_thousand_faults_in_every_coding_leave_a_thousand_pages_whole_and_untagged() {
    let page = long_page();
    let failures = [
        LocatorStop::Ambiguity,
        LocatorStop::Fault,
        LocatorStop::MemoryLimit,
        LocatorStop::Panic,
    ];
    let mut faults = 0;
    for from in CODINGS {
        for to in CODINGS {
            for at in (0..40).map(|nth| nth * page.len() / 40 + nth % 7) {
                let failure = failures[faults % failures.len()];
                let case = format!("{from:?} to {to:?}, {failure:?} at {at}");
                faults += 1;
                let body = encoded(from, &page);
                let pieces = body.chunks(1 + faults % 97);
                let steps = pieces.map(|piece| Step::Data(piece.into())).collect();
                let mut run = Run::start(from, to, steps);
                let rewriter = failing_rewriter(&plan(), at, failure);
                run.body.pipe.as_mut().unwrap().rewriter = rewriter;
                let (plain, whole) = decoded(to, &run.read().unwrap());
                let arrived = String::from_utf8(plain).unwrap().replace(MASKED, "");
                assert!(arrived.as_bytes() == page && whole, "{case}");
                let [PageEnd::Finished(report)] = &run.ends()[..] else {
                    panic!("{case}: it has not ended well");
                };
                assert_eq!(report.outcome, PageOutcome::Untagged(failure), "{case}");
            }
        }
    }
    assert_eq!(faults, 1000);
}
