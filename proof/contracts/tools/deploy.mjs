#!/usr/bin/env node
// Deploys the contracts on an EVM chain, wires them, and says what of a deployed set is missing.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { findings } from "./check.mjs";
import { pointsOfTrust } from "./question.mjs";
import { CONTRACTS, Ended, PORT, artifact, bindingOf, contractAt, ethers, reach, readSet, refusal, writeSet } from "./set.mjs";

const USAGE = `usage: node tools/deploy.mjs COMMAND --rpc URL --set FILE

  deploy   deploys what FILE does not name yet, registers the light client, announces and binds the port: as far as it can
           go now. Run it again until nothing waits; it does no step twice.
    --trust FILE            the network's trust file, signed by its institutions
    --counterparty ID       the client by which the network knows this chain; it may be named later
    --governor ADDRESS      who binds ports, after the notice
    --guardian ADDRESS      who may halt a client for a while
    --notice SECONDS        how long acts of the governor wait (259200)
    --drift SECONDS         how far a header may be ahead of this chain's clock (60)
    --delay SECONDS         how long a substitute key waits (172800)
    --keystore FILE --password-file FILE | --account ADDRESS
                            who signs: a key in a keystore, or an account that the node signs for
  check    says what is missing, with what mends it
    --trust FILE            and that the light client was made from it
    --payer ADDRESS         and that this account can pay; may be repeated

  --json prints one JSON object. Ends with 0: done, nothing is missing; 1: refused, or something is missing or waits;
  2: not understood; 3: not reachable.
`;

const TEXT = { type: "string" };
const options = {
  rpc: TEXT, set: TEXT, trust: TEXT, counterparty: TEXT, governor: TEXT, guardian: TEXT, keystore: TEXT, account: TEXT,
  "password-file": TEXT, payer: { type: "string", multiple: true }, json: { type: "boolean" },
  notice: { type: "string", default: "259200" }, drift: { type: "string", default: "60" }, delay: { type: "string", default: "172800" },
};

function need(flags, name) {
  if (flags[name] === undefined) throw new Ended(2, `--${name} is missing`);
  return flags[name];
}

function wholeNumber(flags, name) {
  if (!/^[0-9]{1,9}$/.test(flags[name])) throw new Ended(2, `--${name} is a number of seconds`);
  return BigInt(flags[name]);
}

function address(flags, name) {
  const text = need(flags, name);
  if (!ethers.isAddress(text)) throw new Ended(2, `--${name} is an address, of which the checksum holds`);
  return ethers.getAddress(text);
}

function read(file) {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Ended(2, error.message);
  }
}

async function signer(flags, provider) {
  if (flags.account !== undefined) return provider.getSigner(address(flags, "account"));
  const password = read(need(flags, "password-file")).toString("utf8").trimEnd();
  const wallet = await ethers.Wallet.fromEncryptedJson(read(need(flags, "keystore")).toString("utf8"), password);
  return new ethers.NonceManager(wallet.connect(provider));
}

/** Waits for a transaction, and gives its receipt. */
async function mined(sent) {
  const receipt = await sent.wait(1, 180_000);
  if (receipt?.status !== 1) throw new Ended(1, `the transaction ${sent.hash} was undone`);
  return receipt;
}

/** Relations that a deployment would otherwise be refused for, or worse, would keep for ever. */
function checked(flags) {
  const [notice, drift, delay] = ["notice", "drift", "delay"].map((name) => wholeNumber(flags, name));
  if (notice === 0n) throw new Ended(2, "--notice must not be 0: an act of the governor would be seen by nobody");
  if (delay === 0n) throw new Ended(2, "--delay must not be 0: a substitute key could be cancelled by nobody");
  return { notice, drift: drift * 1000n, delay };
}

class Deployment {
  constructor(flags, provider, set) {
    Object.assign(this, { flags, provider, set, file: flags.set, done: [] });
  }

  save(what) {
    writeSet(this.file, this.set);
    this.done.push(what);
    if (!this.flags.json) console.log(`done  ${what}`);
  }

  async contract(name, ...args) {
    if (this.set.contracts[name] !== undefined) return;
    const { abi, bytecode } = artifact(name);
    const factory = new ethers.ContractFactory(abi, bytecode.object, this.who);
    const deployed = await factory.deploy(...args);
    const receipt = await mined(deployed.deploymentTransaction());
    this.set.contracts[name] = { address: receipt.contractAddress, block: receipt.blockNumber, transaction: receipt.hash, gas: Number(receipt.gasUsed) };
    this.save(`${name} at ${receipt.contractAddress}`);
  }

