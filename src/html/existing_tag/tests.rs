use super::*;

/// What the first candidate of this markup is told to be.
fn told(markup: &str) -> Option<CobrowseTag> {
    let told = RefCell::new(None);
    let settings = Settings::new().append_element_content_handler((
        Cow::Borrowed(&*CANDIDATES),
        ElementContentHandlers::default().element(|element: &mut Element<'_, '_>| {
            told.borrow_mut().get_or_insert(cobrowse_tag(element));
            Ok(())
        }),
    ));
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    rewriter.write(markup.as_bytes()).unwrap();
    rewriter.end().unwrap();
    told.take().flatten()
}

const LOADER: &str = "https://www.glancecdn.net/cobrowse/CobrowseJS.ashx";

#[test]
fn the_vendors_forms_are_told_in_any_spelling() {
    for markup in [
        "<script id=glance-cobrowse></script>",
        "<SCRIPT ID='cobrowsescript'></SCRIPT>",
        "<script id='glance&#45;cobrowse'></script>",
        "<meta id=\"glance-cobrowse\" data-groupid=\"12345\" />",
        "<meta id=cobrowsescript data-ws='x'>",
        "<meta data-groupid=12345>",
        "<script data-groupid=' 15687 '></script>",
        "<script src='https://www.glancecdn.net/cobrowse/CobrowseJS.ashx?group=1&site=production'></script>",
        "<script src='https://www.glancecdn.net/cobrowse/CobrowseJS.ashx?group=1&amp;site=production'></script>",
        "<script src='//cdn.myglance.net/cobrowse/cobrowsejs.ashx?group=1&site=staging&script='></script>",
        "<script src=HTTPS://WWW.GLANCECDN.NET/COBROWSE/COBROWSEJS.ASHX></script>",
        "<script src='https&#58;//ww2.glancecdn.net/cobrowse/CobrowseJS.ashx?group=1'></script>",
        "<script src=' https://ww2.glancecdn.net/cobrowse/Cobrowse\nJS.ashx?group=1'></script>",
        "<script src='/_cobrowse/cobrowse/CobrowseJS.ashx?group=1#script=Agent'></script>",
        "<script src='https://storage.glancecdn.net/cobrowse/js/GlanceCobrowseLoader_6.41.0M.js'></script>",
        "<script src='/cr/glancecobrowseloader_4.2.0m.js'></script>",
        "<svg><script href='https://www.glancecdn.net/cobrowse/CobrowseJS.ashx?group=1' /></svg>",
        "<svg><script xlink:href='https://www.glancecdn.net/cobrowse/CobrowseJS.ashx?group=1' /></svg>",
    ] {
        assert_eq!(told(markup), Some(CobrowseTag::Live), "{markup}");
    }
}

#[test]
fn a_script_of_svg_has_no_src_but_can_be_found() {
    let markup = "<svg><script id=glance-cobrowse src=/cobrowse/CobrowseJS.ashx /></svg>";
    assert_eq!(told(markup), Some(CobrowseTag::Dormant));
}

#[test]
fn what_only_looks_alike_is_left_alone() {
    for markup in [
        "<script></script>",
        "<script id=glance></script>",
        "<script id=glance-cobrowse-replaced></script>",
        "<meta name=glance-cobrowse>",
        "<meta id=description content='CobrowseJS.ashx'>",
        "<meta src='/cobrowse/CobrowseJS.ashx'>",
        "<script data-groupid=main></script>",
        "<script data-groupid></script>",
        "<script data-groupid=12345678901></script>",
        "<script>'/cobrowse/CobrowseJS.ashx'</script>",
        "<script src='/js/CobrowseJS.ashx.js'></script>",
        "<script src='/search?for=/cobrowse/CobrowseJS.ashx'></script>",
        "<math><script id=glance-cobrowse></script></math>",
    ] {
        assert_eq!(told(markup), None, "{markup}");
    }
    for script in ["Agent", "PresenceVisitor", "PresenceAgent", "XDOM"] {
        let markup = format!("<script src='{LOADER}?group=1&script={script}'></script>");
        assert_eq!(told(&markup), None, "{markup}");
    }
}

fn inheritance() -> Inheritance {
    Inheritance {
        attributes: vec!["data-inputevents", "data-presence", "data-termsurl"],
        accepts: |name, value| name != "data-presence" || value == "on",
    }
}

fn taken(start_tags: &[&str]) -> String {
    let mut attributes = Vec::new();
    for start_tag in start_tags {
        inheritance().take(start_tag.as_bytes(), &mut attributes);
    }
    let written = attributes
        .iter()
        .map(|attribute| format!("{}={}", attribute.name, attribute.value));
    written.collect::<Vec<_>>().join("|")
}

#[test]
fn what_is_wanted_is_taken_in_the_order_of_the_tag() {
    let tag = "<script data-termsurl=/t DATA-PRESENCE='on' data-groupid=7 data-ws=evil.example \
               data-inputevents='{\"ctrl-13\":\"startSession\"}' nonce=x src=y>";
    assert_eq!(
        taken(&[tag]),
        "data-inputevents={\"ctrl-13\":\"startSession\"}|data-presence=on|data-termsurl=/t"
    );
    assert_eq!(
        taken(&["<meta data-termsurl=\"/a&amp;b\">"]),
        "data-termsurl=/a&b"
    );
    assert_eq!(
        taken(&[
            "<meta data-termsurl=/1>",
            "<script data-presence=on data-termsurl=/2>"
        ]),
        "data-presence=on|data-termsurl=/1"
    );
    assert_eq!(
        taken(&["<meta data-termsurl=/1 data-termsurl=/2>"]),
        "data-termsurl=/1"
    );
}

#[test]
fn what_could_be_read_in_two_ways_is_not_taken() {
    let long = format!("<meta data-termsurl='/{}'>", "x".repeat(MAX_VALUE_BYTES));
    for tag in [
        "<meta data-presence=api>",
        "<meta data-termsurl='/&copy'>",
        "<meta data-termsurl='/&nonsense;'>",
        "<meta data-termsurl='/\u{e9}'>",
        "<meta data-termsurl='/&#233;'>",
        "<meta data-termsurl='/&#10;'>",
        "<meta data-termsurl='/\n'>",
        &long,
    ] {
        assert_eq!(taken(&[tag]), "", "{tag}");
    }
    let fits = format!("<meta data-termsurl='{}'>", "x".repeat(MAX_VALUE_BYTES));
    assert!(taken(&[&fits]).len() > MAX_VALUE_BYTES);
}
