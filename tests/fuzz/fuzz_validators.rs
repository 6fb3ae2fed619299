//! Validators and conditions, in two ways. A visitor, the edge and an origin talk for a while, in which
//! the origin's page and the edge's rules change: whoever is told that nothing has changed holds what
//! he would be given now. And whatever stands in the fields of a request, what goes up is what a second
//! reading of them makes of it.
#![no_main]
#![expect(clippy::expect_used, reason = "a fuzz target fails by panicking")]

mod validators;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|input: &[u8]| -> Corpus {
    match input.split_first() {
        None => return Corpus::Reject,
        Some((how, steps)) if how & 1 == 0 => validators::journey::travel(how >> 1, steps),
        Some((how, text)) => validators::fields::check(how >> 1, text),
    }
    Corpus::Keep
});
