use std::path::{Path, PathBuf};

use crate::document::{At, Fault, Reports, Stated, TableReader, plain_text, text};

/// A site's visitors show a certificate, or are not served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitorCertificates {
    /// PEM file with the authorities that vouch for visitors.
    pub ca: PathBuf,
    /// The field in which the origin is told a visitor's subject, in lower case; none: it is not told.
    pub subject_header: Option<Box<str>>,
}

/// `[site.visitors]`
#[derive(Debug)]
pub(super) struct VisitorsTable {
    at: At,
    ca: Option<Stated<PathBuf>>,
    subject_header: Option<Stated<Box<str>>>,
}

impl VisitorsTable {
    pub(super) fn read(mut table: TableReader<'_>) -> Self {
        let remedy = "write ca = \"visitors-ca.pem\", the authorities that vouch for visitors";
        table.require("ca", remedy);
        let read = Self {
            at: table.at().clone(),
            ca: table.take("ca", text(|file| plain_text(file).map(PathBuf::from))),
            subject_header: table.take("subject_header", text(subject_header)),
        };
        table.finish();
        read
    }

    /// And the file that it names. `None`: there was a fault.
    pub(super) fn compile(
        &self,
        reports: &Reports,
    ) -> Option<(VisitorCertificates, Stated<PathBuf>)> {
        if let Some(header) = &self.subject_header
            && TAKEN.contains(&&*header.value)
        {
            let message = format!("`{}` has a meaning of its own", header.value);
            reports.error(
                &header.at,
                message,
                "write a name such as \"X-Client-Subject\"",
            );
        }
        let directory = self
            .at
            .file()
            .path
            .parent()
            .unwrap_or_else(|| Path::new(""));
        let ca = self.ca.clone()?.map(|file| directory.join(file));
        let subject_header = self.subject_header.as_ref();
        let settings = VisitorCertificates {
            ca: ca.value.clone(),
            subject_header: subject_header.map(|header| header.value.clone()),
        };
        Some((settings, ca))
    }
}

/// Fields that HTTP or the edge reads itself.
const TAKEN: &[&str] = &[
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "origin",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "referer",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
];

fn subject_header(given: &str) -> Result<Box<str>, Fault> {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    match !given.is_empty() && given.len() <= 64 && given.bytes().all(is_fit) {
        true => Ok(given.to_ascii_lowercase().into()),
        false => Err(Fault::new(
            format!("{given:?} is no name of a header field"),
            "write letters, digits and `-` only, such as \"X-Client-Subject\"",
        )),
    }
}
