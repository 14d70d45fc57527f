//! HTTPS for a client that asks over HTTP: rustls under the agent, TLS 1.3 and 1.2, and the other side's X.509
//! certificate believed under named roots only.
//!
//! The agent's own TLS is a feature that would be switched on for every agent of the program, also for those that were
//! given no roots; so this is a connector of its own, and an agent without it refuses `https` as before.

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::fmt;
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use ureq::unversioned::resolver::{DefaultResolver, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, TcpConnector, Transport,
    TransportAdapter,
};
use ureq::{Agent, Error};
use zeugma_types::{Code, Refusal};

/// Whose word counts for the name of the other side.
#[derive(Clone, Copy, Debug)]
pub enum Believed<'a> {
    /// Those that the system believes.
    System,
    /// The X.509 certificates of this file, in PEM.
    Pem(&'a [u8]),
}

/// Who asks, where the other side wants to know: an X.509 certificate with those that lead to it, and its key, in PEM.
#[derive(Clone, Copy)]
pub struct Identity<'a> {
    /// The X.509 certificates.
    pub certificate: &'a [u8],
    /// The key.
    pub key: &'a [u8],
}

impl fmt::Debug for Identity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

/// How `https` is spoken.
#[derive(Clone)]
pub struct Https(Arc<ClientConfig>);

impl fmt::Debug for Https {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Https")
    }
}

impl PartialEq for Https {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Https {}

fn unusable(what: &'static str, why: &dyn fmt::Display) -> Refusal {
    Refusal::new(Code::BadX509).needed(what).found(why.to_string())
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Refusal> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|why| unusable("X.509 certificates in PEM", &why))?;
    if found.is_empty() {
        return Err(unusable("X.509 certificates in PEM", &"none"));
    }
    Ok(found)
}

impl Https {
    /// # Errors
    /// [`Code::BadX509`]: the roots, or certificate and key, cannot be used; the system believes nobody.
    pub fn new(believed: Believed<'_>, identity: Option<Identity<'_>>) -> Result<Self, Refusal> {
        let mut roots = RootCertStore::empty();
        match believed {
            Believed::Pem(pem) => {
                for root in certificates(pem)? {
                    roots.add(root).map_err(|why| unusable("a root that can be believed", &why))?;
                }
            }
            Believed::System => {
                // One that cannot be read is passed over, as every program on the system does.
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                if roots.is_empty() {
                    return Err(unusable("a root that the system believes", &"none"));
                }
            }
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|why| unusable("TLS", &why))?
            .with_root_certificates(roots);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some(Identity { certificate, key }) => {
                let key = PrivateKeyDer::from_pem_slice(key).map_err(|why| unusable("a key in PEM", &why))?;
                let chain = certificates(certificate)?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|why| unusable("an X.509 certificate and its key", &why))?
            }
        };
        Ok(Self(Arc::new(config)))
    }

    /// An agent that asks over `http` and `https`.
    #[must_use]
    pub fn agent(&self, config: ureq::config::Config) -> Agent {
        self.agent_by(config, DefaultResolver::default())
    }

    /// As [`Https::agent`], connecting to the addresses that this resolver gives and to no others.
    #[must_use]
    pub fn agent_by(&self, config: ureq::config::Config, resolver: impl Resolver) -> Agent {
        let connector = ().chain(TcpConnector::default()).chain(Secured(self.clone()));
        Agent::with_parts(config, connector, resolver)
    }
}

/// Puts TLS around a connection that is asked for by `https`.
#[derive(Debug)]
struct Secured(Https);

impl<In: Transport> Connector<In> for Secured {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(transport) = chained else { return Ok(None) };
        if !details.needs_tls() {
            return Ok(Some(Box::new(transport)));
        }
        let host = details.uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host).map_err(|_| Error::Tls("the address has no name to check"))?;
        let failed = |why: rustls::Error| Error::Io(std::io::Error::other(why));
        let mut tls = ClientConnection::new(Arc::clone(&self.0.0), name).map_err(failed)?;
        let inner: Box<dyn Transport> = Box::new(transport);
        let mut adapter = TransportAdapter::new(inner, Arc::clone(&details.current_time));
        adapter.set_timeout(details.timeout);
        tls.complete_io(&mut adapter)?;
        let (input, output) = (details.config.input_buffer_size(), details.config.output_buffer_size());
        let stream = StreamOwned { conn: tls, sock: adapter };
        Ok(Some(Box::new(Wrapped { buffers: LazyBuffers::new(input, output), stream })))
    }
}

struct Wrapped {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wrapped")
    }
}

impl Transport for Wrapped {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.sock.set_timeout(timeout);
        let output = &self.buffers.output()[..amount];
        Ok(self.stream.write_all(output)?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.sock.set_timeout(timeout);
        let read = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}
