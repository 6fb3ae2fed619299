use bytes::Bytes;
use memchr::memmem;

/// A file of the site with its server-side includes carried out, as the bank's web server does on
/// each request.
pub(super) fn page(file: &'static [u8]) -> Bytes {
    if memmem::find(file, INCLUDE).is_none() {
        return Bytes::from_static(file);
    }
    let page = fill(file, HEADER_INCLUDE, HEADER);
    fill(&page, FOOTER_INCLUDE, FOOTER).into()
}

/// `page` with the first `place` in it replaced; without such a place, as it is.
pub(super) fn fill(page: &[u8], place: &[u8], content: &[u8]) -> Vec<u8> {
    let (before, after) = split(page, place);
    if before.len() == page.len() {
        return page.to_vec();
    }
    [before, content, after].concat()
}

/// What stands before and after the first `place`; all and nothing where there is none.
pub(super) fn split<'a>(page: &'a [u8], place: &[u8]) -> (&'a [u8], &'a [u8]) {
    match memmem::find(page, place) {
        Some(at) => (&page[..at], &page[at + place.len()..]),
        None => (page, &[]),
    }
}

const INCLUDE: &[u8] = b"<!--#include ";
const HEADER_INCLUDE: &[u8] = b"<!--#include virtual=\"/inc/header.html\" -->";
const FOOTER_INCLUDE: &[u8] = b"<!--#include virtual=\"/inc/footer.html\" -->";
const HEADER: &[u8] = include_bytes!("pages/inc/header.html");
const FOOTER: &[u8] = include_bytes!("pages/inc/footer.html");
