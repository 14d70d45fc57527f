//! Answers about the chain: where it stands, blocks, headers, certificates, proofs.

use super::Api;
use super::problem::Problem;
use super::request::{Asked, At, bytes, height, number, wants_bytes};
use super::view::{
    BlockView, CertifiedView, GenesisView, HeaderView, MempoolView, NodeView, PeerView, PointView, ProofView,
};
use crate::handle::{Certified, NodeHandle, Under};
use crate::peers::PeerStatus;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use zeugma_ledger::PROGRAM;
use zeugma_proof::{Header, Proof};
use zeugma_types::{Encode as _, Height, LeafIndex, LeafPath, Namespace};

/// The document of the API.
pub(super) const OPENAPI: &str = include_str!("openapi.json");

type Answer<T> = Result<Json<T>, Problem>;

pub(super) async fn status(State(api): State<Api>) -> Answer<NodeView> {
    standing(&api).await.map(Json)
}

/// Where the node stands.
pub(super) async fn standing(api: &Api) -> Result<NodeView, Problem> {
    let node = &api.node;
    let height = node.height().await?;
    let latest = node.latest().await?.map(|latest| latest.header);
    let (transactions, bytes) = node.waiting();
    let stopped = node.stopped().borrow().clone();
    Ok(NodeView {
        network: node.network().to_string(),
        name: node.genesis().name.to_string(),
        height: height.get(),
        era: latest.as_ref().map_or(0, |header| header.era.get()),
        epoch: latest.as_ref().map_or(0, |header| header.epoch.get()),
        program: PROGRAM,
        certified: latest.map(|header| PointView { height: header.height.get(), time: header.time.get() }),
        mempool: MempoolView { transactions, bytes },
        peers: peers(node),
        stopped,
    })
}

fn peers(node: &NodeHandle) -> Vec<PeerView> {
    let validators = &node.genesis().validators;
    let name = |index: u32| validators.iter().nth(index as usize).map(|validator| validator.name.to_string());
    let view = |peer: PeerStatus| PeerView {
        index: peer.index,
        name: name(peer.index).unwrap_or_default(),
        connected: peer.connected,
        height: peer.height.map(Height::get),
    };
    node.peers().into_iter().map(view).collect()
}

pub(super) async fn genesis(State(api): State<Api>) -> Json<GenesisView> {
    Json(api.node.genesis().into())
}

pub(super) async fn block(State(api): State<Api>, At(at): At<String>) -> Answer<BlockView> {
    let at = match height(&at)? {
        Some(at) => at,
        None => api.node.height().await?,
    };
    let block = api.node.block(at).await?.ok_or_else(|| no_block(at))?;
    Ok(Json((&block).into()))
}

pub(super) async fn header(State(api): State<Api>, At(at): At<String>) -> Answer<HeaderView> {
    let header = header_at(&api, height(&at)?).await?;
    Ok(Json((&header).into()))
}

/// The header of a height, or the latest.
pub(super) async fn header_at(api: &Api, at: Option<Height>) -> Result<Header, Problem> {
    let at = match at {
        Some(at) => at,
        None => api.node.height().await?,
    };
    api.node.header(at).await?.ok_or_else(|| no_block(at))
}

fn no_block(at: Height) -> Problem {
    Problem::not_found(format!("no final block of height {at} is here; blocks count from 1"))
}

pub(super) async fn certificate(State(api): State<Api>, At(at): At<String>) -> Answer<CertifiedView> {
    let found = certified_from(&api, height(&at)?).await?;
    Ok(Json((&found).into()))
}

/// The first certified header from a height on, or the latest.
pub(super) async fn certified_from(api: &Api, from: Option<Height>) -> Result<Certified, Problem> {
    let found = match from {
        Some(from) => api.node.certified(from).await?,
        None => api.node.latest().await?,
    };
    found.ok_or_else(|| Problem::not_found("no certified header from that height on is here yet"))
}

/// How a leaf is named.
pub(super) enum Leaf {
    Index(LeafIndex),
    /// The latest leaf under it.
    Path(LeafPath),
}

