//! Every bound of the ledger, in one place. A length read from bytes is compared with one of these
//! before anything is allocated.

/// Longest encoded transaction, in bytes. A client update of the largest family and a batch of fifty
/// packets with their proofs fit.
pub const MAX_TRANSACTION: usize = 512 * 1024;
/// Most messages of one transaction.
pub const MAX_MESSAGES: usize = 64;
/// Longest opaque payload, in bytes.
pub const MAX_OPAQUE: usize = 64 * 1024;

/// Longest profile of a client, in bytes, whatever its family.
pub const MAX_PROFILE: usize = 32 * 1024;
/// Longest trusted state of a client, in bytes, whatever its family.
pub const MAX_CLIENT_STATE: usize = 64 * 1024;
/// Longest client update, in bytes, whatever its family.
pub const MAX_UPDATE: usize = 256 * 1024;
/// Longest evidence of misbehaviour, in bytes, whatever its family.
pub const MAX_EVIDENCE: usize = 480 * 1024;
/// Longest store proof, in bytes, whatever its family.
pub const MAX_PROOF: usize = 64 * 1024;
/// Most families of one program.
pub const MAX_FAMILIES: usize = 32;

/// Most payloads of one packet.
pub const MAX_PAYLOADS: usize = 8;
/// Longest values of all payloads of one packet together, in bytes. A larger packet cannot be
/// received; it can be closed, since closing needs only its digest.
pub const MAX_PACKET: usize = 64 * 1024;
/// Longest port identifier, in bytes (ICS-24).
pub const MAX_PORT: usize = 128;
/// Longest version or encoding of a payload, in bytes.
pub const MAX_PAYLOAD_WORD: usize = 128;
/// Longest acknowledgement of one payload, in bytes.
pub const MAX_ACKNOWLEDGEMENT: usize = 32 * 1024;
/// Longest refusal kept of a payload that an application refused, in bytes of each side.
pub const MAX_REFUSAL_SIDE: usize = 96;
/// Furthest timeout ahead of the block's time, in whole seconds: what stock routers accept.
pub const MAX_TIMEOUT_AHEAD: u64 = 24 * 60 * 60;
/// Most packets held on one route at once; one more gets the error acknowledgement.
pub const MAX_HELD: usize = 256;
/// Whole seconds by which the timeout of a forwarded packet is earlier than that of the packet it came in.
pub const HOP_SECONDS: u64 = 60;
/// Longest body of a message of the `message` port, in bytes.
pub const MAX_MESSAGE_BODY: usize = 16 * 1024;
/// Longest sender inside a payload, in bytes.
pub const MAX_SENDER: usize = 128;

/// Longest origin of an evidence log, in bytes.
pub const MAX_ORIGIN: usize = 128;
/// Longest signed note, in bytes: a checkpoint with extension lines and thirty signatures.
pub const MAX_NOTE: usize = 8 * 1024;
/// Most lines of a signed note.
pub const MAX_NOTE_LINES: usize = 64;

/// Longest name in the registry, in bytes.
pub const MAX_NAME: usize = 64;
/// Buckets over which the entries of `Standing` are spread by the hash of their path.
pub const STANDING_BUCKETS: u8 = 64;
/// Most entries of one bucket.
pub const MAX_STANDING_BUCKET: usize = 256;

/// Most governors that may approve one proposal.
pub const MAX_APPROVALS: usize = 32;
/// Most changes that wait for their height.
pub const MAX_SCHEDULED: usize = 32;
/// Longest wait of an activation after its approval, in blocks: about a year of one-second blocks.
pub const MAX_ACTIVATION_AHEAD: u64 = 365 * 24 * 60 * 60;

/// Most validators of a network.
pub const MAX_VALIDATORS: usize = 256;
/// Most accounts of a genesis.
pub const MAX_GENESIS_ACCOUNTS: usize = 4_096;
/// Fewest blocks of an epoch: its last one is special, and must not be every one.
pub const MIN_EPOCH_LENGTH: u64 = 2;
/// Most blocks of an epoch: a week of one-second blocks, so that what stands is said at least that often.
pub const MAX_EPOCH_LENGTH: u64 = 7 * 24 * 60 * 60;
/// Longest encoded genesis, in bytes.
pub const MAX_GENESIS: usize = 1024 * 1024;

/// Sequences of an account that may be used out of order, behind the highest used one.
pub const SEQUENCE_WINDOW: u64 = 256;
/// Furthest a sequence may run ahead of the highest used one.
pub const MAX_SEQUENCE_JUMP: u64 = 4_096;
