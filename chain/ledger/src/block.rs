//! The block around transactions: what consensus says of it, and what holds during it.

use crate::families::Families;
use crate::gov::{self, Parameters};
use crate::halt::{Halt, Run};
use crate::standing;
use crate::state::{Effects, Key, Reads, Slot, View};
use alloc::vec::Vec;
use zeugma_types::{BlockTime, Code, Cost, Epoch, Era, Height, NetworkId, Refusal, TreeSize};

/// The version of this program's rules. A change of any rule that all nodes must share raises it.
pub const PROGRAM: u32 = 1;

/// What consensus says of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// The network.
    pub network: NetworkId,
    /// The block's height, at least 1.
    pub height: Height,
    /// The block's time, greater than its parent's.
    pub time: BlockTime,
    /// The era.
    pub era: Era,
    /// The epoch.
    pub epoch: Epoch,
    /// Leaves of the outbox before the block.
    pub outbox: TreeSize,
    /// The version of the program that runs: [`PROGRAM`], outside of tests of upgrades.
    pub program: u32,
}

/// Where in its epoch a block stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Another block of the epoch follows.
    Within,
    /// The last block of its epoch.
    Last,
}

/// A block that began: only [`Ledger::begin_block`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    context: Context,
    parameters: Parameters,
    outbox: TreeSize,
    spent: Cost,
}

impl Block {
    /// What consensus says of it.
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// The parameters in force during it.
    #[must_use]
    pub const fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Leaves of the outbox so far.
    #[must_use]
    pub const fn outbox(&self) -> TreeSize {
        self.outbox
    }

    /// Work of its transactions so far.
    #[must_use]
    pub const fn spent(&self) -> Cost {
        self.spent
    }

    /// Work that is left for more transactions.
    #[must_use]
    pub const fn left(&self) -> Cost {
        Cost::new(self.parameters.block_cost.get().saturating_sub(self.spent.get()))
    }

    /// Takes note of the effects of one step, which the caller has laid over its reads.
    ///
    /// # Errors
    /// [`Code::OutOfRange`] when the outbox would have more leaves than can be counted.
    pub fn advance(&mut self, effects: &Effects, cost: Cost) -> Result<(), Refusal> {
        let leaves = self.outbox.get().checked_add(effects.leaves.len() as u64);
        self.outbox = TreeSize::new(leaves.ok_or_else(|| Refusal::new(Code::OutOfRange))?);
        self.spent = self.spent.plus(cost);
        Ok(())
    }
}

/// How a step at the edge of a block ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edge<T> {
    /// These keys are needed; fetch them and ask again.
    Need(Vec<Key>),
    /// It is done.
    Done(T),
    /// The store holds bytes under this key that this program never wrote: stop the node.
    Corrupt(Key),
    /// From this height on a newer program is needed: stop the node cleanly.
    Upgrade {
        /// The version that is needed.
        needed: u32,
    },
}

/// The rules of the ledger over one table of families.
#[derive(Clone, Copy)]
pub struct Ledger<'a> {
    families: Families<'a>,
}

impl<'a> Ledger<'a> {
    /// The ledger that follows chains of these families.
    #[must_use]
    pub const fn new(families: Families<'a>) -> Self {
        Self { families }
    }

    /// The families.
    #[must_use]
    pub const fn families(&self) -> Families<'a> {
        self.families
    }

    /// Begins a block: brings changes into force whose height has come.
    #[must_use]
    pub fn begin_block(&self, context: &Context, reads: &dyn Reads) -> Edge<(Block, Effects)> {
        let mut view = View::new(reads, context.outbox);
        match begin(&mut view, context) {
            Ok((_, needed)) if needed > context.program => Edge::Upgrade { needed },
            Ok((parameters, _)) => {
                let effects = view.finish();
                let mut block =
                    Block { context: *context, parameters, outbox: context.outbox, spent: Cost::ZERO };
                match block.advance(&effects, Cost::ZERO) {
                    Ok(()) => Edge::Done((block, effects)),
                    Err(_) => Edge::Corrupt(Slot::Counters.key()),
                }
            }
            Err(halt) => stopped(halt, &view),
        }
    }

    /// Ends a block: at the end of an epoch, says what is in force.
    #[must_use]
    pub fn end_block(&self, block: &Block, place: Place, reads: &dyn Reads) -> Edge<Effects> {
        let mut view = View::new(reads, block.outbox());
        let ended = match place {
            Place::Within => Ok(()),
            Place::Last => standing::end_epoch(&mut view, block.context()),
        };
        match ended {
            Ok(()) => Edge::Done(view.finish()),
            Err(halt) => stopped(halt, &view),
        }
    }
}

/// The parameters in force, and the program version that is needed. A change for a newer program is not
/// touched by an older one.
fn begin(view: &mut View<'_>, context: &Context) -> Run<(Parameters, u32)> {
    view.want([Slot::Parameters.key(), Slot::Counters.key(), Slot::Schedule.key()])?;
    if gov::counters(view)?.program <= context.program {
        gov::activate(view, context)?;
    }
    let parameters = gov::parameters(view)?;
    if context.height == Height::new(1) {
        gov::say_parameters(view, context, &parameters)?;
    }
    Ok((parameters, gov::counters(view)?.program))
}

/// The edges of a block refuse nothing by rule; a bound that is exceeded there means a state of another
/// program.
fn stopped<T>(halt: Halt, view: &View<'_>) -> Edge<T> {
    match halt {
        Halt::Missing => Edge::Need(view.missing()),
        Halt::Corrupt(key) => Edge::Corrupt(key),
        Halt::Refused(_) => Edge::Corrupt(Slot::Parameters.key()),
    }
}
