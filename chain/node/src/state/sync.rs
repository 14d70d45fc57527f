//! The place of state sync. A new node replays blocks; fetching a certified state comes later.

use super::{Databases, StateDb, Value};
use crate::consensus::{Digest, Runtime};
use commonware_glue::stateful::db::AttachableResolver;
use commonware_storage::mmr;
use commonware_storage::qmdb::any::unordered::variable::Operation;
use commonware_storage::qmdb::sync::{Source, source};
use std::convert::Infallible;
use std::marker::PhantomData;

/// A resolver through which nothing is fetched and nothing is served.
pub(crate) struct NoStateSync<E>(PhantomData<fn() -> E>);

impl<E> Default for NoStateSync<E> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<E> Clone for NoStateSync<E> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<E: Runtime> Source for NoStateSync<E> {
    type Family = mmr::Family;
    type Digest = Digest;
    type Op = Operation<mmr::Family, Digest, Value>;
    type Error = Infallible;

    async fn serve(&self, _: source::Request<Self::Family>) -> source::Result<Self> {
        std::future::pending().await
    }
}

impl<E: Runtime> AttachableResolver<StateDb<E>> for NoStateSync<E> {
    async fn attach_database(&self, _: Databases<E>) {}
}
