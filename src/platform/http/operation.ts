import { SetMetadata } from '@nestjs/common';
import type { z } from 'zod';

/** What the API description says about a route, beside what its parameters say. */
export interface Operation {
  readonly summary: string;
  readonly answer: z.ZodType | undefined;
  readonly status: number;
}

export const operationKey = 'patchbay:operation';

/** One sentence on what the route does, and the shape of its answer. */
export const Answers = (summary: string, answer?: z.ZodType, status = 200) =>
  SetMetadata(operationKey, { summary, answer, status } satisfies Operation);

export function operationOf(handler: object): Operation | undefined {
  return Reflect.getMetadata(operationKey, handler) as Operation | undefined;
}
