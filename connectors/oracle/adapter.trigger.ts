import { randomUUID } from 'node:crypto';
import { PatchbayError, defineTrigger, duration, z } from '#sdk';
import { adapterField, readFields } from './adapter-fields.js';

const host = z
  .string()
  .regex(/^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:\d{1,5})?$/, 'must be a host, with a port if it has one');

const input = z.strictObject({
  fields: z.record(z.string().min(1), adapterField).default({}).meta({
    title: 'Fields',
    description: 'What the adapter takes in `data`, by name, with type, default and aliases. Numbers become text.',
  }),
  async: z.boolean().default(false).meta({
    title: 'Asynchronous',
    description: 'A request with a responseURL is answered "pending" at once, and the answer is sent when it is there.',
  }),
  responseHosts: z
    .array(host)
    .max(50)
    .default([])
    .meta({
      title: 'Hosts of responseURL',
      description: 'Where answers may be sent later; a port counts if it is named. Empty: nowhere.',
      examples: [['node.example.com:6688']],
    }),
  budget: duration().pipe(z.number().min(100).max(60_000)).default(10_000).meta({
    title: 'Budget',
    description: 'How long a caller is kept waiting; Chainlink nodes wait 15 s. Default: 10s',
  }),
  repeats: duration().pipe(z.number().min(0).max(86_400_000)).default(30_000).meta({
    title: 'Repeats',
    description:
      'A request with the same id and the same content within this time gets the same answer and starts no second run. Keep it short where callers send the same id every time, as the customary $(jobSpec.externalJobID) is. Default: 30s',
  }),
});

const body = z.looseObject({
  id: z.union([z.string(), z.number()]).nullish(),
  data: z.record(z.string(), z.unknown()).nullish(),
  endpoint: z.string().nullish(),
  meta: z.unknown().optional(),
});

/** The id becomes an indexed key of the event. */
const longestId = 255;

export const adapter = defineTrigger({
  title: 'External adapter asked',
  summary: 'Starts a run when the flow is asked as an external adapter; the caller waits for its answer.',
  input,
  event: z.object({
    /** As the caller gave it, e.g. of a job. */
    id: z.string().optional(),
    endpoint: z.string().optional(),
    data: z.record(z.string(), z.unknown()),
    /** What the caller tells beside it, e.g. the request on chain that it answers. */
    meta: z.unknown().optional(),
  }),
  examples: [
    {},
    {
      fields: { from: { aliases: ['base'] }, to: { aliases: ['quote'], default: 'USD' } },
      responseHosts: ['node.example.com:6688'],
    },
  ],
  async receive({ input: declared, request }) {
    if (!request.isAuthenticated) {
      throw new PatchbayError('auth.missing', {
        fix: 'Send Authorization: Bearer <key>; a Chainlink job sends it with headers="[\\"Authorization\\", \\"Bearer <key>\\"]".',
      });
    }
    const given = body.safeParse(request.body);
    if (!given.success) {
      const [issue] = given.error.issues;
      throw new PatchbayError('request.invalid', {
        detail: `The body is not what an adapter takes: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim(),
        fix: 'Send JSON: {"id": "…", "data": {…}}.',
      });
    }
    const { id, data, endpoint, meta } = given.data;
    const key = request.headers['idempotency-key'] ?? randomUUID();
    if (key === '' || key.length > longestId) {
      throw new PatchbayError('request.invalid', { detail: 'The header Idempotency-Key is empty or too long.' });
    }
    const event = {
      ...(id != null && { id: String(id) }),
      ...(endpoint != null && { endpoint }),
      data: readFields(declared.fields, data ?? {}),
      ...(meta != null && { meta }),
    };
    return [{ id: key, event }];
  },
});
