use super::*;

#[test]
fn a_byte_order_mark_is_decided_as_early_as_can_be() {
    for (start, mark) in [
        (&b""[..], Mark::Undecided),
        (b"\xef", Mark::Undecided),
        (b"\xef\xbb", Mark::Undecided),
        (b"\xff", Mark::Undecided),
        (b"<", Mark::Absent),
        (b"\xefa", Mark::Absent),
        (b"\xfe\xfe", Mark::Absent),
        (b"\xef\xbb\xbf", Mark::Present(UTF_8)),
        (b"\xfe\xff\0<", Mark::Present(UTF_16BE)),
        (b"\xff\xfe<\0", Mark::Present(UTF_16LE)),
    ] {
        assert_eq!(byte_order_mark(start), mark, "{start:?}");
    }
}

#[test]
fn a_meta_names_its_charset_to_a_parser_in_either_form() {
    let pragma = |content| in_meta(None, Some("Content-Type"), Some(content));
    assert_eq!(in_meta(Some("shift_jis"), None, None), Some(SHIFT_JIS));
    assert_eq!(pragma("text/html; charset=ISO-2022-JP"), Some(ISO_2022_JP));
    assert_eq!(
        pragma("text/html; charsets charset = 'utf-8' ; x"),
        Some(UTF_8)
    );
    assert_eq!(pragma("charset=\"utf-8"), None);
    assert_eq!(pragma("text/html"), None);
    assert_eq!(
        in_meta(None, Some("refresh"), Some("0; charset=utf-8")),
        None
    );
    assert_eq!(in_meta(Some("utf-16"), None, None), Some(UTF_8));
    assert_eq!(in_meta(Some("no such"), None, None), None);
    assert_eq!(
        in_meta(Some("no such"), Some("content-type"), Some("charset=gbk")),
        Some(GBK)
    );
}

#[test]
fn the_start_of_a_page_declares_its_charset_as_early_as_can_be() {
    use Declared::{In, Unreadable, Wait};
    let late = format!("{}<meta charset=gbk>", " ".repeat(PRESCAN - 17));
    for (start, open, complete) in [
        ("", Wait, In(PageCharset::Tentative(WINDOWS_1252))),
        ("<p>x", Wait, In(PageCharset::Tentative(WINDOWS_1252))),
        (
            "<meta charset=gbk",
            Wait,
            In(PageCharset::Tentative(WINDOWS_1252)),
        ),
        (
            "<?xml encoding='gbk'?>",
            Wait,
            In(PageCharset::Tentative(GBK)),
        ),
        ("<meta charset=iso-2022-jp>", Unreadable, Unreadable),
        ("<?xml encoding='iso-2022-jp'?>", Wait, Unreadable),
        ("<meta charset=hz-gb-2312>", Unreadable, Unreadable),
        ("<script>'<meta charset=gbk>'", Unreadable, Unreadable),
        ("<title><meta charset=gbk>", Unreadable, Unreadable),
    ] {
        assert_eq!(declared_in(start.as_bytes(), false), open, "{start}");
        assert_eq!(declared_in(start.as_bytes(), true), complete, "{start}");
    }
    for found in [
        "<meta charset=gbk>",
        "<?xml encoding='big5'?><meta charset=gbk>",
    ] {
        let gbk = In(PageCharset::Tentative(GBK));
        assert_eq!(declared_in(found.as_bytes(), false), gbk);
    }
    let nothing = In(PageCharset::Tentative(WINDOWS_1252));
    assert_eq!(declared_in(late.as_bytes(), false), nothing);
    assert_eq!(
        declared_in(&late.as_bytes()[1..], false),
        In(PageCharset::Tentative(GBK))
    );
}

