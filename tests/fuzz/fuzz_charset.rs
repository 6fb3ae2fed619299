//! Which charset a page is read in, against a second reading of the standard: whatever a page
//! declares, a browser finds in it what it found before, and no mask is missed for being compared in
//! another charset. What cannot be read goes on as it came.
#![no_main]
#![expect(clippy::expect_used, reason = "a fuzz target fails by panicking")]

#[path = "../oracle/mod.rs"]
mod oracle;

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use cobrowse_edge::html::{
    ExistingTag, Mask, MaskScope, PageKind, PageOutcome, PageReport, PageRewriter, Placement, Plan,
    ScriptTag,
};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};
use libfuzzer_sys::{Corpus, fuzz_target};
use oracle::tree::{Place, Tree};

const TAG: &str = r#"<script id="glance-cobrowse" src="/c.js"></script>"#;
const MASKED: &str = r#" glance_masked="true""#;

/// What the byte e9, alone or with 5c behind it, is in one charset or the other.
const LETTERS: [char; 12] = [
    'é', 'й', 'щ', 'И', '\u{849}', 'ﾉ', '\u{639}', 'ι', 'צ', '駘', '騔', '閈',
];

/// For each letter a plan that masks it, and the next one, too.
static PLANS: LazyLock<Vec<Arc<Plan>>> = LazyLock::new(|| {
    let plan = |(first, _): (usize, &char)| {
        let tag = ScriptTag::render([("id", Some("glance-cobrowse")), ("src", Some("/c.js"))]);
        let masks = masked(first).map(mask).into();
        let tag = tag.expect("a tag");
        Arc::new(Plan::new(tag, Placement::End, ExistingTag::Replace, masks))
    };
    LETTERS.iter().enumerate().map(plan).collect()
});

fn masked(first: usize) -> [char; 2] {
    [LETTERS[first], LETTERS[(first + 1) % LETTERS.len()]]
}

fn mask(letter: char) -> Mask {
    let selector = format!(".\\{:x} ", u32::from(letter));
    Mask {
        selector: selector.parse().expect("a mask"),
        scope: MaskScope::Everyone,
    }
}

/// What pages are made of; a byte of the input takes one of them, or stands for itself.
const PIECES: &[&[u8]] = &[
    b"<p class=\xe9>",
    b"<p class='\xe9\\'>",
    b"<p class=\xc3\xa9>",
    b"<meta charset=",
    b"<meta ",
    b"<META/charset='",
    b"charset",
    b"=",
    b"\"",
    b"'",
    b">",
    b" ",
    b"/",
    b"\n",
    b"<!--",
    b"-->",
    b"--",
    b"<",
    b"</",
    b"<!",
    b"<?",
    b"<p ",
    b"<b title='",
    b"<script>",
    b"</script>",
    b"<title>",
    b"</title>",
    b"http-equiv=",
    b"content-type",
    b"content=",
    b"text/html; charset=",
    b";",
    b"utf-8",
    b"utf-16",
    b"windows-1251",
    b"windows-1252",
    b"shift_jis",
    b"gbk",
    b"big5",
    b"euc-kr",
    b"koi8-r",
    b"iso-8859-7",
    b"x-user-defined",
    b"iso-2022-jp",
    b"replacement",
    b"none",
    b"<?xml version='1.0' encoding=",
    b"?>",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xfe\xff",
    b"<meta http-equiv=content-type content='charset=",
    b"\0",
    b"text",
    b"<meta",
    b"<svg>",
    b"</svg>",
    b"<![CDATA[",
    b"]]>",
    b"\xe9]]>",
    b"<noscript>",
    b"</noscript>",
];

/// As long as this and longer, in front of what browsers look for in the first 1024 bytes.
const LONG: [&[u8]; 3] = [&[b' '; 250], &[b'x'; 500], &[b'\n'; 1000]];

