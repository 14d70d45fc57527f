// Three institutions for tests, whose Ed25519 keys follow from their numbers. Prints in hexadecimal: without an
// argument (or an empty one) their public keys, one behind the other; with a digest in hexadecimal, their
// signatures over it.
import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";

const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
const secrets = [0, 1, 2].map((index) => {
  const seed = createHash("sha256").update("institution").update(Buffer.from([index])).digest();
  return createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: "der", type: "pkcs8" });
});
const digest = (process.argv[2] ?? "").replace(/^0x/, "");
const parts = secrets.map((secret) =>
  digest === ""
    ? createPublicKey(secret).export({ format: "der", type: "spki" }).subarray(-32)
    : sign(null, Buffer.from(digest, "hex"), secret),
);
process.stdout.write(`0x${Buffer.concat(parts).toString("hex")}`);
