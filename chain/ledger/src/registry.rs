//! Digests in force under a name: rule packs, allow-lists, halts, the network's own parameters.
//!
//! The ledger keeps digests, never content. Each change is a leaf, and what is in force stands in every
//! epoch's `Standing`.

use crate::block::Context;
use crate::bounded::{Maybe, Text, numbered, record};
use crate::event::{Event, RegistryChanged};
use crate::halt::Run;
use crate::limits::MAX_NAME;
use crate::outcome::Effect;
use crate::standing::say;
use crate::state::{Slot, View};
use crate::tx::{RevokeDigest, SetDigest};
use crate::work::Work;
use zeugma_proof::body::Registered;
use zeugma_types::{Code, Height, Refusal};

numbered! {
    /// What an entry is.
    pub enum Kind {
        /// The network's parameters; changed by governance only.
        Parameters = 1, "parameters";
        /// A pack of rules.
        RulePack = 2, "rule-pack";
        /// A list of what is allowed: assets, receivers, institutions.
        AllowList = 3, "allow-list";
        /// An order that halts what it is named after: a client's route, an asset or an account
        /// ([`crate::app::transfer`]).
        Halt = 4, "halt";
    }
}

record! {
    /// One entry.
    pub struct Entry {
        /// What is in force, or nothing once revoked.
        pub digest: Maybe<[u8; 32]>,
        /// Since when.
        pub from: Height,
    }
}

/// The name of the entry of the parameters.
pub const PARAMETERS_NAME: &str = "ledger";

/// The digest in force under a name.
pub(crate) fn in_force(view: &View<'_>, kind: Kind, name: &Text<MAX_NAME>) -> Run<Option<[u8; 32]>> {
    let entry = view.load::<Entry>(Slot::Registry(kind.number(), name))?;
    Ok(entry.and_then(|entry| entry.digest.0))
}

pub(crate) fn set(work: &mut Work<'_>, message: &SetDigest) -> Run<Effect> {
    require_open_kind(message.kind)?;
    if in_force(&work.view, message.kind, &message.name)? == Some(message.digest) {
        return Ok(Effect::AlreadyDone);
    }
    let context = work.block.context();
    write(&mut work.view, context, message.kind, &message.name, Some(message.digest))?;
    Ok(Effect::Applied)
}

pub(crate) fn revoke(work: &mut Work<'_>, message: &RevokeDigest) -> Run<Effect> {
    require_open_kind(message.kind)?;
    match work.view.load::<Entry>(Slot::Registry(message.kind.number(), &message.name))? {
        None => return Err(Refusal::new(Code::NotInForce).into()),
        Some(entry) if entry.digest.0.is_none() => return Ok(Effect::AlreadyDone),
        Some(_) => {}
    }
    let context = work.block.context();
    write(&mut work.view, context, message.kind, &message.name, None)?;
    Ok(Effect::Applied)
}

/// Writes an entry, says it and tells it.
pub(crate) fn write(
    view: &mut View<'_>,
    context: &Context,
    kind: Kind,
    name: &Text<MAX_NAME>,
    digest: Option<[u8; 32]>,
) -> Run<()> {
    let entry = Entry { digest: Maybe(digest), from: context.height };
    view.save(Slot::Registry(kind.number(), name), &entry);
    let said = Registered { kind: kind.number(), name: name.as_str().into(), digest, from: context.height };
    let index = say(view, context, &said)?;
    view.tell(Event::RegistryChanged(RegistryChanged { kind, name: name.clone(), index }));
    Ok(())
}

fn require_open_kind(kind: Kind) -> Result<(), Refusal> {
    match kind {
        Kind::Parameters => Err(Refusal::new(Code::ReservedKind).found(kind.name())),
        Kind::RulePack | Kind::AllowList | Kind::Halt => Ok(()),
    }
}
