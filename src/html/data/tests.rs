use super::*;

/// Told at some byte, and the same from there on.
#[track_caller]
fn check(text: &str, expected: bool) {
    assert_eq!(is_data(text.as_bytes()), Some(expected), "{text}");
    let mut told = None;
    for length in 0..=text.len() {
        let now = is_data(&text.as_bytes()[..length]);
        assert!(told.is_none() || now == told, "{text} {length}");
        told = now;
    }
}

#[test]
fn pages_are_told_at_once() {
    for start in ["<h", "<!", "</", "<p", "T", "{x", "[a", "<fr"] {
        assert_eq!(is_data(start.as_bytes()), Some(false), "{start}");
    }
}

#[test]
fn json_is_data() {
    for text in [
        r#"{"a":1}"#,
        " \r\n{\t\"a\"",
        "{}",
        "[]",
        "[ ]",
        r#"["a"]"#,
        r#"[[{"a":1}]]"#,
        "[1 , 2]",
        ")]}',\n{}",
        "for(;;);{}",
        "while(1);[]",
    ] {
        check(text, true);
    }
}

#[test]
fn scripts_are_data() {
    for text in [
        "function go(a) {}",
        "function(a) {}",
        "var a = 1;",
        "var a;",
        "var $a_1,b;",
        "(function(){})()",
        "!function(){}()",
        ";(function",
        "(()=>{})()",
        "(() => {})()",
        "\"use strict\"; a",
        "'use strict'; a",
        "document.write('<p>');",
        "// license\nalert(1)",
        "/* a */ p { color: red }",
        "/* a *//* b */\n// c\n x",
        "callback({})",
        "jQuery3_1({})",
        "jsonp.x({})",
    ] {
        check(text, true);
    }
}

#[test]
fn feeds_and_messages_are_data() {
    for text in [
        "<rss version='2.0'>",
        "<feed xmlns='http://www.w3.org/2005/Atom'>",
        "<RDF:rdf>",
        "<soap:Envelope >",
        "<urlset>",
        "<?xml version='1.0'?><rss>",
        "<?xml version='1.0'?>\n<!-- a --><?pi?>\n<response/>",
        "<?xml version='1.0'?><!DOCTYPE wml PUBLIC 'x'><wml>",
        "<?xml version='1.0'?><soap:Envelope>",
        "<?XML version='1.0'?><a:b>",
    ] {
        check(text, true);
    }
}

#[test]
fn what_browsers_show_as_a_page_is_a_page() {
    for text in [
        "<!doctype html>",
        "<html>",
        "<p>",
        "<p x",
        "</p>",
        "< p",
        "<!-- a --><rss>",
        "<rssx>",
        "<feeds>",
        "<o:p>",
        "text",
        "x",
        "OK",
        "{{ title }}",
        "{% block %}",
        "{title}",
        "[Home]",
        "[1] a footnote",
        "[x",
        "[-",
        "var of all things",
        "various",
        "function of the heart",
        "functional",
        "callback number 5",
        "/a/path",
        "/* forgotten */<html>",
        "// forgotten\n<p>",
        "<?php a ?>",
        "<?xml:namespace prefix=o />",
        "<?xml version='1.0'?><!DOCTYPE html PUBLIC 'x'><html>",
        "<?xml version='1.0'?><!doctype HTML>",
        "<?xml version='1.0'?><!DOCTYPE svg PUBLIC 'x' [ ]><svg>",
        "<?xml version='1.0'?>\n<!-- a -->\n<HTML xmlns='x'>",
        "<?xml version='1.0'?><!x>",
        "<?xml version='1.0'?> text",
        "<?xml version='1.0'?></a>",
        "\0",
        "\u{e9}",
    ] {
        check(text, false);
    }
}

#[test]
fn what_does_not_show_itself_soon_is_a_page() {
    for opening in ["/*", "<?xml ", "", "callback", "[", "<rss"] {
        let text = |length: usize| format!("{opening:x<length$}");
        let text = match opening {
            "" => " ".repeat(MAX_LOOKED_AT),
            "[" => "[".repeat(MAX_LOOKED_AT),
            _ => text(MAX_LOOKED_AT),
        };
        assert!(!is_data(&text.as_bytes()[1..]).unwrap_or_default());
        assert_eq!(is_data(text.as_bytes()), Some(false), "{opening}");
    }
}
