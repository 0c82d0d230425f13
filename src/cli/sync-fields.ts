import type { ContractPart } from './contract-shape.js';
import { UsageError } from './failure.js';
import type { FieldAnswer } from './hub-answers.js';
import type { Prompts } from './prompts.js';
import type { Session } from './session.js';

export interface Join {
  readonly salesforce: string;
  readonly chain: string;
  readonly direction: 'both' | 'toChain' | 'toSalesforce';
  readonly decimals?: number;
}

export interface JoinParts {
  readonly fields: readonly FieldAnswer[];
  readonly outputs: ContractPart['outputs'];
  /** Undefined: nothing is written to the chain. */
  readonly writable: ReadonlySet<string> | undefined;
}

const skip = 'leave it out';
const directions = ['both', 'toChain', 'toSalesforce'] as const;

/** Which field belongs to which value of the contract, and which way it goes: of flags `Field=value[:direction[:decimals]]`, or asked for. */
export async function joinFields(
  parts: JoinParts,
  given: readonly string[] | undefined,
  prompts: Prompts,
  { io }: Session,
): Promise<readonly Join[]> {
  if (given !== undefined) return given.map((text) => joinOf(text));
  if (!io.isInteractive)
    throw new UsageError('Fields are missing.', 'Give them with --field Points__c=points:toSalesforce.');
  const joins: Join[] = [];
  const left = new Map(parts.fields.filter(({ isWritable }) => isWritable).map((field) => [field.name, field]));
  for (const { name, type } of parts.outputs) {
    const choices = [skip, ...left.keys()];
    const near = [...left.keys()].find((field) => bare(field) === bare(name)) ?? skip;
    const field = await prompts.choose(
      { title: `Field for ${name} (${type})`, flag: '--field', choices, fallback: near },
      undefined,
    );
    if (field === skip) continue;
    const isNumber = /^u?int/.test(type) && left.get(field)?.type === 'double';
    left.delete(field);
    const direction = parts.writable?.has(name) === true ? await askDirection(field, name, prompts) : 'toSalesforce';
    const decimals = isNumber ? await askDecimals(name, prompts) : undefined;
    joins.push({ salesforce: field, chain: name, direction, ...(decimals !== undefined && { decimals }) });
  }
  if (joins.length === 0) throw new UsageError('A sync needs one field at least.');
  return joins;
}

async function askDirection(field: string, value: string, prompts: Prompts): Promise<Join['direction']> {
  const title = `Direction of ${field} and ${value}`;
  const chosen = await prompts.choose(
    { title, flag: '--field', choices: [...directions], fallback: 'both' },
    undefined,
  );
  return directions.find((one) => one === chosen) ?? 'both';
}

async function askDecimals(value: string, prompts: Prompts): Promise<number | undefined> {
  const check = (answer: string) => (/^\d{1,2}$/.test(answer) ? undefined : 'a number from 0 to 77');
  const help = 'The field is a number: whole tokens then, of so many decimals. 0: as it is.';
  const text = await prompts.text(
    { title: `Decimals of ${value}`, flag: '--field', help, fallback: '0', check },
    undefined,
  );
  return Number(text) === 0 ? undefined : Number(text);
}

function joinOf(text: string): Join {
  const [, salesforce = '', chain = '', way = 'both', decimals] =
    /^(\w+)=(\w+)(?::(\w+))?(?::(\d{1,2}))?$/.exec(text) ?? [];
  const direction = directions.find((one) => one === way);
  if (salesforce === '' || direction === undefined) {
    throw new UsageError(
      `--field needs Field=value[:direction[:decimals]]; ${text} is none.`,
      `Directions: ${directions.join(', ')}.`,
    );
  }
  return { salesforce, chain, direction, ...(decimals !== undefined && { decimals: Number(decimals) }) };
}

function bare(name: string): string {
  return name.toLowerCase().replace(/__c$|_/g, '');
}
