//! TLS by rustls: who the service is, which clients it believes, and both anew when their files change.
//!
//! TLS 1.3 and 1.2 with the safe defaults of rustls and its hybrid post-quantum key exchange. With a `client_ca`, a
//! client may show an X.509 certificate under it; its SHA-256 names a tenant in the configuration, as a token's does.
//! The files are read again each second; what changed holds for new connections, those that are open keep what they
//! have. Files that cannot be used are told, and the old ones go on: a half-written file is seen again a second later.

use crate::config::TlsConfig;
use crate::connections::Connections;
use crate::files;
use crate::run::pause;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// Longest file of X.509 certificates or a key, in bytes.
const LONGEST: u64 = 1024 * 1024;
/// Between two looks at the files.
const LOOK: Duration = Duration::from_secs(1);

/// Why TLS cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{}: {why}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// A file holds something else.
    #[error("{}: {why}", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What is the matter.
        why: String,
    },
    /// Certificate and key do not belong together, or cannot be used.
    #[error("TLS: {0}")]
    Unusable(String),
}

/// The bytes of the files, as they were read last.
#[derive(Clone, PartialEq, Eq)]
struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
    clients: Option<Vec<u8>>,
}

/// What new connections speak.
#[derive(Clone)]
pub(crate) struct Tls {
    config: TlsConfig,
    now: Arc<RwLock<Arc<ServerConfig>>>,
    files: Files,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tls({})", self.config.certificate.display())
    }
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`], which names the file.
    pub(crate) fn open(config: &TlsConfig) -> Result<Self, TlsError> {
        let files = read(config)?;
        let now = Arc::new(RwLock::new(Arc::new(build(config, &files)?)));
        Ok(Self { config: config.clone(), now, files })
    }

    /// For the next connection.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        // What is in the lock is whole after any panic.
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner)).into()
    }

    /// Takes up what changed in the files. `false` when nothing did.
    fn look(&mut self) -> Result<bool, TlsError> {
        let files = read(&self.config)?;
        if files == self.files {
            return Ok(false);
        }
        let built = Arc::new(build(&self.config, &files)?);
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = built;
        self.files = files;
        Ok(true)
    }

    /// Looks at the files until it is time to end.
    pub(crate) async fn follow(mut self, connections: Arc<Connections>, mut stop: watch::Receiver<bool>) {
        let mut told = String::new();
        while pause(LOOK, &mut stop).await {
            // Small files, and a folder that is gone is answered at once.
            match self.look() {
                Ok(false) => told.clear(),
                Ok(true) => {
                    told.clear();
                    tracing::info!("X.509 certificate, key and clients of TLS are read anew");
                }
                Err(why) => {
                    connections.tls_not_renewed();
                    let why = why.to_string();
                    if why != told {
                        tracing::warn!(%why, "TLS goes on as it was");
                        told = why;
                    }
                }
            }
        }
    }
}

fn read(config: &TlsConfig) -> Result<Files, TlsError> {
    let file = |path: &Path| {
        let failed = |why| TlsError::File { path: path.to_owned(), why };
        files::read(path, LONGEST).map_err(failed)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))
    };
    Ok(Files {
        certificate: file(&config.certificate)?,
        key: file(&config.key)?,
        clients: config.client_ca.as_deref().map(file).transpose()?,
    })
}

fn build(config: &TlsConfig, files: &Files) -> Result<ServerConfig, TlsError> {
    let unusable = |why: &dyn std::fmt::Display| {
        let (certificate, key) = (config.certificate.display(), config.key.display());
        TlsError::Unusable(format!("{certificate} with {key}: {why}"))
    };
    let chain = certificates(&config.certificate, &files.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&files.key)
        .map_err(|why| TlsError::Content { path: config.key.clone(), why: why.to_string() })?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|why| unusable(&why))?;
    let builder = match config.client_ca.as_deref().zip(files.clients.as_deref()) {
        None => builder.with_no_client_auth(),
        Some((path, clients)) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path, clients)? {
                let content =
                    |why: rustls::Error| TlsError::Content { path: path.to_owned(), why: why.to_string() };
                roots.add(certificate).map_err(content)?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = if config.client_required { verifier } else { verifier.allow_unauthenticated() };
            builder.with_client_cert_verifier(verifier.build().map_err(|why| unusable(&why))?)
        }
    };
    let mut server = builder.with_single_cert(chain, key).map_err(|why| unusable(&why))?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // A client that comes back shows its X.509 certificate again, so that one taken from `client_ca` is not believed.
    server.send_tls13_tickets = 0;
    server.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    Ok(server)
}

fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let content = |why: String| TlsError::Content { path: path.to_owned(), why };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|why| content(why.to_string()))?;
    if found.is_empty() {
        return Err(content("no X.509 certificate in PEM is in it".to_owned()));
    }
    Ok(found)
}
