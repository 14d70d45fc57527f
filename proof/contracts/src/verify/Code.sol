// SPDX-License-Identifier: MIT OR Apache-2.0
// Made by `cargo xtask docs`; not edited by hand.
pragma solidity ^0.8.30;

/// The refusal codes: one table for every verifier.
library Code {
    /// something that must not be empty is empty (never)
    uint16 internal constant Empty = 100;
    /// a length is above its bound (never)
    uint16 internal constant TooLong = 101;
    /// a list has more items than its bound (never)
    uint16 internal constant TooMany = 102;
    /// the bytes end before the value does (never)
    uint16 internal constant Truncated = 103;
    /// bytes are left over after the value (never)
    uint16 internal constant TrailingBytes = 104;
    /// a tag, a version or a number is not one this format knows (never)
    uint16 internal constant UnknownTag = 105;
    /// the value has another encoding, the canonical one (never)
    uint16 internal constant NotCanonical = 106;
    /// the bytes are not text (never)
    uint16 internal constant BadText = 107;
    /// a number is outside its range (never)
    uint16 internal constant OutOfRange = 108;
    /// a list is not in strictly ascending order (never)
    uint16 internal constant NotSorted = 109;
    /// an identifier breaks its rules (never)
    uint16 internal constant BadIdentifier = 110;
    /// a weight is zero (never)
    uint16 internal constant ZeroWeight = 111;
    /// the file is of another kind (never)
    uint16 internal constant BadMagic = 112;
    /// the algorithm is refused (never)
    uint16 internal constant RefusedAlgorithm = 200;
    /// the bytes are not a public key (never)
    uint16 internal constant BadKey = 201;
    /// the signature is not of this key over these bytes (never)
    uint16 internal constant BadSignature = 202;
    /// the set of members is empty (never)
    uint16 internal constant EmptySet = 203;
    /// a signer is not in the set (never)
    uint16 internal constant UnknownSigner = 204;
    /// a signer is counted twice (never)
    uint16 internal constant RepeatedSigner = 205;
    /// the signers are fewer than the quorum (never)
    uint16 internal constant QuorumNotReached = 206;
    /// a member stands in the set twice (never)
    uint16 internal constant RepeatedMember = 207;
    /// the proof is of another network (never)
    uint16 internal constant WrongNetwork = 300;
    /// the era is not in the trust file (never)
    uint16 internal constant UnknownEra = 301;
    /// the era's key is retired; prove the leaf under the present key (never)
    uint16 internal constant RetiredEra = 302;
    /// the certificate is of another epoch than the header (never)
    uint16 internal constant WrongEpoch = 303;
    /// the header has no root of this hash suite (never)
    uint16 internal constant NoSuchRoot = 305;
    /// the index is not below the size of the tree (never)
    uint16 internal constant IndexOutOfTree = 306;
    /// the proof has another number of hashes than its tree requires (never)
    uint16 internal constant PathLength = 307;
    /// the path does not lead to the root (never)
    uint16 internal constant NotIncluded = 308;
    /// the smaller tree is not the beginning of the larger (never)
    uint16 internal constant NotConsistent = 309;
    /// a retired era needs the proof into the root its hand-over pinned (never)
    uint16 internal constant ConsistencyMissing = 310;
    /// the outbox is larger than the one the hand-over pinned (never)
    uint16 internal constant BeyondPin = 311;
    /// the leaf is younger than the header that proves it (never)
    uint16 internal constant LeafAhead = 312;
    /// this verifier does not check signatures of this suite (never)
    uint16 internal constant UnsupportedSuite = 313;
    /// the leaf speaks of another path (never)
    uint16 internal constant WrongPath = 314;
    /// the leaf has another value (never)
    uint16 internal constant WrongValue = 315;
    /// the body does not hash to the leaf's value (never)
    uint16 internal constant WrongOpening = 316;
    /// the body of the leaf is needed and not there (never)
    uint16 internal constant OpeningMissing = 317;
    /// the entry is not in force (never)
    uint16 internal constant NotStanding = 318;
    /// the neighbours do not show that the path is absent (never)
    uint16 internal constant NotAbsent = 319;
    /// only a retired era takes a consistency proof (never)
    uint16 internal constant ConsistencyUnneeded = 320;
    /// the hand-over is not the leaf right after the outbox it pins (never)
    uint16 internal constant NotEraEnd = 321;
    /// the key's trusting period is over; a newer signed trust file is needed (not yet)
    uint16 internal constant TrustExpired = 340;
    /// the hand-over is not to the next era (never)
    uint16 internal constant NotNextEra = 341;
    /// the delay has not passed (not yet)
    uint16 internal constant TooEarly = 342;
    /// the present key still lives, so the substitute is not usable (never)
    uint16 internal constant SubstituteCancelled = 343;
    /// the trust file lacks the signatures asked for (never)
    uint16 internal constant TrustFileUnsigned = 344;
    /// the algorithm was past its sunset (never)
    uint16 internal constant AlgorithmSunset = 345;
    /// the bytes are for another family of chains (never)
    uint16 internal constant WrongFamily = 400;
    /// the header is of another chain (never)
    uint16 internal constant WrongChain = 401;
    /// the client is frozen (not yet)
    uint16 internal constant ClientFrozen = 402;
    /// the client's trusted state is older than its trusting period (not yet)
    uint16 internal constant ClientExpired = 403;
    /// the header is ahead of the clock by more than the drift allows (not yet)
    uint16 internal constant HeaderAhead = 404;
    /// the header is not newer than the trusted one (never)
    uint16 internal constant NotNewer = 405;
    /// time does not grow with height (never)
    uint16 internal constant TimeNotMonotonic = 406;
    /// the validators are not those the header names (never)
    uint16 internal constant WrongMembers = 407;
    /// the validators are not those the trusted header announced (never)
    uint16 internal constant WrongNextMembers = 408;
    /// too little of the trusted power signed; go through a header in between (not yet)
    uint16 internal constant TrustTooThin = 409;
    /// the client holds no state of this height (not yet)
    uint16 internal constant NoStateAt = 410;
    /// the commit signs another header (never)
    uint16 internal constant WrongCommit = 411;
    /// the proof does not have the shape its tree requires (never)
    uint16 internal constant ProofShape = 412;
    /// the proof does not show this value under this key (never)
    uint16 internal constant NotProven = 413;
    /// the proof does not show that the key is absent (never)
    uint16 internal constant AbsenceNotProven = 414;
    /// the evidence shows no misbehaviour (never)
    uint16 internal constant NoMisbehaviour = 415;
    /// the profile's relations do not hold (never)
    uint16 internal constant BadProfile = 416;
    /// the family cannot show this (never)
    uint16 internal constant NotUnderstood = 417;
    /// a field of the header breaks a rule of its chain (never)
    uint16 internal constant BadHeader = 418;
    /// the client does not know the committee of that period yet; go through an update in between (not yet)
    uint16 internal constant CommitteeUnknown = 419;
    /// the update enters a period without bringing the committee after it (not yet)
    uint16 internal constant NextCommitteeMissing = 420;
    /// the transaction failed, so it shows nothing (never)
    uint16 internal constant TransactionFailed = 421;
    /// another contract emitted the event (never)
    uint16 internal constant WrongEmitter = 422;
    /// the account is not known to the network (not yet)
    uint16 internal constant UnknownAccount = 500;
    /// no role of the account allows this (not yet)
    uint16 internal constant NotAllowed = 501;
    /// the sequence was used, or lies behind the window (never)
    uint16 internal constant SequenceUsed = 502;
    /// the sequence runs too far ahead (not yet)
    uint16 internal constant SequenceAhead = 503;
    /// the transaction is past the block it was good until (never)
    uint16 internal constant TransactionLapsed = 504;
    /// the transaction is for another network (never)
    uint16 internal constant TransactionElsewhere = 505;
    /// the cost is above its limit (never)
    uint16 internal constant CostAboveLimit = 506;
    /// the block has no room for this cost (not yet)
    uint16 internal constant BlockFull = 507;
    /// the account's allowance is spent; it refills with time (not yet)
    uint16 internal constant AllowanceSpent = 508;
    /// payloads without a sender are not accepted here (not yet)
    uint16 internal constant SubmissionClosed = 509;
    /// there is no such client (not yet)
    uint16 internal constant UnknownClient = 520;
    /// the family is not allowed here (not yet)
    uint16 internal constant FamilyNotAllowed = 521;
    /// the client has no counterparty yet (not yet)
    uint16 internal constant NoCounterparty = 522;
    /// the client has its counterparty (never)
    uint16 internal constant CounterpartySet = 523;
    /// the packet names another client than the counterparty (never)
    uint16 internal constant WrongCounterparty = 524;
    /// another account created the client (never)
    uint16 internal constant NotCreator = 525;
    /// the route is halted by order (not yet)
    uint16 internal constant RouteHalted = 526;
    /// the client is active and needs no recovery (not yet)
    uint16 internal constant StillActive = 527;
    /// the substitute does not continue the client (not yet)
    uint16 internal constant NotContinuous = 528;
    /// no recovery is proposed (not yet)
    uint16 internal constant NoRecovery = 529;
    /// a recovery is already proposed (not yet)
    uint16 internal constant RecoveryProposed = 530;
    /// the packet's timeout has passed (never)
    uint16 internal constant PacketTimedOut = 540;
    /// the timeout is not reached (not yet)
    uint16 internal constant TimeoutNotReached = 541;
    /// the timeout is further ahead than accepted (not yet)
    uint16 internal constant TimeoutTooFar = 542;
    /// the packet was received, so it cannot be closed (never)
    uint16 internal constant PacketReceived = 543;
    /// the packet is closed and can never be received (never)
    uint16 internal constant PacketIsClosed = 544;
    /// the packet is not the one that was sent (never)
    uint16 internal constant WrongPacket = 545;
    /// the acknowledgements do not fit the payloads (never)
    uint16 internal constant WrongAcknowledgement = 546;
    /// no application has this port (not yet)
    uint16 internal constant UnknownPort = 547;
    /// the application does not read such a payload (never)
    uint16 internal constant WrongPayload = 548;
    /// the payload names another sender than the account (never)
    uint16 internal constant WrongSender = 549;
    /// the numbers of this kind are used up (never)
    uint16 internal constant NumbersSpent = 550;
    /// the account holds less of this asset (not yet)
    uint16 internal constant NotEnough = 551;
    /// more comes back than went out (never)
    uint16 internal constant MoreThanLocked = 552;
    /// the limit of this asset on this route is reached; it refills with time (not yet)
    uint16 internal constant LimitReached = 553;
    /// the asset is frozen by order (not yet)
    uint16 internal constant AssetFrozen = 554;
    /// the account is frozen by order (not yet)
    uint16 internal constant AccountFrozen = 555;
    /// the asset is not on the list of those that may come in (not yet)
    uint16 internal constant AssetNotListed = 556;
    /// an amount so large is held first, and the timeout comes too soon after its release (never)
    uint16 internal constant NoRoomToHold = 557;
    /// no packet of this number is held on this route (not yet)
    uint16 internal constant NotHeld = 558;
    /// the packet is held until its release time (not yet)
    uint16 internal constant HeldUntil = 559;
    /// the log is not registered (not yet)
    uint16 internal constant UnknownOrigin = 560;
    /// the log is registered (never)
    uint16 internal constant OriginKnown = 561;
    /// the checkpoint is not a signed note of its form (never)
    uint16 internal constant BadNote = 562;
    /// the checkpoint is of another log (never)
    uint16 internal constant WrongOrigin = 563;
    /// the checkpoint is older than the one anchored (never)
    uint16 internal constant CheckpointOlder = 564;
    /// the log's two trees are anchored together (never)
    uint16 internal constant SecondTreeNeeded = 565;
    /// the checkpoints can be of one tree (never)
    uint16 internal constant NoContradiction = 566;
    /// nothing is in force under this name (not yet)
    uint16 internal constant NotInForce = 567;
    /// entries of this kind change by governance only (never)
    uint16 internal constant ReservedKind = 568;
    /// there is no such proposal (not yet)
    uint16 internal constant UnknownProposal = 580;
    /// the account approved this before (never)
    uint16 internal constant AlreadyApproved = 581;
    /// the proposal has lapsed (never)
    uint16 internal constant ProposalLapsed = 582;
    /// too few governors would remain (not yet)
    uint16 internal constant TooFewGovernors = 583;
    /// a relation between parameters does not hold (never)
    uint16 internal constant BadParameters = 584;
    /// a newer program is needed from this height (not yet)
    uint16 internal constant ProgramTooOld = 585;
    /// the genesis breaks a rule (never)
    uint16 internal constant BadGenesis = 586;
    /// the readable part says something else than the canonical bytes (never)
    uint16 internal constant ViewDiffers = 600;
    /// the file is not a trust file, nor its JSON form (never)
    uint16 internal constant NotTrustJson = 601;
    /// the trust file has another fingerprint than the one given (never)
    uint16 internal constant WrongFingerprint = 602;
    /// the file exists, and is not written over (not yet)
    uint16 internal constant FileExists = 603;
    /// the file holds a secret and others may read it (not yet)
    uint16 internal constant OpenToOthers = 604;
    /// the file is not a key file (never)
    uint16 internal constant NotKeyFile = 605;
    /// the file could not be written (not yet)
    uint16 internal constant NotWritten = 606;
    /// a check failed (not yet)
    uint16 internal constant Unfit = 607;
    /// the node cannot go on (not yet)
    uint16 internal constant NodeEnded = 608;
    /// no group key was made (not yet)
    uint16 internal constant NoGroupKey = 609;
    /// the node does not answer this (not yet)
    uint16 internal constant Declined = 610;
    /// there is no such thing (not yet)
    uint16 internal constant NotThere = 611;
    /// it did not happen in time (not yet)
    uint16 internal constant TooSlow = 612;
    /// it was asked to end before it was done (not yet)
    uint16 internal constant Interrupted = 613;
    /// something else happened than must (never)
    uint16 internal constant Unexpected = 614;
    /// the disclosed fields are not those of the entry (never)
    uint16 internal constant WrongDisclosure = 700;
    /// the path names no tile of a log (never)
    uint16 internal constant BadTilePath = 701;
    /// the tile is not that of the tree (never)
    uint16 internal constant WrongTile = 702;
    /// the file is not a log proof of its form (never)
    uint16 internal constant BadLogProof = 703;
    /// the idempotency key was used with another body (never)
    uint16 internal constant KeyReused = 704;
    /// the index is being rebuilt; deposits wait for it (not yet)
    uint16 internal constant IndexBehind = 705;
    /// the disk has no room; nothing was stored (not yet)
    uint16 internal constant StoreFull = 706;
    /// the store could not make it durable (not yet)
    uint16 internal constant StoreFailed = 707;
    /// stored bytes are not those that were written (not yet)
    uint16 internal constant Damaged = 708;
    /// the log lost its tail; it goes on under a new origin only (never)
    uint16 internal constant TailLost = 709;
    /// the record was erased; its proof remains (never)
    uint16 internal constant RecordErased = 710;
    /// the log has no entry at this position (not yet)
    uint16 internal constant NoSuchEntry = 711;
    /// too many deposits wait; come back later (not yet)
    uint16 internal constant QueueFull = 712;
    /// the role may not do this (never)
    uint16 internal constant WrongRole = 713;
    /// no token of this service was given (never)
    uint16 internal constant UnknownToken = 714;
    /// the token has expired or was revoked (never)
    uint16 internal constant TokenEnded = 715;
    /// the quota of the tenant is spent; come back later (not yet)
    uint16 internal constant QuotaSpent = 716;
    /// the cursor is not one of this search (never)
    uint16 internal constant BadCursor = 717;
    /// nothing of this name is kept here (not yet)
    uint16 internal constant NoSuchName = 718;
    /// the address is not one that may be called (never)
    uint16 internal constant AddressRefused = 719;
    /// a part of the request has not the form that the route takes (never)
    uint16 internal constant BadRequest = 730;
    /// the service has no such route (never)
    uint16 internal constant NoRoute = 731;
    /// the route has another method (never)
    uint16 internal constant WrongMethod = 732;
    /// the request took longer than the service gives one (not yet)
    uint16 internal constant RequestTooSlow = 733;
    /// the work on the request ended early; nothing is known of it (not yet)
    uint16 internal constant WorkLost = 734;
    /// the service has no trust file to judge under (not yet)
    uint16 internal constant NoTrustFile = 735;
    /// the receiver did not take the delivery (not yet)
    uint16 internal constant NotDelivered = 736;
    /// the time authority did not grant the time-stamp (not yet)
    uint16 internal constant NotGranted = 750;
    /// the time-stamp token breaks a rule of its form (never)
    uint16 internal constant BadToken = 751;
    /// the time-stamp is over another digest (never)
    uint16 internal constant WrongImprint = 752;
    /// the time-stamp answers another request (never)
    uint16 internal constant WrongNonce = 753;
    /// the time-stamp is under a policy that is not accepted (never)
    uint16 internal constant WrongPolicy = 754;
    /// the X.509 certificate is not the one the signature binds (never)
    uint16 internal constant WrongCertificate = 755;
    /// the token carries an X.509 certificate that could pass for its signer's (never)
    uint16 internal constant InjectedCertificate = 756;
    /// the X.509 certificate is not for time-stamping alone (never)
    uint16 internal constant NotForStamping = 757;
    /// the X.509 certificate was not valid at that time (never)
    uint16 internal constant NotValidThen = 758;
    /// an X.509 certificate of the chain may not issue the one below it (never)
    uint16 internal constant NotAnIssuer = 759;
    /// no chain leads to an authority that is believed (never)
    uint16 internal constant UntrustedChain = 760;
    /// an X.509 certificate of the chain was revoked (never)
    uint16 internal constant CertificateRevoked = 761;
    /// the revocation data does not speak of this chain at that time (never)
    uint16 internal constant BadRevocation = 762;
    /// a critical extension is not understood (never)
    uint16 internal constant CriticalExtension = 763;
    /// the X.509 certificate breaks a rule of its form (never)
    uint16 internal constant BadX509 = 764;
    /// fewer institutions stand for the time than the policy asks (not yet)
    uint16 internal constant TooFewAuthorities = 765;
    /// the receipt breaks a rule of its form (never)
    uint16 internal constant BadReceipt = 766;
    /// the bundle is not the one that was sealed (never)
    uint16 internal constant WrongSeal = 767;
    /// the proof of logging is not to the size that was anchored (never)
    uint16 internal constant NotAnchoredSize = 768;
    /// the entry stands elsewhere than the receipt promised (never)
    uint16 internal constant PromiseBroken = 769;
    /// the renewal is not over the bundle before it (never)
    uint16 internal constant WrongRenewal = 770;
    /// the file is not the one that was deposited (never)
    uint16 internal constant FileDiffers = 771;
    /// the X.509 certificate may not answer for the issuer of the one asked about (never)
    uint16 internal constant NotAResponder = 772;
    /// the responder gave no answer about the X.509 certificate (not yet)
    uint16 internal constant ResponderDeclined = 773;
    /// the witness cosigned another size last (not yet)
    uint16 internal constant WitnessElsewhere = 780;
    /// the witness has keys and no state; what it signed is not known (never)
    uint16 internal constant WitnessStateMissing = 781;
    /// the witness's state is not where, or not of the start of the machine, in which it was written (not yet)
    uint16 internal constant WitnessStateMoved = 782;
    /// the clock is behind what was signed last (not yet)
    uint16 internal constant ClockWentBack = 783;
    /// the witness did not cosign (not yet)
    uint16 internal constant NotCosigned = 784;
    /// the journal is of another run (not yet)
    uint16 internal constant OtherJournal = 785;
    /// the folder is not in the one for backups (not yet)
    uint16 internal constant BackupElsewhere = 786;
    /// the rule pack cannot be used (never)
    uint16 internal constant BadRulePack = 800;
    /// the facts cannot be given to rules (never)
    uint16 internal constant BadFacts = 801;
    /// a careful reader would object to the rule pack (never)
    uint16 internal constant PackRemarks = 802;
    /// the rules find otherwise than their cases claim (never)
    uint16 internal constant CasesDiffer = 803;
    /// the rules were ended without a verdict (not yet)
    uint16 internal constant NoVerdict = 804;
    /// the rules find otherwise than recorded (never)
    uint16 internal constant VerdictDiffers = 805;
    /// a mandatory rule pack did not pass the deposit; it is held until a role rules on it (not yet)
    uint16 internal constant Quarantined = 806;
    /// the deposit was held, and rejected or not ruled on in time (never)
    uint16 internal constant QuarantineRejected = 807;
    /// the quarantine has no room; nothing was stored (not yet)
    uint16 internal constant QuarantineFull = 808;
    /// there is no such case in quarantine (not yet)
    uint16 internal constant NoSuchCase = 809;
    /// the case in quarantine was ruled on otherwise (never)
    uint16 internal constant CaseRuled = 810;
}
