// The cases of a vector file as a destination's light client meets them, as ABI in hexadecimal: an array of
// (name, trust file, keys, time in seconds, update, membership, closing, code).
//
// The vectors say what a verifier with a trust file answers. A light client is a narrower one, and this names where:
// it is a destination (a retired era is `RetiredEra`), keeps the group key alone (a second seal is
// `UnsupportedSuite`) and the SHA-256 root alone (another is `NoSuchRoot`), and proves packets, closings and
// hand-overs (another leaf is `WrongPath`).
import { readFileSync } from "node:fs";
import { HANDOVER, headerOf, leafOf, membership } from "./message.mjs";
import { list, partsOfProof, pointsOf, tuple } from "./question.mjs";

const IBC = 1;
const CLOSED = 4;
const [UNSUPPORTED_SUITE, RETIRED_ERA, NO_SUCH_ROOT, WRONG_PATH] = [313, 302, 305, 314];
/** What step 6 finds in a seal, what step 5 finds in a retired era, what the SM3 tree gives, or that all is well. */
const OF_SEALS = new Set([null, 204, 201, 202, 206]);
const OF_RETIRED = new Set([null, 302, 307, 309, 310, 311]);
const OF_SM3 = new Set([null, 308]);

const { trust_files: trustFiles, cases } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const number = (text, at, width) => BigInt(`0x${text.slice(2 * at, 2 * (at + width))}`);

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
  const message = (last) => membership(header, rest, expected, last);
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
