//! Following the chain: what happened block by block, by asking or as a stream.

use super::admission::Seat;
use super::problem::Problem;
use super::request::{Asked, number};
use super::view::{EventsView, HappenedView};
use super::{Api, closed};
use crate::handle::FinalBlock;
use crate::stream::Finalized;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::{Extension, Json};
use futures::Stream;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;
use zeugma_types::{Encode as _, Height};

/// Blocks looked through for one answer, unless asked for fewer or more.
const BLOCKS: u64 = 100;
/// Most blocks looked through for one answer.
const MAX_BLOCKS: u64 = 500;
/// Most events of one answer: the block that goes beyond is its last.
const MAX_EVENTS: usize = 4_096;
/// Most bytes of events of one answer, likewise: a quarter of what a gRPC client reads unless told otherwise.
const MAX_EVENT_BYTES: usize = 1 << 20;
/// A sign of life on a stream without blocks.
const ALIVE: Duration = Duration::from_secs(15);
/// How long a stream waits for news before it looks itself.
const LOOK: Duration = Duration::from_secs(1);

pub(super) async fn events(State(api): State<Api>, asked: Asked) -> Result<Json<EventsView>, Problem> {
    let view = |block: &FinalBlock| HappenedView::from(block);
    let Page { next, tip, blocks } = page(&api, asked.number("from")?, asked.number("limit")?, view).await?;
    Ok(Json(EventsView { next, tip, blocks }))
}

/// What happened in some blocks.
pub(super) struct Page<T> {
    /// Where to go on.
    pub(super) next: u64,
    /// The newest height when this was answered.
    pub(super) tip: u64,
    /// Blocks with an event, ascending; all in between have none.
    pub(super) blocks: Vec<T>,
}

/// Looks through blocks from a height on, unless told otherwise from the first and [`BLOCKS`] of them.
pub(super) async fn page<T>(
    api: &Api,
    from: Option<u64>,
    limit: Option<u64>,
    view: impl Fn(&FinalBlock) -> T,
) -> Result<Page<T>, Problem> {
    let from = from.unwrap_or(1).max(1);
    let limit = limit.unwrap_or(BLOCKS).clamp(1, MAX_BLOCKS);
    let tip = api.node.height().await?.get();
    let (mut next, mut blocks, mut events, mut bytes) = (from, Vec::new(), 0, 0);
    while next <= tip && next - from < limit && events < MAX_EVENTS && bytes < MAX_EVENT_BYTES {
        let Some(block) = api.node.block(Height::new(next)).await? else {
            return Err(Problem::not_found(format!("the block of height {next} is not kept here")));
        };
        if !block.record.events.is_empty() {
            events += block.record.events.len();
            bytes += block.record.events.iter().map(|(_, event)| event.to_bytes().len()).sum::<usize>();
            blocks.push(view(&block));
        }
        next += 1;
    }
    Ok(Page { next, tip, blocks })
}

/// Where a stream stands.
pub(super) struct Follower {
    api: Api,
    next: Height,
    news: Receiver<Finalized>,
}

pub(super) async fn blocks(
    State(api): State<Api>,
    Extension(seat): Extension<Seat>,
    asked: Asked,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let last = match headers.get("last-event-id") {
        Some(last) => Some(number("Last-Event-ID", last.to_str().unwrap_or_default())?),
        None => None,
    };
    let from = match last {
        Some(last) => Some(last.saturating_add(1)),
        None => asked.number("from")?,
    };
    let named = match asked.text("transactions") {
        None => false,
        Some("ids") => true,
        Some(_) => return Err(Problem::bad_request("transactions is `ids`, or is not said")),
    };
    let follower = Follower::new(api, from).await?;
    // The place is given back when the stream ends.
    let stream = futures::stream::unfold((follower, seat), move |(mut follower, seat)| async move {
        let block = follower.next().await?;
        let view = HappenedView::from(&block);
        let view = if named { view.with_ids(&block.record) } else { view };
        let view = serde_json::to_string(&view).expect("a block's view has text and numbers only");
        let event = Event::default().id(block.header.height.to_string()).event("block").data(view);
        Some((Ok(event), (follower, seat)))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(ALIVE)))
}

impl Follower {
    /// Follows from a height on, or from the next block.
    pub(super) async fn new(api: Api, from: Option<u64>) -> Result<Self, Problem> {
        // Listening before the first look: a block in between is not missed.
        let news = api.node.blocks();
        let next = match from {
            Some(from) => from.max(1),
            None => api.node.height().await?.get().saturating_add(1),
        };
        Ok(Self { api, next: Height::new(next), news })
    }

    /// The next block, once it is final; nothing when the node or the API stops, or cannot read on. The reader
    /// comes again with the height it saw last.
    pub(super) async fn next(&mut self) -> Option<Finalized> {
        loop {
            if *self.api.closing.borrow() {
                return None;
            }
            // What is heard in its turn needs no reading; what was missed, or was before, is read by height.
            match self.news.try_recv() {
                Ok(block) if block.header.height == self.next => return self.pass(block),
                Ok(block) if block.header.height < self.next => continue,
                _ => {}
            }
            let tip = self.api.node.height().await.ok()?;
            if self.next <= tip {
                let FinalBlock { header, record, .. } = self.api.node.block(self.next).await.ok()??;
                return self.pass(Finalized { header, record: Arc::new(record) });
            }
            tokio::select! {
                news = timeout(LOOK, self.news.recv()) => match news {
                    Ok(Ok(block)) if block.header.height == self.next => return self.pass(block),
                    Ok(Err(RecvError::Closed)) => return None,
                    // Whatever came, or how many were missed: blocks are read by height.
                    _ => {}
                },
                () = closed(self.api.closing.clone()) => return None,
            }
        }
    }

    fn pass(&mut self, block: Finalized) -> Option<Finalized> {
        self.next = self.next.next()?;
        Some(block)
    }
}
