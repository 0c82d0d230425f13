/**
 * A set of texts that keeps 8 bytes for each: a 64-bit hash, in an open table. A million texts collide with a probability
 * of one in thirty million, which is what lets the sink count millions of deliveries in little memory.
 */
export class KeySet {
  #table = new Uint32Array(2 * 1_024);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns false when it was there already */
  add(text: string): boolean {
    const [high, low] = hash(text);
    if (!insert(this.#table, high, low)) return false;
    this.#size += 1;
    if (this.#size * 4 > this.#table.length) this.#grow();
    return true;
  }

  #grow(): void {
    const grown = new Uint32Array(this.#table.length * 2);
    for (let at = 0; at < this.#table.length; at += 2) {
      const high = this.#table[at] ?? 0;
      const low = this.#table[at + 1] ?? 0;
      if (high !== 0) insert(grown, high, low);
    }
    this.#table = grown;
  }
}

/** Length is a power of two, so masking finds the slot; `high` is never 0, so 0 marks a free one. */
function insert(table: Uint32Array, high: number, low: number): boolean {
  const mask = table.length - 1;
  for (let at = (low * 2) & mask; ; at = (at + 2) & mask) {
    if (table[at] === 0) {
      table[at] = high;
      table[at + 1] = low;
      return true;
    }
    if (table[at] === high && table[at + 1] === low) return false;
  }
}

/** cyrb53's two independent halves (public domain), kept whole. */
function hash(text: string): [number, number] {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    a = Math.imul(a ^ code, 2_654_435_761);
    b = Math.imul(b ^ code, 1_597_334_677);
  }
  a = Math.imul(a ^ (a >>> 16), 2_246_822_507) ^ Math.imul(b ^ (b >>> 13), 3_266_489_909);
  b = Math.imul(b ^ (b >>> 16), 2_246_822_507) ^ Math.imul(a ^ (a >>> 13), 3_266_489_909);
  return [a >>> 0 || 1, b >>> 0];
}
