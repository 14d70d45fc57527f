// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Bls} from "./verify/Bls.sol";
import {Bodies} from "./verify/Body.sol";
import {Certificates} from "./verify/Certificate.sol";
import {Code} from "./verify/Code.sol";
import {Header, Headers} from "./verify/Header.sol";
import {Leaves} from "./verify/Leaf.sol";
import {Front, Proofs, Rest} from "./verify/Proof.sol";
import {Reader, Reading} from "./verify/Reader.sol";
import {hold} from "./verify/Refusal.sol";
import {Seals} from "./verify/Seal.sol";
import {Tree} from "./verify/Tree.sol";
import {Era, TrustFile, TrustFiles} from "./verify/TrustFile.sol";

/// The verification of the one proof as `docs/byte-layout.md`, section 8, orders it, for contracts that rely on a
/// trust file. It has no state: a destination that follows the network holds a `LightClient` instead.
///
/// Of second seals it checks secp256k1; SM2 and ML-DSA-44 are answered with `UnsupportedSuite`.
contract ProofVerifier {
    /// Who relies on the proof.
    enum Reliance {
        /// A court: also retired keys, into what their hand-over pinned.
        Court,
        /// Another chain: the present key only.
        Destination
    }

    /// What is asked. `path` is namespace and path as a leaf encodes them, or empty for any; `value` is 32 bytes, or
    /// empty for any. `point` is the uncompressed point of the certificate's signature (96 bytes), and `keys` those
    /// of the group keys in the trust file and the opening (192 bytes each).
    struct Question {
        bytes proof;
        bytes trust;
        uint64 time;
        Reliance reliance;
        bytes path;
        bytes value;
        bytes point;
        bytes keys;
    }

    /// What was proved.
    struct Answer {
        bytes32 digest;
        uint64 era;
        uint64 height;
        uint64 time;
        uint64 index;
        bytes path;
        bytes32 value;
    }

    /// Verifies a proof. Ends with `Refused` and the code of the first rule that broke.
    function verify(Question calldata q) external view returns (Answer memory) {
        TrustFile memory trust = TrustFiles.parse(q.trust, q.keys);
        hold(q.proof.length <= Proofs.MAX, Code.TooLong);
        Reader memory r = Reading.over(q.proof, q.point);
        Front memory front;
        Proofs.readFront(r, front);
        Rest memory rest;
        Proofs.readRest(r, rest);
        Header memory header = front.header;

        hold(header.network == trust.network, Code.WrongNetwork);
        hold(rest.leaf.network == trust.network, Code.WrongNetwork);
        Era memory era = accepted(trust, header.era, q.time, q.reliance);
        checkInclusion(header, rest, era);
        if (front.isSealed) Seals.check(front.seal, header, era.committee);
        else Certificates.check(front.certificate, header, era.committee.key, r);
        if (q.path.length != 0) hold(keccak256(q.path) == keccak256(Leaves.pathOf(rest.leaf)), Code.WrongPath);
        if (q.value.length != 0) {
            hold(keccak256(q.value) == keccak256(abi.encodePacked(rest.leaf.value)), Code.WrongValue);
        }
        if (rest.opened) Bodies.any(rest.leaf, Proofs.opening(rest), q.keys);
        return Answer({
            digest: header.digest,
            era: header.era,
            height: rest.leaf.height,
            time: rest.leaf.time,
            index: rest.index,
            path: Leaves.pathOf(rest.leaf),
            value: rest.leaf.value
        });
    }

    function accepted(TrustFile memory trust, uint64 number, uint64 time, Reliance reliance)
        private
        pure
        returns (Era memory)
    {
        Era[] memory eras = trust.eras;
        // They are consecutive, so the place follows from the number.
        hold(number >= eras[0].number && number - eras[0].number < eras.length, Code.UnknownEra);
        uint256 place = number - eras[0].number;
        if (place + 1 == eras.length) hold(!TrustFiles.expired(trust, time), Code.TrustExpired);
        else hold(reliance == Reliance.Court, Code.RetiredEra);
        return eras[place];
    }

    function checkInclusion(Header memory header, Rest memory rest, Era memory era) private view {
        hold(rest.leaf.height <= header.height, Code.LeafAhead);
        hold(rest.leaf.time <= header.time, Code.LeafAhead);
        bytes32 root = Headers.root(header.outbox, rest.suite);
        bytes32 leaf = Leaves.hash(rest.leaf, rest.suite);
        Tree.included(rest.suite, leaf, rest.index, header.outbox.size, Proofs.path(rest), root);
        if (!era.pinned) {
            hold(!rest.hasConsistency, Code.ConsistencyUnneeded);
            return;
        }
        hold(rest.hasConsistency, Code.ConsistencyMissing);
        hold(header.outbox.size <= era.pin.size, Code.BeyondPin);
        bytes32 pinned = Headers.root(era.pin, rest.suite);
        Tree.consistent(rest.suite, header.outbox.size, root, era.pin.size, pinned, Proofs.consistency(rest));
    }
}
