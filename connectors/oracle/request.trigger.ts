import {
  EventReader,
  compileLogDecoder,
  fromBlock,
  listenForEvents,
  readPastEvents,
  shortfallOf,
  type ListenedEvents,
  type Network,
  type ReadEvent,
} from '#evm';
import {
  PatchbayError,
  address,
  amount,
  declaredTriggers,
  defineTrigger,
  finalityInput,
  z,
  type DeclaredTriggers,
  type Heard,
  type Refusal,
} from '#sdk';
import { admit, type Admission } from './admission.js';
import { oracle } from './connection.js';
import { canonicalJob, isJobId, isSameJob, jobOf, specIdsOf } from './job-id.js';
import { oracleRequest } from './operator-abi.js';
import type { OracleClient } from './oracle.client.js';

const uses = 'oracle.request';

const input = z.strictObject({
  job: z
    .string()
    .refine(isJobId, 'must be a UUID, or a name of at most 32 bytes')
    .meta({
      title: 'Job',
      description: 'Consumers name it in their requests: a UUID, or a name of at most 32 bytes.',
      examples: ['0eec7e1d-d0d2-476c-a1a8-72dfb6633f46', 'eth-usd'],
    }),
  minPayment: amount().optional().meta({
    title: 'Minimum payment',
    description: 'In juels, of which 10^18 are one LINK. Default: that of the connection.',
  }),
  requesters: z
    .array(address())
    .optional()
    .meta({ title: 'Requesters', description: 'Who may ask. Default: those of the connection.' }),
  confirmations: finalityInput()
    .optional()
    .meta({
      title: 'Confirmations',
      description:
        'Blocks on top before a request counts, or safe or finalized. Default: those of the connection; else of the network, and for a flow that does more than answer, what is final there.',
      examples: [3],
    }),
  fromBlock: fromBlock(),
  maxDataBytes: z
    .number()
    .int()
    .min(0)
    .max(131_072)
    .default(8_192)
    .meta({ title: 'Most bytes of data', description: 'Requests with more become dead letters.' }),
});

const event = z.object({
  request: z.object({
    id: z.string(),
    /** The contract. */
    oracle: z.string(),
    chainId: z.number(),
    network: z.string(),
    /** The job as the request names it. */
    specId: z.string(),
    job: z.string(),
    requester: z.string(),
    /** In juels. */
    payment: z.string(),
    callbackAddress: z.string(),
    callbackFunctionId: z.string(),
    /** In Unix seconds; from then on the requester may cancel. */
    expiration: z.string(),
    dataVersion: z.number(),
    /** Left out of what is longer than is taken. */
    data: z.string().optional(),
    blockNumber: z.number(),
    blockHash: z.string(),
    transactionHash: z.string(),
    logIndex: z.number(),
    raw: z.object({ topics: z.array(z.string()), data: z.string() }).optional(),
  }),
  /** Text as it is, every number as decimal text, bytes as 0x text, lists and maps. */
  params: z.record(z.string(), z.unknown()),
});

type Input = z.output<typeof input>;
export type OracleRequestEvent = z.output<typeof event>;

export const request = defineTrigger({
  title: 'Oracle request',
  summary: 'Starts a run for every request of a job that an Operator or Oracle contract is asked.',
  connection: oracle,
  input,
  event,
  finality: {
    input: 'confirmations',
    shortfall: (given) => shortfallOf(given['confirmations']),
    shortfallOf: async (client) => {
      const { confirmations } = client.settings;
      if (confirmations === undefined) return undefined;
      const fault = (await client.network()).shortfall(confirmations);
      if (fault === undefined) return undefined;
      return {
        ...fault,
        detail: `${fault.detail}, because the connection ${client.name} asks for no more`,
        fix: 'Write confirmations: finalized, or leave them out of the connection.',
      };
    },
  },
  examples: [{ job: '0eec7e1d-d0d2-476c-a1a8-72dfb6633f46' }, { job: 'eth-usd', minPayment: '100000000000000000' }],
  async listen(context) {
    const { input, client, log, signal } = context;
    // Requests are heard all the same: whoever may not answer yet may be allowed to while they wait.
    await client.test(signal).catch((error: unknown) => {
      const { code, detail, fix } = PatchbayError.from(error);
      log.warn('Requests of an oracle could not be answered as things are', {
        connection: client.name,
        code,
        detail,
        fix,
      });
    });
    const others = client.settings.isShared ? undefined : new OtherJobs(client, context, context.use(declaredTriggers));
    await listenForEvents(await resolve(client, input, others), context, {
      finality: input.confirmations ?? client.settings.confirmations,
      fromBlock: input.fromBlock,
    });
  },
  async backfill(context) {
    const { input, client } = context;
    const finality = input.confirmations ?? client.settings.confirmations;
    await readPastEvents(await resolve(client, input, undefined), context, { finality });
  },
});

