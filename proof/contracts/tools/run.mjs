// Runs forge with the compiler of the lock file: `node tools/run.mjs test`, `node tools/run.mjs build`, ...
// The programs are those of the folder `ZEUGMA_CONTRACTS_TOOLS` (where `npm ci` was run), else of this one.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { existsSync } from "node:fs";

const here = fileURLToPath(new URL("..", import.meta.url));
const home = process.env.ZEUGMA_CONTRACTS_TOOLS ?? here;
const forge = `${home}/node_modules/@foundry-rs/forge-linux-amd64/bin/forge`;
if (!existsSync(forge)) {
  console.error(`forge is not installed in ${home}: run npm ci there (its packages are of Linux on amd64)`);
  process.exit(3);
}
const { status, error } = spawnSync(forge, process.argv.slice(2), {
  cwd: here,
  stdio: "inherit",
  env: { ...process.env, ZEUGMA_CONTRACTS_TOOLS: home, FOUNDRY_SOLC: `${here}tools/solc.mjs`, FOUNDRY_DISABLE_NIGHTLY_WARNING: "1" },
});
if (error) throw error;
process.exit(status ?? 1);
