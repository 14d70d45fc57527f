// A deployed set of contracts: the file that says where they are, what was compiled, and the chain that they are on.
//
// The file is written after each step, whole or not at all. A crash between a transaction and its line in the file
// leaves a contract that nobody uses; the next run makes another.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL("..", import.meta.url));
const home = process.env.ZEUGMA_CONTRACTS_TOOLS ?? here;
const out = process.env.FOUNDRY_OUT ?? `${here}out`;
export const ethers = createRequire(`${home}/package.json`)("ethers");

/** The contracts of a set, in the order in which they are deployed. */
export const CONTRACTS = ["Signatories", "LightClient", "Router", "Transfer"];
export const PORT = "transfer";

/** What ends a command: 1 refused or missing, 2 not understood, 3 not reachable. */
export class Ended extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** What forge made of a contract: its ABI, the code that deploys it, and the code that then stands on the chain. */
export function artifact(name) {
  try {
    return JSON.parse(readFileSync(`${out}/${name}.sol/${name}.json`, "utf8"));
  } catch {
    throw new Ended(3, `${name} is not compiled in ${out}: node tools/run.mjs build`);
  }
}

/** The node, and that it answers. */
export async function reach(url) {
  const provider = new ethers.JsonRpcProvider(url, undefined, { staticNetwork: true, pollingInterval: 250, cacheTimeout: -1 });
  try {
    await provider.send("eth_chainId", []);
  } catch (error) {
    provider.destroy();
    throw new Ended(3, `${url} does not answer: ${error.shortMessage ?? error.message}`);
  }
  return provider;
}

export function readSet(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw new Ended(2, `${file} is no set of contracts: ${error.message}`);
  }
}

export function writeSet(file, set) {
  writeFileSync(`${file}.new`, `${JSON.stringify(set, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}

/** A contract of the set as one to call. */
export function contractAt(name, address, runner) {
  return new ethers.Contract(address, artifact(name).abi, runner);
}

/** The call by which the governor binds the transfer application to its port. */
export function bindingOf(set) {
  const router = new ethers.Interface(artifact("Router").abi);
  return router.encodeFunctionData("bindPort", [PORT, set.contracts.Transfer.address]);
}

/** The rule that a call broke, in words: a code of `docs/refusals.json`, or what the node says. */
export function refusal(error) {
  const data = error.data ?? error.info?.error?.data;
  if (typeof data === "string" && data.startsWith("0x5d77d42e")) return `refused with code ${BigInt(`0x${data.slice(10)}`)}`;
  return error.shortMessage ?? error.message;
}
