use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, PKCS_RSA_SHA256,
    RsaKeySize,
};

/// A certificate and its key, in PEM.
pub(super) struct Signed {
    pub(super) certificate: String,
    pub(super) key: String,
}

/// An authority below another one, or by itself.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

const DAY: Duration = Duration::from_hours(24);

impl Signed {
    /// The key after the certificate, as in one file.
    pub(super) fn both(&self) -> String {
        format!("{}{}", self.certificate, self.key)
    }
}

pub(super) fn self_signed(names: &[&str]) -> Signed {
    self_signed_between(names, -1, 30)
}

/// With an RSA key, as the oldest clients need it.
pub(super) fn self_signed_rsa(names: &[&str]) -> Signed {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let certificate = params(names, -1, 30).self_signed(&key).unwrap().pem();
    let key = key.serialize_pem();
    Signed { certificate, key }
}

/// Valid from and until so many days from now.
pub(super) fn self_signed_between(names: &[&str], from: i64, until: i64) -> Signed {
    let key = KeyPair::generate().unwrap();
    let params = params(names, from, until);
    let certificate = params.self_signed(&key).unwrap().pem();
    let key = key.serialize_pem();
    Signed { certificate, key }
}

impl Authority {
    pub(super) fn root(name: &str) -> Self {
        let (params, key) = (authority_params(name), KeyPair::generate().unwrap());
        let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
        Self { issuer }
    }

    pub(super) fn below(&self, name: &str) -> Self {
        let (params, key) = (authority_params(name), KeyPair::generate().unwrap());
        let issuer = CertifiedIssuer::signed_by(params, key, &self.issuer).unwrap();
        Self { issuer }
    }

    pub(super) fn pem(&self) -> String {
        self.issuer.pem()
    }

    pub(super) fn sign(&self, names: &[&str]) -> Signed {
        let key = KeyPair::generate().unwrap();
        let certificate = params(names, -1, 30).signed_by(&key, &self.issuer).unwrap();
        Signed {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    params
}

fn params(names: &[&str], from: i64, until: i64) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|&n| n.to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.not_before = days_from_now(from).into();
    params.not_after = days_from_now(until).into();
    params
}

fn days_from_now(days: i64) -> SystemTime {
    let now = SystemTime::now();
    let distance = DAY * u32::try_from(days.unsigned_abs()).unwrap();
    if days < 0 {
        now - distance
    } else {
        now + distance
    }
}
