//! How the work for a page grows with the page.

use bytes::Bytes;
use cobrowse_edge::html::{ExistingTag, PageKind, PageRewriter};
use rustix::time::{ClockId, clock_gettime};

use super::journey::masking;

/// A page of so many parts.
type Page = fn(usize) -> String;

/// Pages of parts that could make a parser look back over all of them.
const PAGES: [(&str, Page); 9] = [
    ("nested elements", |n| "<span class=secret>".repeat(n)),
    ("nested ancestors", |n| {
        "<ul class=list><li class=own>".repeat(n / 2)
    }),
    ("nested elements, closed within an ancestor", |n| {
        format!(
            "<tr class=total>{}{}",
            "<div>".repeat(n),
            "</div>".repeat(n)
        )
    }),
    ("ancestors side by side, far down", |n| {
        let deep = format!("<form id=account>{}", "<div>".repeat(n));
        deep + &"<form id=account><textarea></textarea></form>".repeat(n)
    }),
    ("formatting left open", |n| {
        "<p><b class=list><i>".repeat(n / 2)
    }),
    ("end tags that close nothing", |n| {
        "<a class=secret></b>".repeat(n)
    }),
    ("attributes", |n| {
        let attributes: String = (0..n).map(|n| format!(" a{n}={n}")).collect();
        format!("<p{attributes} class=secret>")
    }),
    ("character references", |n| {
        "<p class='&#115;ecret'>".repeat(n / 8)
    }),
    ("tables in one another", |n| {
        "<table><tr class=total><td>".repeat(n / 4)
    }),
];

/// What this thread has computed so far; it does not count while others compute.
fn computed() -> i128 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec)
}

/// The least of a few tries.
fn work_for(page: &str) -> i128 {
    let page = Bytes::copy_from_slice(page.as_bytes());
    let plan = masking(ExistingTag::Replace);
    let tries = (0..3).map(|_| {
        let before = computed();
        let mut rewriter = PageRewriter::new(plan.clone(), None, PageKind::Document);
        for at in (0..page.len()).step_by(16 * 1024) {
            let _ = rewriter.push(page.slice(at..page.len().min(at + 16 * 1024)));
        }
        let _ = rewriter.finish();
        computed() - before
    });
    tries.min().unwrap()
}

/// Eight times the page is eight times the work; were it looked at again for each of its parts, it
/// would be 64 times.
#[test]
fn the_work_grows_with_the_page_and_no_faster() {
    let _ = work_for("<p>all that is made once</p>");
    for (name, page) in PAGES {
        let (small, large) = (work_for(&page(2_000)), work_for(&page(16_000)));
        println!("{name}: {small} ns, {large} ns");
        assert!(large < 24 * small, "{name}: {small} ns, then {large} ns");
    }
}