/**
 * Jobs that no flow has: somebody must list their requests, and of the flows on one oracle it is the first by name that
 * listens. Which one that is, and what the others have, may change while it does.
 */
class OtherJobs {
  readonly #own: string;

  constructor(
    private readonly client: OracleClient,
    context: { readonly input: Input; readonly movesValue?: boolean },
    private readonly declared: DeclaredTriggers,
  ) {
    this.#own = identityOf(context);
  }

  isOursToRefuse(specId: string): boolean {
    const here = this.declared.of(uses).filter(({ connection }) => connection === this.client.name);
    if (here.some(({ input }) => isSameJob(specId, String(input['job'])))) return false;
    const first = here.find(({ isPaused }) => !isPaused);
    return first !== undefined && identityOf(first) === this.#own;
  }
}

function identityOf({ input, movesValue = false }: { readonly input: unknown; readonly movesValue?: boolean }): string {
  return JSON.stringify([input, movesValue]);
}

async function resolve(
  client: OracleClient,
  input: Input,
  others: OtherJobs | undefined,
): Promise<ListenedEvents<OracleRequestEvent>> {
  const [network, contract] = [await client.network(), await client.contract()];
  const decoder = compileLogDecoder(oracleRequest);
  const rules: Admission = {
    minPayment: BigInt(input.minPayment ?? client.settings.minPayment),
    requesters: input.requesters ?? client.settings.requesters,
    maxDataBytes: input.maxDataBytes,
  };
  // Whoever may have to list what nobody knows has to hear everything.
  const topics = others === undefined ? [[decoder.topic], specIdsOf(input.job)] : [[decoder.topic]];
  return {
    network,
    filter: { addresses: [contract.address], topics },
    reader: new EventReader({ network, decoder, contractName: undefined }),
    hear: (read) => {
      const specId = read.log.topics[1] ?? '';
      if (isSameJob(specId, input.job)) return hear(read, network, canonicalJob(input.job), rules);
      if (others?.isOursToRefuse(specId) !== true) return undefined;
      const job = jobOf(specId);
      const heard = hear(read, network, job, rules);
      return { ...heard, refused: unknownJob(job, client.name) };
    },
  };
}

function hear(
  { log, event: { args, decodeError } }: ReadEvent,
  network: Network,
  job: string,
  rules: Admission,
): Pick<Heard<OracleRequestEvent>, 'event' | 'subject' | 'refused'> {
  const text = (name: string): string => (typeof args[name] === 'string' ? args[name] : '');
  const asked = { payment: text('payment') || '0', requester: text('requester'), data: text('data') || '0x' };
  const { params, refused } =
    decodeError === undefined ? admit(asked, rules) : { params: {}, refused: unreadable(decodeError) };
  const isKept = asked.data.length - 2 <= 2 * rules.maxDataBytes;
  return {
    subject: text('requestId'),
    ...(refused && { refused }),
    event: {
      request: {
        id: text('requestId'),
        oracle: log.address,
        chainId: network.chainId,
        network: network.name,
        specId: (log.topics[1] ?? '').toLowerCase(),
        job,
        requester: asked.requester,
        payment: asked.payment,
        callbackAddress: text('callbackAddr'),
        callbackFunctionId: text('callbackFunctionId'),
        expiration: text('cancelExpiration'),
        dataVersion: Number(text('dataVersion')),
        ...(isKept && { data: asked.data }),
        blockNumber: log.blockNumber,
        blockHash: log.blockHash,
        transactionHash: log.transactionHash,
        logIndex: log.logIndex,
        ...(isKept && { raw: { topics: [...log.topics], data: log.data } }),
      },
      params,
    },
  };
}

function unreadable(reason: string): Refusal {
  return { code: 'oracle.data', detail: `The request cannot be read: ${reason}.` };
}

function unknownJob(job: string, connection: string): Refusal {
  return {
    code: 'oracle.unknownJob',
    detail: `No flow of ${connection} has the job ${job}.`,
    fix: `Add a flow with job: ${job}, and read the past for it; or set isShared: on the connection if somebody else serves this job.`,
  };
}
