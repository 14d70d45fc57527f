// Points of BLS12-381 for the calls that carry them beside the compressed bytes: from the compressed form to the
// uncompressed one (x, y; of G2 the imaginary part before the real one). A form that is no point of the curve gives
// null, and a caller then has nothing to carry.
const P = 0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaabn;

const mod = (x) => ((x % P) + P) % P;
function power(base, exponent) {
  let [result, factor] = [1n, mod(base)];
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * factor) % P;
    factor = (factor * factor) % P;
  }
  return result;
}
// P is 3 modulo 4.
function root(square) {
  const found = power(square, (P + 1n) / 4n);
  return (found * found) % P === mod(square) ? found : null;
}
const hex = (x) => x.toString(16).padStart(96, "0");
const isLarger = (x) => x > (P - 1n) / 2n;

/** The two parts of x and the flag of the sign, of `length` 48 or 96 bytes in hexadecimal. */
function parse(compressed, length) {
  if (compressed.length !== 2 * length) return null;
  const first = parseInt(compressed.slice(0, 2), 16);
  if ((first & 0xc0) !== 0x80) return null;
  const bare = (first & 0x1f).toString(16).padStart(2, "0") + compressed.slice(2);
  const parts = [];
  for (let at = 0; at < bare.length; at += 96) parts.push(BigInt(`0x${bare.slice(at, at + 96)}`));
  return parts.every((part) => part < P) ? { parts, larger: (first & 0x20) !== 0 } : null;
}

/** @param {string} compressed 48 bytes in hexadecimal @returns {string | null} 96 bytes */
export function g1(compressed) {
  const read = parse(compressed, 48);
  if (read === null) return null;
  const [x] = read.parts;
  let y = root(x * x * x + 4n);
  if (y === null) return null;
  if (isLarger(y) !== read.larger) y = mod(-y);
  return hex(x) + hex(y);
}

/** @param {string} compressed 96 bytes in hexadecimal @returns {string | null} 192 bytes */
export function g2(compressed) {
  const read = parse(compressed, 96);
  if (read === null) return null;
  const [x1, x0] = read.parts;
  // x^3 + 4(1 + i)
  const [s0, s1] = [x0 * x0 - x1 * x1, 2n * x0 * x1];
  const [a, b] = [mod(s0 * x0 - s1 * x1 + 4n), mod(s0 * x1 + s1 * x0 + 4n)];
  // (y0 + y1 i)^2 = a + b i: y0^2 is half of a plus or minus the root of the norm.
  const norm = root(a * a + b * b);
  if (norm === null) return null;
  const half = (P + 1n) / 2n;
  for (const sum of [mod((a + norm) * half), mod((a - norm) * half)]) {
    const y0 = root(sum);
    if (y0 === null) continue;
    const y1 = y0 === 0n ? root(-a) : mod(b * half * power(y0, P - 2n));
    if (y1 === null || mod(y0 * y0 - y1 * y1) !== a || mod(2n * y0 * y1) !== b) continue;
    const larger = y1 === 0n ? isLarger(y0) : isLarger(y1);
    const [z0, z1] = larger === read.larger ? [y0, y1] : [mod(-y0), mod(-y1)];
    return hex(x1) + hex(x0) + hex(z1) + hex(z0);
  }
  return null;
}
