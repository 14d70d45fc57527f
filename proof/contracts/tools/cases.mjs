// The cases of a vector file as ABI, for the tests: an array of (name, call of `verify`, code). Printed in
// hexadecimal, as forge reads the output of a program.
//
// A verifier without a seal suite answers `UnsupportedSuite` in place of what it would find at step 6 (byte layout,
// section 5). Of the suites, SM2 and ML-DSA-44 are not checked on an EVM chain: their cases expect that code.
import { readFileSync } from "node:fs";
import { list, partsOfProof, question, tuple } from "./question.mjs";

const UNSUPPORTED_SUITE = 313;
/** Codes that only step 6 gives. */
const OF_SEALS = new Set([null, 201, 202, 204, 206]);

const { trust_files: trustFiles, cases } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const encoded = cases.map((one) => {
  const { seal } = partsOfProof(one.proof);
  const uncovered = (seal === 2 || seal === 3) && OF_SEALS.has(one.code);
  const code = uncovered ? UNSUPPORTED_SUITE : (one.code ?? 0);
  const name = Buffer.from(one.name, "utf8").toString("hex");
  return tuple([name, question({ ...one, trust: trustFiles[one.trust] }), BigInt(code)]);
});
process.stdout.write(`0x${list(encoded)}`);
