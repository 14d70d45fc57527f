// Answers a stream of questions, one JSON object a line, with a line each: 0, or the refusal's code. The verifier is
// the contract `ProofVerifier` on an anvil that this starts on a loopback port of its own, and ends.
//
// Usage: node stream.mjs FOLDER, where forge put what it compiled.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { question } from "./question.mjs";

/** Selector of `Refused(uint16)`. */
const REFUSED = "0x5d77d42e";

const home = process.env.ZEUGMA_CONTRACTS_TOOLS ?? fileURLToPath(new URL("..", import.meta.url));
const out = process.argv[2] ?? fileURLToPath(new URL("../out", import.meta.url));
const anvil = `${home}/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil`;
const { bytecode, methodIdentifiers } = JSON.parse(
  readFileSync(`${out}/ProofVerifier.sol/ProofVerifier.json`, "utf8"),
);
const selector = Object.entries(methodIdentifiers).find(([name]) => name.startsWith("verify("))[1];

/** Starts anvil on a free port and gives its address. */
function start() {
  const program = spawn(anvil, ["--host", "127.0.0.1", "--port", "0", "--hardfork", "prague", "--no-cors"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.on("exit", () => program.kill());
  return new Promise((resolve, reject) => {
    program.on("error", reject);
    program.on("exit", (code) => reject(new Error(`anvil ended with ${code}`)));
    createInterface({ input: program.stdout }).on("line", (line) => {
      const found = /Listening on (127\.0\.0\.1:\d+)/.exec(line);
      if (found) resolve(`http://${found[1]}`);
    });
  });
}

let serial = 0;
async function rpc(url, method, params) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: ++serial, method, params });
  const answer = await fetch(url, { method: "POST", body, headers: { "content-type": "application/json" } });
  return answer.json();
}

async function need(url, method, params) {
  const { result, error } = await rpc(url, method, params);
  if (error) throw new Error(`${method}: ${error.message}`);
  return result;
}

/** Deploys the verifier and gives its account. */
async function deploy(url) {
  const [from] = await need(url, "eth_accounts", []);
  const hash = await need(url, "eth_sendTransaction", [{ from, data: bytecode.object, gas: "0x1000000" }]);
  for (let tries = 0; tries < 100; tries++) {
    const receipt = await need(url, "eth_getTransactionReceipt", [hash]);
    if (receipt?.status === "0x1") return receipt.contractAddress;
    if (receipt) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the verifier could not be deployed");
}

const url = await start();
const to = await deploy(url);

async function ask(line) {
  const data = `0x${selector}${question(JSON.parse(line))}`;
  const { result, error } = await rpc(url, "eth_call", [{ to, data }, "latest"]);
  if (result !== undefined) return 0;
  if (typeof error.data === "string" && error.data.startsWith(REFUSED)) return Number(`0x${error.data.slice(10)}`);
  throw new Error(`no verdict: ${error.message} ${error.data ?? ""}`);
}

// Whoever asks a batch and waits for its answers gets them: they are given in order, and wait for no further line.
let answered = Promise.resolve();
for await (const line of createInterface({ input: process.stdin })) {
  const verdict = ask(line);
  answered = answered.then(async () => process.stdout.write(`${await verdict}\n`));
}
await answered;
process.exit(0);