/// All labels of the Encoding Standard (WHATWG Encoding 4.2), with the encoding's name in front.
const LABELS: &str = "
UTF-8: unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8
IBM866: 866 cp866 csibm866 ibm866
ISO-8859-2: csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2
ISO-8859-3: csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3
ISO-8859-4: csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4
ISO-8859-5: csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988
ISO-8859-6: arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987
ISO-8859-7: csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 iso_8859-7 iso_8859-7:1987 sun_eu_greek
ISO-8859-8: csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso8859-8 iso88598 iso_8859-8 iso_8859-8:1988 visual
ISO-8859-8-I: csiso88598i iso-8859-8-i logical
ISO-8859-10: csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6
ISO-8859-13: iso-8859-13 iso8859-13 iso885913
ISO-8859-14: iso-8859-14 iso8859-14 iso885914
ISO-8859-15: csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9
ISO-8859-16: iso-8859-16
KOI8-R: cskoi8r koi koi8 koi8-r koi8_r
KOI8-U: koi8-ru koi8-u
macintosh: csmacintosh mac macintosh x-mac-roman
windows-874: dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874
windows-1250: cp1250 windows-1250 x-cp1250
windows-1251: cp1251 windows-1251 x-cp1251
windows-1252: ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252
windows-1253: cp1253 windows-1253 x-cp1253
windows-1254: cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5 windows-1254 x-cp1254
windows-1255: cp1255 windows-1255 x-cp1255
windows-1256: cp1256 windows-1256 x-cp1256
windows-1257: cp1257 windows-1257 x-cp1257
windows-1258: cp1258 windows-1258 x-cp1258
x-mac-cyrillic: x-mac-cyrillic x-mac-ukrainian
GBK: chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk
gb18030: gb18030
Big5: big5 big5-hkscs cn-big5 csbig5 x-x-big5
EUC-JP: cseucpkdfmtjapanese euc-jp x-euc-jp
ISO-2022-JP: csiso2022jp iso-2022-jp
Shift_JIS: csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis
EUC-KR: cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949
replacement: csiso2022kr hz-gb-2312 iso-2022-cn iso-2022-cn-ext iso-2022-kr replacement
UTF-16BE: unicodefffe utf-16be
UTF-16LE: csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le
x-user-defined: x-user-defined
";

#[test]
fn every_label_names_its_encoding_wherever_it_stands() {
    let mut labels = 0;
    for line in LABELS.trim().lines() {
        let (name, of_name) = line.split_once(": ").unwrap();
        for label in of_name.split(' ') {
            labels += 1;
            let encoding = labelled(label).unwrap_or_else(|| panic!("{label}"));
            assert_eq!(encoding.name(), name, "{label}");
            let shouted = format!("\t{} ", label.to_uppercase());
            assert_eq!(labelled(&shouted), Some(encoding), "{label}");
            let declared = match name {
                "UTF-16BE" | "UTF-16LE" => "UTF-8",
                "x-user-defined" => "windows-1252",
                _ => name,
            };
            for page in [
                format!("<meta charset={label}>"),
                format!("<meta http-equiv=content-type content='text/html;charset={label}'>"),
            ] {
                let found = prescan::declared_in(page.as_bytes());
                let found = found.map(|found| found.encoding.name());
                assert_eq!(found, Some(declared), "{page}");
                let readable = !matches!(name, "ISO-2022-JP" | "replacement");
                let read = declared_in(page.as_bytes(), false);
                assert_eq!(read != Declared::Unreadable, readable, "{page}");
                assert_eq!(is_readable(encoding), readable, "{label}");
            }
        }
    }
    assert_eq!(labels, 228);
}

#[test]
fn only_bytes_that_markup_is_not_made_of_can_be_second_ones() {
    for line in LABELS.trim().lines() {
        let encoding = labelled(line.split_once(": ").unwrap().0).unwrap();
        let mut second = false;
        for pair in 0x8000..=u16::MAX {
            let [first, byte] = pair.to_be_bytes();
            if byte < 0x80 && encoding.is_ascii_compatible() {
                let page = [first, byte, b'<'];
                let (text, _) = encoding.decode_without_bom_handling(&page);
                second |= text.chars().rev().nth(1) != Some(char::from(byte));
            }
        }
        assert_eq!(
            ascii_bytes_are_characters(encoding),
            encoding.is_ascii_compatible() && !second,
            "{line}"
        );
    }
}
