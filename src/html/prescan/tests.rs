use encoding_rs::{BIG5, EUC_KR, ISO_2022_JP, SHIFT_JIS, WINDOWS_1251};

use super::*;

/// What is declared; and the page cut off in front of the declaration's end declares nothing.
#[track_caller]
fn check(page: &str, expected: Option<&'static Encoding>) {
    let found = declared_in(page.as_bytes());
    assert_eq!(found.map(|found| found.encoding), expected, "{page}");
    if let Some(Declaration { end, .. }) = found {
        assert_eq!(declared_in(&page.as_bytes()[..end]), found, "{page}");
        for shorter in 0..end {
            assert_eq!(declared_in(&page.as_bytes()[..shorter]), None, "{page}");
        }
    }
}

#[test]
fn a_meta_declares_in_either_form() {
    for (page, encoding) in [
        ("<meta charset=shift_jis>", Some(SHIFT_JIS)),
        ("<META/CHARSET='Big5'>", Some(BIG5)),
        ("<meta\ncharset = \"euc-kr\" >", Some(EUC_KR)),
        ("<meta charset=\" big5 \">", Some(BIG5)),
        ("<meta charset=big5/>", None),
        ("<meta charset=big5 />", Some(BIG5)),
        ("<meta charset=>", None),
        ("<meta charset>", None),
        ("<meta charset=none><meta charset=big5>", Some(BIG5)),
        ("<meta name=charset content=big5>", None),
        ("<metacharset=big5>", None),
        ("<meta charset=big5", None),
        ("<meta charset=utf-16><meta charset=big5>", Some(UTF_8)),
        ("<meta charset=utf-16be>", Some(UTF_8)),
        ("<meta charset=x-user-defined>", Some(WINDOWS_1252)),
        ("<meta charset=utf-7>", None),
        ("<meta charset=iso-2022-jp>", Some(ISO_2022_JP)),
        ("<meta charset=iso-2022-kr>", Some(encoding_rs::REPLACEMENT)),
        (
            "<meta http-equiv=Content-Type content='text/html; charset=windows-1251'>",
            Some(WINDOWS_1251),
        ),
        (
            "<meta content='text/html; CHARSET=\"windows-1251\"' http-equiv=content-type>",
            Some(WINDOWS_1251),
        ),
        ("<meta content='charset=big5' http-equiv=refresh>", None),
        ("<meta content='charset=big5'>", None),
        (
            "<meta http-equiv=content-type content='charset=none'><meta charset=big5>",
            Some(BIG5),
        ),
        (
            "<meta http-equiv=content-type charset=big5 content='charset=euc-kr'>",
            Some(BIG5),
        ),
        (
            "<meta http-equiv=content-type content='charset=euc-kr' charset=big5>",
            Some(BIG5),
        ),
        (
            "<meta http-equiv=content-type content='charset=euc-kr' charset=none>",
            None,
        ),
        ("<meta charset=big5 charset=euc-kr>", Some(BIG5)),
        (
            "<meta http-equiv=content-type http-equiv=x content='charset=big5'>",
            Some(BIG5),
        ),
        (
            "<meta http-equiv=x http-equiv=content-type content='charset=big5'>",
            None,
        ),
    ] {
        check(page, encoding);
    }
}

#[test]
fn what_stands_in_comments_and_attributes_declares_nothing() {
    for (page, encoding) in [
        (
            "<!-- <meta charset=big5> --><meta charset=euc-kr>",
            Some(EUC_KR),
        ),
        ("<!--><meta charset=big5>", Some(BIG5)),
        ("<!---><meta charset=big5>", Some(BIG5)),
        ("<!-- > <meta charset=big5>", None),
        ("<!- <meta charset=big5>", None),
        ("<!x <meta charset=big5><meta charset=euc-kr>", Some(EUC_KR)),
        ("<?x <meta charset=big5><meta charset=euc-kr>", Some(EUC_KR)),
        ("</ <meta charset=big5><meta charset=euc-kr>", Some(EUC_KR)),
        (
            "<p title='<meta charset=big5>'><meta charset=euc-kr>",
            Some(EUC_KR),
        ),
        (
            "<p title=<meta charset=big5><meta charset=euc-kr>",
            Some(EUC_KR),
        ),
        (
            "</p title='<meta charset=big5>'><meta charset=euc-kr>",
            Some(EUC_KR),
        ),
        ("<p <meta charset=big5>", None),
        ("<p/<meta charset=big5>", None),
        (
            "<p =a'=<meta charset=big5>'<meta charset=euc-kr>",
            Some(EUC_KR),
        ),
        ("< <meta charset=big5>", Some(BIG5)),
        ("<<meta charset=big5>", Some(BIG5)),
        ("<1 <meta charset=big5>", Some(BIG5)),
        // Where browsers' parsers would see text: the prescan does not.
        ("<script>'<meta charset=big5>'</script>", Some(BIG5)),
        ("<title><meta charset=big5></title>", Some(BIG5)),
    ] {
        check(page, encoding);
    }
}

#[test]
fn the_content_of_a_pragma_is_read_up_to_the_label() {
    for (content, encoding) in [
        ("charset=big5", Some(BIG5)),
        ("charsets charset = 'big5' ; x", Some(BIG5)),
        ("charsetcharset=big5", Some(BIG5)),
        ("charset charset=big5", Some(BIG5)),
        ("x;charset=big5;charset=euc-kr", Some(BIG5)),
        ("charset=\"big5", None),
        ("charset='big5\"", None),
        ("charset=big5 x", Some(BIG5)),
        ("charset=", None),
        ("charset", None),
        ("text/html", None),
        ("charset=;big5", None),
    ] {
        assert_eq!(encoding_in(content.as_bytes()), encoding, "{content}");
    }
}

#[test]
fn an_xml_declaration_names_a_charset() {
    for (declaration, encoding) in [
        (
            "<?xml version='1.0' encoding=\"Shift_JIS\"?>",
            Some(SHIFT_JIS),
        ),
        ("<?xml encoding \n=\x01'big5'?>", Some(BIG5)),
        ("<?xml encoding='utf-16'?>", Some(UTF_8)),
        ("<?xml encoding=' big5'?>", None),
        ("<?xml encoding='big5?>'", None),
        ("<?xml encoding=big5?>", None),
        ("<?xml version='1.0'?><p encoding='big5'>", None),
        (" <?xml encoding='big5'?>", None),
        ("<?xml encoding='big5'", None),
    ] {
        assert_eq!(
            xml_encoding(declaration.as_bytes()),
            encoding,
            "{declaration}"
        );
    }
}
