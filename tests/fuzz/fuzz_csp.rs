//! What becomes of policies: those that the edge grew allow what they allowed before and what the
//! script needs, and nothing else, as an independent library reads them.
#![no_main]

#[path = "../oracle/policies.rs"]
#[allow(dead_code, reason = "what another test needs")]
#[expect(clippy::expect_used, reason = "a fuzz target fails by panicking")]
mod policies;

use cobrowse_edge::wire::Scheme;
use cobrowse_edge::wire::csp::{
    Adjuster, Delivery, Needs, SelfOrigin, Source, Tag, Terms, Treatment, Verdict, will_run,
};
use libfuzzer_sys::{Corpus, fuzz_target};
use policies::{NAMES, REQUESTS, WORDS, check, elsewhere, hashed, own};

/// What stands between words and directives; the last one begins another line.
const JOINTS: &[&str] = &[" ", "\t ", ";", "; ", " ;; ", ", ", ",", "\n"];

/// How many of all requests are asked about for one input.
const ASKED: usize = 24;

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some(([how, which], policies)) = input.split_first_chunk() else {
        return Corpus::Reject;
    };
    let needs = match how % 3 {
        0 => elsewhere(),
        1 => hashed(),
        _ => own(),
    };
    let text = text(policies);
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if text.len() > 2048 || lines.len() > 4 {
        return Corpus::Reject;
    }
    let step = REQUESTS.len() / ASKED;
    let asked = REQUESTS.iter().skip(usize::from(*which) % step);
    check(&lines, &needs, asked.step_by(step - 1));
    Corpus::Keep
});

/// Bytes are words, names of directives with what parts them from others, or joints.
fn text(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        let index = usize::from(*byte);
        if let Some(word) = WORDS.get(index) {
            text.push(' ');
            text.push_str(word);
        } else if let Some(name) = NAMES.get(index % 64) {
            if index < 128 {
                text.push(';');
            }
            text.push_str(name);
        } else {
            text.push_str(JOINTS[index % JOINTS.len()]);
        }
    }
    text
}