  async contracts() {
    const at = (name) => this.set.contracts[name].address;
    await this.contract("Signatories");
    if (this.set.contracts.LightClient === undefined) {
      const trust = read(need(this.flags, "trust")).toString("hex");
      const { drift, delay } = checked(this.flags);
      await this.contract("LightClient", at("Signatories"), `0x${trust}`, `0x${pointsOfTrust(trust)}`, drift, delay);
    }
    await this.contract("Router", this.set.governor, this.set.guardian, this.set.notice);
    await this.contract("Transfer", at("Router"));
  }

  async register() {
    const { counterparty } = this.flags;
    if (this.set.client !== undefined || counterparty === undefined) return;
    const router = contractAt("Router", this.set.contracts.Router.address, this.who);
    // The one empty prefix element of ICS-24 v2, which a Zeugma network has.
    const receipt = await mined(await router.addClient(this.set.contracts.LightClient.address, counterparty, ["0x"]));
    const event = receipt.logs.map((log) => router.interface.parseLog(log)).find((log) => log?.name === "ClientAdded");
    this.set.client = { id: event.args.clientId, counterparty };
    this.save(`the light client is ${event.args.clientId}, known abroad as ${counterparty}`);
  }

  /** Announces the binding of the port, or makes it: what its governor may do now. */
  async bind() {
    const router = contractAt("Router", this.set.contracts.Router.address, this.who);
    if ((await router.getApp(PORT)) !== ethers.ZeroAddress) return;
    if ((await router.governor()) !== (await this.who.getAddress())) return;
    const call = bindingOf(this.set);
    const from = await router.announced(ethers.keccak256(call));
    const notice = await router.NOTICE();
    const now = BigInt((await this.provider.getBlock("latest")).timestamp);
    if (from === 0n || now >= from + notice) {
      await mined(await router.announce(call));
      this.save(`the binding of ${PORT} is announced`);
    } else if (now >= from) {
      await mined(await router.bindPort(PORT, this.set.contracts.Transfer.address));
      this.save(`${PORT} is bound to ${this.set.contracts.Transfer.address}`);
    }
  }
}

async function deploy(flags, provider) {
  const { chainId } = await provider.getNetwork();
  let set = readSet(flags.set);
  if (set === null) {
    const { notice } = checked(flags);
    const [governor, guardian] = [address(flags, "governor"), address(flags, "guardian")];
    set = { chain_id: Number(chainId), governor, guardian, notice: Number(notice), contracts: {} };
  }
  if (BigInt(set.chain_id) !== chainId) throw new Ended(1, `the set is of chain ${set.chain_id}, the node is of chain ${chainId}`);
  for (const name of Object.keys(set.contracts)) {
    if (!CONTRACTS.includes(name)) throw new Ended(2, `${flags.set} names ${name}, which is no contract of a set`);
  }
  const deployment = new Deployment(flags, provider, set);
  deployment.who = await signer(flags, provider);
  await deployment.contracts();
  await deployment.register();
  await deployment.bind();
  return report(flags, set, await findings(provider, set), { done: deployment.done });
}

async function check(flags, provider) {
  const set = readSet(flags.set);
  if (set === null) throw new Ended(2, `${flags.set} does not exist`);
  const trust = flags.trust === undefined ? null : read(flags.trust).toString("hex");
  for (const payer of flags.payer ?? []) if (!ethers.isAddress(payer)) throw new Ended(2, `${payer} is no address`);
  return report(flags, set, await findings(provider, set, { trust, payers: flags.payer }), {});
}

function report(flags, set, found, more) {
  if (flags.json) {
    console.log(JSON.stringify({ ok: found.length === 0, ...more, set, findings: found }));
  } else {
    for (const { part, state, says, fix } of found) console.log(`${state}  ${part}: ${says}\n      ${fix}`);
    if (found.length === 0) console.log("nothing is missing");
  }
  return found.length === 0 ? 0 : 1;
}

async function main() {
  const [command, ...rest] = process.argv.slice(2);
  const run = { deploy, check }[command];
  if (run === undefined) throw new Ended(2, "");
  let flags;
  try {
    flags = parseArgs({ args: rest, options, strict: true }).values;
  } catch (error) {
    throw new Ended(2, error.message);
  }
  need(flags, "set");
  const provider = await reach(need(flags, "rpc"));
  try {
    return await run(flags, provider);
  } catch (error) {
    if (error instanceof Ended) throw error;
    throw new Ended(1, refusal(error));
  } finally {
    provider.destroy();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof Ended)) throw error;
  process.stderr.write(error.message === "" ? USAGE : `deploy: ${error.message}\n`);
  process.exitCode = error.code;
}
