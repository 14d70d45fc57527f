// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {MsgAckPacket, MsgTimeoutPacket, Packet} from "../src/ibc/Packet.sol";
import {Voucher} from "../src/transfer/Voucher.sol";
import {Bridge} from "./Bridge.sol";

/// Histories of a bridge: it sends, the network receives, refuses, closes and sends back, in any order and any
/// amount, also more than it has. The other side's books are kept here by plain sums, from what was acknowledged.
contract Histories is Bridge {
    struct Flight {
        /// ABI of the packet.
        bytes packet;
        uint256 amount;
        bool isVoucher;
    }

    Flight[] private flights;
    uint64 private nextIn = 1;
    /// On the other side: vouchers of our token, and coins that are locked there for our vouchers.
    uint256 public vouchersAbroad;
    uint256 public coinsLockedAbroad;
    /// On their way out and not resolved.
    uint256 public tokensInFlight;
    uint256 public vouchersInFlight;

    constructor() {
        build();
    }

    /// The clock of this chain is that of the network.
    modifier timely() {
        vm.warp(now_ / 1_000);
        _;
    }

    function tokens() external view returns (uint256 escrow, uint256 known) {
        return (token.balanceOf(address(app)), app.lockedFor(OURS, address(token)));
    }

    function supply() external view returns (uint256) {
        Voucher voucher = app.voucherOf("transfer/client-0/uatom");
        return address(voucher) == address(0) ? 0 : voucher.totalSupply();
    }

    function held() external view returns (uint256) {
        return token.balanceOf(alice) + token.balanceOf(bob) + token.balanceOf(address(app));
    }

    function sendToken(uint256 amount) external timely {
        amount = amount % (token.balanceOf(alice) + 1);
        if (amount == 0) return;
        flights.push(Flight(abi.encode(send(alice, address(token), amount)), amount, false));
        tokensInFlight += amount;
    }

    function sendVoucher(uint256 amount) external timely {
        Voucher voucher = app.voucherOf("transfer/client-0/uatom");
        if (address(voucher) == address(0)) return;
        amount = amount % (voucher.balanceOf(bob) + 1);
        if (amount == 0) return;
        flights.push(Flight(abi.encode(send(bob, address(voucher), amount)), amount, true));
        vouchersInFlight += amount;
    }

    /// A coin of the other side comes, locked there.
    function coin(uint128 amount) external timely {
        bool whole = receiveCoin(nextIn++, "uatom", bob, amount);
        yes(whole == (amount != 0), "a coin is received");
        if (whole) coinsLockedAbroad += amount;
    }

    /// Our token comes home.
    function home(uint256 amount) external timely {
        amount = amount % (vouchersAbroad + 1);
        bool whole = receiveCoin(nextIn++, abroad(address(token)), alice, amount);
        yes(whole == (amount != 0), "a return is received");
        if (whole) vouchersAbroad -= amount;
    }

    /// The other side claims more than all that is locked for it.
    function claim(uint128 more) external timely {
        uint256 amount = app.lockedFor(OURS, address(token)) + 1 + more;
        yes(!receiveCoin(nextIn++, abroad(address(token)), bob, amount), "a claim above the escrow is refused");
    }

    function resolve(uint256 which, uint256 how, bool again) external timely {
        if (flights.length == 0) return;
        which = which % flights.length;
        Flight memory f = flights[which];
        if (how % 3 == 0) succeed(f, again);
        else if (how % 3 == 1) refuseIt(f, again);
        else expire(f, again);
        flights[which] = flights[flights.length - 1];
        flights.pop();
        if (f.isVoucher) vouchersInFlight -= f.amount;
        else tokensInFlight -= f.amount;
    }

    function succeed(Flight memory f, bool again) private {
        MsgAckPacket memory m = ackOf(abi.decode(f.packet, (Packet)), SUCCESS);
        router.ackPacket(m);
        if (again) router.ackPacket(m);
        if (f.isVoucher) coinsLockedAbroad -= f.amount;
        else vouchersAbroad += f.amount;
    }

    function refuseIt(Flight memory f, bool again) private {
        MsgAckPacket memory m = ackOf(abi.decode(f.packet, (Packet)), errorAck());
        router.ackPacket(m);
        if (again) router.ackPacket(m);
    }

    function expire(Flight memory f, bool again) private {
        Packet memory p = abi.decode(f.packet, (Packet));
        if (block.timestamp < p.timeoutTimestamp) tick(TIMEOUT);
        MsgTimeoutPacket memory m = timeoutOf(p);
        router.timeoutPacket(m);
        if (again) router.timeoutPacket(m);
    }
}

contract InvariantTest is Bridge {
    Histories private histories;

    function setUp() public {
        histories = new Histories();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(histories);
    }

    /// What is locked is what is abroad or on its way; vouchers here are coins locked abroad; nothing comes or goes.
    function invariant_everything_is_conserved() public view {
        (uint256 escrow, uint256 known) = histories.tokens();
        equal(escrow, known, "the tokens that the application holds");
        equal(known, histories.vouchersAbroad() + histories.tokensInFlight(), "vouchers abroad, and on their way");
        equal(
            histories.supply() + histories.vouchersInFlight(), histories.coinsLockedAbroad(), "coins locked abroad"
        );
        equal(histories.held(), 1_000_000, "all tokens");
    }
}
