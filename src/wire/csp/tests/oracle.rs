//! The library `content-security-policy` as a second opinion: it judges requests by the letter of
//! CSP3, and shares no line with what is under test.

use content_security_policy::{
    CheckResult, CspList, Destination, Element, Initiator, InlineCheckType, Origin, ParserMetadata,
    PolicyDisposition, PolicySource, Request, Url,
};

pub(super) fn list(lines: &[String]) -> CspList {
    let mut all = CspList(Vec::new());
    for line in lines {
        all.append(CspList::parse(
            line,
            PolicySource::Header,
            PolicyDisposition::Enforce,
        ));
    }
    all
}

/// A request of the page `https://www.bank.example`.
pub(super) fn request(url: &str, destination: Destination) -> Request {
    let url = Url::parse(url).unwrap();
    Request {
        current_url: url.clone(),
        url,
        origin: page_origin(),
        redirect_count: 0,
        destination,
        initiator: Initiator::None,
        nonce: String::new(),
        integrity_metadata: String::new(),
        parser_metadata: ParserMetadata::NotParserInserted,
    }
}

pub(super) fn page_origin() -> Origin {
    Url::parse("https://www.bank.example").unwrap().origin()
}

pub(super) fn allows(list: &CspList, request: &Request) -> bool {
    list.should_request_be_blocked(request).0 == CheckResult::Allowed
}

/// What a list says of everything but requests, as far as scripts and styles go.
pub(super) fn inline(list: &CspList, nonces: &[&'static str]) -> Vec<bool> {
    let kinds = [
        InlineCheckType::Script,
        InlineCheckType::ScriptAttribute,
        InlineCheckType::Style,
        InlineCheckType::StyleAttribute,
        InlineCheckType::Navigation,
    ];
    let nonces = nonces
        .iter()
        .map(|nonce| Some((*nonce).into()))
        .chain([None]);
    let elements: Vec<_> = nonces.map(|nonce| Element { nonce }).collect();
    let inline = kinds.iter().flat_map(|kind| {
        elements.iter().flat_map(move |element| {
            ["abc", "x"].map(|source| {
                let checked =
                    list.should_elements_inline_type_behavior_be_blocked(element, *kind, source);
                checked.0
            })
        })
    });
    let rest = [
        list.is_js_evaluation_allowed("x").0,
        list.is_wasm_evaluation_allowed().0,
        list.is_base_allowed_for_document(
            &Url::parse("https://a.example").unwrap(),
            &page_origin(),
        )
        .0,
    ];
    inline
        .chain(rest)
        .map(|result| result == CheckResult::Allowed)
        .collect()
}
