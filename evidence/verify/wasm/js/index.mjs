// Judges an evidence bundle in JavaScript. No network, no clock: the time is an argument.
//
//   const verifier = await load(wasmBytes);
//   const answer = verifier.verify({ bundle, trust, policy, time: Date.now(), sha256: digestOfTheFile });
//   if (answer.judged) ... answer.report.integrity ... answer.zh   else console.error(answer.code, answer.en);

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
   * @param {Uint8Array} request.bundle the bundle
   * @param {Uint8Array} request.trust the canonical trust file
   * @param {Uint8Array} request.policy the canonical policy
   * @param {number} request.time milliseconds since 1970: the time to judge for
   * @param {Uint8Array} [request.sha256] SHA-256 of the file presented
   * @param {Uint8Array} [request.sm3] SM3 of the file presented
   * @returns {{judged: boolean}} the report with its words, or the refusal with its code
   */
  verify({ bundle, trust, policy, time, sha256 = null, sm3 = null }) {
    const parts = [u64(time), framed(bundle), framed(trust), framed(policy), option(sha256), option(sm3)];
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const { reserve, release, verify, memory } = this.#exports;
    const at = reserve(length);
    if (at === 0) {
      return { judged: false, code: 101, name: "TooLong", permanence: "never", found: String(length) };
    }
    const request = new Uint8Array(memory.buffer, at, length);
    let offset = 0;
    for (const part of parts) {
      request.set(part, offset);
      offset += part.length;
    }
    const answer = verify(at, length);
    release(at, length);
    const size = new DataView(memory.buffer).getUint32(answer, true);
    const text = new TextDecoder().decode(new Uint8Array(memory.buffer, answer + 4, size));
    release(answer, size + 4);
    return JSON.parse(text);
  }
}

function u64(number) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(number));
  return bytes;
}

function framed(bytes) {
  const whole = new Uint8Array(4 + bytes.length);
  new DataView(whole.buffer).setUint32(0, bytes.length);
  whole.set(bytes, 4);
  return whole;
}

function option(bytes) {
  if (bytes === null) return Uint8Array.of(0);
  const whole = new Uint8Array(1 + bytes.length);
  whole[0] = 1;
  whole.set(bytes, 1);
  return whole;
}
