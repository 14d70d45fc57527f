//! Transactions: what an account asks for, and the proof that it did.

mod checked;
mod message;

pub use checked::{Checked, OpenPayload, SignedBody, Transaction, Until, account_of};
pub use message::{
    Acknowledge, AnchorLog, Approve, CancelRecovery, ClaimTimeout, CreateClient, FinishRecovery, Message,
    Opaque, Propose, ProposeRecovery, RecvPacket, RegisterCounterparty, RegisterOrigin, RejectHold,
    ReleaseHold, ReportSplitView, RevokeDigest, SecondTree, SendPacket, SetDigest, StoreProof,
    SubmitMisbehaviour, Timeout, UpdateClient,
};