/// The proof of a leaf.
pub(super) async fn proof_of(api: &Api, leaf: &Leaf, under: Under) -> Result<Proof, Problem> {
    let proof = match leaf {
        Leaf::Index(index) => api.node.proof_by_index(*index, under).await?,
        Leaf::Path(path) => api.node.proof_by_path(path, under).await?,
    };
    proof.ok_or_else(|| Problem::not_found("no such leaf, or no certified header covers it yet"))
}

/// The namespace of a name.
pub(super) fn namespace(name: &str) -> Result<Namespace, Problem> {
    let found = Namespace::ALL.iter().copied().find(|one| one.name() == name);
    found.ok_or_else(|| Problem::bad_request("no namespace has this name"))
}

pub(super) async fn proof_by_index(
    State(api): State<Api>,
    At(index): At<String>,
    asked: Asked,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let index = LeafIndex::new(number("a leaf's index", &index)?);
    let proof = proof_of(&api, &Leaf::Index(index), under(&asked)?).await?;
    Ok(answer_proof(&proof, &headers))
}

pub(super) async fn proof_by_path(
    State(api): State<Api>,
    At((namespace, path)): At<(String, String)>,
    asked: Asked,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let namespace = self::namespace(&namespace)?;
    let path =
        LeafPath::new(namespace, &bytes("a path", &path, LeafPath::MAX)?).map_err(Problem::malformed)?;
    let proof = proof_of(&api, &Leaf::Path(path), under(&asked)?).await?;
    Ok(answer_proof(&proof, &headers))
}

fn under(asked: &Asked) -> Result<Under, Problem> {
    match asked.text("under") {
        None | Some("first") => Ok(Under::First),
        Some("latest") => Ok(Under::Latest),
        Some(_) => Err(Problem::bad_request("under is first or latest")),
    }
}

fn answer_proof(proof: &Proof, headers: &HeaderMap) -> Response {
    let bytes = proof.to_bytes();
    match wants_bytes(headers) {
        true => ([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response(),
        false => Json(ProofView { proof: hex::encode(bytes) }).into_response(),
    }
}

/// Every metric of the node, and of this room: `zeugma_node_api_answers_total{status}`.
pub(super) async fn metrics(State(api): State<Api>) -> Response {
    const END: &str = "# EOF\n";
    let text = api.node.metrics();
    let (mut text, kind) = match text.strip_suffix(END) {
        Some(text) => (text.to_owned(), "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        None => (text, "text/plain; version=0.0.4; charset=utf-8"),
    };
    let sample = |(class, answers): (usize, &std::sync::atomic::AtomicU64)| {
        let answers = answers.load(Ordering::Relaxed);
        format!("zeugma_node_api_answers_total{{status=\"{class}xx\"}} {answers}\n")
    };
    let samples: String = api.answers.iter().enumerate().skip(2).map(sample).collect();
    write!(
        text,
        "# HELP zeugma_node_api_answers answers of the API by class of status.\n\
         # TYPE zeugma_node_api_answers counter\n{samples}"
    )
    .expect("text grows");
    if kind.starts_with("application") {
        text.push_str(END);
    }
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// Whether the process should live: 503 once the node cannot go on.
pub(super) async fn healthy(State(api): State<Api>) -> Result<&'static str, Problem> {
    match api.node.stopped().borrow().as_ref() {
        None => Ok("ok\n"),
        Some(why) => Err(unavailable("stopped", why.clone())),
    }
}

/// Whether the node has something to answer with: 503 before its first final block.
pub(super) async fn ready(State(api): State<Api>) -> Result<&'static str, Problem> {
    healthy(State(api.clone())).await?;
    match api.node.height().await? {
        Height::ZERO => Err(unavailable("not-ready", "no block is final here yet".into())),
        _ => Ok("ready\n"),
    }
}

fn unavailable(name: &'static str, detail: String) -> Problem {
    Problem::Plain { status: StatusCode::SERVICE_UNAVAILABLE, name, detail }
}

pub(super) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}
