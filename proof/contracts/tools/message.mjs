// The messages of a light client that a proof file becomes. As a program: one proof file a line, in hexadecimal; for each a
// line of JSON with `height`, the `update` of its front (and of the hand-over that it proves), the `anchored` proof of its
// leaf, as `recvPacket` takes it, and the arguments of `verifyMembership` for the leaf as it is.
import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { padded, partsOfProof, pointsOf, tuple, word } from "./question.mjs";

export const HANDOVER = 2;

const sha256 = (text) => createHash("sha256").update(Buffer.from(text, "hex")).digest("hex");
const number = (text, at, width) => BigInt(`0x${text.slice(2 * at, 2 * (at + width))}`);

/** Era, height, time and SHA-256 outbox of a proof's header, and its anchor. */
export function headerOf(proof) {
  // Magic, version, network; era, epoch, height, time; views, leader to state target; then the outbox.
  const [era, height, time, size] = [number(proof, 42, 8), number(proof, 58, 8), number(proof, 66, 8), 234];
  const end = size + 8 + 4 + 33 * Number(number(proof, size + 8, 4));
  const digest = sha256(Buffer.from("\x0fzeugma.header.1").toString("hex") + proof.slice(16, 2 * end));
  const part = (at, width) => proof.slice(2 * at, 2 * (at + width));
  return { era, height, anchor: digest + part(66, 8) + part(size, 8) + part(size + 13, 32), time };
}

/** Namespace, path and value of a proof's leaf, and the suite of its tree. */
export function leafOf(proof, front) {
  const length = Number(number(proof, front + 52, 4));
  const at = front + 56 + length;
  return {
    namespace: Number(number(proof, front + 50, 2)),
    path: proof.slice(2 * (front + 56), 2 * at),
    value: proof.slice(2 * at, 2 * (at + 32)),
    suite: Number(number(proof, at + 32, 1)),
  };
}

/** The argument of `verifyMembership`, (proof, (revision, height), [path], value); without a value that of its contrary. */
export function membership(header, rest, path, value) {
  const onePath = word(1) + word(32) + padded(path);
  const fields = value === null ? 4 : 5;
  const proof = padded(header.anchor + rest);
  const head = word(32 * fields) + word(0) + word(header.height) + word(32 * fields + proof.length / 2);
  const tail = proof + onePath;
  if (value === null) return word(32) + head + tail;
  return word(32) + head + word(32 * fields + tail.length / 2) + tail + padded(value);
}

/** The messages of one proof file. */
export function messages(proof) {
  const { front } = partsOfProof(proof);
  if (front === null) throw new Error("this is no proof file");
  const [begin, rest] = [proof.slice(0, 2 * front), proof.slice(2 * front)];
  const { point, keys } = pointsOf({ trust: "", proof });
  const [header, leaf] = [headerOf(proof), leafOf(proof, front)];
  const follows = leaf.namespace === HANDOVER;
  return {
    height: Number(header.height),
    update: `0x${tuple([begin, follows ? rest : "", point, follows ? keys : ""])}`,
    anchored: `0x${header.anchor}${rest}`,
    membership: `0x${membership(header, rest, leaf.path, leaf.value)}`,
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(messages(line.trim().replace(/^0x/, "")))}\n`);
  }
}
