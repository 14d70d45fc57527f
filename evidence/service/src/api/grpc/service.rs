//! The methods. Each reads its message, asks what REST asks, and answers in messages.

use super::super::problem::Problem;
use super::super::verifying::Held;
use super::super::{Api, entries, search};
use super::bounded::end;
use super::status::{refused, status};
use super::v1::evidence_server::Evidence;
use super::watching::Watching;
use super::{convert, heads, v1};
use crate::access::Tenant;
use crate::audit::About;
use crate::desk::now;
use crate::store::Tree;
use futures::StreamExt as _;
use futures::future::ready;
use futures::stream::{BoxStream, once};
use tonic::{Request, Response, Status, Streaming};
use zeugma_types::{BlockTime, Code, Encode as _, Refusal, TreeSize};

/// The service.
pub(super) struct Service {
    api: Api,
}

type Answer<T> = Result<Response<T>, Status>;

impl Service {
    pub(super) const fn new(api: Api) -> Self {
        Self { api }
    }

    fn answer<T>(&self, done: Result<T, Problem>) -> Answer<T> {
        done.map(Response::new).map_err(|problem| status(&self.api, problem))
    }

    /// Deposits the records of one request.
    async fn take<T>(
        &self,
        request: &Request<T>,
        records: Vec<v1::Record>,
        key: String,
    ) -> Result<Vec<v1::Accepted>, Problem> {
        let key = (!key.is_empty()).then_some(key);
        let cost = (records.iter().map(prost::Message::encoded_len).sum(), records.len());
        let made = move |submitter: &str| {
            records.into_iter().map(|record| convert::record(record, submitter)).collect::<Result<_, _>>()
        };
        let accepted = self.api.take(&heads(request), key, cost, made).await?;
        Ok(accepted.iter().map(Into::into).collect())
    }
}

#[tonic::async_trait]
impl Evidence for Service {
    async fn deposit(&self, mut request: Request<v1::DepositRequest>) -> Answer<v1::DepositResponse> {
        let v1::DepositRequest { record, idempotency_key } = std::mem::take(request.get_mut());
        let records = record.into_iter().collect();
        let taken = self.take(&request, records, idempotency_key).await;
        self.answer(taken.map(|mut taken| v1::DepositResponse { accepted: taken.pop() }))
    }

    async fn deposit_batch(
        &self,
        mut request: Request<v1::DepositBatchRequest>,
    ) -> Answer<v1::DepositBatchResponse> {
        let v1::DepositBatchRequest { records, idempotency_key } = std::mem::take(request.get_mut());
        let taken = self.take(&request, records, idempotency_key).await;
        self.answer(taken.map(|accepted| v1::DepositBatchResponse { accepted }))
    }

    async fn get_entry(&self, request: Request<v1::GetEntryRequest>) -> Answer<v1::GetEntryResponse> {
        let found = async {
            let position = convert::position(request.get_ref().position)?;
            let wait = entries::Wait::default();
            let seen = entries::stands(&self.api, &heads(&request), position, wait).await?;
            Ok(v1::GetEntryResponse { standing: Some(convert::standing(position, &seen)) })
        };
        self.answer(found.await)
    }

    type WatchEntryStream = BoxStream<'static, Result<v1::WatchEntryResponse, Status>>;

    async fn watch_entry(&self, request: Request<v1::WatchEntryRequest>) -> Answer<Self::WatchEntryStream> {
        let begun = async {
            let v1::WatchEntryRequest { position, until } = *request.get_ref();
            let (position, until) = (convert::position(position)?, convert::reached(until)?);
            Watching::begin(&self.api, heads(&request), position, until, end(&request)).await
        };
        self.answer(begun.await.map(Watching::stream))
    }

    async fn get_receipt(&self, request: Request<v1::GetReceiptRequest>) -> Answer<v1::GetReceiptResponse> {
        let read = async {
            let position = convert::position(request.get_ref().position)?;
            let receipt = entries::receipt_of(&self.api, &heads(&request), position).await?;
            Ok(v1::GetReceiptResponse { receipt: receipt.to_bytes().into() })
        };
        self.answer(read.await)
    }

    async fn get_bundle(&self, request: Request<v1::GetBundleRequest>) -> Answer<v1::GetBundleResponse> {
        let read = async {
            let position = convert::position(request.get_ref().position)?;
            let bundle = entries::bundle_of(&self.api, &heads(&request), position).await?;
            Ok(v1::GetBundleResponse { bundle: bundle.to_bytes().into() })
        };
        self.answer(read.await)
    }

    async fn get_proof(&self, request: Request<v1::GetProofRequest>) -> Answer<v1::GetProofResponse> {
        let read = async {
            let v1::GetProofRequest { position, tree } = *request.get_ref();
            let position = convert::position(position)?;
            let tree = match v1::Tree::try_from(tree) {
                Ok(v1::Tree::Unspecified | v1::Tree::Sha256) => Tree::First,
                Ok(v1::Tree::Sm3) => Tree::Second,
                Err(_) => return Err(Problem::bad_request("TREE_SHA256 or TREE_SM3")),
            };
            let (proof, leaf) = entries::proof_of(&self.api, &heads(&request), position, tree).await?;
            Ok(v1::GetProofResponse { proof: proof.to_text(), leaf: leaf.into() })
        };
        self.answer(read.await)
    }

