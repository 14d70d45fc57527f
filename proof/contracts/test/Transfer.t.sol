// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {SendTransferMsg, Transfer} from "../src/Transfer.sol";
import {OnRecvPacketCallback, OnTimeoutPacketCallback} from "../src/ibc/IApp.sol";
import {MsgRecvPacket, MsgTimeoutPacket, Packet, Payload} from "../src/ibc/Packet.sol";
import {Denoms} from "../src/transfer/Denoms.sol";
import {TokenFails, TokenLies} from "../src/transfer/Tokens.sol";
import {Voucher} from "../src/transfer/Voucher.sol";
import {Code} from "../src/verify/Code.sol";
import {Bridge} from "./Bridge.sol";
import {ChargingToken, DenyingToken, EnteringToken, GreedyToken, LyingToken, SilentToken, Token} from "./Tokens.sol";

/// Tokens out and home, coins in and back, refunds, and tokens that are not to be believed.
contract TransferTest is Bridge {
    function setUp() public {
        build();
    }

    // Out and home

    function test_a_token_goes_out_and_comes_home() public {
        Packet memory p = send(alice, address(token), 400);
        router.ackPacket(ackOf(p, SUCCESS));
        equal(token.balanceOf(address(app)), 400, "escrow");
        equal(app.lockedFor(OURS, address(token)), 400, "locked for the client");
        yes(receiveCoin(1, abroad(address(token)), bob, 150), "received");
        equal(token.balanceOf(bob), 150, "bob has it");
        equal(app.lockedFor(OURS, address(token)), 250, "what is left");
    }

    function test_a_coin_comes_as_a_voucher_and_goes_back() public {
        yes(receiveCoin(1, "uatom", bob, 70), "received");
        Voucher voucher = app.voucherOf("transfer/client-0/uatom");
        equal(voucher.balanceOf(bob), 70, "bob's vouchers");
        yes(receiveCoin(2, "uatom", bob, 5), "received again");
        equal(voucher.totalSupply(), 75, "one voucher for one coin");
        Packet memory p = send(bob, address(voucher), 30);
        equal(voucher.totalSupply(), 45, "burned when it goes");
        router.ackPacket(ackOf(p, SUCCESS));
        equal(voucher.totalSupply(), 45, "and stays burned");
    }

    function test_what_was_refused_is_given_back() public {
        Packet memory p = send(alice, address(token), 400);
        router.ackPacket(ackOf(p, errorAck()));
        equal(token.balanceOf(alice), 1_000_000, "the token");
        equal(app.lockedFor(OURS, address(token)), 0, "nothing is locked");
        receiveCoin(1, "uatom", bob, 70);
        Voucher voucher = app.voucherOf("transfer/client-0/uatom");
        Packet memory q = send(bob, address(voucher), 70);
        router.ackPacket(ackOf(q, errorAck()));
        equal(voucher.balanceOf(bob), 70, "the voucher");
    }

    function test_what_was_closed_is_given_back() public {
        receiveCoin(1, "uatom", bob, 70);
        Voucher voucher = app.voucherOf("transfer/client-0/uatom");
        Packet memory p = send(alice, address(token), 400);
        Packet memory q = send(bob, address(voucher), 50);
        tick(TIMEOUT);
        router.timeoutPacket(timeoutOf(p));
        router.timeoutPacket(timeoutOf(q));
        equal(token.balanceOf(alice), 1_000_000, "the token");
        equal(voucher.balanceOf(bob), 70, "the voucher");
    }

    function test_a_voucher_that_moves_on_by_another_client_is_locked_and_comes_back() public {
        receiveCoin(1, "uatom", bob, 70);
        Voucher voucher = app.voucherOf("transfer/client-0/uatom");
        string memory second = router.addClient(client, "ethereum-1", bare());
        vm.startPrank(bob);
        voucher.approve(address(app), 70);
        SendTransferMsg memory m = transferOf(address(voucher), 40);
        m.sourceClient = second;
        app.sendTransfer(m);
        vm.stopPrank();
        equal(voucher.totalSupply(), 70, "it is not burned");
        equal(app.lockedFor(second, address(voucher)), 40, "but locked for the second client");
        // By the first client it cannot be taken.
        yes(!receiveCoin(2, "transfer/ethereum-0/transfer/client-0/uatom", alice, 40), "by the wrong client");
        Packet memory p =
            packet(1, "ethereum-1", second, data("transfer/ethereum-1/transfer/client-0/uatom", FAR, Denoms.ofAddress(alice), 40));
        router.recvPacket(receiveOf(p));
        yes(wrote(p, SUCCESS), "by the second");
        equal(voucher.balanceOf(alice), 40, "alice has it");
    }

    // Bounds

    function test_amounts_and_tokens_at_their_bounds() public {
        bytes memory call_ = abi.encodeCall(app.sendTransfer, (transferOf(address(token), 0)));
        vm.prank(alice);
        fails(Code.ZeroWeight, address(app), call_);
        SendTransferMsg memory m = transferOf(address(token), 1);
        m.receiver = "";
        vm.prank(alice);
        fails(Code.Empty, address(app), abi.encodeCall(app.sendTransfer, (m)));
        m.receiver = string(new bytes(2049));
        vm.prank(alice);
        fails(Code.TooLong, address(app), abi.encodeCall(app.sendTransfer, (m)));
        m = transferOf(address(token), 1);
        m.memo = string(new bytes(32_769));
        vm.prank(alice);
        fails(Code.TooLong, address(app), abi.encodeCall(app.sendTransfer, (m)));

        yes(receiveCoin(1, "uatom", bob, type(uint256).max), "all there can be");
        yes(!receiveCoin(2, "uatom", alice, 1), "one more is refused");
        Voucher voucher = app.voucherOf("transfer/client-0/uatom");
        equal(voucher.totalSupply(), type(uint256).max, "the supply did not wrap");
        equal(voucher.balanceOf(alice), 0, "nothing came of it");
        yes(!receiveCoin(3, string(new bytes(513)), bob, 1), "a name above its bound");
    }

    function test_nobody_unlocks_more_than_was_locked_for_the_client() public {
        router.ackPacket(ackOf(send(alice, address(token), 400), SUCCESS));
        yes(!receiveCoin(1, abroad(address(token)), bob, 401), "more than was locked");
        yes(receiveCoin(2, abroad(address(token)), bob, 400), "all of it");
        yes(!receiveCoin(3, abroad(address(token)), bob, 1), "and nothing then");
        string memory second = router.addClient(client, "ethereum-1", bare());
        router.ackPacket(ackOf(send(alice, address(token), 400), SUCCESS));
        Packet memory p = packet(
            1, "ethereum-1", second,
            data(string.concat("transfer/ethereum-1/", Denoms.ofAddress(address(token))), FAR, Denoms.ofAddress(bob), 1)
        );
        router.recvPacket(receiveOf(p));
        yes(wrote(p, errorAck()), "another client's chain takes nothing of it");
    }

    function test_only_the_router_is_heard_and_only_the_application_mints() public {
        OnRecvPacketCallback memory m;
        fails(Code.NotAllowed, address(app), abi.encodeCall(app.onRecvPacket, (m)));
        OnTimeoutPacketCallback memory t;
        fails(Code.NotAllowed, address(app), abi.encodeCall(app.onTimeoutPacket, (t)));
        receiveCoin(1, "uatom", bob, 70);
        Voucher voucher = app.voucherOf("transfer/client-0/uatom");
        vm.expectRevert(Voucher.NotTheApplication.selector);
        voucher.mint(alice, 1);
        vm.expectRevert(Voucher.NotTheApplication.selector);
        voucher.burn(bob, 1);
    }

    // Tokens that are not to be believed

    function test_a_token_that_charges_is_refused() public {
        ChargingToken bad = new ChargingToken();
        bad.mint(alice, 1_000);
        refusedToken(address(bad), abi.encodeWithSelector(TokenLies.selector, address(bad), 100, 99));
    }

    function test_a_token_that_begins_to_charge_gives_nothing_less_and_nothing_of_others() public {
        ChargingToken bad = new ChargingToken();
        bad.charge(false);
        bad.mint(alice, 1_000);
        Packet memory p = send(alice, address(bad), 100);
        bad.charge(true);
        yes(!receiveCoin(1, abroad(address(bad)), bob, 100), "a receive is refused");
        tick(TIMEOUT);
        MsgTimeoutPacket memory m = timeoutOf(p);
        (bool done,) = address(router).call(abi.encodeCall(router.timeoutPacket, (m)));
        yes(!done, "a refund waits");
        equal(app.lockedFor(OURS, address(bad)), 100, "nothing is lost");
        bad.charge(false);
        router.timeoutPacket(m);
        equal(bad.balanceOf(alice), 1_000, "the refund comes whole");
    }

    function test_a_token_that_lies_is_refused() public {
        LyingToken bad = new LyingToken();
        bad.mint(alice, 1_000);
        refusedToken(address(bad), abi.encodeWithSelector(TokenLies.selector, address(bad), 100, 0));
        DenyingToken other = new DenyingToken();
        other.mint(alice, 1_000);
        refusedToken(address(other), abi.encodeWithSelector(TokenFails.selector, address(other)));
    }

    function test_an_account_without_code_is_no_token() public {
        SendTransferMsg memory m = transferOf(address(0xdead), 1);
        vm.prank(alice);
        (bool done,) = address(app).call(abi.encodeCall(app.sendTransfer, (m)));
        yes(!done, "a transfer of nothing");
    }

    function test_a_token_that_answers_nothing_is_a_token() public {
        SilentToken old = new SilentToken();
        old.mint(alice, 1_000);
        vm.prank(alice);
        app.sendTransfer(transferOf(address(old), 100));
        yes(receiveCoin(1, abroad(address(old)), bob, 60), "home");
        equal(old.balanceOf(bob), 60, "bob has it");
    }

    function test_a_token_that_enters_again_while_it_is_sent_is_refused() public {
        EnteringToken bad = new EnteringToken();
        bad.mint(alice, 1_000);
        bad.set(address(app), abi.encodeCall(app.sendTransfer, (transferOf(address(token), 1))));
        vm.prank(alice);
        app.sendTransfer(transferOf(address(bad), 100));
        yes(!bad.wentThrough(), "it entered");
        equal(codeOf(false, bad.reason()), Code.NotAllowed, "why not");
    }

    function test_a_token_cannot_have_the_packets_of_others_refused_while_it_is_sent() public {
        Packet memory p = packet(1, THEIRS, OURS, data("uatom", FAR, Denoms.ofAddress(bob), 7));
        MsgRecvPacket memory m = receiveOf(p);
        EnteringToken bad = new EnteringToken();
        bad.mint(alice, 1_000);
        bad.set(address(router), abi.encodeCall(router.recvPacket, (m)));
        vm.prank(alice);
        app.sendTransfer(transferOf(address(bad), 100));
        yes(!bad.wentThrough(), "it delivered");
        yes(router.commitments(keccak256(abi.encodePacked(OURS, uint8(3), uint64(1)))) == 0, "nothing was written");
        router.recvPacket(m);
        yes(wrote(p, SUCCESS), "the packet is received afterwards");
    }

    function test_a_token_that_uses_all_gas_fails_alone() public {
        GreedyToken bad = new GreedyToken();
        bad.mint(alice, 1_000);
        vm.startPrank(alice);
        bad.approve(address(app), 1_000);
        app.sendTransfer(transferOf(address(bad), 100));
        vm.stopPrank();
        bad.starve();
        yes(!receiveCoin(1, abroad(address(bad)), bob, 100), "the error acknowledgement");
        yes(receiveCoin(2, "uatom", bob, 1), "the route goes on");
    }

    // Whatever the network says, nothing but what it may is moved.

    function testFuzz_a_payload_of_any_bytes_moves_nothing_that_is_locked(bytes calldata value) public {
        router.ackPacket(ackOf(send(alice, address(token), 400), SUCCESS));
        Packet memory p = packet(1, THEIRS, OURS, value.length == 0 ? bytes(hex"00") : value);
        router.recvPacket(receiveOf(p));
        equal(token.balanceOf(address(app)), 400, "the escrow");
    }

    function testFuzz_out_and_home_in_any_parts(uint96 out, uint96 home) public {
        uint256 sent = 1 + uint256(out) % 1_000_000;
        router.ackPacket(ackOf(send(alice, address(token), sent), SUCCESS));
        uint256 back = uint256(home) % 2_000_000;
        bool whole = receiveCoin(1, abroad(address(token)), bob, back);
        yes(whole == (back != 0 && back <= sent), "received exactly when it can be");
        equal(token.balanceOf(bob), whole ? back : 0, "bob's tokens");
        equal(token.balanceOf(address(app)), whole ? sent - back : sent, "the escrow");
        equal(app.lockedFor(OURS, address(token)), token.balanceOf(address(app)), "what is known of it");
    }

    function testFuzz_addresses_are_read_as_they_are_written(address account) public view {
        (bool done, address found) = this.read(Denoms.ofAddress(account));
        yes(done && found == account, "an address");
    }

    // Helpers

    /// Texts are read where a call has them.
    function read(string calldata text) external pure returns (bool, address) {
        return Denoms.toAddress(text);
    }

    function refusedToken(address bad, bytes memory why) private {
        vm.startPrank(alice);
        Token(bad).approve(address(app), type(uint256).max);
        (bool done, bytes memory out) =
            address(app).call(abi.encodeCall(app.sendTransfer, (transferOf(bad, 100))));
        vm.stopPrank();
        yes(!done && keccak256(out) == keccak256(why), "the token is refused for what it did");
        equal(app.lockedFor(OURS, bad), 0, "nothing is locked");
    }
}
