import { randomUUID } from 'node:crypto';
import { PatchbayError, defineTrigger, z, type HookRequest } from '#sdk';

/** The id becomes an indexed key of the event. */
const longestId = 255;

export const hookReceived = defineTrigger({
  title: 'Hook received from a Zap',
  summary: 'Starts a run for every POST of a "Webhooks by Zapier" step.',
  input: z.object({
    idField: z
      .string()
      .min(1)
      .optional()
      .meta({ title: 'Id field', description: 'Field of the body that names one occurrence', examples: ['id'] }),
  }),
  event: z.object({ body: z.unknown() }),
  examples: [{}, { idField: 'id' }],
  async receive({ input, request }) {
    if (!request.isAuthenticated) {
      throw new PatchbayError('auth.missing', {
        detail: 'A hook from Zapier needs an API key of this hub.',
        fix: 'Add the header Authorization: Bearer <key> to the step of the Zap.',
      });
    }
    return [{ id: idOf(request, input.idField), event: { body: request.body } }];
  },
});

function idOf({ headers, body }: HookRequest, idField: string | undefined): string {
  const id = idField === undefined ? (headers['idempotency-key'] ?? randomUUID()) : fieldOf(body, idField);
  if (id !== undefined && id !== '' && id.length <= longestId) return id;
  throw new PatchbayError('request.invalid', {
    detail:
      idField === undefined
        ? 'The header Idempotency-Key is empty or too long.'
        : `The body has no usable field ${idField}: text or a number of at most ${longestId} characters is needed.`,
    fix: 'Send an id that is the same when the same thing is sent again.',
  });
}

function fieldOf(body: unknown, field: string): string | undefined {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, field)) return undefined;
  const value: unknown = Reflect.get(body, field);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
