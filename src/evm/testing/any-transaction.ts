import fc from 'fast-check';
import type { UnsignedTransaction } from '../signer.js';

const wei = fc.bigInt({ min: 0n, max: 10n ** 24n });
const hex = (bytes: { readonly minLength: number; readonly maxLength: number }): fc.Arbitrary<string> =>
  fc.uint8Array(bytes).map((data) => `0x${Buffer.from(data).toString('hex')}`);

/** Whatever may be asked to be signed: calls, transfers and deployments, with and without base fees. */
export const anyTransaction: fc.Arbitrary<UnsignedTransaction> = fc.record({
  chainId: fc.integer({ min: 1, max: 2 ** 31 }),
  nonce: fc.integer({ min: 0, max: 2 ** 31 }),
  to: fc.option(hex({ minLength: 20, maxLength: 20 }), { nil: undefined }),
  data: hex({ minLength: 0, maxLength: 200 }),
  value: wei,
  gasLimit: fc.bigInt({ min: 21_000n, max: 30_000_000n }),
  fee: fc.oneof(
    fc.record({ max: wei, tip: fc.constant(undefined) }),
    wei.chain((max) => fc.record({ max: fc.constant(max), tip: fc.bigInt({ min: 0n, max }) })),
  ),
});

export function aTransaction(overrides: Partial<UnsignedTransaction> = {}): UnsignedTransaction {
  return {
    chainId: 31_337,
    nonce: 7,
    to: '0x5fbdb2315678afecb367f032d93f642f64180aa3',
    data: '0xa9059cbb',
    value: 5n,
    gasLimit: 100_000n,
    fee: { max: 2_000_000_000n, tip: 1_000_000_000n },
    ...overrides,
  };
}
