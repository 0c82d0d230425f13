import { faultsOfSigner } from '#evm';
import { address, amount, defineConnection, secret, z } from '#sdk';
import { OracleClient } from './oracle.client.js';

const url = z.url({ protocol: /^https?$/ });

const settings = z.strictObject({
  network: z
    .string()
    .min(1)
    .optional()
    .meta({
      title: 'Network',
      description: 'Where the contract lies. Default: the default network.',
      examples: ['local'],
    }),
  contract: z
    .string()
    .min(1)
    .optional()
    .meta({
      title: 'Contract',
      description: 'Operator or Oracle that requests come to: name in the address book, or an address.',
      examples: ['operator'],
    }),
  kind: z.enum(['auto', 'operator', 'oracle']).default('auto').meta({
    title: 'Kind',
    description: 'Which of the two it is. Default: the contract is asked.',
  }),
  signer: z
    .string()
    .min(1)
    .optional()
    .meta({
      title: 'Signer',
      description: 'Sends the answers; the contract, or the forwarder, must have it as an authorised sender.',
      examples: ['oracle-key'],
    }),
  forwarder: address()
    .optional()
    .meta({ title: 'Forwarder', description: 'AuthorizedForwarder that answers pass through.' }),
  confirmations: z.number().int().min(0).max(10_000).optional().meta({
    title: 'Confirmations',
    description: 'Blocks on top before a request counts. Default: the setting of the network.',
  }),
  minPayment: amount().default('0').meta({
    title: 'Minimum payment',
    description: 'In juels, of which 10^18 are one LINK. Requests that pay less become dead letters.',
  }),
  requesters: z
    .array(address())
    .default([])
    .meta({ title: 'Requesters', description: 'Who may ask. Default: everybody.' }),
  isShared: z.boolean().default(false).meta({
    title: 'Shared',
    description:
      'Somebody else, or another connection, serves this contract too: requests for jobs that no flow has are left to them.',
  }),
  adapters: z
    .record(
      z.string().regex(/^[a-zA-Z0-9][\w-]*$/, 'a name has letters, digits, hyphens and underscores'),
      z.strictObject({ url, headers: z.record(z.string(), secret()).default({}) }),
    )
    .default({})
    .meta({ title: 'Adapters', description: 'External adapters by name, which job specs call bridges.' }),
  sources: z
    .record(z.string().min(1).max(60), z.strictObject({ url, headers: z.record(z.string(), secret()).default({}) }))
    .default({})
    .meta({
      title: 'Sources',
      description: 'Where values are collected, by name: the address that paths follow, and the headers that open it.',
    }),
  node: z
    .strictObject({ url, accessKey: secret(), secret: secret() })
    .optional()
    .meta({ title: 'Node', description: 'A Chainlink node up to 2.49 that knows this hub as an external initiator.' }),
  gateway: z
    .strictObject({ url, key: secret() })
    .optional()
    .meta({ title: 'Gateway', description: 'Starts workflows over HTTP; requests to it are signed with the key.' }),
});

export type OracleSettings = z.output<typeof settings>;

export const oracle = defineConnection({
  title: 'Oracle',
  summary: 'A contract whose requests are answered, and the adapters and nodes that belong to it.',
  settings,
  async open(given, { name, http, log, use }) {
    const named = [...Object.values(given.adapters), ...Object.values(given.sources)];
    const urls = [...named.map((one) => one.url), given.node?.url, given.gateway?.url];
    for (const url of urls) if (url !== undefined) await http.assertAllowed(url);
    return new OracleClient(name, given, { http, log, use });
  },
  check: ({ input, use }) => faultsOfSigner(use, input['signer'], '/signer'),
  test: (client, signal) => client.test(signal),
});
