// What of a deployed set is missing, is other than it should be, or waits: each with what mends it. It reads the chain
// and nothing else, and believes nothing of the set's file but addresses.
import { CONTRACTS, PORT, artifact, bindingOf, contractAt, ethers } from "./set.mjs";
import { pointsOfTrust } from "./question.mjs";

/** The sum of two points at infinity, by EIP-2537. */
const G1ADD = "0x000000000000000000000000000000000000000b";
const NOTHING = `0x${"00".repeat(128)}`;
const KEY_CODE = 1 + 256;
const NOBODY = ethers.ZeroAddress;

/** The code with its immutable values as zeros. */
function masked(code, references) {
  const bytes = Buffer.from(code.slice(2), "hex");
  for (const { start, length } of Object.values(references ?? {}).flat()) bytes.fill(0, start, start + length);
  return bytes.toString("hex");
}

/** Findings, in the order in which they would be mended: `{part, state, says, fix}`; none where all is well. */
export async function findings(provider, set, { trust = null, payers = [] } = {}) {
  const found = [];
  const say = (part, state, says, fix) => found.push({ part, state, says, fix });
  const { chainId } = await provider.getNetwork();
  if (BigInt(set.chain_id) !== chainId) {
    say("chain", "wrong", `the set is of chain ${set.chain_id}, the node is of chain ${chainId}`, "name another node with --rpc");
    return found;
  }
  const sum = await provider.call({ to: G1ADD, data: `0x${"00".repeat(256)}` }).catch(() => "0x");
  if (sum !== NOTHING) {
    say("chain", "missing", "the precompiles of BLS12-381 (EIP-2537)", "none: the chain must be of Prague or later");
    return found;
  }
  let whole = true;
  for (const name of CONTRACTS) {
    const address = set.contracts[name]?.address;
    const { object, immutableReferences } = artifact(name).deployedBytecode;
    const code = address === undefined ? "0x" : await provider.getCode(address);
    if (code === "0x") {
      say(name, "missing", address ? `no code at ${address}` : "it is not deployed", "deploy");
    } else if (masked(code, immutableReferences) !== masked(object, immutableReferences)) {
      say(name, "wrong", `the code at ${address} is not the code of this version`, "deploy this version, or check with that one");
    } else {
      continue;
    }
    whole = false;
  }
  // Without its contracts there is nothing to ask.
  if (!whole) return found;
  await checkClient(provider, set, trust, say);
  await checkRouter(provider, set, say);
  for (const payer of payers) {
    if ((await provider.getBalance(payer)) === 0n) say("balance", "missing", `${payer} has nothing to pay gas with`, `send ether to ${payer}`);
  }
  return found;
}

async function checkClient(provider, set, trust, say) {
  const address = (name) => set.contracts[name].address;
  const client = contractAt("LightClient", address("LightClient"), provider);
  if ((await client.SIGNATORIES()) !== address("Signatories")) {
    say("LightClient", "wrong", "it asks another Signatories", "deploy another light client");
  }
  const fingerprint = await client.TRUST_FILE();
  if (trust !== null) {
    const signatories = contractAt("Signatories", address("Signatories"), provider);
    const keys = `0x${pointsOfTrust(trust)}`;
    const told = await signatories.trustFile(`0x${trust}`, keys, { threshold: 0, keys: [] });
    if (told.fingerprint !== fingerprint) {
      say("LightClient", "wrong", `it was made from the trust file ${fingerprint}, not ${told.fingerprint}`, "deploy another light client");
    }
  }
  const [state, pending] = await Promise.all([client.state(), client.pending()]);
  const period = await client.TRUSTING_PERIOD();
  const { timestamp } = await provider.getBlock("latest");
  if (state.frozen) say("LightClient", "wrong", "it is frozen: two certified headers of one height", "the institutions propose a substitute: upgradeClient");
  if (BigInt(timestamp) * 1000n >= state.newest + period) {
    say("LightClient", "wrong", `its key expired at ${iso(state.newest + period)}`, "renew it with a trust file of the same key, or propose a substitute");
  }
  if (pending.key !== NOBODY) say("LightClient", "waiting", "a substitute was proposed", "if the present key lives, show it: cancelSubstitute");
  if ((ethers.dataLength(await provider.getCode(await client.key()))) !== KEY_CODE) {
    say("LightClient", "wrong", "its group key has no code", "deploy another light client");
  }
}

async function checkRouter(provider, set, say) {
  const router = contractAt("Router", set.contracts.Router.address, provider);
  const transfer = contractAt("Transfer", set.contracts.Transfer.address, provider);
  const { timestamp } = await provider.getBlock("latest");
  if ((await transfer.ROUTER()) !== set.contracts.Router.address) {
    say("Transfer", "wrong", "it obeys another router", "deploy another transfer application");
  }
  for (const role of ["governor", "guardian"]) {
    const holder = await router[role]();
    if (holder === NOBODY) say("Router", "missing", `it has no ${role}`, `the governor announces and sets one`);
    else if (holder !== set[role]) say("Router", "wrong", `its ${role} is ${holder}, not ${set[role]}`, `write ${holder} into the set if that is meant`);
  }
  if (set.client === undefined) {
    say("client", "missing", "the light client is not registered with the router", "deploy --counterparty ID");
  } else {
    const { id, counterparty } = set.client;
    const unknown = (error) => {
      if (ethers.isCallException(error)) return null;
      throw error;
    };
    const registered = await router.getClient(id).catch(unknown);
    if (registered === null) say("client", "missing", `the router has no ${id}`, "deploy --counterparty ID, with no client in the set");
    else if (registered !== set.contracts.LightClient.address) say("client", "wrong", `${id} is the light client ${registered}`, "write its address into the set, if that is meant");
    else if ((await router.getCounterparty(id)) !== counterparty) say("client", "wrong", `${id} is known abroad as ${await router.getCounterparty(id)}, not ${counterparty}`, "register another client");
    else if ((await router.haltedUntil(id)) > BigInt(timestamp)) say("client", "waiting", `the guardian halted ${id} until ${iso((await router.haltedUntil(id)) * 1000n)}`, "wait, or the guardian ends it: halt(id, 0)");
  }
  const app = await router.getApp(PORT);
  if (app === set.contracts.Transfer.address) return;
  if (app !== NOBODY) {
    say("port", "wrong", `${PORT} is bound to ${app}, for ever`, "deploy another router");
    return;
  }
  const call = bindingOf(set);
  const [from, notice] = await Promise.all([router.announced(ethers.keccak256(call)), router.NOTICE()]);
  const now = BigInt(timestamp);
  if (from === 0n || now >= from + notice) {
    say("port", "missing", `nothing is bound to ${PORT}, and the governor has announced no binding`, `the governor runs deploy, or calls announce(${call}) at ${set.contracts.Router.address}`);
  } else if (now < from) {
    say("port", "waiting", `the binding of ${PORT} may be made from ${iso(from * 1000n)} to ${iso((from + notice) * 1000n)}`, "the governor runs deploy then");
  } else {
    say("port", "missing", `the binding of ${PORT} may be made until ${iso((from + notice) * 1000n)}`, `the governor runs deploy, or makes the call ${call} at ${set.contracts.Router.address}`);
  }
}

const iso = (milliseconds) => new Date(Number(milliseconds)).toISOString();
