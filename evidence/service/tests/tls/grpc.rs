//! gRPC over TLS: the same doors as for REST.

use crate::world::{Certified, World};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};
use zeugma_evidence_service::grpc::v1;
use zeugma_evidence_service::grpc::v1::evidence_client::EvidenceClient;

async fn connect(world: &World, shown: Option<&Certified>) -> EvidenceClient<Channel> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(world.root.pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match shown {
        None => builder.with_no_client_auth(),
        Some(own) => {
            let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap();
            builder.with_client_auth_cert(vec![CertificateDer::from(own.der.clone())], key).unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    let (connector, address) = (TlsConnector::from(Arc::new(config)), world.address);
    let connect = tower::service_fn(move |_| {
        let connector = connector.clone();
        async move {
            let stream = TcpStream::connect(address).await?;
            let name = ServerName::try_from("127.0.0.1").expect("an address is a name");
            Ok::<_, std::io::Error>(TokioIo::new(connector.connect(name, stream).await?))
        }
    });
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    EvidenceClient::new(endpoint.connect_with_connector(connect).await.unwrap())
}

#[test]
fn a_call_is_opened_by_a_token_or_by_the_x509_certificate_of_its_connection_and_by_nothing_else() {
    let world = World::new(false);
    let bare = world.agent(&world.root, None);
    world.deposit(&bare);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let position = Some(v1::Position { shard: 0, index: 0 });
        let ask = || Request::new(v1::GetEntryRequest { position });
        let mut bare = connect(&world, None).await;
        assert_eq!(bare.get_entry(ask()).await.unwrap_err().code(), Code::Unauthenticated);
        let mut by_token = ask();
        by_token.metadata_mut().insert("authorization", "Bearer secret".parse().unwrap());
        assert!(bare.get_entry(by_token).await.unwrap().into_inner().standing.is_some());
        // What a client says of its own X.509 certificate counts for nothing.
        let mut said = ask();
        said.metadata_mut().insert("zeugma-client-x509", world.client.sha256().parse().unwrap());
        assert_eq!(bare.get_entry(said).await.unwrap_err().code(), Code::Unauthenticated);

        // The judge's tenant has no such entry, and a judge deposits nothing.
        let mut judge = connect(&world, Some(&world.client)).await;
        assert_eq!(judge.get_entry(ask()).await.unwrap_err().code(), Code::NotFound);
        let deposit = judge.deposit(v1::DepositRequest::default()).await.unwrap_err();
        assert_eq!(deposit.code(), Code::PermissionDenied);
    });
}
