import { z } from '#sdk';

const signerAnswer = z.object({
  name: z.string(),
  kind: z.enum(['key', 'keystore', 'remote']),
  address: z.string().nullable().meta({ description: 'Null when it cannot be opened' }),
  problem: z
    .object({ code: z.string(), detail: z.string(), fix: z.string().nullable() })
    .nullable()
    .meta({ description: 'Why it cannot sign now' }),
});

export const signersAnswer = z.object({ signers: z.array(signerAnswer) });

export const walletsAnswer = z.object({
  wallets: z.array(z.object({ name: z.string(), path: z.string().meta({ examples: ["m/44'/60'/0'/0"] }) })),
});

export const accountsAnswer = z.object({
  accounts: z.array(
    z.object({
      index: z.number().int(),
      name: z.string().meta({ description: 'Usable wherever the name of a signer is', examples: ['hd-customers-0'] }),
      address: z.string(),
    }),
  ),
});
