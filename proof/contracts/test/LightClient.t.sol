// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {LightClient} from "../src/LightClient.sol";
import {Signatories} from "../src/Signatories.sol";
import {
    Height,
    ILightClient,
    MsgVerifyMembership,
    MsgVerifyNonMembership,
    UpdateResult
} from "../src/ibc/ILightClient.sol";
import {Code} from "../src/verify/Code.sol";
import {Group, Network, Said} from "./Network.sol";

/// The life of a light client: eras, expiry, renewal, substitute, freeze.
contract LightClientTest is Network {
    uint64 private constant DAY = 86_400;
    uint64 private constant PERIOD = DAY * 1_000;
    uint64 private constant DELAY = 2 * DAY;
    bytes private constant PATH = "client-0\x01\x00\x00\x00\x00\x00\x00\x00\x07";

    Signatories private signatories;
    LightClient private client;
    Group private first;
    Group private second;
    Group private stranger;

    function setUp() public {
        (first, second, stranger) = (group(1), group(2), group(3));
        signatories = new Signatories();
        clock(now_);
        client = made(trustFile(0, first, PERIOD, 3));
    }

    // What it believes

    function test_a_certified_header_proves_what_its_outbox_says() public {
        uint64 index = say(1, PATH, bytes32("a packet"));
        for (uint256 i = 0; i < 4; i++) say(1, PATH, bytes32(i));
        Said memory s = close(0);
        equal(uint256(update(first, s)), uint256(UpdateResult.Update), "the first time");
        equal(uint256(update(first, s)), uint256(UpdateResult.NoOp), "the second time");
        uint256 time = client.verifyMembership(membership(s, index, PATH, bytes32("a packet")));
        equal(time, s.time / 1000, "the leaf's time in seconds");
        refused(Code.WrongValue, membershipCall(s, index, PATH, bytes32("another")));
        refused(Code.WrongPath, membershipCall(s, index, "client-0\x01\x00\x00\x00\x00\x00\x00\x00\x08", bytes32("a packet")));
        MsgVerifyMembership memory m = membership(s, index, PATH, bytes32("a packet"));
        m.proofHeight.revisionNumber = 1;
        refused(Code.NoStateAt, abi.encodeCall(client.verifyMembership, (m)));
        m = membership(s, index, PATH, bytes32("a packet"));
        m.proofHeight.revisionHeight += 1;
        refused(Code.NoStateAt, abi.encodeCall(client.verifyMembership, (m)));
        m = membership(s, index, PATH, bytes32("a packet"));
        m.proof[40] ^= 0x01;
        refused(Code.NoStateAt, abi.encodeCall(client.verifyMembership, (m)));
    }

    function test_a_header_under_another_key_is_refused() public {
        Said memory s = close(0);
        refusedUpdate(Code.BadSignature, stranger, s);
    }

    function test_a_point_that_is_not_the_signatures_is_refused() public {
        Said memory s = close(0);
        (bytes memory front, bytes memory point) = certified(first, s);
        (, bytes memory other) = certified(stranger, s);
        refused(Code.BadSignature, updateCall(front, "", other, ""));
        refused(Code.BadSignature, updateCall(front, "", "", ""));
        // The other root of the same x: the point of the negated signature.
        bytes memory negated = bytes.concat(part(point, 0, 48), minus(part(point, 48, 48)));
        refused(Code.BadSignature, updateCall(front, "", negated, ""));
        // And with the sign turned in the compressed form too, both agree, and the pairing refuses.
        bytes memory turned = bytes.concat(front);
        turned[front.length - 48] ^= 0x20;
        refused(Code.BadSignature, updateCall(turned, "", negated, ""));
        refused(Code.BadSignature, updateCall(turned, "", point, ""));
        (bool done,) = address(client).call(updateCall(front, "", point, ""));
        yes(done, "the right point");
    }

    function test_a_header_ahead_of_the_clock_is_not_yet_accepted() public {
        now_ += 3_600_000;
        refusedUpdate(Code.HeaderAhead, first, close(0));
    }

    function test_an_old_header_under_the_present_key_is_accepted_and_moves_no_clock() public {
        Said memory early = close(0);
        Said memory late = close(0);
        clock(now_);
        update(first, late);
        update(first, early);
        (, uint64 newest, uint64 latest,) = client.state();
        equal(newest, late.time, "youngest header");
        equal(latest, late.height, "highest height");
    }

    function test_a_closing_is_the_proof_of_absence() public {
        bytes memory path = "client-0\x02\x00\x00\x00\x00\x00\x00\x00\x07";
        bytes memory body = abi.encodePacked(uint32(8), "client-0", uint64(7), bytes32("commitment"), uint64(1));
        uint64 index = say(4, path, sha256(bytes.concat("\x0fzeugma.closed.1", body)));
        uint64 packet = say(1, path, bytes32("a receipt is no closing"));
        Said memory s = close(0);
        update(first, s);
        equal(client.verifyNonMembership(absence(s, index, path, "")), s.time / 1000, "without its body");
        equal(client.verifyNonMembership(absence(s, index, path, body)), s.time / 1000, "with its body");
        bytes memory other = bytes.concat(body);
        other[body.length - 1] ^= 0x01;
        refused(Code.WrongOpening, abi.encodeCall(client.verifyNonMembership, (absence(s, index, path, other))));
        refused(Code.WrongPath, abi.encodeCall(client.verifyNonMembership, (absence(s, packet, path, ""))));
        // Nor is it a record under the same path.
        refused(
            Code.WrongPath,
            membershipCall(s, index, path, sha256(bytes.concat("\x0fzeugma.closed.1", body)))
        );
    }

    // Eras

    function test_a_hand_over_retires_the_key_and_all_that_it_proved() public {
        uint64 index = say(1, PATH, bytes32("a packet"));
        Said memory old = close(0);
        update(first, old);
        client.verifyMembership(membership(old, index, PATH, bytes32("a packet")));

        bytes memory body = handOver(1, second);
        Said memory last = close(0);
        clock(now_);
        follow(first, last, uint64(leaves.length - 1), body, second);
        (uint64 era,,,) = client.state();
        equal(era, 1, "the era");

        refused(Code.NoStateAt, membershipCall(old, index, PATH, bytes32("a packet")));
        refusedUpdate(Code.RetiredEra, first, old);
        Said memory next = close(1);
        clock(now_);
        refusedUpdate(Code.BadSignature, first, next);
        update(second, next);
        client.verifyMembership(membership(next, index, PATH, bytes32("a packet")));
    }

    function test_a_hand_over_is_the_leaf_right_after_what_it_pins_to_the_next_era() public {
        say(1, PATH, bytes32("a packet"));
        bytes memory body = handOver(2, second);
        Said memory skips = close(0);
        refused(Code.NotNextEra, followCall(first, skips, uint64(leaves.length - 1), body, second.point));

        uint64 size = uint64(leaves.length);
        body = abi.encodePacked(uint64(1), committee(second), height_, outbox(size - 1, root(0, size - 1)));
        say(2, abi.encodePacked(uint64(1)), sha256(bytes.concat("\x11zeugma.handover.1", body)));
        Said memory late = close(0);
        refused(Code.NotEraEnd, followCall(first, late, size, body, second.point));

        body = handOver(1, second);
        Said memory good = close(0);
        clock(now_);
        uint64 index = uint64(leaves.length - 1);
        refused(Code.OpeningMissing, followCall(first, good, index, "", second.point));
        refused(Code.BadKey, followCall(first, good, index, body, stranger.point));
        refused(Code.BadKey, followCall(first, good, index, body, ""));
        refused(Code.BadSignature, followCall(stranger, good, index, body, second.point));
        refused(Code.WrongPath, followCall(first, good, 0, body, second.point));
        follow(first, good, index, body, second);
    }

    function test_no_hand_over_is_followed_under_an_expired_key() public {
        bytes memory body = handOver(1, second);
        Said memory last = close(0);
        clock(now_ + PERIOD);
        refused(Code.TrustExpired, followCall(first, last, uint64(leaves.length - 1), body, second.point));
    }

    function test_an_era_that_has_not_begun_is_unknown() public {
        refusedUpdate(Code.UnknownEra, second, close(1));
    }

    // Expiry and renewal

    function test_the_trusting_period_counts_from_the_youngest_header_accepted() public {
        uint64 index = say(1, PATH, bytes32("a packet"));
        now_ += PERIOD - 10_000;
        Said memory s = close(0);
        clock(s.time);
        update(first, s);
        clock(s.time + PERIOD - 1_000);
        client.verifyMembership(membership(s, index, PATH, bytes32("a packet")));
        clock(s.time + PERIOD);
        refused(Code.TrustExpired, membershipCall(s, index, PATH, bytes32("a packet")));
        refusedUpdate(Code.TrustExpired, first, s);
    }

    function test_a_newer_trust_file_renews_an_expired_client_and_brings_no_key() public {
        bytes memory early = trustFile(0, first, PERIOD, 3);
        refused(Code.StillActive, abi.encodeCall(client.renew, (early, first.point)));
        now_ += 3 * PERIOD;
        clock(now_);
        refused(Code.NotNewer, abi.encodeCall(client.renew, (early, first.point)));
        refused(Code.BadKey, abi.encodeCall(client.renew, (trustFile(0, second, PERIOD, 3), second.point)));
        refused(Code.UnknownEra, abi.encodeCall(client.renew, (trustFile(1, second, PERIOD, 3), second.point)));
        refused(Code.QuorumNotReached, abi.encodeCall(client.renew, (trustFile(0, first, PERIOD, 2), first.point)));
        refused(Code.TrustFileUnsigned, abi.encodeCall(client.renew, (trustFile(0, first, PERIOD, 0), first.point)));
        client.renew(trustFile(0, first, PERIOD, 6), first.point);
        Said memory s = close(0);
        clock(now_);
        update(first, s);
    }

    // The substitute

    function test_a_substitute_counts_after_expiry_and_the_delay() public {
        uint64 index = say(1, PATH, bytes32("a packet"));
        Said memory old = close(0);
        update(first, old);
        bytes memory call_ = proposal(1, second, 3);
        refused(Code.SubstituteCancelled, call_);
        refused(Code.NoRecovery, adoption());

        now_ = old.time + PERIOD;
        clock(now_);
        refused(Code.NotNextEra, proposal(2, second, 3));
        refused(Code.QuorumNotReached, proposal(1, second, 1));
        refused(Code.BadKey, abi.encodeCall(client.upgradeClient, (abi.encode(substitute(1, second, 3), bytes("")))));
        accepted(call_);
        refused(Code.RecoveryProposed, proposal(1, stranger, 3));

        now_ += DELAY * 1_000 - 1_000;
        clock(now_);
        refused(Code.TooEarly, adoption());
        now_ += 1_000;
        clock(now_);
        accepted(adoption());
        refused(Code.NoRecovery, adoption());

        refused(Code.NoStateAt, membershipCall(old, index, PATH, bytes32("a packet")));
        Said memory next = close(1);
        clock(now_);
        refusedUpdate(Code.BadSignature, first, next);
        update(second, next);
        client.verifyMembership(membership(next, index, PATH, bytes32("a packet")));
    }

    function test_a_certificate_of_the_present_key_made_meanwhile_cancels_the_substitute() public {
        Said memory before = close(0);
        now_ += PERIOD;
        clock(now_);
        accepted(proposal(1, second, 3));
        now_ += 3_600_000;
        clock(now_);
        // What the key signed before the proposal shows nothing about now.
        refused(Code.NotNewer, cancellation(first, before));
        Said memory life = close(0);
        refused(Code.BadSignature, cancellation(second, life));
        accepted(cancellation(first, life));
        refused(Code.NoRecovery, cancellation(first, life));
        now_ += DELAY * 1_000;
        clock(now_);
        refused(Code.NoRecovery, adoption());
        // The key lives, but the client is expired: a certificate alone does not make it believe again.
        Said memory s = close(0);
        clock(now_);
        refusedUpdate(Code.TrustExpired, first, s);
    }

    function test_institutions_without_the_wait_move_nothing() public {
        now_ += PERIOD - 1_000;
        clock(now_);
        // One second of the trusting period is left.
        (, uint64 newest,,) = client.state();
        equal(now_ / 1000, newest / 1000 + DAY - 1, "the clock");
        refused(Code.SubstituteCancelled, proposal(1, second, 7));
        refused(Code.NoRecovery, adoption());
    }

    // Freeze

    function test_a_second_header_of_one_height_freezes_the_client() public {
        uint64 index = say(1, PATH, bytes32("a packet"));
        Said memory one = close(0);
        Said memory other = one;
        update(first, one);
        other = copy(one);
        other.body = bytes32("another block");
        equal(uint256(update(first, other)), uint256(UpdateResult.Misbehaviour), "the second header");
        refused(Code.ClientFrozen, membershipCall(one, index, PATH, bytes32("a packet")));
        refusedUpdate(Code.ClientFrozen, first, one);
    }

    function test_evidence_freezes_and_what_is_no_evidence_does_not() public {
        Said memory one = close(0);
        Said memory later = close(0);
        clock(now_);
        refused(Code.NoMisbehaviour, evidence(first, one, first, later));
        refused(Code.NoMisbehaviour, evidence(first, one, first, one));
        Said memory other = copy(one);
        other.body = bytes32("another block");
        refused(Code.BadSignature, evidence(first, one, stranger, other));
        refused(Code.BadSignature, evidence(stranger, other, first, one));
        accepted(evidence(first, one, first, other));
        (,,, bool frozen) = client.state();
        yes(frozen, "the client is frozen");
        refused(Code.ClientFrozen, evidence(first, one, first, other));
    }

    function test_a_frozen_client_is_recovered_by_a_substitute_that_its_key_cannot_cancel() public {
        Said memory one = close(0);
        Said memory other = copy(one);
        other.body = bytes32("another block");
        accepted(evidence(first, one, first, other));
        now_ += PERIOD;
        clock(now_);
        refused(Code.ClientFrozen, abi.encodeCall(client.renew, (trustFile(0, first, PERIOD, 3), first.point)));
        accepted(proposal(1, second, 3));
        now_ += 1_000;
        clock(now_);
        refused(Code.ClientFrozen, cancellation(first, close(0)));
        now_ += DELAY * 1_000;
        clock(now_);
        accepted(adoption());
        Said memory s = close(1);
        clock(now_);
        update(second, s);
    }

    // Creation

    function test_a_client_is_made_from_a_trust_file_that_its_institutions_signed() public {
        failsToBeMade(Code.TrustFileUnsigned, trustFile(0, first, PERIOD, 0), 1_000, DELAY);
        failsToBeMade(Code.QuorumNotReached, trustFile(0, first, PERIOD, 4), 1_000, DELAY);
        failsToBeMade(Code.BadProfile, trustFile(0, first, 1_000, 3), 1_000, DELAY);
        failsToBeMade(Code.BadProfile, trustFile(0, first, PERIOD, 3), 1_000, 0);
        bytes memory file = trustFile(0, first, PERIOD, 3);
        file[file.length - 1] ^= 0x40;
        failsToBeMade(Code.BadSignature, file, 1_000, DELAY);
        bytes memory good = trustFile(0, first, PERIOD, 3);
        clock(now_ + PERIOD);
        failsToBeMade(Code.TrustExpired, good, 1_000, DELAY);
        clock(now_ - 10_000);
        failsToBeMade(Code.HeaderAhead, good, 1_000, DELAY);
    }

    // Nothing from outside, of any length, is accepted or ends in anything but a refusal.

    function testFuzz_bytes_of_a_stranger_are_refused(bytes calldata noise) public {
        (bool done, bytes memory out) = address(client).call(updateCall(noise, "", noise, ""));
        yes(codeOf(done, out) != 0, "noise moved the client");
        yes(codeOf(done, out) < 1000, "noise was not refused with a code");
    }

    function testFuzz_a_changed_byte_is_refused(uint256 where, uint8 bits) public {
        Said memory s = close(0);
        (bytes memory front, bytes memory point) = certified(first, s);
        if (bits == 0) bits = 1;
        front[where % front.length] ^= bytes1(bits);
        (bool done, bytes memory out) = address(client).call(updateCall(front, "", point, ""));
        yes(codeOf(done, out) != 0 && codeOf(done, out) < 1000, "a changed front was not refused with a code");
    }

    function testFuzz_a_changed_byte_of_a_membership_proof_is_refused(uint256 where, uint8 bits) public {
        uint64 index = say(1, PATH, bytes32("a packet"));
        say(1, PATH, bytes32("its neighbour"));
        Said memory s = close(0);
        update(first, s);
        MsgVerifyMembership memory m = membership(s, index, PATH, bytes32("a packet"));
        if (bits == 0) bits = 1;
        m.proof[where % m.proof.length] ^= bytes1(bits);
        (bool done, bytes memory out) = address(client).call(abi.encodeCall(client.verifyMembership, (m)));
        yes(codeOf(done, out) != 0 && codeOf(done, out) < 1000, "a changed proof was not refused with a code");
    }

    // Helpers

    function clock(uint64 milliseconds_) private {
        vm.warp(milliseconds_ / 1000);
    }

    function made(bytes memory file) private returns (LightClient) {
        return new LightClient(signatories, file, first.point, 1_000, DELAY);
    }

    function failsToBeMade(uint16 code, bytes memory file, uint64 drift, uint64 delay) private {
        try new LightClient(signatories, file, first.point, drift, delay) {
            yes(false, "a client was made");
        } catch (bytes memory out) {
            equal(codeOf(false, out), code, "why no client is made");
        }
    }

    function update(Group memory g, Said memory s) private returns (UpdateResult) {
        (bytes memory front, bytes memory point) = certified(g, s);
        return client.updateClient(abi.encode(front, bytes(""), point, bytes("")));
    }

    function updateCall(bytes memory front, bytes memory tail, bytes memory point, bytes memory key)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeCall(ILightClient.updateClient, (abi.encode(front, tail, point, key)));
    }

    function refusedUpdate(uint16 code, Group memory g, Said memory s) private {
        (bytes memory front, bytes memory point) = certified(g, s);
        refused(code, updateCall(front, "", point, ""));
    }

    function follow(Group memory g, Said memory s, uint64 index, bytes memory body, Group memory next) private {
        accepted(followCall(g, s, index, body, next.point));
    }

    function followCall(Group memory g, Said memory s, uint64 index, bytes memory body, bytes memory next)
        private
        view
        returns (bytes memory)
    {
        (bytes memory front, bytes memory point) = certified(g, s);
        return updateCall(front, rest(index, s.size, body), point, next);
    }

    function membership(Said memory s, uint64 index, bytes memory path, bytes32 value)
        private
        view
        returns (MsgVerifyMembership memory m)
    {
        m.proof = bytes.concat(anchor(s), rest(index, s.size, ""));
        m.proofHeight = Height(0, s.height);
        m.path = new bytes[](1);
        m.path[0] = path;
        m.value = abi.encodePacked(value);
    }

    function membershipCall(Said memory s, uint64 index, bytes memory path, bytes32 value)
        private
        view
        returns (bytes memory)
    {
        return abi.encodeCall(ILightClient.verifyMembership, (membership(s, index, path, value)));
    }

    function absence(Said memory s, uint64 index, bytes memory path, bytes memory body)
        private
        view
        returns (MsgVerifyNonMembership memory m)
    {
        m.proof = bytes.concat(anchor(s), rest(index, s.size, body));
        m.proofHeight = Height(0, s.height);
        m.path = new bytes[](1);
        m.path[0] = path;
    }

    function evidence(Group memory g, Said memory one, Group memory h, Said memory other)
        private
        view
        returns (bytes memory)
    {
        (bytes memory a, bytes memory aPoint) = certified(g, one);
        (bytes memory b, bytes memory bPoint) = certified(h, other);
        return abi.encodeCall(ILightClient.misbehaviour, (abi.encode(a, b, aPoint, bPoint)));
    }

    function proposal(uint64 era, Group memory g, uint256 who) private returns (bytes memory) {
        return abi.encodeCall(ILightClient.upgradeClient, (abi.encode(substitute(era, g, who), g.point)));
    }

    function adoption() private pure returns (bytes memory) {
        return abi.encodeCall(ILightClient.upgradeClient, (bytes("")));
    }

    function cancellation(Group memory g, Said memory s) private view returns (bytes memory) {
        (bytes memory front, bytes memory point) = certified(g, s);
        return abi.encodeCall(LightClient.cancelSubstitute, (front, point));
    }

    function accepted(bytes memory call_) private {
        (bool done, bytes memory out) = address(client).call(call_);
        equal(codeOf(done, out), 0, "refused");
    }

    function refused(uint16 code, bytes memory call_) private {
        (bool done, bytes memory out) = address(client).call(call_);
        equal(codeOf(done, out), code, "code");
    }

    function copy(Said memory s) private pure returns (Said memory) {
        return Said(s.era, s.epoch, s.height, s.time, s.size, s.root, s.body);
    }

    /// The modulus less a coordinate.
    function minus(bytes memory y) private pure returns (bytes memory) {
        (uint256 high, uint256 low) = (uint128(bytes16(y)), uint256(bytes32(part(y, 16, 32))));
        uint256 pLow = 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;
        uint256 pHigh = 0x1a0111ea397fe69a4b1ba7b6434bacd7;
        unchecked {
            uint256 borrow = low > pLow ? 1 : 0;
            return abi.encodePacked(uint128(pHigh - high - borrow), pLow - low);
        }
    }
}
