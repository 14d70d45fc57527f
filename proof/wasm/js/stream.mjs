// Answers a stream of questions, one JSON object a line, with a line each: 0, or the refusal's code.
// Usage: node stream.mjs MODULE.wasm
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { load } from "./index.mjs";

const verifier = await load(await readFile(process.argv[2]));
const bytes = (text) => (text === null ? null : Uint8Array.from(Buffer.from(text, "hex")));
for await (const line of createInterface({ input: process.stdin })) {
  const { trust, proof, time, reliance, path, value } = JSON.parse(line);
  const answer = verifier.verify({
    trust: bytes(trust), proof: bytes(proof), time, reliance, path: bytes(path), value: bytes(value),
  });
  process.stdout.write(`${answer.proven ? 0 : answer.code}\n`);
}
