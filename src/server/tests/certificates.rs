use rustls::SignatureScheme;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::{TLS12, TLS13};

use super::client::{shown, tls};
use super::pki::{Authority, Signed, self_signed, self_signed_between, self_signed_rsa};
use super::*;
use crate::problem::Problem;
use crate::test_directory::TestDirectory;
use crate::test_tls::{ALL_VERSIONS, connect_with, reading, trusting};

fn der(signed: &Signed) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(signed.certificate.as_bytes()).unwrap()
}

fn serve(directory: &TestDirectory) -> (Running, Arc<Certificates>) {
    let (certificates, warnings) = Certificates::load(directory.path()).unwrap();
    assert_eq!(warnings, []);
    let certificates = Arc::new(certificates);
    let config = tls_config(Limits::default());
    let server = Running::start(config, Some(&certificates), |_, _| hello());
    (server, certificates)
}

async fn shown_to(server: &Running, name: &str) -> CertificateDer<'static> {
    shown(&tls(server.address(), name, &[]).await.unwrap())
}

#[tokio::test]
async fn the_name_that_is_asked_for_chooses() {
    let www = self_signed(&["www.bank.example", "bank.example"]);
    let any = self_signed(&["*.bank.example"]);
    let first = self_signed(&["first.example"]);
    let directory = TestDirectory::with(&[
        ("a.pem", &first.both()),
        ("certificate.crt", &www.certificate),
        ("secret.key", &www.key),
        ("z.pem", &any.both()),
        ("README.md", "not looked at"),
    ]);
    let (server, _) = serve(&directory);
    for (name, expected) in [
        ("www.bank.example", &www),
        ("bank.example", &www),
        ("WWW.Bank.Example", &www),
        ("apply.bank.example", &any),
        ("deep.apply.bank.example", &first),
        ("unknown.example", &first),
        ("", &first),
    ] {
        assert_eq!(shown_to(&server, name).await, der(expected), "{name:?}");
    }
}

#[tokio::test]
async fn a_client_gets_the_kind_of_key_that_it_can_read() {
    let names = ["www.bank.example", "*.shop.example"];
    let (ecdsa, rsa) = (self_signed(&names), self_signed_rsa(&names));
    let files = [("a.pem", rsa.both()), ("b.pem", ecdsa.both())];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    let directory = TestDirectory::with(&files);
    let (server, _) = serve(&directory);
    let modern = trusting(ALL_VERSIONS).with_no_client_auth();
    let old = |version| {
        let schemes = vec![
            SignatureScheme::RSA_PSS_SHA256,
            SignatureScheme::RSA_PKCS1_SHA256,
        ];
        reading(&[version], schemes).with_no_client_auth()
    };
    for name in ["www.bank.example", "one.shop.example", "unknown.example"] {
        for (client, expected) in [
            (modern.clone(), &ecdsa),
            (old(&TLS12), &rsa),
            (old(&TLS13), &rsa),
        ] {
            let stream = connect_with(server.address(), Some(name), client).await;
            assert_eq!(shown(&stream.unwrap()), der(expected), "{name}");
        }
    }
}

#[tokio::test]
async fn chains_are_put_in_order_and_roots_left_out() {
    let root = Authority::root("root");
    let (middle, other) = (root.below("middle"), root.below("other"));
    let leaf = middle.sign(&["www.bank.example"]);
    let disorder = format!("{}{}{}", root.pem(), middle.pem(), leaf.certificate);
    let directory = TestDirectory::with(&[
        ("chain.pem", &disorder),
        ("other.pem", &other.pem()),
        ("cert.pem", &leaf.certificate),
        ("privkey.pem", &leaf.key),
    ]);
    let (server, _) = serve(&directory);
    let stream = tls(server.address(), "www.bank.example", &[])
        .await
        .unwrap();
    let chain = stream.get_ref().1.peer_certificates().unwrap();
    let middle = CertificateDer::from_pem_slice(middle.pem().as_bytes()).unwrap();
    assert_eq!(chain, [der(&leaf), middle]);
}

#[tokio::test]
async fn a_reload_takes_force_only_when_all_is_good() {
    let old = self_signed(&["www.bank.example"]);
    let directory = TestDirectory::with(&[("www.pem", &old.both())]);
    let (server, certificates) = serve(&directory);
    let new = self_signed(&["www.bank.example"]);
    for broken in [
        "",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        &new.certificate,
    ] {
        directory.write("www.pem", broken);
        let problems = certificates.reload().unwrap_err();
        assert!(problems.iter().any(Problem::is_error), "{problems:#?}");
        assert_eq!(shown_to(&server, "www.bank.example").await, der(&old));
    }
    directory.remove("www.pem");
    certificates.reload().unwrap_err();
    assert_eq!(shown_to(&server, "www.bank.example").await, der(&old));
    directory.write("www.pem", new.both());
    assert_eq!(certificates.reload().unwrap(), []);
    assert_eq!(shown_to(&server, "www.bank.example").await, der(&new));
}

