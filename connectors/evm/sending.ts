import { feeWishOf, type SendRequest } from '#evm';
import { amount, z } from '#sdk';

const wei = amount().optional();

/** Inputs of everything that sends. */
export const sendingInputs = {
  from: z
    .string()
    .min(1)
    .meta({ title: 'Signer', description: 'Name of the signer that signs and pays.', examples: ['treasury'] }),
  value: amount().default('0').meta({ title: 'Value', description: 'Sent along, in wei.' }),
  gasLimit: amount().optional().meta({ title: 'Gas limit', description: 'Estimated when it is not given.' }),
  fee: z
    .strictObject({ max: wei, tip: wei, cap: wei })
    .optional()
    .meta({
      title: 'Fee',
      description:
        'Highest price per gas, tip, and what no raise goes above; in wei. Default: as the network is paid at the time.',
      examples: [{ cap: '200000000000' }],
    }),
};

/** As the inputs say it, in the terms of a request. */
export function wishes({
  gasLimit,
  fee,
}: {
  readonly gasLimit?: string | undefined;
  readonly fee?: { max?: string | undefined; tip?: string | undefined; cap?: string | undefined } | undefined;
}): Pick<SendRequest, 'gasLimit' | 'fee'> {
  return {
    ...(gasLimit !== undefined && { gasLimit: BigInt(gasLimit) }),
    ...(fee && { fee: feeWishOf(fee) }),
  };
}
