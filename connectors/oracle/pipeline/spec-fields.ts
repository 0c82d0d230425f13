import type { TomlValue } from 'smol-toml';
import { isAddress } from '#evm';
import { parseGoDuration } from './duration.js';

export const jobTypes = ['directrequest', 'cron', 'webhook'] as const;
export type JobType = (typeof jobTypes)[number];

export type FieldResult =
  { readonly value: unknown; readonly warning?: string } | { readonly problem: string; readonly fix?: string };

export type FieldReader = (value: TomlValue) => FieldResult;

export interface Field {
  readonly read: FieldReader;
  readonly isRequired?: boolean;
  /** Under which name it is kept, where that is another one. */
  readonly as?: string;
}

/** What a job of a type may say, by key. */
export function fieldsOf(type: JobType): Readonly<Record<string, Field>> {
  return { ...commonFields, ...fieldsOfType[type] };
}

const commonFields: Readonly<Record<string, Field>> = {
  name: { read: text },
  externalJobID: { read: uuid },
  maxTaskDuration: { read: duration, as: 'maxTaskDurationMs' },
  gasLimit: { read: whole },
  forwardingAllowed: { read: flag },
  observationSource: { read: text, isRequired: true },
};

const fieldsOfType: Readonly<Record<JobType, Readonly<Record<string, Field>>>> = {
  directrequest: {
    contractAddress: { read: address, isRequired: true },
    evmChainID: { read: whole },
    minIncomingConfirmations: { read: confirmations },
    minContractPaymentLinkJuels: { read: whole },
    requesters: { read: addresses },
  },
  cron: { schedule: { read: schedule, isRequired: true }, evmChainID: { read: whole } },
  webhook: { externalInitiators: { read: initiators } },
};

function text(value: TomlValue): FieldResult {
  return typeof value === 'string' ? { value } : { problem: 'must be text.' };
}

function flag(value: TomlValue): FieldResult {
  return typeof value === 'boolean' ? { value } : { problem: 'must be true or false.' };
}

/** As text: amounts need not fit a number. */
function whole(value: TomlValue): FieldResult {
  if (typeof value === 'bigint' && value >= 0n) return { value: value.toString() };
  if (typeof value === 'string' && /^\d+$/.test(value)) return { value };
  return { problem: 'must be a whole number of 0 or more.' };
}

function confirmations(value: TomlValue): FieldResult {
  const read = whole(value);
  if ('problem' in read) return read;
  return Number(read.value) > 10_000 ? { problem: 'must be at most 10,000.' } : { value: Number(read.value) };
}

function uuid(value: TomlValue): FieldResult {
  if (typeof value === 'string' && /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/.test(value)) {
    return { value: value.toLowerCase() };
  }
  return { problem: 'must be a UUID.', fix: 'Write it like 0eec7e1d-d0d2-476c-a1a8-72dfb6633f46.' };
}

function duration(value: TomlValue): FieldResult {
  const ms =
    typeof value === 'bigint' ? Number(value) / 1e6 : typeof value === 'string' ? parseGoDuration(value) : undefined;
  if (ms === undefined) return { problem: 'must be a duration.', fix: 'Write it like 30s, 1m30s or 500ms.' };
  return { value: ms };
}

/** The letter case is a checksum, which nodes insist on. */
function address(value: TomlValue): FieldResult {
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{40}$/.test(value)) {
    return { problem: 'must be an address: 0x and 40 hexadecimal digits.' };
  }
  if (!isAddress(value)) {
    return {
      problem: `has a typing error: the letter case of ${value} is a checksum (EIP-55) and is wrong.`,
      fix: 'Copy the address again, or write it in lower case.',
    };
  }
  const hasChecksum = /[a-f]/.test(value) && /[A-F]/.test(value);
  if (hasChecksum || !/[a-fA-F]/.test(value.slice(2))) return { value };
  return { value, warning: 'has no checksum (EIP-55) in its letter case; a node would refuse it.' };
}

function addresses(value: TomlValue): FieldResult {
  if (!Array.isArray(value)) return { problem: 'must be a list of addresses.' };
  const read = value.map(address);
  const wrong = read.find((one) => 'problem' in one);
  return wrong ?? { value: read.map((one) => ('value' in one ? one.value : undefined)) };
}

/** Six fields with seconds first and a time zone in front, or an interval. */
function schedule(value: TomlValue): FieldResult {
  const fix = 'Write it like CRON_TZ=UTC 0 0 * * * *, or @every 1h.';
  if (typeof value !== 'string') return { problem: 'must be text.', fix };
  if (/^@every\s+\S+$/.test(value)) {
    const ms = parseGoDuration(value.replace(/^@every\s+/, ''));
    return ms === undefined || ms < 1_000 ? { problem: 'needs an interval of a second or more.', fix } : { value };
  }
  if (!/^CRON_TZ=\S+\s/.test(value)) return { problem: 'must begin with CRON_TZ= and a time zone.', fix };
  const fields = value.trim().split(/\s+/).slice(1);
  if (fields.length === 1 && fields[0]!.startsWith('@')) return { value };
  return fields.length === 5 || fields.length === 6 ? { value } : { problem: 'must have 5 or 6 fields.', fix };
}

function initiators(value: TomlValue): FieldResult {
  const problem = 'must be a list like [{ name = "…", spec = "…" }].';
  if (!Array.isArray(value)) return { problem };
  const read = value.map((item) => {
    if (typeof item !== 'object' || Array.isArray(item)) return undefined;
    const { name, spec } = item as Readonly<Record<string, TomlValue>>;
    if (typeof name !== 'string' || (spec !== undefined && typeof spec !== 'string')) return undefined;
    return { name, ...(spec !== undefined && { spec }) };
  });
  return read.includes(undefined) ? { problem } : { value: read };
}
