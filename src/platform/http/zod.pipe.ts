import { Body, Param, Query, type PipeTransform } from '@nestjs/common';
import type { z } from 'zod';

import { PatchbayError } from '#sdk';
import { faultsOf } from './schema-faults.js';

/** Turns a part of the request into what its schema promises, or says everything that is wrong with it. */
export class ZodPipe implements PipeTransform {
  constructor(
    readonly schema: z.ZodType,
    readonly part: 'body' | 'query' | 'path',
  ) {}

  transform(value: unknown): unknown {
    // A missing body is judged like an empty one, so that the answer names the missing fields. Not the asynchronous way:
    // zod compiles schemas only for this one.
    const result = this.schema.safeParse(value ?? {});
    if (result.success) return result.data;
    const faults = faultsOf(this.schema, result.error);
    const counted = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
    throw new PatchbayError('request.invalid', { detail: `${counted} in the ${this.part} of the request`, faults });
  }
}

/** The body, checked by the schema. */
export const ZodBody = (schema: z.ZodType): ParameterDecorator => Body(new ZodPipe(schema, 'body'));
/** The query, checked by the schema; its values arrive as text. */
export const ZodQuery = (schema: z.ZodType): ParameterDecorator => Query(new ZodPipe(schema, 'query'));
/** The parameters of the path, checked by the schema. */
export const ZodPath = (schema: z.ZodType): ParameterDecorator => Param(new ZodPipe(schema, 'path'));