/// What a header may say; most say nothing.
const LABELS: [&str; 7] = [
    "utf-8",
    "utf-16le",
    "utf-16be",
    "windows-1251",
    "shift_jis",
    "iso-2022-jp",
    "gbk",
];

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some(([how, pieces], page)) = input.split_first_chunk() else {
        return Corpus::Reject;
    };
    let page: Vec<u8> = page.iter().flat_map(piece).copied().collect();
    let header = LABELS.get(usize::from(how & 15));
    let header = header.and_then(|label| Encoding::for_label(label.as_bytes()));
    let page = match how >> 4 & 7 {
        0 => in_utf_16(&page, true),
        1 => in_utf_16(&page, false),
        _ => page,
    };
    if page.len() > 4096 {
        return Corpus::Reject;
    }
    // Every other page in pieces, too.
    check(&page, header, usize::from(*pieces).saturating_sub(0x7f));
    Corpus::Keep
});

fn piece(byte: &u8) -> &[u8] {
    let piece = PIECES.iter().chain(&LONG).nth(usize::from(*byte) ^ 0x80);
    piece.copied().unwrap_or(std::slice::from_ref(byte))
}

fn in_utf_16(page: &[u8], little: bool) -> Vec<u8> {
    let units = page.iter().map(|byte| u16::from(*byte));
    let bytes = |unit: u16| {
        if little {
            unit.to_le_bytes()
        } else {
            unit.to_be_bytes()
        }
    };
    units.flat_map(bytes).collect()
}

fn check(page: &[u8], header: Option<&'static Encoding>, pieces: usize) {
    let shown = || String::from_utf8_lossy(page);
    let encoding = read_in(page, header);
    // A page that holds what is written could not be told from that.
    let [tag, mask, attribute] = [TAG, MASKED, "glance_masked"].map(|text| spelled(text, encoding));
    if holds(page, &tag) || holds(page, &attribute) {
        return;
    }
    let letter = encoding
        .decode_without_bom_handling(b"\xe9\\")
        .0
        .chars()
        .next();
    let first = LETTERS
        .iter()
        .position(|one| Some(*one) == letter)
        .unwrap_or(0);
    let (out, report) = rewrite(first, header, [page]);
    if pieces > 0 {
        let (in_pieces, same) = rewrite(first, header, page.chunks(pieces));
        assert!(
            in_pieces == out && same == report,
            "in pieces: {:?}",
            shown()
        );
    }
    if out == page {
        let tagged = report.outcome == PageOutcome::Tagged;
        assert!(!tagged, "nothing written: {:?}", shown());
        return;
    }
    let bare = without(without(out.clone(), &tag), &mask);
    let name = encoding.name();
    assert!(bare == page, "other bytes, in {name}: {:?}", shown());
    if report.outcome == PageOutcome::Tagged {
        check_tree(page, &out, encoding, masked(first));
    }
}

fn rewrite<'p>(
    first: usize,
    header: Option<&'static Encoding>,
    pieces: impl IntoIterator<Item = &'p [u8]>,
) -> (Vec<u8>, PageReport) {
    let mut rewriter = PageRewriter::new(Arc::clone(&PLANS[first]), header, PageKind::Document);
    let mut out = Vec::new();
    for piece in pieces {
        out.extend_from_slice(&rewriter.push(Bytes::copy_from_slice(piece)));
    }
    let (rest, report) = rewriter.finish();
    out.extend_from_slice(&rest);
    (out, report)
}

