//! Against a whole parser: html5ever reads the page before and after.

use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, local_name, ns, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn chunking_never_changes_the_page(soup in tag_soup(), sizes in prop::collection::vec(1usize..30, 1..20)) {
        let plan = masking(&["p", ".x", "td", "#y"]);
        let expected = whole(&plan, soup.as_bytes());
        let mut rest = soup.as_bytes();
        let mut sizes = sizes.iter().cycle();
        let chunks = std::iter::from_fn(|| {
            let (chunk, after) = rest.split_at_checked((*sizes.next()?).min(rest.len()))?;
            rest = after;
            (!chunk.is_empty()).then_some(chunk)
        });
        prop_assert_eq!(rewrite_chunks(&plan, chunks), expected);
    }

    /// Against a whole parser: the tag is live at most once, and nothing else of the tree
    /// changes but for masks.
    #[test]
    fn the_tree_changes_by_the_tag_and_masks_alone(soup in tag_soup(), head in any::<bool>()) {
        let plan = if head { in_head() } else { masking(&["p", ".x", "td", "textarea"]) };
        let (out, report) = whole(&plan, soup.as_bytes());
        prop_assert_eq!(without_masks(&out).replace(TAG, ""), soup.replace(TAG, ""));
        for scripting in [true, false] {
            let before = outline(soup.as_bytes(), scripting);
            let after = outline(&out, scripting);
            let tagged = usize::from(report.outcome == PageOutcome::Tagged);
            prop_assert!(after.live_tags <= tagged);
            // Without scripting, what `<noscript>` contains is read, and may swallow what follows.
            let read_alike = scripting || !soup.contains("<noscript>");
            // From a head, a frameset behind something like a lone `</body>` takes the tag away.
            prop_assert!(after.live_tags == tagged || head || !read_alike);
            if after.live_tags == tagged && read_alike {
                prop_assert_eq!(&before.tree, &after.tree);
            }
            if after.live_tags == 1 && scripting && !head {
                prop_assert_eq!(after.unmasked, 0);
            }
        }
    }
}

/// Pieces that, strung together, make pages such as browsers have to put up with.
pub(super) fn tag_soup() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<p>",
        "</p>",
        "<P CLASS=x>",
        "<td>",
        "<table>",
        "</table>",
        "<tr>",
        "<b>",
        "</b>",
        "<i>",
        "<div class='x' id=\"y\">",
        "</div>",
        "<!-- <p> -->",
        "<!--",
        "-->",
        "<!doctype html>",
        "<html>",
        "</html>",
        "<head>",
        "</head>",
        "<body>",
        "</body>",
        "<title>",
        "</title>",
        "<script>",
        "</script>",
        "<style>",
        "</style>",
        "<textarea>",
        "</textarea>",
        "<select>",
        "<option>",
        "</select>",
        "<svg>",
        "</svg>",
        "<math>",
        "<![CDATA[ <p> ]]>",
        "<template>",
        "</template>",
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
        "<form>",
        "<input type=hidden>",
        "<a href='>'>",
        "</a>",
        "<br/>",
        "<p a=\"",
        "\"",
        "'",
        ">",
        "<",
        "</",
        "<?x y?>",
        "<!x>",
        "text",
        " ",
        "\n",
        "\0",
        "é",
        "&amp;",
        "&",
        "<meta charset=utf-8>",
        "<object>",
        "<button>",
        "<caption>",
        "<col>",
        "<li>",
        "<ul>",
        "<foreignObject>",
        "<mi>",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

pub(super) struct Outline {
    /// The tree as text, without our tag and the mask attributes.
    pub(super) tree: String,
    /// How many of our tags a browser would run.
    pub(super) live_tags: usize,
    /// Elements that would be shown, that a mask matches, and that are not masked.
    pub(super) unmasked: usize,
}

fn outline(page: &[u8], scripting: bool) -> Outline {
    outline_of(&String::from_utf8_lossy(page), scripting)
}

pub(super) fn outline_of(page: &str, scripting: bool) -> Outline {
    let mut options = ParseOpts::default();
    options.tree_builder.scripting_enabled = scripting;
    let dom = parse_document(RcDom::default(), options).one(page);
    let mut outline = Outline {
        tree: String::new(),
        live_tags: 0,
        unmasked: 0,
    };
    draw(&dom.document, 0, &mut outline);
    outline
}

fn draw(node: &Handle, depth: usize, outline: &mut Outline) {
    let line = match &node.data {
        NodeData::Element {
            name,
            attrs,
            template_contents,
            ..
        } => {
            let attrs = attrs.borrow();
            let is = |key: &str, value: &str| {
                attrs
                    .iter()
                    .any(|attr| &*attr.name.local == key && &*attr.value == value)
            };
            let html_script = name.ns == ns!(html) && name.local == local_name!("script");
            if html_script && is("id", "glance-cobrowse") && is("src", "/c.js") {
                outline.live_tags += 1;
                return;
            }
            if let Some(contents) = &*template_contents.borrow() {
                // What stands in a template is inert: a tag there is not live.
                let mut inert = Outline {
                    tree: String::new(),
                    live_tags: 0,
                    unmasked: 0,
                };
                draw(contents, depth + 1, &mut inert);
                outline.tree.push_str(&inert.tree);
            }
            let private = matches!(&*name.local, "td" | "textarea")
                || attrs.iter().any(|attr| {
                    let mut classes = attr.value.split_ascii_whitespace();
                    &*attr.name.local == "class" && classes.any(|class| class == "x")
                });
            if private && !is("glance_masked", "true") {
                outline.unmasked += 1;
            }
            let kept = attrs
                .iter()
                .filter(|attr| &*attr.name.local != "glance_masked");
            let kept: Vec<_> = kept.map(|attr| (&attr.name.local, &attr.value)).collect();
            format!("{:?} {kept:?}", name.local)
        }
        NodeData::Text { contents } => {
            // Two texts with our tag between them are one without it.
            let joint = format!("\n{:depth$}text ", "");
            let last_line = outline.tree.rfind('\n').unwrap_or(0);
            if !outline.tree[last_line..].starts_with(&joint) {
                outline.tree.push_str(&joint);
            }
            return outline.tree.extend(
                contents
                    .borrow()
                    .chars()
                    .map(|char| char.escape_default().to_string()),
            );
        }
        NodeData::Comment { contents } => format!("comment {contents:?}"),
        NodeData::Doctype { name, .. } => format!("doctype {name:?}"),
        NodeData::Document => "document".to_owned(),
        NodeData::ProcessingInstruction { contents, .. } => format!("instruction {contents:?}"),
    };
    outline.tree.push_str(&format!("\n{:depth$}{line}", ""));
    for child in node.children.borrow().iter() {
        draw(child, depth + 1, outline);
    }
}
