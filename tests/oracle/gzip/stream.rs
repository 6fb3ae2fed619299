//! Deflated streams as no packer writes them, and as RFC 1951 allows them all the same: any blocks in any order, any
//! complete code for any symbols, repeats of any distance and length.

use super::choices::Choices;

pub(crate) struct Stream {
    pub(crate) packed: Vec<u8>,
    pub(crate) plain: Vec<u8>,
}

/// Longer pages say nothing that shorter ones do not: beyond the window behind an insertion nothing is read.
const PLAIN_MAX: usize = 80_000;
const BLOCKS_MAX: usize = 40;
const WINDOW: usize = 32 * 1024;
const BLOCK_END: usize = 256;
const MATCH_MAX: usize = 258;

enum Token {
    Literal(u8),
    Match {
        length: usize,
        distance: usize,
        /// 258 has a code of its own, and one in which 31 are added.
        is_added: bool,
    },
}

/// `at` is a place in the page that is worth repeating.
pub(crate) fn stream(choices: &mut Choices<'_>, at: usize) -> Stream {
    let mut writer = Writer::default();
    let mut plain = Vec::new();
    for block in 1.. {
        let kind = choices.byte();
        let is_stored = kind.is_multiple_of(8);
        let (begin, tokens) = (plain.len(), tokens(choices, at, is_stored, &mut plain));
        let is_last = choices.are_made() || block == BLOCKS_MAX || choices.rarely();
        writer.put(is_last.into(), 1);
        match kind % 8 {
            0 => writer.stored(&plain[begin..], kind >= 128),
            1 | 2 => writer.coded(&tokens, &Codes::fixed()),
            _ => writer.coded(&tokens, &Codes::chosen(choices, &tokens)),
        }
        if is_last {
            break;
        }
    }
    Stream {
        packed: writer.out,
        plain,
    }
}

fn tokens(
    choices: &mut Choices<'_>,
    at: usize,
    is_stored: bool,
    plain: &mut Vec<u8>,
) -> Vec<Token> {
    let mut tokens = Vec::new();
    let end = PLAIN_MAX.min(plain.len() + if is_stored { 65_535 } else { PLAIN_MAX });
    for _ in 0..choices.below(24) {
        if choices.below(10) == 0 {
            grow(at + WINDOW - choices.below(20), end, plain, &mut tokens);
        }
        let repeats = match choices.below(12) {
            0 => choices.number() / 64,
            _ => 1 + choices.below(6),
        };
        let is_match = choices.byte() & 1 == 1;
        for _ in 0..repeats {
            let token = match is_match && !plain.is_empty() {
                true => repeat(choices, at, plain.len()),
                false => Token::Literal(choices.byte()),
            };
            let length = match token {
                Token::Literal(_) => 1,
                Token::Match { length, .. } => length,
            };
            if plain.len() + length > end {
                return tokens;
            }
            match token {
                Token::Literal(byte) => plain.push(byte),
                Token::Match { distance, .. } => {
                    (0..length).for_each(|_| plain.push(plain[plain.len() - distance]));
                }
            }
            tokens.push(token);
        }
    }
    tokens
}

/// Up to where nothing can be repeated any more of what stands before the place.
fn grow(wanted: usize, end: usize, plain: &mut Vec<u8>, tokens: &mut Vec<Token>) {
    while plain.len() < wanted && plain.len() + MATCH_MAX <= end {
        let distance = WINDOW.min(plain.len());
        if distance == 0 || plain.len() + MATCH_MAX > wanted {
            plain.push(b'.');
            tokens.push(Token::Literal(b'.'));
            continue;
        }
        (0..MATCH_MAX).for_each(|_| plain.push(plain[plain.len() - distance]));
        tokens.push(Token::Match {
            length: MATCH_MAX,
            distance,
            is_added: false,
        });
    }
}

fn repeat(choices: &mut Choices<'_>, at: usize, position: usize) -> Token {
    let length = match choices.below(4) {
        0 => 3 + choices.below(8),
        1 => 3 + choices.below(256),
        _ => MATCH_MAX,
    };
    let reach = WINDOW.min(position);
    let by = choices.below(8);
    let distance = match choices.below(8) {
        0 => 1 + by,
        1 => reach.saturating_sub(by),
        // What stands around the place, or what a shift would take out of the window.
        2 | 3 => (position + by).saturating_sub(at + 4),
        4 => (position + by + length).saturating_sub(at + 4),
        5 => WINDOW.saturating_sub(by * 40),
        6 => DISTANCES[choices.below(30)].0 + by,
        _ => choices.number(),
    };
    Token::Match {
        length,
        distance: distance.clamp(1, reach),
        is_added: by & 1 == 1,
    }
}

