//! Parity with lol_html, whatever the page and its pieces.

use proptest::prelude::*;

use super::*;
use crate::html::locator::LolHtmlLocator;
use crate::html::{ExistingTag, ScriptTag};

fn plan(placement: Placement) -> Arc<Plan> {
    let tag = ScriptTag::render([("id", Some("x"))]).unwrap();
    Arc::new(Plan::new(tag, placement, ExistingTag::Replace, Vec::new()))
}

type Reading = (Vec<Finding>, Result<PageEnd, LocatorStop>);

fn read<'p>(mut locator: Box<dyn Locate>, pieces: impl IntoIterator<Item = &'p [u8]>) -> Reading {
    let mut found = Vec::new();
    let (mut fed, mut settled_before) = (0, 0);
    for piece in pieces {
        let noted = found.len();
        fed += piece.len() as u64;
        match locator.feed(piece, &mut found) {
            Ok(settled) => {
                assert!(
                    settled_before <= settled && settled <= fed,
                    "{settled_before} {settled} {fed} {:?}",
                    String::from_utf8_lossy(piece)
                );
                assert!(
                    found[noted..].iter().all(|one| one.at >= settled_before),
                    "{settled_before} {:?}",
                    &found[noted..]
                );
                settled_before = settled;
            }
            Err(stop) => return (found, Err(stop)),
        }
    }
    // To lol_html the probe that it is fed may end an unfinished tag.
    let end = locator.finish().unwrap_or(PageEnd::Inert);
    (found, Ok(end))
}

const CHARSETS: [PageCharset; 2] = [
    PageCharset::Any,
    PageCharset::Certain(encoding_rs::WINDOWS_1252),
];

fn readings(page: &[u8], size: usize) -> Vec<(Reading, Reading)> {
    let both = |placement, charset| {
        let plan = plan(placement);
        let lol_html = Box::new(LolHtmlLocator::new(&plan, charset));
        let scan = Box::new(ScanLocator::new(&plan, charset));
        (read(lol_html, [page]), read(scan, page.chunks(size)))
    };
    let placements = [Placement::End, Placement::Head];
    let cases = placements
        .into_iter()
        .flat_map(|placement| CHARSETS.map(|charset| (placement, charset)));
    cases
        .map(|(placement, charset)| both(placement, charset))
        .collect()
}

#[track_caller]
fn alike(page: &[u8]) {
    for size in [page.len().max(1), 1, 2, 3, 7, 16] {
        for (expected, scanned) in readings(page, size) {
            assert_eq!(
                scanned,
                expected,
                "{:?} in {size}",
                String::from_utf8_lossy(page)
            );
        }
    }
}

#[test]
fn the_pages_of_the_corpus_are_read_alike() {
    let pages = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pages")).unwrap();
    let mut read = 0;
    for page in pages.map(|page| page.unwrap().path()) {
        if page.extension().is_some_and(|kind| kind == "html") {
            alike(&std::fs::read(page).unwrap());
            read += 1;
        }
    }
    assert!(read > 200);
}

const PIECES: [&str; 133] = [
    "<p>",
    "</p>",
    "<P CLASS=x>",
    "<td>",
    "</td>",
    "<table>",
    "</table>",
    "<b>",
    "</b>",
    "<div class='x' id=\"y\">",
    "</div>",
    "<!-- <p> -->",
    "<!--",
    "-->",
    "--!>",
    "<!-->",
    "<!--->",
    "--",
    "-",
    "!",
    "<!-",
    "<!doctype html>",
    "<!DOCTYPE html PUBLIC \"-//W3C>\" 'x'>",
    "<html>",
    "</html>",
    "<head>",
    "</head>",
    "<HEAD a>",
    "<body>",
    "</body>",
    "<title>",
    "</title>",
    "</title ",
    "</titlex>",
    "<script>",
    "</script>",
    "</script",
    "</SCRIPT\n",
    "<script ",
    "<style>",
    "</style>",
    "<textarea>",
    "</textarea>",
    "<select>",
    "<option>",
    "</select>",
    "<input>",
    "<keygen>",
    "<svg>",
    "</svg>",
    "<svg ",
    "<svg a='>'>",
    "<svg/>",
    "</svg >",
    "<path d=m/>",
    "<path>",
    "<g>",
    "</g>",
    "<math>",
    "</math>",
    "<mi>",
    "</mi>",
    "<![CDATA[ <p> ]]>",
    "<![CDATA[",
    "]]>",
    "<template>",
    "</template>",
    "</template\n>",
    "<noscript>",
    "</noscript>",
    "<frameset>",
    "<frame>",
    "<noframes>",
    "</noframes>",
    "<plaintext>",
    "<xmp>",
    "</xmp>",
    "<iframe>",
    "</iframe>",
    "<noembed>",
    "</noembed>",
    "<form>",
    "</form>",
    "<tr>",
    "<a href='>'>",
    "</a>",
    "<br/>",
    "<p a=\"",
    "\"",
    "'",
    ">",
    "<",
    "</",
    "/",
    "=",
    " ",
    "\n",
    "\t",
    "\x0c",
    "\0",
    "é ",
    "text",
    "&amp;",
    "<?x y?>",
    "<!x>",
    "</ x>",
    "</>",
    "<a b=>",
    "<meta charset=utf-8>",
    "<meta charset=iso-2022-jp>",
    "<meta http-equiv=Content-Type content='text/html; charset=utf-16'>",
    "<meta http-equiv='Content-Security-Policy' content=\"a\">",
    "<meta content http-equiv=content-security-POLICY>",
    "<meta http-equiv=content-security-policy>",
    "<script id=glance-cobrowse>",
    "<script a=b src='/GlanceCobrowseLoader_4.js'>",
    "<script id=x id=glance-cobrowse>",
    "<meta id=cobrowsescript>",
    "<script data-groupid=\"&#49;5\">",
    "<script src=/x type=a/>",
    "<cobrowse-edge-probe>",
    "<textarea a=>",
    "<title a= >",
    "<style a=\n>",
    "<script a=>",
    "<foreignObject>",
    "</foreignObject>",
    "<desc>",
    "<annotation-xml encoding=text/html>",
    "<col>",
    "<link>",
    "<base>",
    "<li>",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn tag_soup_is_read_alike(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..24), size in 1usize..40) {
        let page = pieces.concat();
        for (expected, scanned) in readings(page.as_bytes(), size) {
            prop_assert_eq!(scanned, expected);
        }
    }
}
