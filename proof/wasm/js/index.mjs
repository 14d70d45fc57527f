// Verifies the one proof of a Zeugma network in JavaScript. No network, no clock: the time is an argument.
//
//   const verifier = await load(wasmBytes);
//   const answer = verifier.verify({ trust, proof, time: Date.now(), reliance: "court" });
//   if (answer.proven) ...   else console.error(answer.code, answer.en, answer.needed, answer.found);

/** Loads the module from its bytes (an ArrayBuffer or a typed array). */
export async function load(wasm) {
  const { instance } = await WebAssembly.instantiate(wasm, {});
  return new Verifier(instance.exports);
}

class Verifier {
  #exports;

  constructor(exports) {
    this.#exports = exports;
  }

  /**
   * @param {object} request
   * @param {Uint8Array} request.trust the canonical trust file
   * @param {Uint8Array} request.proof the proof file
   * @param {number} request.time milliseconds since 1970: when the verifier relies on the proof
   * @param {"court" | "destination"} [request.reliance]
   * @param {Uint8Array} [request.path] namespace and path the leaf must have, encoded
   * @param {Uint8Array} [request.value] the 32 bytes the leaf must have
   * @returns {{proven: boolean}} what is proven, or the refusal with its code
   */
  verify({ trust, proof, time, reliance = "court", path = null, value = null }) {
    if (reliance !== "court" && reliance !== "destination") {
      throw new RangeError(`reliance is "court" or "destination", not ${reliance}`);
    }
    const request = concat([
      u64(time),
      Uint8Array.of(reliance === "court" ? 1 : 2),
      framed(trust),
      framed(proof),
      option(path),
      option(value),
    ]);
    const { reserve, release, verify, memory } = this.#exports;
    const at = reserve(request.length);
    if (at === 0) {
      return { proven: false, code: 101, name: "TooLong", permanence: "never", found: String(request.length) };
    }
    new Uint8Array(memory.buffer, at, request.length).set(request);
    const answer = verify(at, request.length);
    release(at, request.length);
    const length = new DataView(memory.buffer).getUint32(answer, true);
    const text = new TextDecoder().decode(new Uint8Array(memory.buffer, answer + 4, length));
    release(answer, length + 4);
    return JSON.parse(text);
  }
}

function concat(parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function u64(number) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(number));
  return bytes;
}

function framed(bytes) {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return concat([length, bytes]);
}

function option(bytes) {
  return bytes === null ? Uint8Array.of(0) : concat([Uint8Array.of(1), bytes]);
}
