//! The CA, the server's and the clients' certificates, and the key that signs service-account tokens.
//!
//! One CA a control plane, made anew each time; the keys live in memory and in the state directory.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use jiff::civil::Date;
use jiff::{Span, Zoned};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

/// Names and addresses under which the API server is reached, the first service address and that of the node of `make test-node` included.
const SERVER_NAMES: [&str; 6] = [
    "localhost",
    "127.0.0.1",
    "10.96.0.1",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "10.90.0.2",
];

/// A certificate and its key, as PEM.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The certificate.
    pub cert: String,
    /// The private key, PKCS 8.
    pub key: String,
}

/// The certificate authority of one control plane.
pub struct Pki {
    issuer: CertifiedIssuer<'static, KeyPair>,
    dir: PathBuf,
}

impl Pki {
    /// A new authority that keeps its files in `dir`: `ca.crt`, and one `.crt` and `.key` for each name written.
    pub fn create(dir: &Path) -> Result<Self> {
        let mut params = params("govcloud-e2e", &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        fs::create_dir_all(dir)?;
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
        fs::write(dir.join("ca.crt"), issuer.pem())?;
        Ok(Self { issuer, dir: dir.to_owned() })
    }

    /// The authority's own certificate, as PEM.
    pub fn ca(&self) -> String {
        self.issuer.pem()
    }

    /// Path of a file of this authority.
    pub fn file(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }

    /// A certificate for a server on loopback that is also the client of its peers, as etcd is; written as `name`.
    pub fn server(&self, name: &str) -> Result<()> {
        let mut params = params(name, &SERVER_NAMES)?;
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let pair = self.sign(params)?;
        self.write(&format!("{name}.crt"), &pair.cert)?;
        self.write(&format!("{name}.key"), &pair.key)
    }

    /// A certificate that makes its bearer `user`, and a member of `group` where there is one.
    pub fn client(&self, user: &str, group: Option<&str>) -> Result<Pair> {
        let mut params = params(user, &[])?;
        if let Some(group) = group {
            params.distinguished_name.push(DnType::OrganizationName, group);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params)
    }

    /// The key that signs service-account tokens, and its public half; written as `name.key` and `name.pub`.
    pub fn token_key(&self, name: &str) -> Result<()> {
        let key = KeyPair::generate()?;
        self.write(&format!("{name}.key"), &key.serialize_pem())?;
        self.write(&format!("{name}.pub"), &key.public_key_pem())
    }

    fn sign(&self, params: CertificateParams) -> Result<Pair> {
        let key = KeyPair::generate()?;
        let cert = params.signed_by(&key, &self.issuer)?;
        Ok(Pair { cert: cert.pem(), key: key.serialize_pem() })
    }

    fn write(&self, name: &str, content: &str) -> Result<()> {
        fs::write(self.dir.join(name), content).with_context(|| format!("cannot write {name}"))
    }
}

/// Valid from yesterday, so that clocks may differ a little, for two years.
fn params(common_name: &str, names: &[&str]) -> Result<CertificateParams> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    let today = Zoned::now().date();
    let midnight =
        |day: Date| date_time_ymd(day.year().into(), day.month().unsigned_abs(), day.day().unsigned_abs());
    params.not_before = midnight(today.checked_sub(Span::new().days(1))?);
    params.not_after = midnight(today.checked_add(Span::new().years(2))?);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}
