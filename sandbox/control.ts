import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Activity } from './activity.js';
import { awsFault, type AwsStandIn } from './aws/stand-in.js';
import type { Demo } from './demo.js';
import type { Faults } from './faults.js';
import { iftttActs } from './ifttt/control.js';
import type { IftttStandIn } from './ifttt/ifttt.js';
import { priceFault, type PricesStandIn } from './prices/prices.js';
import type { ReceivedLog } from './received.js';
import { parseFault, type SalesforceStandIn } from './salesforce/index.js';
import { parseBody, readBody, send, type Route } from './server.js';

export interface ControlOptions {
  readonly faults: Faults;
  readonly received: ReceivedLog;
  readonly salesforce: SalesforceStandIn;
  readonly aws: AwsStandIn;
  readonly ifttt: IftttStandIn;
  readonly prices: PricesStandIn;
  readonly demo: Demo;
  readonly activity: Activity;
}

type Act = (body: unknown, query: URLSearchParams) => unknown;

const wallet = z.string().regex(/^0x[0-9a-fA-F]{40}$/);
const fault = z.strictObject({
  standIn: z.enum(['ifttt', 'zapier', 'http', 'aws', 'signer', 'prices']),
  status: z.number().int().min(100).max(599).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.unknown().optional(),
  delayMs: z.number().int().min(0).optional(),
  resetAfterProcessing: z.boolean().optional(),
  everyNth: z.number().int().min(1).optional(),
  times: z.number().int().min(1).optional(),
});
/** Salesforce has faults of its own, with its own error codes. */
const salesforceFault = z.looseObject({
  standIn: z.literal('salesforce'),
  kind: z.string().refine((kind) => parseFault({ kind }) !== undefined, 'is not a known fault of Salesforce'),
});
/** What fails inside AWS; the others happen on the way to it. */
const faultInAws = z.looseObject({ standIn: z.literal('aws'), kind: z.string() });
const faultOfPrices = z.looseObject({ standIn: z.literal('prices'), kind: z.string() });
const priceOrder = z.strictObject({
  pair: z.string().regex(/^[A-Z0-9]{1,12}-[A-Z0-9]{1,12}$/),
  price: z.string().regex(/^\d{1,30}(\.\d{1,8})?$/),
});
const transfer = z.strictObject({ amount: z.string().regex(/^\d+(\.\d{1,6})?$/), to: wallet.optional() });
const opportunity = z
  .strictObject({ name: z.string().min(1), amount: z.number().positive(), wallet })
  .partial()
  .default({});
const reorg = z.strictObject({ depth: z.number().int().min(1).max(64) });
const question = z.union([
  z.strictObject({ pair: z.string().min(1).max(50) }),
  z.strictObject({ opportunity: z.string().min(1).max(50) }),
]);
const requestId = z.string().regex(/^0x[0-9a-f]{64}$/);
const running = z.strictObject({ running: z.boolean() });

/** What tests and the curious tell the sandbox: `/_received`, `/_faults`, `/_demo/…`, `/_ifttt/…`, `/_prices`. */
export function createControl({
  faults,
  received,
  salesforce,
  aws,
  ifttt,
  prices,
  demo,
  activity,
}: ControlOptions): Route {
  const acts: Readonly<Record<string, Act>> = {
    'GET /_received': (_body, query) => {
      const standIn = query.get('standIn') ?? undefined;
      return standIn === 'salesforce' ? salesforce.state().calls : received.list(standIn);
    },
    'DELETE /_received': () => received.clear(),
    'GET /_faults': () => ({
      ...faults.list(),
      salesforce: salesforce.state().waitingFaults,
      awsInside: aws.waitingFaults(),
      pricesInside: prices.waitingFaults(),
    }),
    'POST /_faults': (body) => {
      const wanted = z.union([fault, salesforceFault, faultInAws, faultOfPrices]).parse(body);
      const { standIn, ...rest } = wanted;
      if (standIn === 'salesforce') salesforce.addFault(rest as Parameters<typeof salesforce.addFault>[0]);
      else if ('kind' in rest && standIn === 'prices') prices.addFault(priceFault.parse(rest));
      else if ('kind' in rest) aws.addFault(awsFault.parse(rest));
      else faults.set(standIn, rest);
    },
    'DELETE /_faults': (_body, query) => {
      const standIn = query.get('standIn') ?? undefined;
      if (standIn === undefined || standIn === 'salesforce') salesforce.addFault({ kind: 'clear' });
      if (standIn === undefined || standIn === 'aws') aws.clearFaults();
      if (standIn === undefined || standIn === 'prices') prices.clearFaults();
      if (standIn !== 'salesforce') faults.clear(standIn);
    },
    'POST /_demo/transfer': (body) => {
      const { amount, to } = transfer.parse(body);
      return demo.transfer(amount, to);
    },
    'POST /_demo/opportunity': (body) => demo.winOpportunity(withoutAbsent(opportunity.parse(body === '' ? {} : body))),
    'POST /_demo/request': (body) => {
      const wanted = question.parse(body);
      return 'pair' in wanted ? demo.requestPrice(wanted.pair) : demo.requestAmount(wanted.opportunity);
    },
    'GET /_demo/request': (_body, query) => demo.answerTo(requestId.parse(query.get('id'))),
    'POST /_demo/reorg': (body) => demo.reorg(reorg.parse(body).depth),
    'POST /_demo/activity': (body) => (running.parse(body).running ? activity.start() : activity.stop()),
    'GET /_demo/activity': () => ({ running: activity.isRunning }),
    'POST /_prices': (body) => {
      const { pair, price } = priceOrder.parse(body);
      prices.walk.set(pair, price);
    },
    'DELETE /_prices': (_body, query) => prices.walk.release(query.get('pair') ?? undefined),
    ...iftttActs(ifttt),
  };

  return (request, response, path) => {
    const act = acts[`${request.method ?? 'GET'} ${path}`];
    if (act === undefined) return false;
    void perform(act, request, response);
    return true;
  };
}

async function perform(act: Act, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const { searchParams } = new URL(request.url ?? '/', 'http://sandbox');
    const result = await act(parseBody(await readBody(request)), searchParams);
    send(response, result === undefined ? { status: 204 } : { status: 200, body: result });
  } catch (error) {
    const isMistake = error instanceof z.ZodError;
    send(response, {
      status: isMistake ? 400 : 500,
      body: { error: isMistake ? z.prettifyError(error) : String(error) },
    });
  }
}

function withoutAbsent<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // What is dropped is exactly what is undefined.
  return Object.fromEntries(Object.entries(value).filter(([, given]) => given !== undefined)) as never;
}
