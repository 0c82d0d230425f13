import type { SendRequest } from './transactions.js';

const ofEach = 21_000n;
const ofDeployment = 32_000n;
const ofZero = 4n;
const ofByte = 16n;

/** The least that chains take for a transaction before anything of it is executed; some take more. */
export function leastGas({ to, data }: Pick<SendRequest, 'to' | 'data'>): bigint {
  let gas = ofEach + (to === undefined ? ofDeployment : 0n);
  for (const byte of Buffer.from(data.slice(2), 'hex')) gas += byte === 0 ? ofZero : ofByte;
  return gas;
}