#[test]
fn an_own_certificate_needs_no_file() {
    let made = Certificates::self_signed(&["localhost", "127.0.0.1"]).unwrap();
    assert_eq!(made.reload().unwrap(), []);
    let text = made.describe()[0].to_string();
    assert_eq!(
        text,
        "made in memory: localhost, 127.0.0.1 (expires in 89 days)"
    );
    assert!(Certificates::self_signed(&["no\u{e9}"]).is_err());
}

#[test]
fn what_is_in_force_can_be_read() {
    let directory = TestDirectory::with(&[
        ("b.pem", &self_signed(&["b.example", "*.b.example"]).both()),
        ("a.pem", &self_signed(&["a.example", "192.0.2.1"]).both()),
    ]);
    let (certificates, _) = Certificates::load(directory.path()).unwrap();
    let lines: Vec<_> = certificates
        .describe()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        lines,
        [
            "a.pem: a.example, 192.0.2.1 (expires in 29 days)",
            "b.pem: b.example, *.b.example (expires in 29 days)"
        ]
    );
}

/// Files in, problems out, as "file name: message".
#[track_caller]
fn check(files: &[(&str, &str)], expected: &[&str]) {
    let directory = TestDirectory::with(files);
    let problems = match Certificates::load(directory.path()) {
        Ok((_, warnings)) => {
            assert!(warnings.iter().all(|p| !p.is_error()), "{warnings:#?}");
            warnings
        }
        Err(problems) => {
            assert!(problems.iter().any(Problem::is_error), "{problems:#?}");
            problems
        }
    };
    let lines: Vec<_> = problems.iter().map(|p| p.to_string()).collect();
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.contains(expected), "no {expected:?} in {lines:#?}");
    }
}

#[test]
fn files_that_do_not_belong_together() {
    let (a, b) = (self_signed(&["a.example"]), self_signed(&["b.example"]));
    check(
        &[("a.crt", &a.certificate), ("a.key", &b.key)],
        &["a.crt: the key in \"a.key\" is not this certificate's"],
    );
    check(
        &[("a.pem", &a.both()), ("b.crt", &b.certificate)],
        &["b.crt: no private key for this certificate"],
    );
    check(
        &[("a.pem", &a.both()), ("b.key", &b.key)],
        &["b.key: no certificate for this private key"],
    );
    check(
        &[("x.crt", &a.certificate), ("y.key", &b.key)],
        &["x.crt: no private key", "y.key: no certificate"],
    );
}

#[test]
fn two_certificates_for_one_name() {
    let (one, two) = (self_signed(&["a.example"]), self_signed(&["a.example"]));
    check(
        &[("1.pem", &one.both()), ("2.pem", &two.both())],
        &["2.pem: \"a.example\" is also in the certificate"],
    );
    let rsa = self_signed_rsa(&["a.example"]);
    check(&[("1.pem", &one.both()), ("2.pem", &rsa.both())], &[]);
    check(&[("1.pem", &one.both()), ("2.pem", &one.both())], &[]);
}

#[test]
fn times_that_are_not_now_are_warnings() {
    let expired = self_signed_between(&["a.example"], -20, -10);
    check(
        &[("a.pem", &expired.both())],
        &["a.pem: this certificate expired 10 days ago (renew it)"],
    );
    let future = self_signed_between(&["a.example"], 5, 10);
    check(
        &[("a.pem", &future.both())],
        &["a.pem: this certificate is valid only in 5 days"],
    );
}

#[test]
fn a_certificate_without_a_name_is_a_warning() {
    check(
        &[("a.pem", &self_signed(&[]).both())],
        &["no subject alternative name"],
    );
}

#[test]
fn directories_with_nothing_in_them() {
    check(&[], &["no certificate in this directory"]);
    check(&[("README.md", "x")], &["no certificate in this directory"]);
    let authority = Authority::root("root");
    check(
        &[("ca.pem", &authority.pem())],
        &["no certificate with a private key"],
    );
    let problems = Certificates::load(std::path::Path::new("/nonexistent")).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert!(
        problems[0].to_string().contains("cannot be read"),
        "{problems:#?}"
    );
}

#[test]
fn files_with_the_wrong_things_in_them() {
    let good = self_signed(&["a.example"]);
    let locked =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    check(
        &[
            ("1.pem", &good.both()),
            ("2.pem", "hello"),
            ("3.key", locked),
            (
                "4.crt",
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            ),
            (
                "5.key",
                "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            ),
            (
                "6.pem",
                "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
            ),
            ("7.pem", &"x".repeat(1024 * 1024 + 1)),
        ],
        &[
            "2.pem: neither a certificate nor a private key",
            "3.key: this private key is locked",
            "4.crt: a certificate in this file is damaged",
            "5.key: this private key is damaged",
            "6.pem: this file is not valid PEM",
            "7.pem: this file is too large",
        ],
    );
}
