/**
 * Keccak-256 as Ethereum uses it (Node has SHA3-256 only, whose padding differs), so that a hub which only watches logs
 * does not have to load ethers. A lane of 64 bits is kept in two halves, because BigInt is some thirty times slower.
 */
export function keccak256(data: Uint8Array): string {
  const state = new Int32Array(50);
  const padded = Buffer.alloc(Math.ceil((data.length + 1) / rate) * rate);
  padded.set(data);
  padded[data.length] = 0x01;
  padded[padded.length - 1]! |= 0x80;
  for (let block = 0; block < padded.length; block += rate) {
    for (let half = 0; half < rate / 4; half++) state[half]! ^= padded.readInt32LE(block + half * 4);
    permute(state);
  }
  const digest = Buffer.alloc(32);
  for (let half = 0; half < 8; half++) digest.writeInt32LE(state[half]!, half * 4);
  return `0x${digest.toString('hex')}`;
}

/** Bytes taken in per permutation. */
const rate = 136;

/** Low and high half of each round's constant, one pair after another. */
const roundConstants = Uint32Array.from([
  0x00000001, 0x00000000, 0x00008082, 0x00000000, 0x0000808a, 0x80000000, 0x80008000, 0x80000000, 0x0000808b,
  0x00000000, 0x80000001, 0x00000000, 0x80008081, 0x80000000, 0x00008009, 0x80000000, 0x0000008a, 0x00000000,
  0x00000088, 0x00000000, 0x80008009, 0x00000000, 0x8000000a, 0x00000000, 0x8000808b, 0x00000000, 0x0000008b,
  0x80000000, 0x00008089, 0x80000000, 0x00008003, 0x80000000, 0x00008002, 0x80000000, 0x00000080, 0x80000000,
  0x0000800a, 0x00000000, 0x8000000a, 0x80000000, 0x80008081, 0x80000000, 0x00008080, 0x80000000, 0x80000001,
  0x00000000, 0x80008008, 0x80000000,
]);

/** By lane index x + 5y. */
const rotations = Uint8Array.from([
  0, 1, 62, 28, 27, 36, 44, 6, 55, 20, 3, 10, 43, 25, 39, 41, 45, 15, 21, 8, 18, 2, 61, 56, 14,
]);
/** Where the low half of each lane goes. */
const targets = rotations.map((_, lane) => {
  const x = lane % 5;
  const y = (lane - x) / 5;
  return (y + 5 * ((2 * x + 3 * y) % 5)) * 2;
});
const before = Uint8Array.from({ length: 25 }, (_, lane) => ((lane + 4) % 5) * 2);
const after = Uint8Array.from({ length: 25 }, (_, lane) => ((lane + 1) % 5) * 2);

const parity = new Int32Array(10);
const moved = new Int32Array(50);

function permute(state: Int32Array): void {
  for (let round = 0; round < roundConstants.length; round += 2) {
    for (let half = 0; half < 10; half++) {
      parity[half] = state[half]! ^ state[half + 10]! ^ state[half + 20]! ^ state[half + 30]! ^ state[half + 40]!;
    }
    for (let lane = 0; lane < 25; lane++) {
      const left = before[lane]!;
      const right = after[lane]!;
      const rightLow = parity[right]!;
      const rightHigh = parity[right + 1]!;
      const low = state[lane * 2]! ^ parity[left]! ^ ((rightLow << 1) | (rightHigh >>> 31));
      const high = state[lane * 2 + 1]! ^ parity[left + 1]! ^ ((rightHigh << 1) | (rightLow >>> 31));
      turn(targets[lane]!, low, high, rotations[lane]!);
    }
    for (let row = 0; row < 50; row += 10) {
      for (let half = 0; half < 10; half++) {
        const next = half < 8 ? half + 2 : half - 8;
        const overNext = half < 6 ? half + 4 : half - 6;
        state[row + half] = moved[row + half]! ^ (~moved[row + next]! & moved[row + overNext]!);
      }
    }
    state[0]! ^= roundConstants[round]!;
    state[1]! ^= roundConstants[round + 1]!;
  }
}

/** Turning by 32 or more is turning the swapped halves by the rest; a shift by 32 would do nothing at all. */
function turn(target: number, low: number, high: number, by: number): void {
  const first = by < 32 ? low : high;
  const second = by < 32 ? high : low;
  const rest = by & 31;
  moved[target] = rest === 0 ? first : (first << rest) | (second >>> (32 - rest));
  moved[target + 1] = rest === 0 ? second : (second << rest) | (first >>> (32 - rest));
}
