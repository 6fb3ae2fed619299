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
