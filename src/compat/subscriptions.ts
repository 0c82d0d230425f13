import { randomUUID } from 'node:crypto';
import { getFragment, type Abi } from '#evm';
import { checked } from '#gateway';
import type { AuditLog, Caller } from '#platform';
import { PatchbayError, z } from '#sdk';
import type { StreamsService, StreamView } from '#streams';
import type { OldStreams } from './event-streams.js';
import { addressLike, wholeNumber } from './fly-parameters.js';
import { parameter } from './messages.js';
import { ownerOf, streamOf, subscriptionView, type OldFilter } from './subscription-stream.js';

type Json = Readonly<Record<string, unknown>>;

const event = z.looseObject({ name: z.string().min(1), inputs: z.array(parameter).default([]) });
const address = z
  .string()
  .transform((given) => addressLike(given))
  .pipe(z.string().regex(/^0x[0-9a-f]{40}$/i, 'must be an address'));
const fromBlock = z.union([z.string(), z.number().int().min(0)]).optional();
const where = {
  stream: z.string().min(1),
  name: z.string().max(200).default(''),
  fromBlock,
};
const shortBody = z.looseObject(where);
const fullBody = z.looseObject({
  ...where,
  type: z.literal('events').optional(),
  event: event.optional(),
  address: address.nullish(),
  filters: z
    .array(z.looseObject({ event, address: address.nullish() }))
    .min(1)
    .max(100)
    .optional(),
});
const resetBody = z.looseObject({ fromBlock });

/** An event of a contract, as the short routes name it. */
export interface ShortWish {
  readonly abi: Abi;
  /** Name or signature. */
  readonly event: string;
  /** Undefined: of every contract. */
  readonly address: string | undefined;
  readonly network?: string;
}

/** Subscriptions of old clients: each is a stream of ours, so that none moves the place of another. */
export class OldSubscriptions {
  constructor(
    private readonly parts: {
      readonly owners: OldStreams;
      readonly streams: StreamsService;
      readonly audit: AuditLog;
    },
  ) {}

  async subscribe(
    { abi, event: eventRef, address: at, network }: ShortWish,
    body: unknown,
    caller: Caller,
  ): Promise<Json> {
    const wish = checked(shortBody, body ?? {});
    const filters = [{ event: getFragment(abi, 'event', eventRef), address: at }];
    return await this.#create({ ...wish, filters, network }, caller);
  }

  async create(body: unknown, caller: Caller): Promise<Json> {
    const { event: one, address: at, filters: several, ...wish } = checked(fullBody, body ?? {});
    const filters = (several ?? (one ? [{ event: one, address: at }] : [])).map((filter) => ({
      event: { type: 'event', ...filter.event },
      address: filter.address ?? at ?? undefined,
    }));
    if (filters.length === 0) throw invalid('#/event', 'The ABI of the event is missing');
    return await this.#create({ ...wish, filters, network: undefined }, caller);
  }

  async list(): Promise<Json[]> {
    return (await this.parts.streams.list()).filter((stream) => ownerOf(stream) !== undefined).map(subscriptionView);
  }

  async get(id: string): Promise<Json> {
    const stream = await this.#get(id);
    const [position] = (await this.parts.streams.get(id)).positions;
    return { ...subscriptionView(stream), synchronized: position?.lag?.blocks === 0 };
  }

  async delete(id: string, caller: Caller): Promise<void> {
    await this.#get(id);
    await this.parts.streams.delete(id);
    await this.#note(caller, 'stream.delete', id);
  }

  /** Its place is forgotten; others of the same event stream stay where they are. */
  async reset(id: string, body: unknown, caller: Caller): Promise<void> {
    await this.#get(id);
    const from = startOf(checked(resetBody, body ?? {}).fromBlock);
    await this.parts.streams.reset(id, from);
    await this.#note(caller, 'stream.reset', id, { from });
  }

  async #create(
    wish: {
      readonly stream: string;
      readonly name: string;
      readonly fromBlock?: string | number | undefined;
      readonly filters: readonly OldFilter[];
      readonly network: string | undefined;
    },
    caller: Caller,
  ): Promise<Json> {
    const owner = await this.parts.owners.find(wish.stream);
    const id = `sb-${randomUUID()}`;
    const { name, filters } = wish;
    const network = wish.network ?? owner.stream.network;
    const document = streamOf({ id, name, filters, from: startOf(wish.fromBlock), network }, owner);
    await this.parts.streams.create(document, caller.name, owner.stream.isSuspended ? 'suspended' : 'running');
    await this.#note(caller, 'stream.create', id, { stream: owner.id });
    return subscriptionView(await this.#get(id));
  }

  /** @throws stream.notFound also for streams that are no subscriptions */
  async #get(id: string): Promise<StreamView> {
    const stream = (await this.parts.streams.list()).find(({ name }) => name === id);
    if (stream !== undefined && ownerOf(stream) !== undefined) return stream;
    throw new PatchbayError('stream.notFound', { detail: `There is no subscription ${id.slice(0, 100)}` });
  }

  #note(caller: Caller, action: string, subject: string, detail?: Json): Promise<void> {
    return this.parts.audit.write({ actor: caller.name, action, subject, ...(detail && { detail }) });
  }
}

function startOf(given: string | number | undefined): 'now' | 'earliest' | number {
  const text = String(given ?? 'latest').trim();
  if (text === 'latest' || text === '') return 'now';
  if (text === 'earliest') return 'earliest';
  const number = wholeNumber(text);
  if (number === null || number > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw invalid('#/fromBlock', 'Must be latest, or the number of a block');
  }
  return number === 0n ? 'earliest' : Number(number);
}

function invalid(pointer: string, detail: string): PatchbayError {
  return new PatchbayError('request.invalid', {
    detail: `${pointer.slice(2)}: ${detail}`,
    faults: [{ pointer, detail }],
  });
}