/// Base and extra bits, by symbol (RFC 1951 3.2.5).
const DISTANCES: [(usize, usize); 30] = {
    let mut all = [(0, 0); 30];
    let (mut symbol, mut base) = (0, 1);
    while symbol < 30 {
        let extra = if symbol < 4 { 0 } else { symbol / 2 - 1 };
        all[symbol] = (base, extra);
        base += 1 << extra;
        symbol += 1;
    }
    all
};

const LENGTHS: [(usize, usize); 29] = {
    let mut all = [(0, 0); 29];
    let (mut symbol, mut base) = (0, 3);
    while symbol < 28 {
        let extra = if symbol < 8 { 0 } else { symbol / 4 - 1 };
        all[symbol] = (base, extra);
        base += 1 << extra;
        symbol += 1;
    }
    all[28] = (MATCH_MAX, 0);
    all
};

fn symbol(table: &[(usize, usize)], value: usize) -> usize {
    table.partition_point(|(base, _)| *base <= value) - 1
}

fn length_symbol(length: usize, is_added: bool) -> usize {
    match length == MATCH_MAX && is_added {
        true => 27,
        false => symbol(&LENGTHS, length),
    }
}

/// Lengths of codes, and how a block's head says them.
struct Codes {
    literals: Vec<u8>,
    distances: Vec<u8>,
    head: Writer,
}

impl Codes {
    fn fixed() -> Self {
        let mut literals = vec![8; 288];
        literals[144..256].fill(9);
        literals[256..280].fill(7);
        let mut head = Writer::default();
        head.put(1, 2);
        Self {
            literals,
            distances: vec![5; 30],
            head,
        }
    }

    /// For what is used, and for a little more.
    fn chosen(choices: &mut Choices<'_>, tokens: &[Token]) -> Self {
        let (mut literals, mut distances) = ([false; 286], [false; 30]);
        literals[BLOCK_END] = true;
        for token in tokens {
            match token {
                Token::Literal(byte) => literals[usize::from(*byte)] = true,
                Token::Match {
                    length,
                    distance,
                    is_added,
                } => {
                    literals[BLOCK_END + 1 + length_symbol(*length, *is_added)] = true;
                    distances[symbol(&DISTANCES, *distance)] = true;
                }
            }
        }
        for _ in 0..choices.below(6) {
            literals[choices.number() % 286] = true;
            distances[choices.below(30)] = true;
        }
        let literals = lengths(choices, &literals, 257, 15);
        let distances = lengths(choices, &distances, 1, 15);
        let head = table(choices, &literals, &distances);
        Self {
            literals,
            distances,
            head,
        }
    }
}

/// A complete code, however lopsided; of one symbol it has one bit.
fn lengths(choices: &mut Choices<'_>, used: &[bool], least: usize, depth: u8) -> Vec<u8> {
    let symbols: Vec<_> = (0..used.len()).filter(|symbol| used[*symbol]).collect();
    let mut leaves = vec![u8::from(symbols.len() == 1)];
    while leaves.len() < symbols.len() {
        let chosen = choices.number() % leaves.len();
        let mut places = (0..leaves.len()).map(|place| (place + chosen) % leaves.len());
        let Some(place) = places.find(|place| leaves[*place] < depth) else {
            break;
        };
        leaves[place] += 1;
        leaves.push(leaves[place]);
    }
    let count = symbols.last().map_or(0, |last| last + 1).max(least);
    let mut lengths = vec![0; count];
    for (symbol, length) in symbols.iter().zip(leaves) {
        lengths[*symbol] = length;
    }
    lengths
}

