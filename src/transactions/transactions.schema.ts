import { z } from '#sdk';

const transactionAnswer = z.object({
  id: z.string(),
  idempotencyKey: z.string(),
  chainId: z.number().int(),
  signer: z.string(),
  from: z.string(),
  to: z.string(),
  nonce: z.number().int(),
  value: z.string().meta({ description: 'In wei' }),
  status: z.enum(['reserved', 'signed', 'broadcast', 'mined', 'confirmed', 'failed']),
  hash: z.string().nullable(),
  blockNumber: z.number().int().nullable(),
  failure: z.unknown(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});

export const transactionsAnswer = z.object({ items: z.array(transactionAnswer) });

export const transactionDetailAnswer = z.object({
  ...transactionAnswer.shape,
  attempts: z.array(z.object({ number: z.number().int(), kind: z.string(), hash: z.string() })),
  history: z.array(z.object({ status: z.string(), at: z.iso.datetime(), detail: z.unknown() })),
});

export const signersAnswer = z.object({ signers: z.array(z.object({ name: z.string(), address: z.string() })) });
