use std::fmt::{self, Write};
use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use x509_parser::certificate::X509Certificate;
use x509_parser::objects::{oid_registry, oid2abbrev};
use x509_parser::prelude::FromDer;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use crate::problem::{Place, Problem};

/// The authorities that vouch for the visitors of a site. Sessions that were agreed on under it are its
/// own: none of them is resumed, neither elsewhere nor after it was replaced.
pub struct VisitorAuthority {
    verifier: Arc<dyn ClientCertVerifier>,
    pem: Vec<u8>,
    /// Made at the first handshake.
    config: OnceLock<Arc<ServerConfig>>,
}

/// A visitor who has shown a certificate in the handshake.
#[derive(Clone, Debug)]
pub struct VerifiedVisitor {
    pub authority: Arc<VisitorAuthority>,
    /// As RFC 4514 writes it, in ASCII.
    pub subject: String,
}

/// Whose visitors must show a certificate, by the name that they ask for.
#[derive(Clone)]
pub struct Demands(Arc<OfHost>);

type OfHost = dyn Fn(&str) -> Option<Arc<VisitorAuthority>> + Send + Sync;

impl Demands {
    pub fn new(
        of_host: impl Fn(&str) -> Option<Arc<VisitorAuthority>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(of_host))
    }

    pub(super) fn of_host(&self, host: &str) -> Option<Arc<VisitorAuthority>> {
        (self.0)(host)
    }
}

impl VisitorAuthority {
    /// Reads the file anew; what is in force stays what it was where its text is the same.
    pub fn load(file: &Path, in_force: Option<&Arc<Self>>) -> Result<Arc<Self>, Problem> {
        let refuse = |message: String| {
            let remedy = "give a PEM file with the certificates of the visitors' authorities";
            Problem::error(Place::Path(file.to_owned()), message, remedy)
        };
        let pem = fs::read(file).map_err(|error| refuse(format!("it cannot be read: {error}")))?;
        if let Some(known) = in_force.filter(|known| known.pem == pem) {
            return Ok(Arc::clone(known));
        }
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| refuse(error.to_string()))?;
            let added = roots.add(certificate);
            added.map_err(|error| refuse(error.to_string()))?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        Ok(Arc::new(Self {
            verifier: verifier
                .build()
                .map_err(|error| refuse(error.to_string()))?,
            pem,
            config: OnceLock::new(),
        }))
    }

    /// How its visitors are spoken to; `make` is given who verifies them.
    pub(super) fn config(
        &self,
        make: impl FnOnce(Arc<dyn ClientCertVerifier>) -> Result<ServerConfig, rustls::Error>,
    ) -> Result<Arc<ServerConfig>, rustls::Error> {
        if let Some(config) = self.config.get() {
            return Ok(Arc::clone(config));
        }
        let made = Arc::new(make(Arc::clone(&self.verifier))?);
        Ok(Arc::clone(self.config.get_or_init(|| made)))
    }
}

impl fmt::Debug for VisitorAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VisitorAuthority").finish_non_exhaustive()
    }
}

impl fmt::Debug for Demands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Demands").finish_non_exhaustive()
    }
}

/// The subject of a certificate that was verified. `None`: it cannot be read.
pub(super) fn subject(certificate: &CertificateDer<'_>) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Some(distinguished_name(certificate.subject()))
}

/// As RFC 4514 writes it: the last part first, and nothing in a value that could be taken for the
/// beginning of another.
fn distinguished_name(name: &X509Name<'_>) -> String {
    let parts: Vec<_> = name
        .iter()
        .map(|part| {
            let attributes: Vec<_> = part.iter().map(attribute).collect();
            attributes.join("+")
        })
        .collect();
    parts.into_iter().rev().collect::<Vec<_>>().join(",")
}

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    let kind = attribute.attr_type();
    let name = oid2abbrev(kind, oid_registry()).map_or_else(|_| kind.to_id_string(), str::to_owned);
    match attribute.as_str() {
        Ok(text) => format!("{name}={}", escaped(text)),
        Err(_) => format!("{name}=#{}", hex(attribute.as_slice())),
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let last = text.len().saturating_sub(1);
    for (at, byte) in text.bytes().enumerate() {
        let is_plain = match byte {
            b',' | b'+' | b'"' | b'\\' | b'<' | b'>' | b';' | b'=' => false,
            b'#' => at > 0,
            b' ' => at > 0 && at < last,
            other => other.is_ascii_graphic(),
        };
        match is_plain {
            true => escaped.push(char::from(byte)),
            false => {
                let written = write!(escaped, "\\{byte:02X}");
                debug_assert!(written.is_ok(), "writing to a String cannot fail");
            }
        }
    }
    escaped
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    fn subject_of(parts: &[(DnType, &str)]) -> String {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, text) in parts {
            params.distinguished_name.push(kind.clone(), *text);
        }
        let key = KeyPair::generate().unwrap();
        subject(params.self_signed(&key).unwrap().der()).unwrap()
    }

    #[test]
    fn a_subject_is_written_so_that_no_part_can_stand_for_another() {
        use DnType::{CommonName, OrganizationName};
        for (name, expected) in [
            ("Ada L.", "CN=Ada L.,O=Bank"),
            ("ada,O=Admins", "CN=ada\\2CO\\3DAdmins,O=Bank"),
            (" #a ", "CN=\\20#a\\20,O=Bank"),
            ("#a", "CN=\\23a,O=Bank"),
            ("a\r\nX-Admin: 1", "CN=a\\0D\\0AX-Admin: 1,O=Bank"),
            ("Zoë", "CN=Zo\\C3\\AB,O=Bank"),
            ("a\"b\\c<d>;+", "CN=a\\22b\\5Cc\\3Cd\\3E\\3B\\2B,O=Bank"),
        ] {
            let subject = subject_of(&[(OrganizationName, "Bank"), (CommonName, name)]);
            assert_eq!(subject, expected);
        }
        let other = subject_of(&[(DnType::CustomDnType(vec![1, 2, 3, 4]), "x")]);
        assert_eq!(other, "1.2.3.4=x");
    }

    #[test]
    fn files_without_an_authority_are_refused() {
        let directory = crate::test_directory::TestDirectory::with(&[
            ("empty.pem", ""),
            (
                "damaged.pem",
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            ),
        ]);
        for name in ["empty.pem", "damaged.pem", "missing.pem"] {
            let file = directory.path().join(name);
            assert!(VisitorAuthority::load(&file, None).is_err(), "{name}");
        }
    }
}
