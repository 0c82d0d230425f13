import { isSecretSchema, type z } from './schema.js';

// zod publishes no way to look into a schema of unknown kind; `def` is what its own converters read.
interface Def {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly out?: z.ZodType;
  readonly getter?: () => z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly catchall?: z.ZodType;
  readonly element?: z.ZodType;
  readonly items?: readonly z.ZodType[];
  readonly rest?: z.ZodType | null;
  readonly valueType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly left?: z.ZodType;
  readonly right?: z.ZodType;
  readonly values?: readonly unknown[];
  readonly entries?: Readonly<Record<string, string | number>>;
}

/** What a value must look like to go in, or what it looks like when it comes out. */
export type Side = 'in' | 'out';

export type Shape =
  | {
      readonly kind: 'object';
      readonly fields: Readonly<Record<string, z.ZodType>>;
      readonly rest: z.ZodType | undefined;
    }
  | { readonly kind: 'list'; readonly element: (index: number) => z.ZodType | undefined }
  | { readonly kind: 'record'; readonly value: z.ZodType }
  | { readonly kind: 'union'; readonly options: readonly z.ZodType[] }
  | { readonly kind: 'both'; readonly parts: readonly z.ZodType[] }
  | { readonly kind: 'text' | 'number' | 'boolean' | 'bigint' | 'null' }
  | { readonly kind: 'oneOf'; readonly values: readonly unknown[] }
  /** Anything may be below. */
  | { readonly kind: 'open' };

const open: Shape = { kind: 'open' };

/** The outermost shape of a schema, without what is wrapped around it (optional, default, transform …). */
export function shapeOf(schema: z.ZodType, side: Side): Shape {
  let def = schema.def as unknown as Def;
  for (let level = 0; level < 50; level++) {
    const inner = def.innerType ?? (def.type === 'pipe' ? (side === 'in' ? def.in : def.out) : def.getter?.());
    if (!inner) return plainShape(def);
    def = inner.def;
  }
  return open;
}

function plainShape(def: Def): Shape {
  switch (def.type) {
    case 'object':
      return {
        kind: 'object',
        fields: def.shape ?? {},
        rest: def.catchall && typeOf(def.catchall) !== 'never' ? def.catchall : undefined,
      };
    case 'array':
      return { kind: 'list', element: () => def.element };
    case 'tuple':
      return { kind: 'list', element: (index) => def.items?.[index] ?? def.rest ?? undefined };
    case 'record':
      return def.valueType ? { kind: 'record', value: def.valueType } : open;
    case 'union':
      return { kind: 'union', options: def.options ?? [] };
    case 'intersection':
      return { kind: 'both', parts: [def.left, def.right].filter((part) => part !== undefined) };
    case 'string':
    case 'template_literal':
      return { kind: 'text' };
    case 'number':
    case 'boolean':
    case 'bigint':
    case 'null':
      return { kind: def.type };
    case 'literal':
      return { kind: 'oneOf', values: def.values ?? [] };
    case 'enum':
      return { kind: 'oneOf', values: Object.values(def.entries ?? {}) };
    default:
      return open;
  }
}

/** The type as written; nullable and friends are seen through by {@link shapeOf}. */
function typeOf(schema: z.ZodType): string {
  return (schema.def as unknown as Def).type;
}

/** What the schemas say about one field below; `known` are the names there when it is not one of them. */
export type FieldSearch =
  { readonly found: z.ZodType | 'open' } | { readonly found: undefined; readonly known: readonly string[] };

export function findField(schema: z.ZodType, name: string, side: Side): FieldSearch {
  const shape = shapeOf(schema, side);
  switch (shape.kind) {
    case 'open':
      return { found: 'open' };
    case 'object': {
      if (Object.hasOwn(shape.fields, name)) return { found: shape.fields[name]! };
      return shape.rest ? { found: shape.rest } : { found: undefined, known: Object.keys(shape.fields) };
    }
    case 'record':
      return { found: shape.value };
    case 'list': {
      if (name === 'length') return { found: 'open' };
      const element = /^\d+$/.test(name) ? shape.element(Number(name)) : undefined;
      return element ? { found: element } : { found: undefined, known: ['0', '1', 'length'] };
    }
    case 'union':
      return firstFound(shape.options, name, side);
    case 'both':
      return firstFound(shape.parts, name, side);
    default:
      return { found: undefined, known: [] };
  }
}

function firstFound(schemas: readonly z.ZodType[], name: string, side: Side): FieldSearch {
  const searches = schemas.map((schema) => findField(schema, name, side));
  const hits = searches.filter((search) => search.found !== undefined);
  // Several alternatives have the field: only a value can tell which one it is.
  if (hits.length > 1) return { found: 'open' };
  return (
    hits[0] ?? {
      found: undefined,
      known: [...new Set(searches.flatMap((search) => ('known' in search ? search.known : [])))],
    }
  );
}

/** The names a schema knows at a path, for suggestions. */
export function knownFields(schema: z.ZodType, path: readonly PropertyKey[], side: Side): readonly string[] {
  const search = path.length === 0 ? { found: schema } : followFields(schema, path, side);
  if (search.found === undefined || search.found === 'open') return [];
  const nothing = findField(search.found, '', side);
  return nothing.found === undefined ? nothing.known : [];
}

/** The schema at a path, or the names known at the first segment that does not exist. */
export function followFields(
  schema: z.ZodType,
  path: readonly PropertyKey[],
  side: Side,
): FieldSearch & { readonly depth: number } {
  let current: z.ZodType = schema;
  for (const [depth, segment] of path.entries()) {
    const search = findField(current, String(segment), side);
    if (search.found === undefined || search.found === 'open') return { ...search, depth };
    current = search.found;
  }
  return { found: current, depth: path.length };
}

/** Whether the value at the path, or one around it, is a secret. */
export function isSecretField(schema: z.ZodType, path: readonly PropertyKey[]): boolean {
  for (let length = 0; length <= path.length; length++) {
    const { found } = followFields(schema, path.slice(0, length), 'in');
    if (found === undefined || found === 'open') return false;
    if (isSecret(found)) return true;
  }
  return false;
}

function isSecret(schema: z.ZodType): boolean {
  const inner = (schema.def as unknown as Def).innerType;
  return isSecretSchema(schema) || (inner !== undefined && isSecret(inner));
}
