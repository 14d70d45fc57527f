// Runs the shared vectors through the module: node --test vectors.test.mjs
// ZEUGMA_WASM names the built module.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { load } from "./index.mjs";

const vectors = new URL("../../../tests/vectors/proof/", import.meta.url);
const wasm = process.env.ZEUGMA_WASM;
assert.ok(wasm, "ZEUGMA_WASM names the module that `cargo build -p zeugma-proof-wasm --target wasm32-unknown-unknown` made");
const verifier = await load(await readFile(wasm));
const bytes = (text) => (text === null ? null : Uint8Array.from(Buffer.from(text, "hex")));

function judge(files, one) {
  return verifier.verify({
    trust: bytes(files[one.trust]),
    proof: bytes(one.proof),
    time: one.time,
    reliance: one.reliance,
    path: bytes(one.path),
    value: bytes(one.value),
  });
}

for (const name of ["golden.json", "negative.json", "order.json"]) {
  const { trust_files: files, cases } = JSON.parse(await readFile(new URL(name, vectors)));
  assert.ok(cases.length > 10, `${name} has cases`);
  for (const one of cases) {
    test(`${name}: ${one.name}`, () => {
      const answer = judge(files, one);
      assert.equal(answer.proven ? null : answer.code, one.code, JSON.stringify(answer));
    });
  }
  if (name === "golden.json") {
    test("a request longer than any is refused before memory, and the module lives on", () => {
      const proof = new Uint8Array(64 * 1024 * 1024);
      const { trust, time } = cases[0];
      const answer = verifier.verify({ trust: bytes(files[trust]), proof, time });
      assert.equal(answer.code, 101);
      assert.equal(judge(files, cases[0]).proven, true);
    });
    test("a proof cut short anywhere is refused, and the module lives on", () => {
      const whole = bytes(cases[0].proof);
      for (let length = 0; length < whole.length; length += 7) {
        const answer = judge(files, { ...cases[0], proof: Buffer.from(whole.slice(0, length)).toString("hex") });
        assert.equal(answer.proven, false);
      }
      assert.equal(judge(files, cases[0]).proven, true);
    });
  }
}
