//! What the API answers, as JSON. Bytes are hexadecimal, times are milliseconds since the Unix epoch. Where a
//! value has canonical bytes they stand beside the view: the view is for people, the bytes are for programs.

use crate::handle::{Certified, Entered, FinalBlock, Status};
use crate::outbox::BlockRecord;
use crate::stream::Finalized;
use serde::Serialize;
use std::collections::BTreeMap;
use zeugma_ledger::account::Account;
use zeugma_ledger::gov::Parameters;
use zeugma_ledger::{Event, Genesis, Outcome, account_of};
use zeugma_proof::Header;
use zeugma_types::{Encode, Refusal, Side};

/// An error: RFC 9457.
#[derive(Debug, Serialize)]
pub(super) struct ProblemView {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) title: String,
    pub(super) status: u16,
    pub(super) code: Option<u16>,
    pub(super) name: String,
    pub(super) detail: String,
    pub(super) needed: Option<String>,
    pub(super) found: Option<String>,
}

#[derive(Serialize)]
pub(super) struct PointView {
    pub(super) height: u64,
    pub(super) time: u64,
}

#[derive(Serialize)]
pub(super) struct MempoolView {
    pub(super) transactions: usize,
    pub(super) bytes: usize,
}

#[derive(Serialize)]
pub(super) struct NodeView {
    pub(super) network: String,
    pub(super) name: String,
    pub(super) height: u64,
    pub(super) era: u64,
    pub(super) epoch: u64,
    pub(super) program: u32,
    pub(super) certified: Option<PointView>,
    pub(super) mempool: MempoolView,
    pub(super) peers: Vec<PeerView>,
    pub(super) stopped: Option<String>,
}

/// Another validator.
#[derive(Serialize)]
pub(super) struct PeerView {
    pub(super) index: u32,
    pub(super) name: String,
    pub(super) connected: bool,
    pub(super) height: Option<u64>,
}

#[derive(Serialize)]
struct ValidatorView {
    name: String,
    role: String,
    key: String,
}

#[derive(Serialize)]
struct FounderView {
    id: String,
    key: String,
    roles: Vec<&'static str>,
}

#[derive(Serialize)]
struct ParametersView {
    block_cost: u64,
    transaction_cost: u64,
    allowance_capacity: u64,
    allowance_per_second: u64,
    recovery_delay: u64,
    governors_needed: u16,
    notice: u64,
    proposal_lifetime: u64,
    open_submission: &'static str,
    families: Vec<u16>,
}

