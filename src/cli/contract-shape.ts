/** A function or an event of a contract, as far as a guide has to know it. */
export interface ContractPart {
  readonly name: string;
  readonly inputs: readonly { readonly name: string; readonly type: string }[];
  /** Of a function that reads; by name. */
  readonly outputs: readonly { readonly name: string; readonly type: string }[];
}

export interface ContractShape {
  readonly reads: readonly ContractPart[];
  readonly writes: readonly ContractPart[];
  readonly events: readonly ContractPart[];
}

interface Operation {
  /** The signature with the names of its inputs. */
  readonly summary?: string;
  readonly responses?: Readonly<Record<string, ResponseAnswer | undefined>>;
}

interface ResponseAnswer {
  readonly content?: { readonly 'application/json'?: { readonly schema?: SchemaAnswer } };
}

interface SchemaAnswer {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaAnswer | undefined>>;
}

export interface ContractDescription {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation | undefined>>>>;
}

/** What a contract offers, read from the description of its routes. */
export function shapeOf({ paths }: ContractDescription): ContractShape {
  const reads: ContractPart[] = [];
  const writes: ContractPart[] = [];
  const events: ContractPart[] = [];
  for (const [path, { get, post }] of Object.entries(paths)) {
    const operation = get ?? post;
    const part = operation && partOf(operation);
    if (part === undefined) continue;
    if (path.includes('/events/')) events.push({ ...part, outputs: [] });
    else if (get === undefined) writes.push({ ...part, outputs: [] });
    else reads.push(part);
  }
  return { reads, writes, events };
}

function partOf({ summary = '', responses }: Operation): ContractPart | undefined {
  const [, name, list = ''] = /^([A-Za-z_$][\w$]*)\((.*)\)$/.exec(summary) ?? [];
  if (name === undefined) return undefined;
  const inputs = list
    .split(', ')
    .filter((one) => one !== '')
    .map((one, index) => {
      const [type = '', own] = one.split(' ');
      return { type, name: own ?? `arg${index}` };
    });
  const result = responses?.['200']?.content?.['application/json']?.schema?.properties?.['result'];
  const outputs = Object.entries(result?.properties ?? {}).map(([own, schema]) => ({
    name: own,
    type: schema?.description?.split(/[ ;]/)[0] ?? '',
  }));
  return { name, inputs, outputs };
}
