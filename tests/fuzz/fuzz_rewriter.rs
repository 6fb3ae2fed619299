//! The HTML engine against html5ever, on pages of any bytes and on tag soup.
#![no_main]

#[path = "../oracle/mod.rs"]
mod oracle;

use libfuzzer_sys::{Corpus, fuzz_target};
use oracle::engine::{Task, check, says_too_much};
use oracle::soup::soup;

/// Longer pages say nothing that shorter ones do not, and take longer to say it.
const LONGEST: usize = 4096;

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some(([how, pieces], page)) = input.split_first_chunk() else {
        return Corpus::Reject;
    };
    let page = match how >> 2 & 1 {
        0 => soup(page).into_bytes(),
        _ => page.to_vec(),
    };
    if page.len() > LONGEST || says_too_much(&page) {
        return Corpus::Reject;
    }
    // Every fourth page in pieces, too.
    check(
        Task::chosen(*how),
        &page,
        usize::from(*pieces).saturating_sub(0xbf),
    );
    Corpus::Keep
});
