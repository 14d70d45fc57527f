// The cases of a vector file as a destination's light client meets them, as ABI in hexadecimal: an array of
// (name, trust file, keys, time in seconds, update, membership, closing, code).
//
// The vectors say what a verifier with a trust file answers. A light client is a narrower one, and this names where:
// it is a destination (a retired era is `RetiredEra`), keeps the group key alone (a second seal is
// `UnsupportedSuite`) and the SHA-256 root alone (another is `NoSuchRoot`), and proves packets, closings and
// hand-overs (another leaf is `WrongPath`).
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { list, padded, partsOfProof, pointsOf, tuple, word } from "./question.mjs";

const IBC = 1;
const HANDOVER = 2;
const CLOSED = 4;
const [UNSUPPORTED_SUITE, RETIRED_ERA, NO_SUCH_ROOT, WRONG_PATH] = [313, 302, 305, 314];
/** What step 6 finds in a seal, what step 5 finds in a retired era, what the SM3 tree gives, or that all is well. */
const OF_SEALS = new Set([null, 204, 201, 202, 206]);
const OF_RETIRED = new Set([null, 302, 307, 309, 310, 311]);
const OF_SM3 = new Set([null, 308]);

const { trust_files: trustFiles, cases } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const sha256 = (text) => createHash("sha256").update(Buffer.from(text, "hex")).digest("hex");
const number = (text, at, width) => BigInt(`0x${text.slice(2 * at, 2 * (at + width))}`);

/** Era, height, time and SHA-256 outbox of a proof's header, and its anchor. */
function headerOf(proof) {
  // Magic, version, network; era, epoch, height, time; views, leader to state target; then the outbox.
  const [era, height, time, size] = [number(proof, 42, 8), number(proof, 58, 8), number(proof, 66, 8), 234];
  const end = size + 8 + 4 + 33 * Number(number(proof, size + 8, 4));
  const digest = sha256(Buffer.from("\x0fzeugma.header.1").toString("hex") + proof.slice(16, 2 * end));
  const part = (at, width) => proof.slice(2 * at, 2 * (at + width));
  return { era, height, anchor: digest + part(66, 8) + part(size, 8) + part(size + 13, 32), time };
}

/** Namespace, path and value of a proof's leaf, and the suite of its tree. */
function leafOf(proof, front) {
  const length = Number(number(proof, front + 52, 4));
  const at = front + 56 + length;
  return {
    namespace: Number(number(proof, front + 50, 2)),
    path: proof.slice(2 * (front + 56), 2 * at),
    value: proof.slice(2 * at, 2 * (at + 32)),
    suite: Number(number(proof, at + 32, 1)),
  };
}

function lastEra(trust) {
  // Every trust file of these vectors ends with its present era, and the first one is era 0.
  return number(trust, 56, 4) - 1n;
}

const encoded = cases.map((one) => {
  const trust = trustFiles[one.trust];
  const { point, keys } = pointsOf({ trust, proof: one.proof });
  const parts = partsOfProof(one.proof);
  const name = Buffer.from(one.name, "utf8").toString("hex");
  const start = [name, trust, keys, BigInt(one.time) / 1000n];
  let code = one.code;
  if (parts.front === null) {
    return tuple([...start, tuple([one.proof, "", point, ""]), "", "", BigInt(code)]);
  }
  const header = headerOf(one.proof);
  const [front, rest] = [one.proof.slice(0, 2 * parts.front), one.proof.slice(2 * parts.front)];
  const leaf = leafOf(one.proof, parts.front);
  if (header.era < lastEra(trust) && OF_RETIRED.has(code)) code = RETIRED_ERA;
  else if (parts.seal !== null && OF_SEALS.has(code)) code = UNSUPPORTED_SUITE;
  else if (leaf.suite === 2 && OF_SM3.has(code)) code = NO_SUCH_ROOT;
  else if (![IBC, CLOSED, HANDOVER].includes(leaf.namespace) && code === null) code = WRONG_PATH;
  const expected = one.path === null ? leaf.path : one.path.slice(12);
  const value = one.value ?? leaf.value;
  const follows = leaf.namespace === HANDOVER;
  const update = tuple([front, follows ? rest : "", point, follows ? keys : ""]);
  // (proof, (revision, height), [path], value) and the same without the value.
  const onePath = word(1) + word(32) + padded(expected);
  const message = (last) => {
    const fields = last === null ? 4 : 5;
    const proofBytes = padded(header.anchor + rest);
    const head = word(32 * fields) + word(0) + word(header.height) + word(32 * fields + proofBytes.length / 2);
    const tail = proofBytes + onePath;
    if (last === null) return word(32) + head + tail;
    return word(32) + head + word(32 * fields + tail.length / 2) + tail + padded(last);
  };
  const closing = leaf.namespace === CLOSED;
  return tuple([
    ...start,
    update,
    follows || closing ? "" : message(value),
    closing ? message(null) : "",
    BigInt(code ?? 0),
  ]);
});
process.stdout.write(`0x${list(encoded)}`);
