#!/usr/bin/env node
// The compiler of the lock file, as the program that forge calls: `--version`, and `--standard-json` from standard
// input. It is the same compiler as the native one, built for JavaScript. Every source comes with the request, so
// the flags that name folders have nothing to add.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const home = process.env.ZEUGMA_CONTRACTS_TOOLS ?? new URL("..", import.meta.url).pathname;
const solc = createRequire(`${home}/package.json`)("solc");
if (process.argv.includes("--version")) {
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}`);
} else if (process.argv.includes("--standard-json")) {
  process.stdout.write(solc.compile(readFileSync(0, "utf8")));
} else {
  console.error("usage: solc.mjs --version | --standard-json");
  process.exit(2);
}