impl From<&Parameters> for ParametersView {
    fn from(of: &Parameters) -> Self {
        Self {
            block_cost: of.block_cost.get(),
            transaction_cost: of.transaction_cost.get(),
            allowance_capacity: of.allowance_capacity,
            allowance_per_second: of.allowance_per_second,
            recovery_delay: of.recovery_delay.get(),
            governors_needed: of.governors_needed,
            notice: of.notice,
            proposal_lifetime: of.proposal_lifetime,
            open_submission: of.open_submission.name(),
            families: of.families.iter().copied().collect(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct GenesisView {
    network: String,
    bytes: String,
    name: String,
    time: u64,
    epoch_length: u64,
    validators: Vec<ValidatorView>,
    accounts: Vec<FounderView>,
    parameters: ParametersView,
}

impl From<&Genesis> for GenesisView {
    fn from(genesis: &Genesis) -> Self {
        Self {
            network: genesis.network().to_string(),
            bytes: hex::encode(genesis.to_bytes()),
            name: genesis.name.to_string(),
            time: genesis.time.get(),
            epoch_length: genesis.epoch_length,
            validators: (genesis.validators.iter())
                .map(|each| ValidatorView {
                    name: each.name.to_string(),
                    role: each.role.to_string(),
                    key: hex::encode(each.key),
                })
                .collect(),
            accounts: (genesis.accounts.iter())
                .map(|each| FounderView {
                    id: account_of(&each.key).to_string(),
                    key: hex::encode(each.key),
                    roles: each.roles.iter().map(|role| role.name()).collect(),
                })
                .collect(),
            parameters: (&genesis.parameters).into(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct SubmittedView {
    pub(super) id: String,
}

/// What became of a batch at the door.
#[derive(Serialize)]
pub(super) struct BatchView {
    /// How many were taken.
    accepted: usize,
    /// The others.
    refused: Vec<NotTakenView>,
}

#[derive(Serialize)]
struct NotTakenView {
    /// Its place in the batch, from 0.
    number: usize,
    refusal: RefusalView,
}

impl BatchView {
    pub(super) fn new(entered: &[Entered]) -> Self {
        let refused = entered.iter().enumerate().filter_map(|(number, entered)| {
            Some(NotTakenView { number, refusal: entered.as_ref().err()?.into() })
        });
        let refused: Vec<_> = refused.collect();
        Self { accepted: entered.len() - refused.len(), refused }
    }
}

#[derive(Serialize)]
pub(super) struct RefusalView {
    code: u16,
    name: &'static str,
    permanence: &'static str,
    en: &'static str,
    zh: &'static str,
    needed: Option<String>,
    found: Option<String>,
}

impl From<&Refusal> for RefusalView {
    fn from(refusal: &Refusal) -> Self {
        let side = |side: &Side| (*side != Side::Nothing).then(|| side.to_string());
        Self {
            code: refusal.code.number(),
            name: refusal.code.name(),
            permanence: match refusal.permanence() {
                zeugma_types::Permanence::Never => "never",
                zeugma_types::Permanence::NotYet => "not-yet",
            },
            en: refusal.code.en(),
            zh: refusal.code.zh(),
            needed: side(&refusal.needed),
            found: side(&refusal.found),
        }
    }
}

#[derive(Serialize)]
pub(super) struct OutcomeView {
    result: &'static str,
    message: Option<u8>,
    refusal: Option<RefusalView>,
    bytes: String,
}

impl From<&Outcome> for OutcomeView {
    fn from(outcome: &Outcome) -> Self {
        let (result, message) = match outcome {
            Outcome::Done { .. } => ("done", None),
            Outcome::Refused { message, .. } => ("refused", Some(*message)),
            Outcome::NotAdmitted { .. } => ("not-admitted", None),
        };
        let refusal = outcome.refusal().map(|recorded| (&recorded.to_refusal()).into());
        Self { result, message, refusal, bytes: hex::encode(outcome.to_bytes()) }
    }
}

#[derive(Serialize)]
pub(super) struct StatusView {
    id: String,
    status: &'static str,
    height: Option<u64>,
    number: Option<u32>,
    outcome: Option<OutcomeView>,
    refusal: Option<RefusalView>,
}

impl StatusView {
    pub(super) fn new(id: &[u8; 32], status: &Status) -> Self {
        let bare = |status| Self {
            id: hex::encode(id),
            status,
            height: None,
            number: None,
            outcome: None,
            refusal: None,
        };
        match status {
            Status::Unknown => bare("unknown"),
            Status::Waiting => bare("waiting"),
            Status::Dropped { refusal } => Self { refusal: Some(refusal.into()), ..bare("dropped") },
            Status::Final { height, number, outcome } => Self {
                height: Some(height.get()),
                number: Some(*number),
                outcome: Some(outcome.into()),
                ..bare("final")
            },
        }
    }
}

#[derive(Serialize)]
struct RootView {
    suite: &'static str,
    root: String,
}

#[derive(Serialize)]
pub(super) struct HeaderView {
    network: String,
    era: u64,
    epoch: u64,
    height: u64,
    time: u64,
    view: u64,
    parent_view: u64,
    leader: String,
    parent: String,
    body: String,
    state_root: String,
    state_begin: u64,
    state_end: u64,
    outbox_size: u64,
    outbox_roots: Vec<RootView>,
    digest: String,
    bytes: String,
}

impl From<&Header> for HeaderView {
    fn from(header: &Header) -> Self {
        Self {
            network: header.network.to_string(),
            era: header.era.get(),
            epoch: header.epoch.get(),
            height: header.height.get(),
            time: header.time.get(),
            view: header.context.view.get(),
            parent_view: header.context.parent_view.get(),
            leader: hex::encode(header.context.leader),
            parent: header.parent.to_string(),
            body: header.body.to_string(),
            state_root: header.state.root.to_string(),
            state_begin: header.state.begin,
            state_end: header.state.end,
            outbox_size: header.outbox.size.get(),
            outbox_roots: (header.outbox.roots().iter())
                .map(|(suite, root)| RootView { suite: suite.name(), root: root.to_string() })
                .collect(),
            digest: header.digest().to_string(),
            bytes: hex::encode(header.to_bytes()),
        }
    }
}

#[derive(Serialize)]
pub(super) struct CertifiedView {
    height: u64,
    /// Canonical bytes of the header.
    header: String,
    /// Canonical bytes of the certificate.
    certificate: String,
    view: HeaderView,
    certificate_epoch: u64,
    certificate_view: u64,
    certificate_parent_view: u64,
    signature: String,
}

impl From<&Certified> for CertifiedView {
    fn from(Certified { header, certificate }: &Certified) -> Self {
        Self {
            height: header.height.get(),
            header: hex::encode(header.to_bytes()),
            certificate: hex::encode(certificate.to_bytes()),
            view: header.into(),
            certificate_epoch: certificate.epoch.get(),
            certificate_view: certificate.view.get(),
            certificate_parent_view: certificate.parent_view.get(),
            signature: hex::encode(certificate.signature),
        }
    }
}

#[derive(Serialize)]
struct TransactionView {
    id: String,
    /// Canonical bytes.
    bytes: String,
    outcome: OutcomeView,
}

#[derive(Serialize)]
struct LeafView {
    index: u64,
    namespace: &'static str,
    path: String,
    value: String,
    opening: Option<String>,
}

#[derive(Serialize)]
pub(super) struct EventView {
    transaction: Option<u32>,
    name: &'static str,
    bytes: String,
    #[serde(flatten)]
    words: BTreeMap<&'static str, serde_json::Value>,
}

fn events(record: &BlockRecord) -> Vec<EventView> {
    let view = |(transaction, event): &(Option<u32>, Event)| EventView {
        transaction: *transaction,
        name: event.name(),
        bytes: hex::encode(event.to_bytes()),
        words: super::words::of(event),
    };
    record.events.iter().map(view).collect()
}

#[derive(Serialize)]
pub(super) struct BlockView {
    header: HeaderView,
    transactions: Vec<TransactionView>,
    leaves: Vec<LeafView>,
    events: Vec<EventView>,
}

impl From<&FinalBlock> for BlockView {
    fn from(block: &FinalBlock) -> Self {
        let pairs = block.transactions.iter().zip(&block.record.transactions);
        Self {
            header: (&block.header).into(),
            transactions: pairs
                .map(|(bytes, (id, outcome))| TransactionView {
                    id: hex::encode(id),
                    bytes: hex::encode(bytes),
                    outcome: outcome.into(),
                })
                .collect(),
            leaves: (block.record.first_leaf..)
                .zip(&block.record.said)
                .map(|(index, said)| LeafView {
                    index,
                    namespace: said.path.namespace().name(),
                    path: hex::encode(said.path.path()),
                    value: said.value.to_string(),
                    opening: said.opening.as_ref().map(hex::encode),
                })
                .collect(),
            events: events(&block.record),
        }
    }
}

/// What a follower gets of one block.
#[derive(Serialize)]
pub(super) struct HappenedView {
    height: u64,
    time: u64,
    /// Leaves of the outbox after the block.
    outbox: u64,
    transactions: usize,
    events: Vec<EventView>,
    /// The transactions' names, for who asked for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    ids: Option<Vec<String>>,
    /// The numbers of those that did not take effect, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<Vec<usize>>,
}

impl From<&FinalBlock> for HappenedView {
    fn from(block: &FinalBlock) -> Self {
        Self::new(&block.header, &block.record)
    }
}

impl From<&Finalized> for HappenedView {
    fn from(block: &Finalized) -> Self {
        Self::new(&block.header, &block.record)
    }
}

impl HappenedView {
    fn new(header: &Header, record: &BlockRecord) -> Self {
        Self {
            height: header.height.get(),
            time: header.time.get(),
            outbox: header.outbox.size.get(),
            transactions: record.transactions.len(),
            events: events(record),
            ids: None,
            refused: None,
        }
    }

    /// With the transactions by name.
    pub(super) fn with_ids(mut self, record: &BlockRecord) -> Self {
        let refused = record.transactions.iter().enumerate().filter(|(_, (_, outcome))| !outcome.is_done());
        self.refused = Some(refused.map(|(number, _)| number).collect());
        self.ids = Some(record.transactions.iter().map(|(id, _)| hex::encode(id)).collect());
        self
    }
}

#[derive(Serialize)]
pub(super) struct EventsView {
    /// Where to go on.
    pub(super) next: u64,
    /// The newest height when this was answered.
    pub(super) tip: u64,
    /// Blocks with an event, ascending; all in between have none.
    pub(super) blocks: Vec<HappenedView>,
}

#[derive(Serialize)]
pub(super) struct ProofView {
    pub(super) proof: String,
}

#[derive(Serialize)]
pub(super) struct ValueView {
    pub(super) height: u64,
    pub(super) value: Option<String>,
}

#[derive(Serialize)]
pub(super) struct ClientView {
    pub(super) id: String,
    pub(super) family: u16,
    pub(super) family_name: &'static str,
    pub(super) status: &'static str,
    pub(super) latest: u64,
    pub(super) expires_at: Option<u64>,
    pub(super) frozen: Option<PointView>,
    pub(super) finality: String,
    pub(super) counterparty: Option<String>,
    /// Canonical bytes of the client's record.
    pub(super) bytes: String,
}

#[derive(Serialize)]
pub(super) struct StoredView {
    pub(super) height: u64,
    pub(super) time: u64,
    pub(super) verified_at: u64,
}

#[derive(Serialize)]
pub(super) struct StatesView {
    pub(super) states: Vec<StoredView>,
}

#[derive(Serialize)]
pub(super) struct PacketView {
    pub(super) height: u64,
    pub(super) commitment: Option<String>,
    pub(super) receipt: Option<&'static str>,
    pub(super) acknowledgement: Option<String>,
}

#[derive(Serialize)]
pub(super) struct AccountView {
    id: String,
    roles: Vec<&'static str>,
    highest_sequence: u64,
    allowance_thousandths: u64,
    allowance_at: u64,
    bytes: String,
}

impl AccountView {
    pub(super) fn new(id: &zeugma_types::AccountId, account: &Account) -> Self {
        Self {
            id: id.to_string(),
            roles: account.roles.iter().map(|role| role.name()).collect(),
            highest_sequence: account.used.highest,
            allowance_thousandths: account.allowance.thousandths,
            allowance_at: account.allowance.at.get(),
            bytes: hex::encode(account.to_bytes()),
        }
    }
}

#[derive(Serialize)]
pub(super) struct EntryView {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) digest: Option<String>,
    pub(super) from: u64,
}