/// Nothing changes but by the tag and the masks, and those are where the letters are and nowhere else.
fn check_tree(page: &[u8], out: &[u8], encoding: &'static Encoding, letters: [char; 2]) {
    let shown = || format!("{} {:?}", encoding.name(), String::from_utf8_lossy(page));
    // In gb18030 the end of a page swallows digits of a letter that what stands behind brings back.
    // Behind anything else, such as white space in a table, it would be one text with that.
    let is_cut = |last: &u8| last.is_ascii_digit() || *last >= 0x80;
    let end = match encoding.name() {
        "GBK" | "gb18030" if page.last().is_some_and(is_cut) => ".",
        _ => "",
    };
    let [before, after] =
        [page, out].map(|page| Tree::parse(&[page, end.as_bytes()].concat(), encoding, true));
    let live = after.live_elements().filter(|place| is_ours(*place));
    assert_eq!(live.count(), 1, "live tags: {}", shown());
    assert!(
        outline(&before) == outline(&after),
        "another tree: {}",
        shown()
    );
    // In front of frames the tag is written before they are read; where that comes to an early end,
    // their masks may lack.
    let has_frames = after
        .live_elements()
        .any(|place| place.name() == "frameset");
    // A second tag adds to the element what that lacks: a mask, but no other class.
    let is_joint = |place: Place<'_>| matches!(place.name(), "body" | "html");
    for place in after.elements() {
        let mut private = letters.iter();
        let private = private.any(|letter| place.has_class(letter.encode_utf8(&mut [0; 4])));
        let masked = place.attribute("glance_masked").is_some();
        assert!(
            masked == private || has_frames && private || is_joint(place) && masked,
            "masked {masked}: {} {}",
            place.line(|_| false),
            shown()
        );
    }
}

fn is_ours(place: Place<'_>) -> bool {
    place.is_script() && place.attribute("src").as_deref() == Some("/c.js")
}

fn outline(tree: &Tree) -> String {
    tree.outline(|place| (!is_ours(place)).then(|| place.line(|name| name == "glance_masked")))
}

fn spelled(text: &str, encoding: &'static Encoding) -> Vec<u8> {
    match encoding.name() {
        "UTF-16LE" => in_utf_16(text.as_bytes(), true),
        "UTF-16BE" => in_utf_16(text.as_bytes(), false),
        _ => text.into(),
    }
}

/// In upper case an attribute is the same.
fn holds(page: &[u8], text: &[u8]) -> bool {
    page.windows(text.len())
        .any(|part| part.eq_ignore_ascii_case(text))
}

fn without(mut page: Vec<u8>, text: &[u8]) -> Vec<u8> {
    while let Some(at) = page.windows(text.len()).position(|part| part == text) {
        page.drain(at..at + text.len());
    }
    page
}

/// What a browser reads the page in, step by step as the standard has it.
fn read_in(page: &[u8], header: Option<&'static Encoding>) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(page) {
        return encoding;
    }
    if let Some(encoding) = header {
        return encoding;
    }
    if page.starts_with(&in_utf_16(b"<?x", true)) {
        return UTF_16LE;
    }
    if page.starts_with(&in_utf_16(b"<?x", false)) {
        return UTF_16BE;
    }
    // As text, in which each byte is a character.
    let start: String = page
        .iter()
        .take(1024)
        .map(|byte| char::from(*byte))
        .collect();
    prescan(&start)
        .or_else(|| in_declaration(&start))
        .unwrap_or(WINDOWS_1252)
}

const SPACES: [char; 5] = ['\t', '\n', '\x0c', '\r', ' '];

fn prescan(text: &str) -> Option<&'static Encoding> {
    let mut rest = text;
    while !rest.is_empty() {
        let lower = rest.to_ascii_lowercase();
        if rest.starts_with("<!--") {
            let end = rest[2..].find("-->")?;
            rest = &rest[2 + end + 2..];
        } else if lower.starts_with("<meta")
            && rest[5..].starts_with(|c| SPACES.contains(&c) || c == '/')
        {
            let (attributes, behind) = attributes(&rest[5..])?;
            if let Some(encoding) = declared(&attributes) {
                return Some(encoding);
            }
            rest = behind;
        } else if is_tag(rest) {
            let end = rest.find(|c| SPACES.contains(&c) || c == '>')?;
            rest = attributes(&rest[end..])?.1;
        } else if ["<!", "</", "<?"]
            .iter()
            .any(|start| rest.starts_with(start))
        {
            rest = &rest[rest.find('>')?..];
        }
        let mut characters = rest.chars();
        characters.next();
        rest = characters.as_str();
    }
    None
}