/// The head of a block with codes of its own (RFC 1951 3.2.7).
fn table(choices: &mut Choices<'_>, literals: &[u8], distances: &[u8]) -> Writer {
    let all = [literals, distances].concat();
    let (mut said, mut rest) = (Vec::new(), &all[..]);
    while let Some(first) = rest.first() {
        let run = rest.iter().take_while(|length| *length == first).count();
        let before = all.len() - rest.len();
        let follows = before > 0 && all[before - 1] == *first;
        let wanted = match choices.byte() & 3 {
            0 => 138,
            1 => 10,
            2 => 6,
            _ => 1,
        };
        let run = run.min(wanted);
        let (symbol, extra, bits, run) = match run {
            11.. if *first == 0 => (18, run - 11, 7, run),
            3..=10 if *first == 0 => (17, run - 3, 3, run),
            3.. if follows => (16, run.min(6) - 3, 2, run.min(6)),
            _ => (usize::from(*first), 0, 0, 1),
        };
        said.push((symbol, extra, bits));
        rest = &rest[run..];
    }
    let mut used = [false; 19];
    said.iter().for_each(|(symbol, ..)| used[*symbol] = true);
    // One alone would be no complete code.
    used[choices.below(19)] = true;
    used[if used[0] { 18 } else { 0 }] = true;
    let lengths = lengths(choices, &used, 19, 7);
    let named = ORDER.iter().rposition(|place| lengths[*place] > 0);
    let named = named.unwrap_or(0).max(3) + 1;
    let mut head = Writer::default();
    head.put(2, 2);
    head.put(literals.len() - 257, 5);
    head.put(distances.len() - 1, 5);
    head.put(named - 4, 4);
    for place in &ORDER[..named] {
        head.put(lengths[*place].into(), 3);
    }
    let codes = codes(&lengths);
    for (symbol, extra, bits) in said {
        head.code(codes[symbol], lengths[symbol]);
        head.put(extra, bits);
    }
    head
}

const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// RFC 1951 3.2.2.
fn codes(lengths: &[u8]) -> Vec<usize> {
    let mut codes = vec![0; lengths.len()];
    let mut next = 0;
    for length in 1..=15 {
        next <<= 1;
        for symbol in (0..lengths.len()).filter(|symbol| lengths[*symbol] == length) {
            codes[symbol] = next;
            next += 1;
        }
    }
    codes
}

#[derive(Default)]
struct Writer {
    out: Vec<u8>,
    bits: usize,
}

impl Writer {
    fn put(&mut self, value: usize, count: usize) {
        for bit in 0..count {
            if self.bits.is_multiple_of(8) {
                self.out.push(0);
            }
            let last = self.out.len() - 1;
            self.out[last] |= ((value >> bit & 1) as u8) << (self.bits % 8);
            self.bits += 1;
        }
    }

    fn code(&mut self, code: usize, length: u8) {
        (0..length).rev().for_each(|bit| self.put(code >> bit, 1));
    }

    fn append(&mut self, other: &Self) {
        (0..other.bits).for_each(|bit| self.put((other.out[bit / 8] >> (bit % 8)).into(), 1));
    }

    /// What stands between the head and the bytes means nothing.
    fn stored(&mut self, bytes: &[u8], is_filled: bool) {
        self.put(0, 2);
        while !self.bits.is_multiple_of(8) {
            self.put(is_filled.into(), 1);
        }
        self.put(bytes.len(), 16);
        self.put(!bytes.len(), 16);
        self.out.extend_from_slice(bytes);
        self.bits += bytes.len() * 8;
    }

    fn coded(&mut self, tokens: &[Token], codes: &Codes) {
        self.append(&codes.head);
        let literals = self::codes(&codes.literals);
        let distances = self::codes(&codes.distances);
        for token in tokens {
            match token {
                Token::Literal(byte) => {
                    let byte = usize::from(*byte);
                    self.code(literals[byte], codes.literals[byte]);
                }
                Token::Match {
                    length,
                    distance,
                    is_added,
                } => {
                    let place = length_symbol(*length, *is_added);
                    let coded = BLOCK_END + 1 + place;
                    self.code(literals[coded], codes.literals[coded]);
                    self.put(length - LENGTHS[place].0, LENGTHS[place].1);
                    let place = symbol(&DISTANCES, *distance);
                    self.code(distances[place], codes.distances[place]);
                    self.put(distance - DISTANCES[place].0, DISTANCES[place].1);
                }
            }
        }
        self.code(literals[BLOCK_END], codes.literals[BLOCK_END]);
    }
}
