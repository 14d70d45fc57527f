// Runs the shared vectors through the module: node --test vectors.test.mjs
// ZEUGMA_WASM names the built module. Reports are compared byte for byte with those of the native verifier; the
// machine's clock, zone and language are set to something else first and must make no difference.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { load } from "./index.mjs";

const vectors = new URL("../../../../tests/vectors/evidence/", import.meta.url);
const wasm = process.env.ZEUGMA_WASM;
assert.ok(wasm, "ZEUGMA_WASM names the module that `cargo build -p zeugma-evidence-wasm --target wasm32-unknown-unknown` made");
const verifier = await load(await readFile(wasm));

test("the module asks its host for nothing: no clock, no locale, no network", async () => {
  assert.deepEqual(WebAssembly.Module.imports(await WebAssembly.compile(await readFile(wasm))), []);
});

const bytes = (text) => Uint8Array.from(Buffer.from(text, "hex"));
// SM3 is not in every build of the host's library; where it is, both digests are presented.
const digest = (name, text) => {
  try {
    return text === null ? null : Uint8Array.from(createHash(name).update(bytes(text)).digest());
  } catch {
    return null;
  }
};

function judge(parts, one) {
  return verifier.verify({
    bundle: bytes(one.bundle),
    trust: bytes(parts[one.trust]),
    policy: bytes(parts[one.policy]),
    time: one.time,
    sha256: digest("sha256", one.file),
    sm3: digest("sm3", one.file),
  });
}

const sm3 = digest("sm3", "00") !== null;

test("fields.json: every field altered is refused, or shows what the native verifier shows", { skip: !sm3 && "no SM3 in this Node.js" }, async () => {
  const { trust, policy, file, time, bases, cases } = JSON.parse(await readFile(new URL("fields.json", vectors)));
  assert.ok(cases.length >= 200);
  for (const { name, base, splice: [at, out, put], seal, code, report } of cases) {
    const whole = bases[base];
    // Two digits a byte; the seal is the last 64 bytes.
    const bundle = whole.slice(0, 2 * at) + put + whole.slice(2 * (at + out), -128) + seal;
    const answer = judge({ trust, policy }, { bundle, file, time, trust: "trust", policy: "policy" });
    assert.equal(answer.judged ? null : answer.code, code, name);
    assert.equal(answer.judged ? answer.bytes : null, report, name);
  }
});

for (const name of ["golden.json", "negative.json"]) {
  const { parts, cases } = JSON.parse(await readFile(new URL(name, vectors)));
  assert.ok(cases.length > 20, `${name} has cases`);
  for (const one of cases) {
    test(`${name}: ${one.name}`, { skip: !sm3 && one.file !== null && one.code === null && "no SM3 in this Node.js" }, () => {
      for (const [zone, language] of [["Asia/Shanghai", "zh_CN.UTF-8"], ["America/New_York", "C"]]) {
        Object.assign(process.env, { TZ: zone, LANG: language, LC_ALL: language });
        const answer = judge(parts, one);
        assert.equal(answer.judged ? null : answer.code, one.code, JSON.stringify(answer));
        if (answer.judged) {
          assert.equal(answer.bytes, one.report);
          assert.deepEqual(answer.report, one.json);
          assert.equal(answer.en, one.en);
          assert.equal(answer.zh, one.zh);
        }
      }
    });
  }
  if (name === "golden.json") {
    test("a bundle cut short anywhere is refused, and the module lives on", () => {
      const whole = cases[0].bundle;
      for (let length = 0; length < whole.length; length += 1202) {
        assert.equal(judge(parts, { ...cases[0], bundle: whole.slice(0, length) }).judged, false);
      }
      assert.equal(judge(parts, cases[0]).judged, true);
    });
  }
}
