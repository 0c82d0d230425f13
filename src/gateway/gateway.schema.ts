import { z } from '#sdk';
import { feeWish, functionArguments, notNegative, waitFor } from './call-request.js';
import { interfaceName } from './upload-request.js';

export const contractName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,99}$/, 'a name has lower-case letters, digits and hyphens')
  .refine((name) => !name.startsWith('0x'), 'a name does not begin as an address does, with 0x')
  .meta({ title: 'Name', description: 'Under which the contract is called', examples: ['escrow'] });

const networkName = z.string().min(1).max(100).meta({ description: 'Default: the default network' });
const version = z.number().int().positive().meta({ description: 'The newest when it is not given' });

export const registration = z.strictObject({
  name: contractName.optional(),
  address: z.string().max(100),
  interface: interfaceName,
  version: version.optional(),
  network: networkName.optional(),
});

export const contractChange = z.strictObject({
  name: contractName.nullable().optional(),
  interface: interfaceName.optional(),
  version: version.optional(),
});

export const deployBody = z.strictObject({
  args: functionArguments.default({}),
  from: z.string().min(1).max(200).meta({ description: 'Signer: its name, its address, or hd-<wallet>-<index>' }),
  value: notNegative('Value').optional(),
  gas: notNegative('Gas limit').optional(),
  fee: feeWish.optional(),
  name: contractName.optional(),
  network: networkName.optional(),
  version: version.optional(),
  libraries: z.record(z.string(), z.string()).optional(),
  wait: waitFor.optional(),
});

export const networkQuery = z.object({ network: networkName.optional() });
export const versionQuery = z.object({ version: z.coerce.number().int().positive().optional() });

const links = z.record(z.string(), z.string());

const compiler = z.object({
  version: z.string(),
  evmVersion: z.string(),
  optimizer: z.object({ enabled: z.boolean(), runs: z.number() }),
});

export const interfaceSummaryAnswer = z.object({
  name: z.string(),
  version: z.number().int(),
  deployable: z.boolean(),
  compiler: compiler.optional(),
  createdBy: z.string(),
  createdAt: z.iso.datetime(),
  links,
});

export const interfacesAnswer = z.object({ items: z.array(interfaceSummaryAnswer) });

export const interfaceAnswer = z.object({
  ...interfaceSummaryAnswer.shape,
  contract: z.string().meta({ description: 'In its sources: `Name` or `file.sol:Name`' }),
  functions: z.array(z.string()).meta({ description: 'Signatures' }),
  events: z.array(z.string()),
  constructorInputs: z.array(z.string()),
  libraries: z.array(z.string()).meta({ description: 'That it must be linked with' }),
});

export const registeredAnswer = z.object({ ...interfaceAnswer.shape, warnings: z.array(z.string()) });

export const interfaceDetailAnswer = z.object({ ...interfaceAnswer.shape, versions: z.array(interfaceSummaryAnswer) });

export const contentsAnswer = z.object({
  sources: z.array(z.string()),
  contracts: z.array(z.object({ name: z.string(), file: z.string().optional() })),
});

export const contractAnswer = z.object({
  network: z.string(),
  address: z.string(),
  name: z.string().optional(),
  origin: z.enum(['registered', 'file']).meta({ description: 'In the hub, or in the file of the address book' }),
  state: z.enum(['deployed', 'deploying', 'failed']),
  interface: z.string().optional(),
  version: z.number().int().optional(),
  transactionId: z.string().optional(),
  createdBy: z.string().optional(),
  createdAt: z.iso.datetime().optional(),
  links,
});

export const contractsAnswer = z.object({ items: z.array(contractAnswer) });

export const verificationAnswer = z.object({
  result: z.enum(['exact', 'partial', 'different']),
  detail: z.string(),
  address: z.string(),
  network: z.string(),
  interface: z.string(),
  version: z.number().int(),
  compiler: z.string().optional(),
});

export const sentAnswer = z.object({
  id: z.string(),
  status: z.enum(['reserved', 'signed', 'broadcast', 'mined', 'confirmed']),
  network: z.string(),
  chainId: z.number().int(),
  from: z.string(),
  to: z.string().optional(),
  nonce: z.number().int(),
  hash: z.string().optional(),
  contract: z.object({ address: z.string(), name: z.string().optional() }).optional(),
  blockNumber: z.number().int().optional(),
  blockHash: z.string().optional(),
  gasUsed: z.string().optional(),
  events: z
    .array(z.object({ name: z.string(), args: z.record(z.string(), z.unknown()), logIndex: z.number().int() }))
    .optional(),
  links,
});

export const callAnswer = z.union([
  z.object({ result: z.unknown() }),
  z.object({ gas: z.string(), result: z.unknown() }),
  sentAnswer,
]);

export const eventsAnswer = z.object({
  events: z.array(z.record(z.string(), z.unknown())),
  cursor: z.string().optional().meta({ description: 'To go on with; absent at the end' }),
});