fn is_tag(rest: &str) -> bool {
    let name = rest.strip_prefix("</").or_else(|| rest.strip_prefix('<'));
    name.is_some_and(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// All attributes up to the `>`, and what begins with that.
fn attributes(mut rest: &str) -> Option<(Vec<(String, String)>, &str)> {
    let mut all = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c| SPACES.contains(&c) || c == '/');
        if rest.starts_with('>') {
            return Some((all, rest));
        }
        let first = rest.chars().next()?.len_utf8();
        let ends = |c| SPACES.contains(&c) || matches!(c, '/' | '>' | '=');
        let end = first + rest[first..].find(ends)?;
        let (name, behind) = rest.split_at(end);
        rest = behind;
        let spaced = rest.trim_start_matches(SPACES);
        // A slash or the tag's end is none that a value may stand behind.
        let mut value = "";
        if rest.starts_with(SPACES) || rest.starts_with('=') {
            rest = spaced;
            if let Some(assigned) = spaced.strip_prefix('=') {
                (value, rest) = value_in(assigned.trim_start_matches(SPACES))?;
            }
            rest.chars().next()?;
        }
        let name = name.to_ascii_lowercase();
        if all.iter().all(|(known, _)| *known != name) {
            all.push((name, value.to_ascii_lowercase()));
        }
    }
}

fn value_in(rest: &str) -> Option<(&str, &str)> {
    match rest.chars().next()? {
        quote @ ('"' | '\'') => rest[1..].split_once(quote),
        _ => Some(rest.split_at(rest.find(|c| SPACES.contains(&c) || c == '>')?)),
    }
}

fn declared(attributes: &[(String, String)]) -> Option<&'static Encoding> {
    let pragma = ("http-equiv".to_owned(), "content-type".to_owned());
    let got_pragma = attributes.contains(&pragma);
    let mut charset = None;
    for (name, value) in attributes {
        match name.as_str() {
            "content" if charset.is_none() => {
                charset = extracted(value).map(|encoding| (Some(encoding), true));
            }
            "charset" => charset = Some((label(value), false)),
            _ => {}
        }
    }
    let (encoding, needs_pragma) = charset?;
    let encoding = encoding.filter(|_| got_pragma || !needs_pragma)?;
    Some(match encoding {
        _ if encoding == UTF_16LE || encoding == UTF_16BE => UTF_8,
        _ if encoding == X_USER_DEFINED => WINDOWS_1252,
        _ => encoding,
    })
}

fn extracted(content: &str) -> Option<&'static Encoding> {
    for (at, name) in content.match_indices("charset") {
        let behind = content[at + name.len()..].trim_start_matches(SPACES);
        let Some(value) = behind.strip_prefix('=') else {
            continue;
        };
        let value = value.trim_start_matches(SPACES);
        return match value.chars().next()? {
            quote @ ('"' | '\'') => label(value[1..].split_once(quote)?.0),
            _ => label(value.split(|c| SPACES.contains(&c) || c == ';').next()?),
        };
    }
    None
}

fn in_declaration(text: &str) -> Option<&'static Encoding> {
    let declaration = &text[..text.find('>').filter(|_| text.starts_with("<?xml"))?];
    let (_, behind) = declaration.split_once("encoding")?;
    let control = |c: char| c <= ' ';
    let value = behind.trim_start_matches(control).strip_prefix('=')?;
    let value = value.trim_start_matches(control);
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (name, _) = value[1..].split_once(quote)?;
    let encoding = label(name).filter(|_| !name.contains(control))?;
    let is_utf_16 = encoding == UTF_16LE || encoding == UTF_16BE;
    Some(if is_utf_16 { UTF_8 } else { encoding })
}

/// A label is ASCII: what stands for other bytes is in none.
fn label(text: &str) -> Option<&'static Encoding> {
    Encoding::for_label(text.as_bytes())
}
