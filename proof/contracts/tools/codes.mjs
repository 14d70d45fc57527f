// Writes src/verify/Code.sol from docs/refusals.json; with --check, compares and changes nothing.
import { readFileSync, writeFileSync } from "node:fs";

const from = new URL("../../../docs/refusals.json", import.meta.url);
const to = new URL("../src/verify/Code.sol", import.meta.url);
const lines = JSON.parse(readFileSync(from, "utf8")).map(
  ({ number, name, permanence, en }) => `    /// ${en} (${permanence})\n    uint16 internal constant ${name} = ${number};\n`,
);
const text = `// SPDX-License-Identifier: MIT OR Apache-2.0
// Made by \`node tools/codes.mjs\` from docs/refusals.json; not edited by hand.
pragma solidity ^0.8.30;

/// The refusal codes: one table for every verifier.
library Code {
${lines.join("")}}
`;
if (process.argv[2] === "--check") {
  if (readFileSync(to, "utf8") !== text) {
    console.error("src/verify/Code.sol is not the table of docs/refusals.json: run node tools/codes.mjs");
    process.exit(1);
  }
} else {
  writeFileSync(to, text);
}
