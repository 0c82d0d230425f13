import { checkSigner, encodeDeploy, hashOf, sendAndWait, type Abi, type Network } from '#evm';
import { PatchbayError, defineAction, z } from '#sdk';
import { functionArguments } from './call-function.action.js';
import { network } from './connection.js';
import { confirmations } from './finality.js';
import { sendingInputs, wishes } from './sending.js';

const input = z.strictObject({
  interface: z
    .string()
    .min(1)
    .optional()
    .meta({ title: 'Interface', description: 'One that was uploaded to the hub.', examples: ['loyalty-token'] }),
  version: z
    .number()
    .int()
    .positive()
    .optional()
    .meta({ title: 'Version', description: 'Of the interface. Default: the newest.' }),
  artefact: z
    .string()
    .regex(/^[\w-]+$/, 'must be the name of a file in contracts/abi, without .json')
    .optional()
    .meta({ title: 'Artefact', description: 'Instead: a file of contracts/abi.', examples: ['DemoToken'] }),
  args: functionArguments.meta({ title: 'Arguments', description: 'Of the constructor: by name, or in order.' }),
  ...sendingInputs,
  confirmations: confirmations(),
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/, 'must be lower-case letters, digits and hyphens')
    .refine((name) => !name.startsWith('0x'), 'must not begin as an address does, with 0x')
    .optional()
    .meta({
      title: 'Name',
      description: 'Under which the contract is known from then on; only with an interface.',
      examples: ['loyalty-2027'],
    }),
});

interface Deployable {
  /** As people call it. */
  readonly name: string;
  readonly abi: Abi;
  readonly bytecode: string;
  readonly interface?: { readonly name: string; readonly version: number };
}

export const deploy = defineAction({
  title: 'Deploy a contract',
  summary: 'Puts a contract on the chain, waits until that is final, and gives its address.',
  connection: network,
  input,
  output: z.object({
    address: z.string(),
    transactionHash: z.string(),
    blockNumber: z.number(),
    gasUsed: z.string(),
    /** Id of the transaction in this hub. */
    transaction: z.string(),
  }),
  examples: [
    { interface: 'loyalty-token', args: { owner: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8' }, from: 'treasury' },
    { artefact: 'DemoToken', from: 'treasury' },
  ],
  repeatable:
    'The step has one nonce for ever: however often it is done again, at most one contract is deployed by it, at the same address.',
  movesValue: true,
  check: (context) => checkSigner(context),
  async run({ input: given, client, idempotencyKey, signal, flow }) {
    const what = await find(client, given);
    const origin = `flow:${flow}`;
    const record = await sendAndWait(
      client,
      {
        idempotencyKey,
        signer: given.from,
        data: encodeDeploy(what.abi, what.bytecode, given.args),
        value: BigInt(given.value),
        finality: client.finalityOf(given.confirmations),
        abi: what.abi,
        about: { contract: given.name ?? what.name, function: 'constructor', args: given.args },
        origin,
        ...wishes(given),
      },
      { wait: 'confirmed', signal },
    );
    const { contractAddress: address, place } = record;
    if (address === undefined || place === undefined) {
      throw new PatchbayError('internal', { detail: `The transaction ${record.id} has no address of a contract` });
    }
    if (what.interface) {
      await client.interfaces.register({
        network: client.name,
        address,
        interface: what.interface,
        transaction: record.id,
        by: origin,
        ...(given.name !== undefined && { name: given.name }),
      });
    }
    return {
      address,
      transactionHash: hashOf(record) ?? place.hash,
      blockNumber: place.blockNumber,
      gasUsed: place.gasUsed,
      transaction: record.id,
    };
  },
});

async function find(
  client: Network,
  { interface: name, version, artefact, name: friendly }: z.output<typeof input>,
): Promise<Deployable> {
  if ((name === undefined) === (artefact === undefined)) {
    throw new PatchbayError('flow.input', { detail: 'Exactly one of interface: and artefact: must be given' });
  }
  if (artefact !== undefined) {
    if (friendly !== undefined || version !== undefined) {
      throw new PatchbayError('flow.input', {
        detail: 'name: and version: go with interface:',
        fix: 'Upload the artefact as an interface first, or add the contract to the address book.',
      });
    }
    return { name: artefact, ...(await client.addressBook.getArtefact(artefact)) };
  }
  const found = await client.interfaces.find(name ?? '', version);
  const called = `${name ?? ''}${version === undefined ? '' : ` in version ${String(version)}`}`;
  if (found?.bytecode !== undefined) {
    const { abi, bytecode } = found;
    return { name: found.name, abi, bytecode, interface: { name: found.name, version: found.version } };
  }
  throw new PatchbayError('gateway.unknownInterface', {
    detail: found ? `The interface ${called} has no bytecode to deploy` : `There is no interface ${called}`,
    fix: 'Upload it to /api/interfaces, with its sources or its bytecode.',
  });
}
