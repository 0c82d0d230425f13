import { findUnknownConditions } from '#engine';
import { argumentNames, type AbiFragment } from '#evm';
import { pointerTo, z } from '#sdk';
import { invalidStream } from './stream-document.js';
import type { StreamDefinition } from './stream.schema.js';

/** @throws stream.invalid when a condition is on a field that no event has, and so would never hold */
export function assertKnownFields({ where }: Pick<StreamDefinition, 'where'>, event: z.ZodType): void {
  const unknown = findUnknownConditions(where ?? {}, event);
  if (unknown.length === 0) return;
  const faults = unknown.map(({ path, detail, fix }) => ({
    pointer: pointerTo(['where', ...path]),
    detail,
    ...(fix !== undefined && { fix }),
  }));
  throw invalidStream(faults);
}

/** What contracts emit, as far as a stream shows it. */
export function contractEventSchema(events: readonly AbiFragment[], details: StreamDefinition['details']): z.ZodType {
  return z.object({
    name: z.string(),
    args: events.length === 0 ? z.unknown() : z.union(events.map(argumentsOf)),
    contract: z.object({ name: z.string().optional(), address: z.string() }),
    transaction: z.object({
      hash: z.string(),
      index: z.number(),
      ...(details.call && { call: z.unknown() }),
      ...(details.signer && { from: z.string() }),
      ...((details.call || details.signer) && { detailsError: z.string().optional() }),
    }),
    block: z.object({ number: z.number(), hash: z.string(), timestamp: z.string() }),
    log: z.object({ index: z.number() }),
    network: z.string(),
    chainId: z.number(),
    decodeError: z.string().optional(),
    raw: z.object({ topics: z.array(z.string()), data: z.string() }).optional(),
  });
}

function argumentsOf({ inputs = [] }: AbiFragment): z.ZodType {
  const names = argumentNames(inputs);
  // Only single values have nothing below; the rest is not looked into.
  return z.object(
    Object.fromEntries(
      inputs.map(({ type, indexed }, index) => [
        names[index]!,
        /^(u?int\d*|address|bool|bytes\d+)$/.test(type) || (type === 'string' && indexed !== true)
          ? z.string()
          : z.unknown(),
      ]),
    ),
  );
}
