//! The methods. Each reads its message, asks what REST asks, and answers in messages.

use super::super::admission::{Places, Seat};
use super::super::problem::Problem;
use super::super::{Api, chain, follow, transactions};
use super::status::{leaving, status};
use super::v1;
use super::v1::node_server::Node;
use crate::handle::Under;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use std::time::Duration;
use tonic::{Request, Response, Status};
use zeugma_ledger::limits::MAX_TRANSACTION;
use zeugma_types::{Encode as _, Height, LeafIndex, LeafPath};

/// The service.
pub(super) struct Service {
    api: Api,
}

impl Service {
    pub(super) const fn new(api: Api) -> Self {
        Self { api }
    }

    async fn leaf(&self, request: v1::GetProofRequest) -> Result<v1::GetProofResponse, Problem> {
        use v1::get_proof_request::Leaf;
        let under = match v1::Under::try_from(request.under) {
            Ok(v1::Under::Unspecified | v1::Under::First) => Under::First,
            Ok(v1::Under::Latest) => Under::Latest,
            Err(_) => return Err(Problem::bad_request("under is UNDER_FIRST or UNDER_LATEST")),
        };
        let leaf = match request.leaf {
            Some(Leaf::Index(index)) => chain::Leaf::Index(LeafIndex::new(index)),
            Some(Leaf::Path(v1::LeafPath { namespace, path })) => {
                let namespace = chain::namespace(&namespace)?;
                chain::Leaf::Path(LeafPath::new(namespace, &path).map_err(Problem::malformed)?)
            }
            None => return Err(Problem::bad_request("a leaf is named by index or by path")),
        };
        let proof = chain::proof_of(&self.api, &leaf, under).await?;
        Ok(v1::GetProofResponse { proof: proof.to_bytes().into() })
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Node for Service {
    async fn submit(&self, request: Request<v1::SubmitRequest>) -> Answer<v1::SubmitResponse> {
        let transaction = request.into_inner().transaction;
        if transaction.len() > MAX_TRANSACTION {
            return Err(status(Problem::too_large(MAX_TRANSACTION)));
        }
        let id = self.api.node.submit(transaction).await.map_err(|error| status(error.into()))?;
        Ok(Response::new(v1::SubmitResponse { id: id.to_vec().into() }))
    }

    async fn get_transaction(
        &self,
        mut request: Request<v1::GetTransactionRequest>,
    ) -> Answer<v1::GetTransactionResponse> {
        let mut seat = request.extensions_mut().remove::<Seat>();
        let v1::GetTransactionRequest { id, wait_seconds } = request.into_inner();
        let id = <[u8; 32]>::try_from(id.as_ref())
            .map_err(|_| status(Problem::bad_request("a transaction's id is 32 bytes")))?;
        if wait_seconds > 0 {
            // A wait takes the place of a stream, and gives back that of a request.
            seat.replace(self.api.seat(Places::Streams).map_err(status)?);
        }
        let wait = Duration::from_secs(wait_seconds.into());
        let found = transactions::settled(&self.api, &id, wait).await.map_err(status)?;
        drop(seat);
        Ok(Response::new((&found).into()))
    }

    async fn get_status(&self, _: Request<v1::GetStatusRequest>) -> Answer<v1::GetStatusResponse> {
        let standing = chain::standing(&self.api).await.map_err(status)?;
        Ok(Response::new(standing.into()))
    }

    async fn get_header(&self, request: Request<v1::GetHeaderRequest>) -> Answer<v1::GetHeaderResponse> {
        let at = request.into_inner().height.map(Height::new);
        let header = chain::header_at(&self.api, at).await.map_err(status)?;
        Ok(Response::new((&header).into()))
    }

    async fn get_certificate(
        &self,
        request: Request<v1::GetCertificateRequest>,
    ) -> Answer<v1::GetCertificateResponse> {
        let from = request.into_inner().from.map(Height::new);
        let certified = chain::certified_from(&self.api, from).await.map_err(status)?;
        Ok(Response::new((&certified).into()))
    }

    async fn get_proof(&self, request: Request<v1::GetProofRequest>) -> Answer<v1::GetProofResponse> {
        self.leaf(request.into_inner()).await.map(Response::new).map_err(status)
    }

    async fn get_events(&self, request: Request<v1::GetEventsRequest>) -> Answer<v1::GetEventsResponse> {
        let v1::GetEventsRequest { from, limit } = request.into_inner();
        let limit = (limit > 0).then_some(limit.into());
        let page = follow::page(&self.api, Some(from), limit, |block| v1::Block::from(block));
        let follow::Page { next, tip, blocks } = page.await.map_err(status)?;
        Ok(Response::new(v1::GetEventsResponse { next, tip, blocks }))
    }

    type StreamBlocksStream = BoxStream<'static, Result<v1::Block, Status>>;

    async fn stream_blocks(
        &self,
        request: Request<v1::StreamBlocksRequest>,
    ) -> Answer<Self::StreamBlocksStream> {
        let from = request.into_inner().from;
        let follower = follow::Follower::new(self.api.clone(), from).await.map_err(status)?;
        let blocks = futures::stream::unfold(follower, async |mut follower| {
            let block = follower.next().await?;
            Some((Ok(v1::Block::from(&block)), follower))
        });
        // It ends when the node or the API stops, or cannot read on: never because there is no more.
        let end = futures::stream::once(std::future::ready(Err(leaving())));
        Ok(Response::new(blocks.chain(end).boxed()))
    }
}
