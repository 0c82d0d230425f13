import { checkSigner } from '#evm';
import { oracleKept, PatchbayError, defineAction, duration, z, type UseService } from '#sdk';
import { oracle } from './connection.js';
import { createPorts } from './pipeline-ports.js';
import { faultsOfSource, graphOfSource } from './pipeline/action-source.js';
import { formatKept, parseKept } from './pipeline/kept-values.js';
import { runPipeline, type PipelineEnd, type PipelineRun } from './pipeline/run.js';
import { because } from './pipeline/variable.js';
import { fromPlain, toPlain, type Value } from './pipeline/value.js';

const source = z
  .string()
  .min(1)
  .superRefine((text, context) => {
    for (const message of faultsOfSource(text)) context.addIssue({ code: 'custom', message });
  })
  .meta({
    title: 'Source',
    description: 'The observationSource of a job: its tasks and the edges between them.',
    examples: ['get [type=http url="https://prices.example.com/eth"]; usd [type=jsonparse path="usd"]; get -> usd'],
  });

const job = z
  .strictObject({
    externalJobID: z.string().min(1).optional(),
    name: z.string().min(1).optional(),
    evmChainID: z.union([z.string().regex(/^\d+$/), z.number().int().min(0)]).optional(),
    gasLimit: z.union([z.string().regex(/^\d+$/), z.number().int().min(0)]).optional(),
    maxTaskDuration: duration().optional(),
  })
  .default({})
  .meta({ title: 'Job', description: 'What the spec says about itself; tasks find it under jobSpec.' });

/** Whatever `oracle.request` gives. */
const request = z
  .object({
    id: z.string(),
    oracle: z.string(),
    specId: z.string(),
    requester: z.string(),
    payment: z.string(),
    callbackAddress: z.string(),
    callbackFunctionId: z.string(),
    expiration: z.string(),
    dataVersion: z.number().int(),
    data: z.string(),
    blockNumber: z.number().int(),
    blockHash: z.string(),
    transactionHash: z.string(),
    raw: z.object({ topics: z.array(z.string()), data: z.string() }),
  })
  .meta({ title: 'Request', description: 'What the tasks find under jobRun.', examples: ['{{event.request}}'] });

export const pipeline = defineAction({
  title: 'Run the tasks of a job spec',
  summary: 'Does what the observationSource of a Chainlink node says, as it is written.',
  connection: oracle,
  input: z.strictObject({
    source,
    job,
    request: request.optional(),
    requestBody: z
      .unknown()
      .optional()
      .meta({
        title: 'Request body',
        description: 'Of a webhook job: tasks find it as text under jobRun.requestBody.',
        examples: ['{{event.body}}'],
      }),
    from: z.string().min(1).optional().meta({
      title: 'Signer',
      description: 'Sends the transactions of all ethtx tasks. Default: what the task names, or the connection.',
    }),
  }),
  output: z.object({
    /** Of the tasks that no other one waits for, by their index: numbers as decimal text, bytes as 0x text. */
    outputs: z.array(z.unknown()),
  }),
  examples: [
    {
      source: 'get [type=http url="https://prices.example.com/eth"]; usd [type=jsonparse path="usd"]; get -> usd',
      job: { name: 'price' },
    },
  ],
  repeatable:
    'Before a transaction is sent or an adapter asked that answers later, the results so far are kept, so that a repeated attempt sends the same. A request is answered once, whatever answers it. Other tasks are done again after a failure.',
  // What was asked for on chain it answers, as oracle.fulfill does; how long such a job waits, its spec says.
  movesValue: ({ request }) => request === undefined,
  check: (context) => checkSigner(context),
  async run({ input, client, use, http, idempotencyKey, signal, flow }) {
    const graph = graphOfSource(input.source);
    if (!graph) throw new PatchbayError('oracle.spec', { detail: faultsOfSource(input.source).join(' ') });
    const end = await runPipeline({
      graph,
      job: {
        externalJobID: input.job.externalJobID,
        name: input.job.name,
        evmChainID: input.job.evmChainID?.toString(),
        gasLimit: input.job.gasLimit?.toString(),
        maxTaskDurationMs: input.job.maxTaskDuration,
      },
      jobRun: jobRunOf(input.request, input.requestBody),
      ports: createPorts({ client, http, use, idempotencyKey, from: input.from, flow }),
      signal,
      ...(await keeping(use, idempotencyKey)),
    });
    return {
      outputs: outputsOf(
        end,
        graph.terminal.map(({ id }) => id),
      ),
    };
  },
});

/** @throws the error of the first terminal task that failed */
function outputsOf({ outputs }: PipelineEnd, tasks: readonly string[]): unknown[] {
  return outputs.map((outcome, index) => {
    if ('error' in outcome) throw because(tasks[index]!, outcome.error);
    return toPlain(outcome.value);
  });
}

async function keeping(use: UseService, key: string): Promise<Pick<PipelineRun, 'kept' | 'keep'>> {
  const kept = await use(oracleKept).find(key);
  return {
    ...(kept !== undefined && { kept: parseKept(kept) }),
    keep: (finished) => use(oracleKept).keep(key, formatKept(finished)),
  };
}

/** In the names that nodes use. */
function jobRunOf(asked: z.output<typeof request> | undefined, body: unknown): Readonly<Record<string, Value>> {
  if (asked) {
    return {
      logTopics: fromPlain(asked.raw.topics),
      logData: asked.raw.data,
      logAddress: asked.oracle,
      logTxHash: asked.transactionHash,
      logBlockHash: asked.blockHash,
      logBlockNumber: fromPlain(asked.blockNumber),
      meta: fromPlain({
        oracleRequest: {
          specId: asked.specId,
          requester: asked.requester,
          requestId: asked.id,
          payment: asked.payment,
          callbackAddr: asked.callbackAddress,
          callbackFunctionId: asked.callbackFunctionId,
          cancelExpiration: asked.expiration,
          dataVersion: String(asked.dataVersion),
          data: asked.data,
        },
      }),
    };
  }
  if (body === undefined) return { meta: null };
  return { requestBody: typeof body === 'string' ? body : JSON.stringify(body), meta: null };
}
