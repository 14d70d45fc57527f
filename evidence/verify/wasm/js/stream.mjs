// Answers a stream of questions, one JSON object a line, with a line each: 0 and the bytes of the report, or the
// refusal's code.
// Usage: node stream.mjs MODULE.wasm
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { load } from "./index.mjs";

const verifier = await load(await readFile(process.argv[2]));
const bytes = (text) => (text === null ? null : Uint8Array.from(Buffer.from(text, "hex")));
for await (const line of createInterface({ input: process.stdin })) {
  const { bundle, trust, policy, time, sha256, sm3 } = JSON.parse(line);
  const answer = verifier.verify({
    bundle: bytes(bundle), trust: bytes(trust), policy: bytes(policy), time, sha256: bytes(sha256), sm3: bytes(sm3),
  });
  process.stdout.write(answer.judged ? `0 ${answer.bytes}\n` : `${answer.code}\n`);
}
