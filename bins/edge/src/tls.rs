//! The certificate, read from two files, and again whenever they change.

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, version};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How often it is looked whether the files changed.
const LOOK: Duration = Duration::from_secs(2);

/// Where the certificate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and those between it and its authority, in PEM (`DUPLEX_TLS_CERT`).
    pub certificate: PathBuf,
    /// Its private key, in PEM (`DUPLEX_TLS_KEY`).
    pub key: PathBuf,
}

/// The files do not hold what is needed.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read as PEM.
    #[error("{} has no {what} in PEM that can be read: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What should be in it.
        what: &'static str,
        /// Why.
        source: pem::Error,
    },
    /// They are not a pair.
    #[error(
        "the certificate in {} and the key in {} cannot be used together: {source}",
        files.certificate.display(), files.key.display()
    )]
    Pair {
        /// Which.
        files: TlsFiles,
        /// Why.
        source: rustls::Error,
    },
    /// The library has none of the protocol's versions.
    #[error("TLS cannot be set up: {0}")]
    Setup(rustls::Error),
}

impl TlsFiles {
    fn read(&self) -> Result<CertifiedKey, TlsError> {
        let certificates = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .and_then(some_at_all)
            .map_err(|source| unreadable(&self.certificate, "certificate", source))?;
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|source| unreadable(&self.key, "private key", source))?;
        CertifiedKey::from_der(certificates, key, &aws_lc_rs::default_provider()).map_err(
            |source| TlsError::Pair {
                files: self.clone(),
                source,
            },
        )
    }

    /// What changes when a file is written or replaced.
    fn stamp(&self) -> [Option<(SystemTime, u64)>; 2] {
        [&self.certificate, &self.key].map(|path| {
            let known = std::fs::metadata(path).ok()?;
            Some((known.modified().ok()?, known.len()))
        })
    }
}

fn some_at_all(
    certificates: Vec<CertificateDer<'static>>,
) -> Result<Vec<CertificateDer<'static>>, pem::Error> {
    if certificates.is_empty() {
        return Err(pem::Error::NoItemsFound);
    }
    Ok(certificates)
}

fn unreadable(path: &Path, what: &'static str, source: pem::Error) -> TlsError {
    TlsError::File {
        path: path.to_owned(),
        what,
        source,
    }
}

/// The certificate in use.
#[derive(Debug)]
struct Newest(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Newest {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let newest = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(newest.clone())
    }
}

/// Reads the files, and follows them until `stop`.
pub(crate) fn acceptor(files: TlsFiles, stop: CancellationToken) -> Result<TlsAcceptor, TlsError> {
    let stamp = files.stamp();
    let newest = Arc::new(Newest(RwLock::new(Arc::new(files.read()?))));
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])
        .map_err(TlsError::Setup)?
        .with_no_client_auth()
        .with_cert_resolver(newest.clone());
    // The socket needs version 1.1.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let following = follow(files, stamp, newest);
    tokio::spawn(stop.run_until_cancelled_owned(following));
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn follow(files: TlsFiles, mut stamp: [Option<(SystemTime, u64)>; 2], newest: Arc<Newest>) {
    let mut asked = signal(SignalKind::hangup()).ok();
    loop {
        let told = tokio::select! {
            () = hung_up(&mut asked) => true,
            () = tokio::time::sleep(LOOK) => false,
        };
        let now = files.stamp();
        if !told && now == stamp {
            continue;
        }
        match files.read() {
            Ok(read) => {
                *newest.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(read);
                info!(
                    "the certificate in {} is used from now on",
                    files.certificate.display()
                );
            }
            // The two files are not replaced at once: the next look may find a pair.
            Err(error) => warn!("the certificate stays the one before: {error}"),
        }
        stamp = now;
    }
}

async fn hung_up(asked: &mut Option<Signal>) {
    match asked {
        Some(asked) => {
            asked.recv().await;
        }
        None => std::future::pending().await,
    }
}