    async fn verify(&self, mut request: Request<v1::VerifyRequest>) -> Answer<v1::VerifyResponse> {
        let message = std::mem::take(request.get_mut());
        let judged = async {
            let v1::VerifyRequest { what, sha256, sm3, time } = message;
            let digests = convert::digests(&sha256, &sm3)?;
            let time = time.map_or_else(now, BlockTime::new);
            let (about, held) = match what {
                Some(v1::verify_request::What::Bundle(bundle)) => {
                    // It has its room already, until the call is answered.
                    (About::Service, Held::Bundle { bytes: bundle, _room: None })
                }
                Some(v1::verify_request::What::Entry(entry)) => {
                    let position = convert::position(Some(entry))?;
                    (About::Entry(position), Held::Entry(position))
                }
                None => (About::Service, Held::Found),
            };
            let brought = |_| async move { Ok((held, digests)) };
            let report = self.api.judge(&heads(&request), (about, time), brought).await?;
            Ok(v1::VerifyResponse { report })
        };
        self.answer(judged.await)
    }

    async fn verify_file(
        &self,
        request: Request<Streaming<v1::VerifyFileRequest>>,
    ) -> Answer<v1::VerifyFileResponse> {
        let heads = heads(&request);
        let mut pieces = request.into_inner();
        let judged = async {
            let first = pieces.message().await.map_err(broken)?.unwrap_or_default();
            let time = first.time.map_or_else(now, BlockTime::new);
            let rest = pieces.map(|next| next.map(|next| next.piece).map_err(broken));
            let pieces = once(ready(Ok(first.piece))).chain(rest);
            let here = &self.api;
            let brought = |tenant: Tenant| async move {
                Ok((Held::Found, here.hashed(&tenant, Box::pin(pieces)).await?))
            };
            let report = self.api.judge(&heads, (About::Service, time), brought).await?;
            Ok(v1::VerifyFileResponse { report })
        };
        self.answer(judged.await)
    }

    async fn search(&self, mut request: Request<v1::SearchRequest>) -> Answer<v1::SearchResponse> {
        let message = std::mem::take(request.get_mut());
        let found = async {
            let v1::SearchRequest { digest, case, submitter, limit, cursor } = message;
            let asks = search::Asks {
                digest: (!digest.is_empty()).then(|| hex::encode(&digest)),
                case,
                submitter,
                limit: (limit != 0).then_some(usize::try_from(limit).unwrap_or(usize::MAX)),
                cursor: (!cursor.is_empty()).then_some(cursor),
            };
            let found = search::found(&self.api, &heads(&request), asks).await?;
            Ok(v1::SearchResponse {
                entries: found.entries.iter().map(|hit| convert::entry(hit.position, &hit.stored)).collect(),
                cursor: found.cursor.unwrap_or_default(),
                complete: found.complete,
            })
        };
        self.answer(found.await)
    }

    async fn get_history(&self, request: Request<v1::GetHistoryRequest>) -> Answer<v1::GetHistoryResponse> {
        let read = async {
            let position = convert::position(request.get_ref().position)?;
            let told = search::told(&self.api, &heads(&request), position).await?;
            Ok(convert::history(position, &told))
        };
        self.answer(read.await)
    }

    async fn erase(&self, request: Request<v1::EraseRequest>) -> Answer<v1::EraseResponse> {
        let erased = async {
            let position = convert::position(request.get_ref().position)?;
            entries::erase_at(&self.api, &heads(&request), position).await?;
            Ok(v1::EraseResponse {})
        };
        self.answer(erased.await)
    }

    async fn get_status(&self, _: Request<v1::GetStatusRequest>) -> Answer<v1::GetStatusResponse> {
        let desk = &self.api.desk;
        let (shard, origin, size) = desk.log().head();
        let one = |shard| v1::Shard {
            shard,
            origin: desk.log().origin_of(shard).unwrap_or_default(),
            durable: desk.log().size_of(shard).map_or(0, TreeSize::get),
            anchored: desk.anchors().last(shard),
        };
        Ok(Response::new(v1::GetStatusResponse {
            origin,
            shard,
            durable: size.get(),
            published: desk.notes(shard).ok().flatten().map(|notes| notes.size.get()),
            anchored: desk.anchors().last(shard),
            shards: (0..=shard).map(one).collect(),
        }))
    }

    async fn get_policy(&self, request: Request<v1::GetPolicyRequest>) -> Answer<v1::GetPolicyResponse> {
        let (desk, operator) = (&self.api.desk, &self.api.operator);
        let policy = match request.get_ref().shard {
            None => Ok(desk.policy(operator)),
            Some(shard) => desk.policy_of(shard, operator).map_err(Problem::from),
        };
        self.answer(policy.map(|policy| v1::GetPolicyResponse { policy: policy.to_bytes().into() }))
    }
}

/// A stream of pieces that ended early, or for which there was no room.
fn broken(status: Status) -> Problem {
    let code = refused(&status).unwrap_or(Code::BadRequest);
    Problem(Refusal::new(code).found(status.message().to_owned()))
}
