import { inspectWhere } from '#engine';
import { faultsOf } from '#platform';
import { PatchbayError, Secret, pointerTo, type Fault } from '#sdk';
import { streamSchema, type StreamDefinition } from './stream.schema.js';

/** A definition as somebody wrote it. */
export type StreamDocument = Readonly<Record<string, unknown>>;

export interface ParsedStream {
  readonly definition: StreamDefinition;
  /** As written, with `***` in place of each secret. */
  readonly masked: StreamDocument;
  /** By pointer, e.g. `/target/secret`. */
  readonly secrets: Readonly<Record<string, string>>;
}

type Replacement = (pointer: string, value: unknown) => string | undefined;

const mask = '***';

/** @throws stream.invalid with every fault at once */
export function parseStream(document: StreamDocument): ParsedStream {
  const parsed = streamSchema.safeParse(document);
  if (!parsed.success) throw invalidStream(faultsOf(streamSchema, parsed.error));
  const definition = parsed.data;
  const faults = contradictionsOf(definition);
  if (faults.length > 0) throw invalidStream(faults);
  const secrets: Record<string, string> = {};
  collect(definition.target, ['target'], secrets);
  return { definition, masked: replaceTexts(document, (pointer) => (pointer in secrets ? mask : undefined)), secrets };
}

/** The document as it was written, from what {@link parseStream} made of it. */
export function unmask(masked: StreamDocument, secrets: Readonly<Record<string, string>>): StreamDocument {
  return replaceTexts(masked, (pointer, value) => (value === mask ? secrets[pointer] : undefined));
}

/** What a schema cannot say. */
function contradictionsOf({ source, contracts, events, where, from, format }: StreamDefinition): Fault[] {
  const faults: Fault[] = inspectWhere(where ?? {}).map(({ path, detail, fix }) => ({
    pointer: pointerTo(['where', ...path]),
    detail,
    ...(fix === undefined ? {} : { fix }),
  }));
  if (JSON.stringify(where ?? {}).includes('{{')) {
    faults.push({
      pointer: '#/where',
      detail: 'The conditions of a stream compare with fixed values, not with templates',
    });
  }
  if (source === 'transactions') {
    if (format !== 'cloudevents') faults.push({ pointer: '#/format', detail: 'Must be cloudevents for transactions' });
    if (contracts !== undefined) faults.push({ pointer: '#/contracts', detail: 'Goes with source: events' });
    if (events !== undefined) faults.push({ pointer: '#/events', detail: 'Goes with source: events' });
    if (typeof from === 'number')
      faults.push({ pointer: '#/from', detail: 'Must be now or earliest for transactions' });
  } else if (contracts === undefined && events === undefined) {
    faults.push({ pointer: '#/contracts', detail: 'It is not said whose events are meant', fix: 'Add contracts:' });
  }
  return faults;
}

function collect(value: unknown, path: readonly string[], secrets: Record<string, string>): void {
  if (value instanceof Secret) secrets[`/${path.join('/')}`] = value.reveal();
  else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) collect(item, [...path, key], secrets);
  }
}

function replaceTexts(document: StreamDocument, replacement: Replacement): StreamDocument {
  return Object.fromEntries(Object.entries(document).map(([key, item]) => [key, replaced(item, [key], replacement)]));
}

function replaced(value: unknown, path: readonly string[], replacement: Replacement): unknown {
  const below = (key: string, item: unknown): unknown => replaced(item, [...path, key], replacement);
  if (Array.isArray(value)) return value.map((item: unknown, index) => below(String(index), item));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, below(key, item)]));
  }
  return replacement(`/${path.join('/')}`, value) ?? value;
}

/** The refusal of a stream, with every fault. */
export function invalidStream(faults: readonly Fault[]): PatchbayError {
  const [first] = faults;
  const counted = faults.length === 1 ? `${first?.pointer ?? ''}: ${first?.detail ?? ''}` : `${faults.length} faults`;
  return new PatchbayError('stream.invalid', {
    detail: counted,
    ...(first?.fix !== undefined && { fix: first.fix }),
    faults,
  });
}
