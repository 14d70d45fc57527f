// A question to the verifiers (the form of tests/vectors/proof) as the call of `ProofVerifier.verify`.
import { g1, g2 } from "./points.mjs";

// Of the seal suites: secp256k1, SM2, ML-DSA-44.
const KEY_LENGTHS = [33, 65, 1312];
const SIGNATURE_LENGTHS = [65, 64, 2420];
function known(lengths, suite) {
  const length = lengths[suite - 1];
  if (length === undefined) throw new RangeError("an unknown suite");
  return length;
}

const cached = new Map();
const once = (kind, f, bytes) => {
  const name = kind + bytes;
  if (!cached.has(name)) {
    if (cached.size > 4096) cached.clear();
    cached.set(name, f(bytes));
  }
  return cached.get(name);
};

/** Reads the canonical encoding as far as it goes, to find what a call carries uncompressed. */
class Reader {
  constructor(text) {
    [this.text, this.at] = [text, 0];
  }
  take(length) {
    const part = this.text.slice(2 * this.at, 2 * (this.at + length));
    if (part.length < 2 * length) throw new RangeError("cut");
    this.at += length;
    return part;
  }
  number(width) {
    return Number(BigInt(`0x${this.take(width)}`));
  }
  outbox() {
    this.take(8);
    this.take(33 * this.number(4));
  }
  committee(keys) {
    keys.push(this.take(96));
    if (this.number(1) === 1) this.take(32);
    for (let n = this.number(4); n > 0; n--) {
      this.take(this.number(4));
      this.take(this.number(4));
      this.take(32);
      for (let k = this.number(4); k > 0; k--) this.take(known(KEY_LENGTHS, this.number(1)));
    }
  }
}

// Past what cannot be read there is nothing to carry: the verifier refuses at the same place.
function tolerant(read) {
  try {
    read();
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
  }
}

/** The compressed group keys of a trust file. */
function keysOfTrust(trust) {
  const keys = [];
  tolerant(() => {
    const r = new Reader(trust);
    r.take(8 + 32 + 8 + 8);
    for (let n = r.number(4); n > 0; n--) {
      r.take(8);
      r.committee(keys);
      if (r.number(1) === 1) r.outbox();
    }
  });
  return keys;
}

/**
 * Where the front of a proof file ends, its compressed signature or the suite of its seal, and the compressed group
 * key of its opening.
 */
export function partsOfProof(proof) {
  const parts = { front: null, signature: null, seal: null, keys: [] };
  tolerant(() => {
    const r = new Reader(proof);
    // Magic, version, network, era to time, then view to the end of the state target.
    r.take(8 + 2 + 32 + 4 * 8 + 2 * 8 + 4 * 32 + 2 * 8);
    r.outbox();
    if (r.number(1) === 1) {
      r.take(24);
      parts.signature = r.take(48);
    } else {
      parts.seal = r.number(1);
      const length = 2 + known(SIGNATURE_LENGTHS, parts.seal);
      r.take(length * r.number(4));
    }
    parts.front = r.at;
    r.take(2 + 32 + 8 + 8);
    const namespace = r.number(2);
    r.take(r.number(4));
    r.take(32 + 1 + 8);
    r.take(32 * r.number(4));
    if (r.number(1) === 1 && namespace === 2) {
      r.number(4);
      r.take(8);
      parts.keys.push(r.take(96));
    }
  });
  return parts;
}

const uncompressed = (keys) => [...new Set(keys.map((key) => once("2", g2, key)).filter((key) => key !== null))].join("");

/** The uncompressed points of a trust file's group keys. */
export const pointsOfTrust = (trust) => uncompressed(keysOfTrust(trust));

/** The uncompressed points that a question's call carries. */
export function pointsOf({ trust, proof }) {
  const { signature, keys } = partsOfProof(proof);
  return { point: (signature && once("1", g1, signature)) ?? "", keys: uncompressed([...keysOfTrust(trust), ...keys]) };
}

/** A number as a word of ABI. */
export const word = (number) => BigInt(number).toString(16).padStart(64, "0");
/** A byte string with its length, padded to whole words. */
export const padded = (bytes) => word(bytes.length / 2) + bytes.padEnd(Math.ceil(bytes.length / 64) * 64, "0");

/** ABI encoding of a tuple whose members are numbers and byte strings (in hexadecimal). */
export function tuple(members) {
  let [head, tail] = ["", ""];
  for (const member of members) {
    if (typeof member === "string") {
      head += word(32 * members.length + tail.length / 2);
      tail += padded(member);
    } else {
      head += word(member);
    }
  }
  return head + tail;
}

/** ABI encoding of an array of tuples, alone, with the offset in front. */
export function list(tuples) {
  let [head, tail] = ["", ""];
  for (const one of tuples) {
    head += word(32 * tuples.length + tail.length / 2);
    tail += one;
  }
  return word(32) + word(tuples.length) + head + tail;
}

/** The struct `Question`, ABI-encoded, with the offset in front. */
export function question({ trust, time, reliance, path, value, proof }) {
  const { point, keys } = pointsOf({ trust, proof });
  const who = { court: 0, destination: 1 }[reliance];
  if (who === undefined) throw new Error(`reliance ${reliance}`);
  return word(32) + tuple([proof, trust, BigInt(time), BigInt(who), path ?? "", value ?? "", point, keys]);
}
