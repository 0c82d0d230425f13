/** A place in the chain: the next block to read, and the hash of the block before it where that is known. */
export interface Checkpoint {
  readonly next: number;
  /** Proves later that what was read still belongs to the chain. */
  readonly parentHash: string | undefined;
}

const digits = 12;

/** As text that sorts in the order of the chain: twelve digits, and behind them the hash. */
export function formatCheckpoint({ next, parentHash }: Checkpoint): string {
  return parentHash === undefined ? formatBlock(next) : `${formatBlock(next)}:${parentHash}`;
}

export function parseCheckpoint(text: string): Checkpoint {
  const match = /^(\d{1,15})(?::(0x[0-9a-f]{64}))?$/.exec(text);
  if (!match) throw new RangeError(`${JSON.stringify(text)} is no place in a chain`);
  return { next: Number(match[1]), parentHash: match[2] };
}

export function formatBlock(number: number): string {
  return String(number).padStart(digits, '0');
}

/** Where a log stands; begins with the digits of its block. */
export function formatPosition(blockNumber: number, logIndex: number): string {
  return `${formatBlock(blockNumber)}:${String(logIndex).padStart(6, '0')}`;
}
