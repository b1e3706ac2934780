// How is SHA-256 computed?  As FIPS 180-4 sections 4.1.2, 5.1.1 and 6.2 describe it.

const BLOCK_BYTES: usize = 64;
/** The message's length in bits stands in the last eight bytes of the padding. */
const LENGTH_BYTES: usize = 8;

/** Section 4.2.2: the cube roots of the first 64 primes. */
// prettier-ignore
const ROUND: StaticArray<u32> = [
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

/** Returns the SHA-256 of `data`, 32 bytes. */
export function sha256(data: Uint8Array): Uint8Array {
  // Section 5.3.3: the square roots of the first eight primes.
  // prettier-ignore
  const state: StaticArray<u32> = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
  ];
  const schedule = new StaticArray<u32>(64);
  const whole = <usize>data.length & ~(BLOCK_BYTES - 1);
  for (let at: usize = 0; at < whole; at += BLOCK_BYTES) {
    compress(state, schedule, data.dataStart + at);
  }
  const last = padding(data, whole);
  for (let at: usize = 0; at < <usize>last.length; at += BLOCK_BYTES) {
    compress(state, schedule, last.dataStart + at);
  }
  const digest = new Uint8Array(32);
  for (let word = 0; word < 8; word++) {
    store<u32>(digest.dataStart + (word << 2), bswap<u32>(unchecked(state[word])));
  }
  return digest;
}

/** The bytes behind the last whole block, a 1 bit, zeros, and the length: one block or two. */
function padding(data: Uint8Array, whole: usize): Uint8Array {
  const rest = <usize>data.length - whole;
  const bytes = rest + 1 + LENGTH_BYTES <= BLOCK_BYTES ? BLOCK_BYTES : 2 * BLOCK_BYTES;
  const block = new Uint8Array(<i32>bytes);
  memory.copy(block.dataStart, data.dataStart + whole, rest);
  store<u8>(block.dataStart + rest, 0x80);
  const bits = <u64>data.length << 3;
  store<u64>(block.dataStart + block.length - LENGTH_BYTES, bswap<u64>(bits));
  return block;
}

/** Section 6.2.2: one block of 64 bytes at `at`. */
function compress(state: StaticArray<u32>, w: StaticArray<u32>, at: usize): void {
  for (let t = 0; t < 16; t++) unchecked((w[t] = bswap<u32>(load<u32>(at + (t << 2)))));
  for (let t = 16; t < 64; t++) {
    const x = unchecked(w[t - 15]);
    const y = unchecked(w[t - 2]);
    const s0 = rotr<u32>(x, 7) ^ rotr<u32>(x, 18) ^ (x >> 3);
    const s1 = rotr<u32>(y, 17) ^ rotr<u32>(y, 19) ^ (y >> 10);
    unchecked((w[t] = s1 + w[t - 7] + s0 + w[t - 16]));
  }
  let a = unchecked(state[0]);
  let b = unchecked(state[1]);
  let c = unchecked(state[2]);
  let d = unchecked(state[3]);
  let e = unchecked(state[4]);
  let f = unchecked(state[5]);
  let g = unchecked(state[6]);
  let h = unchecked(state[7]);
  for (let t = 0; t < 64; t++) {
    const s1 = rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25);
    const t1 = h + s1 + ((e & f) ^ (~e & g)) + unchecked(ROUND[t]) + unchecked(w[t]);
    const s0 = rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22);
    const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  unchecked((state[0] += a));
  unchecked((state[1] += b));
  unchecked((state[2] += c));
  unchecked((state[3] += d));
  unchecked((state[4] += e));
  unchecked((state[5] += f));
  unchecked((state[6] += g));
  unchecked((state[7] += h));
}
