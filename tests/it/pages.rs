//! Every page of the corpus, in every way through the engine, against a whole parser.

mod generated;
mod growth;
mod index;
mod journey;
mod masks;
mod random;
mod reading;

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cobrowse_edge::html::{ExistingTag, LocatorStop, PageOutcome};
use cobrowse_edge::wire::Coding;

use index::{Page, pages};
use journey::{
    Arrived, MASKED, OUT_OF_ACTION, TAG, count, in_codings, in_head, in_pieces, masking, position,
    whole, without_insertions,
};
use random::Random;
use reading::{Reading, WITH_AND_WITHOUT_SCRIPTING};

/// Checks every page; what each fails on is printed behind its name.
#[track_caller]
fn each(mut check: impl FnMut(&Page)) {
    let mut failed = Vec::new();
    for page in pages() {
        println!("page {}: {}", page.name, page.line.trap);
        if catch_unwind(AssertUnwindSafe(|| check(&page))).is_err() {
            failed.push(page.name.clone());
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn every_page_has_a_line_and_every_line_a_page() {
    let pages = pages();
    let file = |page: &Page| format!("{}.html", page.name);
    let named: BTreeSet<_> = pages.iter().map(file).collect();
    for entry in fs::read_dir(index::directory()).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let page = file.ends_with(".html");
        assert!(!page || named.contains(&file), "{file} is not in the index");
    }
    assert!(pages.len() >= 160, "{} pages", pages.len());
    assert!(pages.iter().all(|page| !page.line.trap.is_empty()));
}

#[test]
fn every_page_comes_out_as_the_index_says() {
    let plan = masking(ExistingTag::Replace);
    each(|page| {
        let arrived = whole(&plan, page);
        check_outcome(page, &arrived, &page.line.outcome);
        check_bytes(page, &arrived, page.line.existing);
        if page.line.outcome != "untagged:memory_limit" {
            assert_eq!(written(page, &arrived, MASKED), page.line.masks, "masks");
        }
        let place = |text| position(&arrived.bytes, &page.spelled(text));
        let in_front = place(TAG).is_some() && place(TAG) < place("<frameset");
        assert_eq!(
            in_front, page.line.frameset,
            "the tag in front of a frameset"
        );
    });
}

#[test]
fn every_page_has_its_masks_to_a_browser() {
    let plan = masking(ExistingTag::Replace);
    each(|page| {
        if page.line.outcome == "tagged" {
            let arrived = whole(&plan, page);
            let reading = Reading::of(page, &arrived.bytes, true);
            assert_eq!(reading.missed(), page.line.missed, "missed");
            assert_eq!(reading.extra(), page.line.extra, "extra");
        }
    });
}

#[test]
fn every_page_comes_out_as_the_index_says_with_the_tag_in_the_head() {
    let plan = in_head();
    each(|page| {
        let arrived = whole(&plan, page);
        check_outcome(page, &arrived, page.line.outcome_in_head());
        check_bytes(page, &arrived, page.line.head_existing);
        assert_eq!(written(page, &arrived, MASKED), 0);
    });
}

#[test]
fn every_page_that_has_a_tag_keeps_it_where_the_plan_says_so() {
    let plan = masking(ExistingTag::Keep);
    each(|page| {
        let arrived = whole(&plan, page);
        let finished = page.line.outcome == "tagged" || page.line.outcome.ends_with("not_live");
        if finished && page.line.existing > page.line.dormant {
            assert_eq!(arrived.report.outcome, PageOutcome::Kept);
        } else {
            check_outcome(page, &arrived, &page.line.outcome);
        }
        check_bytes(page, &arrived, 0);
    });
}

#[test]
fn no_page_is_left_untagged_where_the_tag_would_be_live() {
    let plan = masking(ExistingTag::Replace);
    each(|page| {
        let mut arrived = whole(&plan, page);
        if arrived.report.outcome == PageOutcome::Untagged(LocatorStop::TagNotLive) {
            arrived.bytes.extend_from_slice(&page.spelled(TAG));
            assert_eq!(Reading::of(page, &arrived.bytes, true).live_tags(), 0);
        }
    });
}

#[test]
fn every_page_that_two_edges_tag_has_one_live_tag() {
    for plan in [masking(ExistingTag::Replace), in_head()] {
        each(|page| {
            // What stands below the head is not searched for a tag when ours goes there.
            let masking = !plan.masks().is_empty();
            let sees_all = masking || page.line.existing == page.line.head_existing;
            let once = whole(&plan, page);
            if once.report.outcome != PageOutcome::Tagged || !sees_all {
                return;
            }
            let tagged_page = page.with_bytes(&once.bytes);
            let twice = whole(&plan, &tagged_page);
            let again = page.line.again.as_deref().filter(|_| masking);
            assert_eq!(word(twice.report.outcome), again.unwrap_or("tagged"));
            check_bytes(
                &tagged_page,
                &twice,
                written(&tagged_page, &twice, OUT_OF_ACTION),
            );
            let [first, second] = [once, twice].map(|one| Reading::of(page, &one.bytes, true));
            assert_eq!(first.live_tags(), second.live_tags(), "live tags");
            let same = first.outline() == second.outline();
            assert!(same || page.line.tree_differs(), "the rest of the tree");
        });
    }
}

#[test]
fn every_page_comes_out_the_same_in_whatever_pieces_it_comes() {
    let plan = masking(ExistingTag::Replace);
    let mut random = Random::seeded();
    each(|page| {
        let expected = whole(&plan, page);
        if page.bytes.len() <= 128 * 1024 {
            let bytes = page.bytes.chunks(1).map(|byte| page.bytes.slice_ref(byte));
            assert!(in_pieces(&plan, page, bytes) == expected, "byte by byte");
        }
        for _ in 0..8 {
            let pieces = random.pieces(&page.bytes);
            assert!(in_pieces(&plan, page, pieces) == expected, "at random");
        }
    });
}

#[test]
fn every_small_page_comes_out_the_same_wherever_it_is_split() {
    for plan in [masking(ExistingTag::Replace), in_head()] {
        each(|page| {
            let expected = whole(&plan, page);
            let splits = if page.bytes.len() < 4096 {
                page.bytes.len()
            } else {
                0
            };
            for at in 0..splits {
                let halves = [page.bytes.slice(..at), page.bytes.slice(at..)];
                assert!(in_pieces(&plan, page, halves) == expected, "split at {at}");
            }
        });
    }
}

#[test]
fn every_page_comes_out_the_same_in_every_coding() {
    let plan = masking(ExistingTag::Replace);
    let codings = [
        Coding::Identity,
        Coding::Gzip,
        Coding::Deflate,
        Coding::Br,
        Coding::Zstd,
    ];
    each(|page| {
        let expected = whole(&plan, page);
        for (at, from) in codings.into_iter().enumerate() {
            for to in [from, codings[(at + 1) % codings.len()]] {
                assert!(
                    in_codings(&plan, page, from, to) == expected,
                    "{from:?} to {to:?}"
                );
            }
        }
    });
}

/// The page has come to what the index says, and to a browser too: the tag is live once or not at
/// all, and the rest of the tree is what it was.
#[track_caller]
fn check_outcome(page: &Page, arrived: &Arrived, expected: &str) {
    let (written, live) = match expected {
        "dead" => ("tagged", 0),
        "tagged" => ("tagged", 1),
        "twice" => ("tagged", 2),
        untagged => (untagged, 0),
    };
    assert_eq!(word(arrived.report.outcome), written);
    for scripting in WITH_AND_WITHOUT_SCRIPTING {
        // To read the large ones once is slow enough.
        let large = page.bytes.len() > 64 * 1024;
        if !scripting && (large || !page.line.is_one_page()) {
            continue;
        }
        let after = Reading::of(page, &arrived.bytes, scripting);
        assert_eq!(after.live_tags(), live, "live tags");
        let before = Reading::of(page, &page.bytes, scripting);
        let differs = page.line.tree_differs() && count(&arrived.bytes, &page.spelled(MASKED)) > 0;
        assert_eq!(
            before.outline() != after.outline(),
            differs,
            "the rest of the tree differs"
        );
    }
}

/// The page is byte for byte what it was, but for the tag, the masks, and so many tags that were
/// put out of action.
#[track_caller]
fn check_bytes(page: &Page, arrived: &Arrived, existing: usize) {
    let bytes = &arrived.bytes;
    assert!(without_insertions(page, bytes) == without_insertions(page, &page.bytes));
    assert_eq!(written(page, arrived, OUT_OF_ACTION), existing, "existing");
    let tags = usize::from(arrived.report.outcome == PageOutcome::Tagged);
    let masks = written(page, arrived, MASKED);
    let inserted = tags * page.spelled(TAG).len()
        + masks * page.spelled(MASKED).len()
        + existing * page.spelled(OUT_OF_ACTION).len();
    assert_eq!(bytes.len(), page.bytes.len() + inserted, "length");
}

/// How often a text was written into the page.
fn written(page: &Page, arrived: &Arrived, text: &str) -> usize {
    let text = page.spelled(text);
    count(&arrived.bytes, &text) - count(&page.bytes, &text)
}

/// The index's word for an outcome.
fn word(outcome: PageOutcome) -> &'static str {
    match outcome {
        PageOutcome::Tagged => "tagged",
        PageOutcome::Kept => "kept",
        PageOutcome::KeptUnmasked(_) => "kept_unmasked",
        PageOutcome::Empty => "empty",
        PageOutcome::Refused => "refused",
        PageOutcome::RefusedLate => "refused_late",
        PageOutcome::Untagged(stop) => match stop {
            LocatorStop::Ambiguity => "untagged:ambiguous_markup",
            LocatorStop::Charset => "untagged:charset",
            LocatorStop::Complete | LocatorStop::Fault => "untagged:parser_fault",
            LocatorStop::Data => "untagged:data",
            LocatorStop::MemoryLimit => "untagged:memory_limit",
            LocatorStop::NotADocument => "untagged:not_a_document",
            LocatorStop::Panic => "untagged:parser_panic",
            LocatorStop::TagNotLive => "untagged:tag_not_live",
            LocatorStop::Untyped => "untagged:untyped",
            LocatorStop::Xml => "untagged:xml_not_read",
            LocatorStop::XmlAttribute => "untagged:xml_attribute_twice",
        },
    }
}
