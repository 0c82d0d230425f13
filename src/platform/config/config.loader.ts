import { readFileSync } from 'node:fs';
import { PatchbayError, Secret, z, type Fault } from '#sdk';
import { configSchema, type Config } from './config.schema.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** One setting, as the generated documentation shows it. */
export interface ConfigSetting {
  /** Where it is found in the configuration, e.g. `http.port`. */
  readonly path: string;
  readonly env: string;
  readonly description: string;
  readonly default: string | undefined;
  readonly secret: boolean;
}

/**
 * The configuration from the environment, checked and frozen.
 *
 * @throws config.invalid naming every bad variable at once
 */
export function loadConfig(env: Environment = process.env): Config {
  const faults: Fault[] = [];
  const values: Record<string, unknown> = {};
  for (const setting of configSettings) {
    const text = readSetting(setting, env, faults);
    if (text !== undefined) place(values, setting.path.split('.'), text);
  }
  const parsed = configSchema.safeParse(withSlices(values));
  if (!parsed.success) faults.push(...parsed.error.issues.map(faultOf));
  if (!parsed.success || faults.length > 0) throw invalid(faults);
  const config = parsed.data;
  config.sandbox.enabled &&= !config.production;
  return freeze(config);
}

/** Every setting, in the order of the schema. */
export const configSettings: readonly ConfigSetting[] = describe(configSchema, []);

function describe(schema: z.ZodObject, path: readonly string[]): ConfigSetting[] {
  return Object.entries(schema.shape).flatMap(([key, field]) => {
    const here = [...path, key];
    if (field instanceof z.ZodObject) return describe(field, here);
    const { env, description = '', secret = false } = (field as z.ZodType).meta() ?? {};
    if (env === undefined) throw new Error(`The setting ${here.join('.')} names no environment variable.`);
    return [{ path: here.join('.'), env, description, secret, default: defaultOf(field as z.ZodType) }];
  });
}

/** The default as one would write it into the environment. */
function defaultOf(schema: z.ZodType): string | undefined {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    const value: unknown = schema.def.defaultValue;
    return Array.isArray(value) ? value.join(',') : String(value);
  }
  return schema instanceof z.ZodPipe ? defaultOf(schema.in as z.ZodType) : undefined;
}

/** An empty variable counts as unset: that is how compose files and shells pass on what nobody set. */
function readSetting(setting: ConfigSetting, env: Environment, faults: Fault[]): string | undefined {
  const text = env[setting.env] || undefined;
  if (!setting.secret) return text;
  const fileVariable = `${setting.env}_FILE`;
  const file = env[fileVariable] || undefined;
  if (file === undefined) return text;
  if (text !== undefined) {
    faults.push({ pointer: fileVariable, detail: `${setting.env} and ${fileVariable} are both set`, fix: 'Set one.' });
    return undefined;
  }
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    faults.push({ pointer: fileVariable, detail: `${fileVariable} cannot be read: ${(error as Error).message}` });
    return undefined;
  }
}

function place(values: Record<string, unknown>, [key, ...rest]: readonly string[], text: string): void {
  if (key === undefined) return;
  if (rest.length === 0) values[key] = text;
  else place((values[key] ??= {}) as Record<string, unknown>, rest, text);
}

/** Slices nobody set are empty, not absent: their settings have defaults. */
function withSlices(values: Record<string, unknown>): Record<string, unknown> {
  const slices = Object.entries(configSchema.shape).filter(([, field]) => field instanceof z.ZodObject);
  return { ...Object.fromEntries(slices.map(([name]) => [name, {}])), ...values };
}

function faultOf(issue: z.core.$ZodIssue): Fault {
  const path = issue.path.map(String);
  const setting = configSettings.find((each) => path.join('.').startsWith(each.path));
  const name = setting?.env ?? path.join('.');
  const place = setting ? path.slice(setting.path.split('.').length) : [];
  return {
    pointer: name,
    detail: `${name}${place.map((part) => ` (entry ${Number(part) + 1})`).join('')} ${issue.message}`,
  };
}

function invalid(faults: readonly Fault[]): PatchbayError {
  return new PatchbayError('config.invalid', {
    detail: faults.map((fault) => fault.detail).join('; '),
    fix: 'Correct the environment variables; docs/configuration.md describes each.',
    faults,
  });
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof Secret) return value;
  Object.values(value).forEach(freeze);
  return Object.freeze(value);
}
