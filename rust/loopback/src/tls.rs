//! The certificate authority clients are told to trust, and the TLS side that stands for WhatsApp's hosts.

use std::{fs, io, path::Path, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
        server::NoServerSessionStorage,
    },
};

/// Where clients open their WebSocket.
pub const CHAT_HOST: &str = "web.whatsapp.com";
/// Where `media_conn` sends them for files.
pub const MEDIA_HOST: &str = "mmg.whatsapp.net";

/// Gives the TLS acceptor, and writes `ca.crt` (and its key, once) into `folder` so that a restart keeps the authority.
///
/// # Errors
/// The folder is not writable, or what lies there is no key.
pub fn prepare(folder: &Path) -> io::Result<TlsAcceptor> {
    let (key_file, certificate_file) = (folder.join("ca.key"), folder.join("ca.crt"));
    let key = if key_file.exists() && certificate_file.exists() {
        KeyPair::from_pem(&fs::read_to_string(&key_file)?).map_err(|error| damaged(&key_file, error))?
    } else {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = authority().self_signed(&key).map_err(io::Error::other)?;
        fs::write(&key_file, key.serialize_pem())?;
        fs::write(&certificate_file, certificate.pem())?;
        key
    };
    let issuer = Issuer::new(authority(), key);
    let leaf_key = KeyPair::generate().map_err(io::Error::other)?;
    let leaf = host_certificate()?.signed_by(&leaf_key, &issuer).map_err(io::Error::other)?;
    let secret = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], secret)
        .map_err(io::Error::other)?;
    // whatsmeow never resumes: tickets and their cache would only cost memory
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn damaged(file: &Path, error: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("{} is damaged ({error}); delete it and ca.crt to make new ones", file.display()))
}

fn authority() -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = name("wafast loopback authority");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters
}

fn host_certificate() -> io::Result<CertificateParams> {
    let hosts = [CHAT_HOST, MEDIA_HOST, "*.whatsapp.net", "*.whatsapp.com"].map(String::from);
    let mut parameters = CertificateParams::new(hosts).map_err(io::Error::other)?;
    parameters.distinguished_name = name(CHAT_HOST);
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(parameters)
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}
