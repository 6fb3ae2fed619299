//! A million grants that were meddled with, of which none may be believed.

use std::collections::HashSet;
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};

use super::{END, ONE, OTHER, at, fields, group, keys};
use crate::groups::{GrantFields, GrantKeys, GroupSet, PageGrant};

const CASES: u64 = 1_000_000;
const THREADS: u64 = 2;

/// xorshift64*: the same cases on every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % bound.max(1)
    }

    fn of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

/// Grants that hold, and all the keys that are around.
struct World {
    good: Vec<String>,
    /// Signed by a key that is not known.
    foreign: Vec<String>,
    known: GrantKeys,
}

impl World {
    fn new() -> Self {
        let known = keys(&format!("{ONE}\n{OTHER}"));
        let signers = [keys(ONE), keys(OTHER)];
        let stranger = GrantKeys::generate().unwrap();
        let grants = || (0..32).map(grant);
        let good = grants().flat_map(|grant| signers.each_ref().map(|keys| keys.sign(&grant)));
        Self {
            good: good.collect(),
            foreign: grants().map(|grant| stranger.sign(&grant)).collect(),
            known,
        }
    }
}

fn grant(number: u32) -> PageGrant {
    let number = i64::from(number);
    let additional = (0..number % 5).map(|other| group(20_000 + number + other));
    let fields = GrantFields {
        host: format!(
            "{}.bank.example",
            "www.".repeat(usize::try_from(number % 3).unwrap())
        )
        .into(),
        rule: format!("rule {number}").into(),
        groups: GroupSet::new(group(15_000 + number), additional),
        mask_revision: number.unsigned_abs() * 977,
        ..fields()
    };
    PageGrant::new(fields).unwrap()
}

/// One grant, meddled with in one of many ways.
fn mutant(random: &mut Random, world: &World) -> String {
    let mut text = random.of(&world.good).clone();
    match random.below(12) {
        0..=2 => flip_bits(random, &mut text),
        3 => text.truncate(random.below(text.len())),
        4 => text.insert(random.below(text.len() + 1), any_character(random)),
        5 => drop(text.remove(random.below(text.len()))),
        6 => splice(random, &mut text, world),
        7 => swap_parts(random, &mut text, world),
        8 => change_payload(random, &mut text),
        9 => respell(random, &mut text),
        10 => text = random.of(&world.foreign).clone(),
        _ => replace_character(random, &mut text),
    }
    text
}

/// In the characters; what is no text any more could not even be asked about.
fn flip_bits(random: &mut Random, text: &mut String) {
    let mut bytes = std::mem::take(text).into_bytes();
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(7);
    }
    *text = String::from_utf8(bytes).unwrap();
}

fn any_character(random: &mut Random) -> char {
    *random.of(&[
        'A', 'z', '0', '-', '_', '.', '=', '+', '/', ' ', '\n', '\0', '%', '\u{e9}',
    ])
}

fn replace_character(random: &mut Random, text: &mut String) {
    let at = random.below(text.len());
    let new = any_character(random);
    text.replace_range(at..=at, &new.to_string());
}

/// The beginning of one and the end of another.
fn splice(random: &mut Random, text: &mut String, world: &World) {
    let other = random.of(&world.good);
    let (at, from) = (random.below(text.len()), random.below(other.len()));
    text.replace_range(at.., &other[from..]);
}

/// Version, key, payload or tag of another grant, of a known key or of a stranger's.
fn swap_parts(random: &mut Random, text: &mut String, world: &World) {
    let other = match random.below(2) {
        0 => random.of(&world.good),
        _ => random.of(&world.foreign),
    };
    let other: Vec<_> = other.split('.').collect();
    let mut parts: Vec<_> = text.split('.').map(str::to_owned).collect();
    for _ in 0..=random.below(2) {
        let part = random.below(parts.len());
        parts[part] = other[part].to_owned();
    }
    *text = parts.join(".");
}

/// A sensible payload of somebody's own making under a tag that was good for another.
fn change_payload(random: &mut Random, text: &mut String) {
    let mut parts: Vec<_> = text.split('.').map(str::to_owned).collect();
    let payload = URL_SAFE_NO_PAD.decode(&parts[2]).unwrap();
    let payload = String::from_utf8(payload).unwrap();
    let mut lines: Vec<_> = payload.split('\n').map(str::to_owned).collect();
    let line = random.below(lines.len());
    lines[line] = match line {
        0 => "evil.example".to_owned(),
        1 => "another rule".to_owned(),
        2 => "staging".to_owned(),
        5 => format!("{:016x}", random.next()),
        6 => (END + 1 + random.next() % 1000).to_string(),
        _ => (1 + random.next() % 99_999).to_string(),
    };
    parts[2] = URL_SAFE_NO_PAD.encode(lines.join("\n"));
    *text = parts.join(".");
}

/// The same bytes in another spelling.
fn respell(random: &mut Random, text: &mut String) {
    let mut parts: Vec<_> = text.split('.').map(str::to_owned).collect();
    let part = 1 + random.below(3);
    let bytes = URL_SAFE_NO_PAD.decode(&parts[part]).unwrap();
    parts[part] = match random.below(5) {
        0 => format!("{}=", URL_SAFE.encode(&bytes).trim_end_matches('=')),
        1 => format!("{}==", parts[part]),
        2 => format!("{}%3D", parts[part]),
        3 => format!("{}\n", STANDARD.encode(&bytes)),
        _ => parts[part].to_uppercase(),
    };
    *text = parts.join(".");
}

#[test]
fn of_a_million_grants_that_were_meddled_with_none_is_believed() {
    let world = World::new();
    let now = at(END - 1);
    let good: HashSet<_> = world.good.iter().cloned().collect();
    for grant in &good {
        assert!(world.known.open(grant, now).is_ok(), "{grant}");
    }
    let tried: u64 = thread::scope(|scope| {
        let (world, good) = (&world, &good);
        let threads: Vec<_> = (1..=THREADS)
            .map(|seed| {
                scope.spawn(move || {
                    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
                    let mut tried = 0;
                    while tried < CASES / THREADS {
                        let text = mutant(&mut random, world);
                        // What meddling left or made as it was before proves nothing.
                        if good.contains(&text) {
                            continue;
                        }
                        assert!(world.known.open(&text, now).is_err(), "{text:?}");
                        tried += 1;
                    }
                    tried
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(tried, CASES);
}
