//! The HTML engine against html5ever, on pages of any bytes and on tag soup.
#![no_main]

#[path = "../oracle/mod.rs"]
mod oracle;

use libfuzzer_sys::{Corpus, fuzz_target};
use oracle::engine::{PLANS, check, says_too_much};
use oracle::soup::soup;

/// Longer pages say nothing that shorter ones do not, and take longer to say it.
const LONGEST: usize = 4096;

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some(([how, pieces], page)) = input.split_first_chunk() else {
        return Corpus::Reject;
    };
    let (plan, spelling) = (usize::from(how & 3), how >> 2 & 1);
    let page = match spelling {
        0 => soup(page).into_bytes(),
        _ => page.to_vec(),
    };
    if page.len() > LONGEST || says_too_much(&page) {
        return Corpus::Reject;
    }
    // Masks at the end are what there is most to say about.
    let plan = PLANS.get(plan).unwrap_or(&PLANS[0]);
    // Every other page in pieces, too.
    let pieces = usize::from(*pieces).saturating_sub(0x7f);
    check(plan, &page, pieces);
    Corpus::Keep
});
