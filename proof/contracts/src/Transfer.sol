// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Router} from "./Router.sol";
import {
    IApp,
    NotNow,
    OnAcknowledgementPacketCallback,
    OnRecvPacketCallback,
    OnTimeoutPacketCallback
} from "./ibc/IApp.sol";
import {MsgSendPacket, Packets, Payload} from "./ibc/Packet.sol";
import {Denoms} from "./transfer/Denoms.sol";
import {FungibleTokenPacketData, PacketData} from "./transfer/PacketData.sol";
import {Tokens} from "./transfer/Tokens.sol";
import {Voucher} from "./transfer/Voucher.sol";
import {Code} from "./verify/Code.sol";
import {Reading} from "./verify/Reader.sol";
import {hold} from "./verify/Refusal.sol";

/// What a sender asks.
struct SendTransferMsg {
    address denom;
    uint256 amount;
    string receiver;
    string sourceClient;
    string destPort;
    uint64 timeoutTimestamp;
    string memo;
}

/// Transfers of ERC-20 tokens to other chains and of their coins to this one (ICS-20).
///
/// A token that leaves is locked here under the client it left by, and only what comes by that client unlocks it: a
/// chain that lies takes at most what was locked for it. A coin that comes is a voucher, minted here and burned when it
/// goes home. A packet that is refused or closed gives its sender back what it took, by the same two ways.
///
/// It has no owner, no role and no upgrade. It calls no address that a packet names, but tokens that somebody here
/// locked. A token must move exactly what it is told: one that charges, lies or enters again is refused.
contract Transfer is IApp {
    using Tokens for address;

    event Sent(address indexed token, address indexed sender, uint256 amount, string client, uint64 sequence);
    event Refunded(address indexed token, address indexed sender, uint256 amount);
    event VoucherMade(address token, string denom);

    string public constant PORT = "transfer";
    string private constant VERSION = "ics20-1";
    string private constant ENCODING = "application/x-solidity-abi";
    bytes32 private constant PORT_HASH = keccak256("transfer");
    bytes32 private constant VERSION_HASH = keccak256("ics20-1");
    bytes32 private constant ENCODING_HASH = keccak256("application/x-solidity-abi");
    bytes private constant SUCCESS = '{"result":"AQ=="}';
    uint256 private constant MAX_DENOM = 512;
    uint256 private constant MAX_RECEIVER = 2048;
    uint256 private constant MAX_MEMO = 32_768;

    Router public immutable ROUTER;
    /// By Keccak hash of the client: what of a token is locked for it.
    mapping(bytes32 => mapping(address => uint256)) private locked;
    /// By Keccak hash of the full denomination.
    mapping(bytes32 => Voucher) private vouchers;
    mapping(address => bool) public isVoucher;
    /// A word, because a smaller value is read before it is written.
    uint256 private transient entered;

    constructor(Router router) {
        ROUTER = router;
    }

    modifier onlyRouter() {
        hold(msg.sender == address(ROUTER), Code.NotAllowed);
        _;
    }

    modifier once() {
        hold(entered == 0, Code.NotAllowed);
        entered = 1;
        _;
        entered = 0;
    }

    /// What of a token is locked for a client.
    function lockedFor(string calldata client, address token) external view returns (uint256) {
        return locked[keccak256(bytes(client))][token];
    }

    /// The voucher of a full denomination; none before the first one came.
    function voucherOf(string calldata denom) external view returns (Voucher) {
        return vouchers[keccak256(bytes(denom))];
    }

    /// Sends a token, of which the sender allowed the amount, or a voucher.
    function sendTransfer(SendTransferMsg calldata m) external once returns (uint64 sequence) {
        hold(m.amount != 0, Code.ZeroWeight);
        uint256 length = bytes(m.receiver).length;
        hold(length != 0, Code.Empty);
        hold(length <= MAX_RECEIVER && bytes(m.memo).length <= MAX_MEMO, Code.TooLong);
        string memory denom;
        if (isVoucher[m.denom]) denom = Voucher(m.denom).name();
        else denom = Denoms.ofAddress(m.denom);
        // Named before anything moves, so that nothing that the token calls can change what is sent.
        if (isVoucher[m.denom] && Denoms.cameBy(denom, m.sourceClient)) {
            Voucher(m.denom).burn(msg.sender, m.amount);
        } else {
            locked[keccak256(bytes(m.sourceClient))][m.denom] += m.amount;
            m.denom.pull(msg.sender, m.amount);
        }
        FungibleTokenPacketData memory data =
            FungibleTokenPacketData(denom, Denoms.ofAddress(msg.sender), m.receiver, m.amount, m.memo);
        sequence = ROUTER.sendPacket(
            MsgSendPacket({
                sourceClient: m.sourceClient,
                timeoutTimestamp: m.timeoutTimestamp,
                payload: Payload({
                    sourcePort: PORT,
                    destPort: m.destPort,
                    version: VERSION,
                    encoding: ENCODING,
                    value: abi.encode(data)
                })
            })
        );
        emit Sent(m.denom, msg.sender, m.amount, m.sourceClient, sequence);
    }

    /// Unlocks what comes home, or mints the voucher of what comes from elsewhere. What fails here becomes the error
    /// acknowledgement.
    function onRecvPacket(OnRecvPacketCallback calldata m) external onlyRouter returns (bytes memory) {
        // A token that delivers packets while it is being moved would have them refused.
        if (entered != 0) revert NotNow();
        entered = 1;
        Payload calldata payload = m.payload;
        hold(
            hashOf(payload.version) == VERSION_HASH && hashOf(payload.encoding) == ENCODING_HASH
                && hashOf(payload.sourcePort) == PORT_HASH,
            Code.WrongPayload
        );
        bytes calldata data = PacketData.over(payload.value);
        uint256 amount = PacketData.amount(data);
        string calldata denom = PacketData.denom(data);
        hold(amount != 0, Code.ZeroWeight);
        hold(bytes(denom).length != 0, Code.Empty);
        hold(bytes(denom).length <= MAX_DENOM && bytes(PacketData.memo(data)).length <= MAX_MEMO, Code.TooLong);
        address receiver = receiverOf(data);
        (bool returns_, string calldata own) = Denoms.behind(denom, m.sourceClient);
        if (returns_) {
            // The counterparty names what came from us by its own port and client in front.
            release(m.destinationClient, known(own), receiver, amount);
        } else {
            mint(Denoms.through(m.destinationClient, denom), receiver, amount);
        }
        entered = 0;
        return SUCCESS;
    }

    /// Refunds what the other side refused. Any other acknowledgement is of a transfer that was done.
    function onAcknowledgementPacket(OnAcknowledgementPacketCallback calldata m) external onlyRouter once {
        if (Packets.isError(m.acknowledgement)) refund(m.sourceClient, m.payload);
    }

    /// Refunds what was closed.
    function onTimeoutPacket(OnTimeoutPacketCallback calldata m) external onlyRouter once {
        refund(m.sourceClient, m.payload);
    }

    /// The payload is ours, as the router's commitment shows.
    function refund(string calldata client, Payload calldata payload) private {
        bytes calldata data = PacketData.over(payload.value);
        uint256 amount = PacketData.amount(data);
        string calldata denom = PacketData.denom(data);
        (, address sender) = Denoms.toAddress(PacketData.sender(data));
        address token = known(denom);
        (bool came,) = Denoms.behind(denom, client);
        if (came && isVoucher[token]) Voucher(token).mint(sender, amount);
        else release(client, token, sender, amount);
        emit Refunded(token, sender, amount);
    }

    /// Who receives: an address as text, and not this contract.
    function receiverOf(bytes calldata data) private view returns (address receiver) {
        bool isAddress;
        (isAddress, receiver) = Denoms.toAddress(PacketData.receiver(data));
        hold(isAddress && receiver != address(0) && receiver != address(this), Code.WrongPayload);
    }

    function release(string calldata client, address token, address to, uint256 amount) private {
        mapping(address => uint256) storage of_ = locked[hashOf(client)];
        uint256 there = of_[token];
        // What was never locked for this client is no token to call, whoever names it.
        hold(there >= amount, Code.OutOfRange);
        of_[token] = there - amount;
        token.push(to, amount);
    }

    function mint(string memory denom, address to, uint256 amount) private {
        bytes32 key = keccak256(bytes(denom));
        Voucher voucher = vouchers[key];
        if (address(voucher) == address(0)) {
            voucher = new Voucher(denom);
            vouchers[key] = voucher;
            isVoucher[address(voucher)] = true;
            emit VoucherMade(address(voucher), denom);
        }
        voucher.mint(to, amount);
    }

    /// The token of a denomination here: an address, or a voucher that exists.
    function known(string calldata denom) private view returns (address token) {
        bool isAddress;
        // No voucher has an address for its name: the names of vouchers begin with a hop.
        (isAddress, token) = Denoms.toAddress(denom);
        if (isAddress) return token;
        token = address(vouchers[hashOf(denom)]);
        hold(token != address(0), Code.WrongPayload);
    }

    function hashOf(string calldata text) private pure returns (bytes32) {
        return Reading.key(Reading.startOf(bytes(text)), bytes(text).length);
    }
}
