// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Signatories} from "./Signatories.sol";
import {
    Height,
    ILightClient,
    MsgVerifyMembership,
    MsgVerifyNonMembership,
    UpdateResult
} from "./ibc/ILightClient.sol";
import {Bodies, Handover} from "./verify/Body.sol";
import {Certificates} from "./verify/Certificate.sol";
import {Code} from "./verify/Code.sol";
import {Digest} from "./verify/Digest.sol";
import {Header} from "./verify/Header.sol";
import {InstitutionSet} from "./verify/Institutions.sol";
import {Leaves} from "./verify/Leaf.sol";
import {Plain, Plains} from "./verify/Plain.sol";
import {Front, Proofs, Rest} from "./verify/Proof.sol";
import {Reader, Reading} from "./verify/Reader.sol";
import {hold} from "./verify/Refusal.sol";
import {Tree} from "./verify/Tree.sol";

/// A destination's client of a Zeugma network: it believes headers that the committee certified, and what their
/// outbox says.
///
/// It has no owner and no role: every call is judged by its proof alone. It follows the network from the trust file
/// that it was made with:
///
/// * It believes one key, that of the present era, for a trusting period from the youngest header accepted under it.
///   A `Handover` leaf under that key moves it to the next era. Nothing counts under a retired key, at any height;
///   headers accepted under it are forgotten with it, and the leaf is proved again under the present one.
/// * Two certified headers of one height freeze it.
/// * When its trusting period ran out, the institutions that the trust file names may sign a newer trust file with
///   the same key (the key lives and nobody updated the client: it goes on at once), or a *substitute* key for the
///   next era (the committee lost its quorum). The substitute counts after a delay, and any certificate of the
///   present key over a header made meanwhile cancels it: the institutions alone empty no escrow.
/// * Absence is a closing act of the network: `verifyNonMembership` takes a leaf that says that the path is closed for
///   ever, as no absence of a record could.
///
/// Proofs are those of the proof file (`docs/byte-layout.md`, section 7), cut where its leaf begins: an update carries
/// the front, and a membership proof the rest behind the header that it stands on. Checks come in the order of
/// section 8, with its codes. Beside compressed points a call carries the uncompressed ones; nothing else differs.
contract LightClient is ILightClient {
    /// What changes with the network.
    struct State {
        /// The era whose key is believed.
        uint64 era;
        /// Time of the youngest header accepted under it, in milliseconds.
        uint64 newest;
        /// The highest height accepted.
        uint64 latestHeight;
        bool frozen;
    }

    /// A substitute that waits.
    struct Pending {
        address key;
        /// When it was proposed, in seconds.
        uint64 proposedAt;
    }

    event Updated(uint64 indexed era, uint64 indexed height, uint64 time);
    event HandedOver(uint64 indexed era, address key);
    event Frozen(uint64 indexed era, uint64 height);
    event SubstituteProposed(uint64 indexed era, address key, uint64 from);
    event SubstituteCancelled(uint64 indexed era, uint64 height);
    event SubstituteAdopted(uint64 indexed era, address key);
    event Renewed(uint64 indexed era, bytes32 trustFile);

    /// Reads what institutions sign.
    Signatories public immutable SIGNATORIES;
    /// The network followed.
    bytes32 public immutable NETWORK;
    /// The fingerprint of the trust file that the client was made with.
    bytes32 public immutable TRUST_FILE;
    /// How long a key is believed after its youngest header, in milliseconds.
    uint64 public immutable TRUSTING_PERIOD;
    /// How far a header may be ahead of this chain's clock, in milliseconds.
    uint64 public immutable DRIFT;
    /// How long a substitute waits, in seconds.
    uint64 public immutable DELAY;
    /// The first era that the trust file listed.
    uint64 public immutable FIRST_ERA;

    State public state;
    /// The present key: a contract whose code is a zero byte and the 256 bytes that the pairing reads.
    address public key;
    Pending public pending;
    /// By era and height: the Keccak hash of digest, time, size and SHA-256 root of a header accepted.
    mapping(uint256 => bytes32) public accepted;
    InstitutionSet private institutions;

    /// Digest [32], time u64, size u64, root [32]: what a membership proof begins with.
    uint256 private constant ANCHOR = 80;
    uint256 private constant KEY_LENGTH = 256;

    /// `keys` are the uncompressed points of the file's group keys; `drift` is in milliseconds, `delay` in seconds.
    constructor(Signatories signatories, bytes memory trustFile, bytes memory keys, uint64 drift, uint64 delay) {
        InstitutionSet memory none;
        Signatories.Told memory t = signatories.trustFile(trustFile, keys, none);
        hold(drift < t.trustingPeriod && delay != 0, Code.BadProfile);
        hold(t.issuedAt <= clock() + drift, Code.HeaderAhead);
        hold(clock() < uint256(t.issuedAt) + t.trustingPeriod, Code.TrustExpired);
        SIGNATORIES = signatories;
        NETWORK = t.network;
        TRUST_FILE = t.fingerprint;
        TRUSTING_PERIOD = t.trustingPeriod;
        DRIFT = drift;
        DELAY = delay;
        FIRST_ERA = t.firstEra;
        state = State({era: t.era, newest: t.issuedAt, latestHeight: 0, frozen: false});
        key = keep(t.key);
        institutions = t.institutions;
    }

    /// Accepts a header: `(front, rest, point, groupKey)`, where `rest` is empty, or the rest of the proof of the
    /// hand-over leaf with its opening, and then `groupKey` the point of the next era's key.
    ///
    /// A second header of one height freezes the client: that is no refusal, or it would be undone.
    function updateClient(bytes calldata updateMsg) external returns (UpdateResult) {
        if (Reading.part(updateMsg, 1).length != 0) return follow(updateMsg);
        bytes calldata front = Reading.part(updateMsg, 0);
        hold(front.length <= Proofs.MAX, Code.TooLong);
        Front memory f;
        Reader memory r = fronted(f, front, Reading.part(updateMsg, 2));
        State memory s = state;
        hold(f.header.network == NETWORK, Code.WrongNetwork);
        believes(s, f.header.era);
        certified(f, r);
        return accept(s, f.header);
    }

    /// A leaf of the `ibc` namespace says `value` under the path. The proof is the anchor of an accepted header and
    /// the rest of the proof file.
    function verifyMembership(MsgVerifyMembership calldata m) external view returns (uint256) {
        Plain memory p;
        if (m.path.length == 1 && m.value.length == 32) {
            if (Plains.read(m.proof, NETWORK, Leaves.IBC, m.path[0], bytes32(m.value), p)) {
                (uint64 time, uint64 size, bytes32 root) = anchored(m.proof, m.proofHeight);
                hold(p.height <= m.proofHeight.revisionHeight && p.time <= time, Code.LeafAhead);
                bytes32[] calldata siblings = Reading.list(p.pathAt, p.pathCount);
                Tree.included(Digest.SHA256, p.hash, p.index, size, siblings, root);
                return p.time / 1000;
            }
        }
        Rest memory rest = proven(m.proof, m.proofHeight);
        expectPath(rest, Leaves.IBC, m.path);
        hold(m.value.length == 32 && bytes32(m.value) == rest.leaf.value, Code.WrongValue);
        hold(!rest.opened, Code.WrongOpening);
        return rest.leaf.time / 1000;
    }

    /// A leaf of the `closed` namespace says that what would stand under the path never will. The time is that of
    /// the closing, which came after the packet's timeout.
    function verifyNonMembership(MsgVerifyNonMembership calldata m) external view returns (uint256) {
        Rest memory rest = proven(m.proof, m.proofHeight);
        expectPath(rest, Leaves.CLOSED, m.path);
        if (rest.opened) Bodies.closed(rest.leaf, Proofs.opening(rest));
        return rest.leaf.time / 1000;
    }

    /// Freezes the client on two certified headers of one height: `(one, other, point of one, point of other)`, both
    /// fronts under the present key.
    function misbehaviour(bytes calldata misbehaviourMsg) external {
        State memory s = state;
        Header memory a = believed(s, Reading.part(misbehaviourMsg, 0), Reading.part(misbehaviourMsg, 2));
        Header memory b = believed(s, Reading.part(misbehaviourMsg, 1), Reading.part(misbehaviourMsg, 3));
        hold(a.height == b.height && a.digest != b.digest, Code.NoMisbehaviour);
        freeze(a.height);
    }

    /// The substitute: an empty message adopts the one that waits, another is `(substitute, groupKey)` and proposes it.
    function upgradeClient(bytes calldata upgradeMsg) external {
        if (upgradeMsg.length == 0) {
            adopt();
        } else {
            propose(Reading.part(upgradeMsg, 0), Reading.part(upgradeMsg, 1));
        }
    }

    /// Shows that the present key lives: a certificate over a header made since the substitute was proposed.
    function cancelSubstitute(bytes calldata front, bytes calldata point) external {
        Pending memory waiting = pending;
        State memory s = state;
        hold(waiting.key != address(0), Code.NoRecovery);
        // The word of a key that contradicted itself no longer counts, for this neither.
        hold(!s.frozen, Code.ClientFrozen);
        Front memory f;
        Reader memory r = fronted(f, front, point);
        hold(f.header.network == NETWORK, Code.WrongNetwork);
        known(s, f.header.era);
        certified(f, r);
        hold(f.header.time <= clock() + DRIFT, Code.HeaderAhead);
        hold(f.header.time > uint256(waiting.proposedAt) * 1000, Code.NotNewer);
        delete pending;
        emit SubstituteCancelled(s.era, f.header.height);
    }

    /// Goes on with the same key after its trusting period ran out, by a newer trust file that enough institutions
    /// signed. It brings no other key.
    function renew(bytes calldata trustFile, bytes calldata keys) external {
        State memory s = state;
        hold(!s.frozen, Code.ClientFrozen);
        hold(isExpired(s), Code.StillActive);
        Signatories.Told memory t = SIGNATORIES.trustFile(trustFile, keys, institutions);
        hold(t.network == NETWORK, Code.WrongNetwork);
        hold(t.era == s.era, Code.UnknownEra);
        hold(keccak256(t.key) == keccak256(loaded(key)), Code.BadKey);
        hold(t.issuedAt <= clock() + DRIFT, Code.HeaderAhead);
        hold(t.issuedAt > s.newest, Code.NotNewer);
        hold(clock() < uint256(t.issuedAt) + TRUSTING_PERIOD, Code.TrustExpired);
        state.newest = t.issuedAt;
        delete pending;
        emit Renewed(s.era, t.fingerprint);
    }

    /// Network, era, time of its youngest header, highest height, whether frozen, whether expired, trusting period,
    /// drift, delay, trust file.
    function getClientState() external view returns (bytes memory) {
        State memory s = state;
        return abi.encode(
            NETWORK,
            s.era,
            s.newest,
            s.latestHeight,
            s.frozen,
            isExpired(s),
            TRUSTING_PERIOD,
            DRIFT,
            DELAY,
            TRUST_FILE
        );
    }

    // Headers

    /// Follows a hand-over: the header, and the leaf that stands in it, are judged as one proof.
    function follow(bytes calldata updateMsg) private returns (UpdateResult) {
        hold(
            Reading.part(updateMsg, 0).length + Reading.part(updateMsg, 1).length <= Proofs.MAX, Code.TooLong
        );
        Front memory f;
        Reader memory r = fronted(f, Reading.part(updateMsg, 0), Reading.part(updateMsg, 2));
        Rest memory rest;
        Proofs.readRest(Reading.alone(Reading.part(updateMsg, 1)), rest);
        State memory s = state;
        Header memory h = f.header;
        hold(h.network == NETWORK && rest.leaf.network == NETWORK, Code.WrongNetwork);
        believes(s, h.era);
        included(rest, h.height, h.time, h.outbox.size, h.outbox.sha256Root);
        certified(f, r);
        hold(rest.leaf.namespace == Leaves.HANDOVER, Code.WrongPath);
        hold(rest.opened, Code.OpeningMissing);
        Handover memory next = Bodies.handover(rest.leaf, Proofs.opening(rest), Reading.part(updateMsg, 3));
        hold(rest.index == next.outbox.size && rest.leaf.height == next.height, Code.NotEraEnd);
        hold(uint256(next.era) == uint256(s.era) + 1, Code.NotNextEra);
        if (accept(s, h) == UpdateResult.Misbehaviour) return UpdateResult.Misbehaviour;
        // From here nothing of the old era counts: what was accepted is found by the era's number.
        s.era = next.era;
        s.newest = h.time;
        if (h.height > s.latestHeight) s.latestHeight = h.height;
        state = s;
        key = keep(next.committee.key);
        delete pending;
        emit HandedOver(next.era, key);
        return UpdateResult.Update;
    }

    /// The front of a proof file, and its reader with the point of the signature.
    function fronted(Front memory f, bytes calldata front, bytes calldata point) private view returns (Reader memory r) {
        r = Reading.over(front, point);
        Proofs.readFront(r, f);
        Reading.finish(r);
    }

    /// A header under the present key, for evidence.
    function believed(State memory s, bytes calldata front, bytes calldata point) private view returns (Header memory) {
        Front memory f;
        Reader memory r = fronted(f, front, point);
        hold(f.header.network == NETWORK, Code.WrongNetwork);
        believes(s, f.header.era);
        certified(f, r);
        return f.header;
    }

    /// The era is the one whose key is believed now.
    function believes(State memory s, uint64 era) private view {
        hold(!s.frozen, Code.ClientFrozen);
        known(s, era);
        hold(!isExpired(s), Code.TrustExpired);
    }

    /// The present key is believed now.
    function lives(State memory s) private view {
        hold(!s.frozen, Code.ClientFrozen);
        hold(!isExpired(s), Code.TrustExpired);
    }

    function known(State memory s, uint64 era) private view {
        hold(era >= FIRST_ERA && era <= s.era, Code.UnknownEra);
        hold(era == s.era, Code.RetiredEra);
    }

    function certified(Front memory f, Reader memory r) private view {
        // The client keeps the group key alone: it knows no members whose seals could count.
        hold(!f.isSealed, Code.UnsupportedSuite);
        Certificates.check(f.certificate, f.header, loaded(key), r);
    }

    /// Keeps a certified header, or freezes on the second one of its height.
    function accept(State memory s, Header memory h) private returns (UpdateResult) {
        hold(h.time <= clock() + DRIFT, Code.HeaderAhead);
        bytes32 anchor = keccak256(abi.encodePacked(h.digest, h.time, h.outbox.size, h.outbox.sha256Root));
        uint256 slot = slotOf(h.era, h.height);
        bytes32 before = accepted[slot];
        if (before == anchor) return UpdateResult.NoOp;
        if (before != 0) {
            freeze(h.height);
            return UpdateResult.Misbehaviour;
        }
        accepted[slot] = anchor;
        if (h.time > s.newest || h.height > s.latestHeight) {
            if (h.time > s.newest) s.newest = h.time;
            if (h.height > s.latestHeight) s.latestHeight = h.height;
            state = s;
        }
        emit Updated(h.era, h.height, h.time);
        return UpdateResult.Update;
    }

    function freeze(uint64 height) private {
        state.frozen = true;
        emit Frozen(state.era, height);
    }

    // Leaves

    /// The rest of a proof whose leaf stands in the outbox of an accepted header.
    function proven(bytes calldata proof, Height calldata height) private view returns (Rest memory rest) {
        hold(proof.length <= Proofs.MAX, Code.TooLong);
        Reader memory r = Reading.alone(proof);
        Reading.take(r, ANCHOR);
        Proofs.readRest(r, rest);
        hold(rest.leaf.network == NETWORK, Code.WrongNetwork);
        (uint64 time, uint64 size, bytes32 root) = anchored(proof, height);
        included(rest, height.revisionHeight, time, size, root);
    }

    /// Time, size and root of the header that a proof, which has an anchor, says that it stands on: one accepted at this
    /// height under the present key, which is believed now.
    function anchored(bytes calldata proof, Height calldata height)
        private
        view
        returns (uint64 time, uint64 size, bytes32 root)
    {
        State memory s = state;
        lives(s);
        bytes32 anchor = accepted[slotOf(s.era, height.revisionHeight)];
        hold(height.revisionNumber == 0 && anchor != 0, Code.NoStateAt);
        uint256 start = Reading.startOf(proof);
        hold(anchor == Reading.key(start, ANCHOR), Code.NoStateAt);
        unchecked {
            uint256 numbers = Reading.load(start + 32);
            (time, size) = (uint64(numbers >> 192), uint64(numbers >> 128));
            root = bytes32(Reading.load(start + 48));
        }
    }

    function included(Rest memory rest, uint64 height, uint64 time, uint64 size, bytes32 root) private view {
        hold(rest.leaf.height <= height && rest.leaf.time <= time, Code.LeafAhead);
        // Every header has a root of SHA-256, and the client keeps no other.
        hold(rest.suite == Digest.SHA256, Code.NoSuchRoot);
        Tree.included(rest.suite, Leaves.hash(rest.leaf, rest.suite), rest.index, size, Proofs.path(rest), root);
        hold(!rest.hasConsistency, Code.ConsistencyUnneeded);
    }

    /// Paths are ICS-24 v2 behind one empty prefix element, which a router joins with them.
    function expectPath(Rest memory rest, uint16 namespace, bytes[] calldata path) private pure {
        hold(path.length == 1, Code.WrongPath);
        bytes calldata whole = path[0];
        bytes32 hash = Reading.key(Reading.startOf(whole), whole.length);
        hold(Leaves.isAt(rest.leaf, namespace, whole.length, hash), Code.WrongPath);
    }

    // The substitute

    function propose(bytes calldata substitute, bytes calldata groupKey) private {
        State memory s = state;
        hold(isExpired(s), Code.SubstituteCancelled);
        hold(pending.key == address(0), Code.RecoveryProposed);
        uint256 era = uint256(s.era) + 1;
        bytes memory next = SIGNATORIES.substitute(substitute, groupKey, institutions, NETWORK, era);
        pending = Pending({key: keep(next), proposedAt: uint64(block.timestamp)});
        emit SubstituteProposed(uint64(era), pending.key, uint64(block.timestamp) + DELAY);
    }

    function adopt() private {
        Pending memory waiting = pending;
        hold(waiting.key != address(0), Code.NoRecovery);
        hold(block.timestamp >= uint256(waiting.proposedAt) + DELAY, Code.TooEarly);
        State memory s = state;
        s.era += 1;
        s.newest = uint64(clock());
        s.frozen = false;
        state = s;
        key = waiting.key;
        delete pending;
        emit SubstituteAdopted(s.era, waiting.key);
    }

    // Small parts

    function isExpired(State memory s) private view returns (bool) {
        return clock() >= uint256(s.newest) + TRUSTING_PERIOD;
    }

    /// This chain's time in milliseconds.
    function clock() private view returns (uint256) {
        return block.timestamp * 1000;
    }

    function slotOf(uint64 era, uint64 height) private pure returns (uint256) {
        return (uint256(era) << 64) | height;
    }

    /// Keeps a key as the code of a contract: read at a third of the price of storage.
    function keep(bytes memory groupKey) private returns (address kept) {
        // Copies all behind itself into memory and returns it; the zero byte in front ends any call.
        bytes memory code = bytes.concat(hex"610101_80_600a_5f_39_5f_f3_00", groupKey);
        assembly ("memory-safe") {
            kept := create(0, add(code, 32), mload(code))
        }
        hold(kept != address(0), Code.Unexpected);
    }

    function loaded(address from) private view returns (bytes memory groupKey) {
        groupKey = new bytes(KEY_LENGTH);
        assembly ("memory-safe") {
            extcodecopy(from, add(groupKey, 32), 1, KEY_LENGTH)
        }
    }
}
