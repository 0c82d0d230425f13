import { createHash, randomUUID } from 'node:crypto';
import type { EventBus } from './event-bus.js';
import type { ObjectSchema, OrgSchema } from './org-schema.js';
import { acceptValue } from './field-values.js';
import { RestError } from './rest-error.js';
import type { Row } from './soql-rows.js';

export interface PlatformEventsOptions {
  readonly schema: OrgSchema;
  readonly bus: EventBus;
  readonly now: () => Date;
  readonly newId: (prefix: string) => string;
  /** Channels of the org's own: `Settlements__chn` hears the platform events listed. */
  readonly channels: Readonly<Record<string, readonly string[]>>;
}

/** Platform events: published over REST like a row, but kept on the bus only. */
export class PlatformEvents {
  readonly #options: PlatformEventsOptions;

  constructor(options: PlatformEventsOptions) {
    this.#options = options;
  }

  exists(channel: string): boolean {
    const [, name = ''] = /^\/event\/(\w+)$/.exec(channel) ?? [];
    if (name.endsWith('__chn')) return this.#options.channels[name] !== undefined;
    return isPlatformEvent(name) && this.#options.schema.find(name)?.name === name;
  }

  /** @returns what the REST API answers: a success that carries an entry in its list of errors. */
  publish(object: ObjectSchema, values: Row, userId: string): Row {
    const { schema, bus, now, newId, channels } = this.#options;
    const fields: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(values)) {
      if (name === 'attributes') continue;
      const field = schema.field(object, name);
      if (field === undefined || field.isReadOnly) {
        throw new RestError(400, 'INVALID_FIELD', `No such column '${name}' on sobject of type ${object.name}`);
      }
      fields[field.name] = acceptValue(field, value);
      schema.adopt(object, field, fields[field.name]);
    }
    const missing = [...object.fields.values()].find(({ isRequired, name }) => isRequired && fields[name] == null);
    if (missing !== undefined) {
      throw new RestError(400, 'REQUIRED_FIELD_MISSING', `Required fields are missing: [${missing.name}]`, [
        missing.name,
      ]);
    }
    const uuid = randomUUID();
    const own = Object.entries(channels).filter(([, events]) => events.includes(object.name));
    bus.publish([`/event/${object.name}`, ...own.map(([name]) => `/event/${name}`)], (replayId) => ({
      schema: createHash('sha256').update(object.name).digest('base64url').slice(0, 22),
      payload: { CreatedDate: now().toISOString(), CreatedById: userId, ...fields },
      event: { replayId, EventUuid: uuid },
    }));
    return {
      id: newId(object.prefix),
      success: true,
      errors: [{ statusCode: 'OPERATION_ENQUEUED', message: uuid, fields: [] }],
    };
  }
}

export function isPlatformEvent(name: string): boolean {
  return /^\w+__e$/i.test(name);
}
