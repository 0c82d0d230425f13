import { resolve } from 'node:path';
import { Secret, z } from '#sdk';

declare module 'zod' {
  interface GlobalMeta {
    /** The environment variable a setting is read from. */
    env?: string;
    /** The value may also come from the file that `<env>_FILE` names, and is never shown. */
    secret?: boolean;
  }
}

const roleNames = ['api', 'listener', 'worker'] as const;
export type Role = (typeof roleNames)[number];

/** How the hub runs: every setting, its default, and what it means. Flows and connections are configured elsewhere. */
export const configSchema = z.object({
  production: z
    .string()
    .default('development')
    .transform((mode) => mode === 'production')
    .meta({ env: 'NODE_ENV', description: '`production` switches off what only helps while trying things out.' }),
  roles: listOf(z.enum(roleNames))
    .default([...roleNames])
    .meta({
      env: 'PATCHBAY_ROLES',
      description: 'What this process does: `api` answers requests, `listener` hears triggers, `worker` executes runs.',
    }),
  dataDir: path('.patchbay').meta({
    env: 'PATCHBAY_DATA_DIR',
    description:
      'Folder of everything the hub keeps on disk: its own PostgreSQL, unless `DATABASE_URL` is set, and the master key.',
  }),
  shutdownSeconds: wholeNumber({ min: 1, max: 600 }).default(25).meta({
    env: 'PATCHBAY_SHUTDOWN_SECONDS',
    description: 'How long running attempts may take to finish once the hub is told to stop.',
  }),
  http: z.object({
    port: wholeNumber({ min: 0, max: 65_535 }).default(3000).meta({
      env: 'PATCHBAY_PORT',
      description: 'Port of console, API, hooks and sockets; `0` takes any free one.',
    }),
    host: z.string().default('127.0.0.1').meta({
      env: 'PATCHBAY_HOST',
      description: 'Address to listen on; `0.0.0.0` makes the hub reachable from other machines.',
    }),
    publicUrl: webUrl().optional().meta({
      env: 'PATCHBAY_PUBLIC_URL',
      description: 'Address under which others reach the hub, for links and webhooks. Default: host and port.',
    }),
    hookMaxBytes: wholeNumber({ min: 1, max: 100 * 2 ** 20 })
      .default(2 ** 20)
      .meta({ env: 'PATCHBAY_HOOK_MAX_BYTES', description: 'Largest body an incoming webhook may have, in bytes.' }),
  }),
  auth: z.object({
    adminKey: secretText().optional().meta({
      env: 'PATCHBAY_ADMIN_KEY',
      secret: true,
      description: 'API key with every right. Default: made at the first start and printed once.',
    }),
  }),
  vault: z.object({
    masterKey: z
      .string()
      .refine((text) => decodeKey(text) !== undefined, 'must be 32 bytes, as 64 hexadecimal digits or base64')
      .transform((text) => new Secret(text.trim()))
      .optional()
      .meta({
        env: 'PATCHBAY_MASTER_KEY',
        secret: true,
        description:
          'Seals the secrets of connections: 32 bytes as hexadecimal or base64. Default: `master.key` in the data folder, made at the first start.',
      }),
  }),
  store: z.object({
    url: serverUrl(['postgres:', 'postgresql:']).optional().meta({
      env: 'DATABASE_URL',
      secret: true,
      description: 'PostgreSQL 14 or newer to keep everything in. Default: the hub starts its own in the data folder.',
    }),
    poolSize: wholeNumber({ min: 2, max: 100 }).default(10).meta({
      env: 'PATCHBAY_DATABASE_POOL',
      description: 'Most database connections this process uses for its own work; the queue and leases add a few.',
    }),
  }),
  queue: z.object({
    redisUrl: redisUrl().optional().meta({
      env: 'REDIS_URL',
      secret: true,
      description:
        'Redis for the job queue, for more throughput; several addresses separated by commas are the nodes of a Redis Cluster. Default: the queue lives in PostgreSQL.',
    }),
    concurrency: wholeNumber({ min: 1, max: 1000 }).default(10).meta({
      env: 'PATCHBAY_WORKER_CONCURRENCY',
      description: 'How many jobs, each a batch of runs, one process works on at the same time.',
    }),
  }),
  flows: z.object({
    dir: path('flows').meta({
      env: 'PATCHBAY_FLOWS_DIR',
      description: 'Folder of the flow files; a changed file takes effect at once.',
    }),
    configurationFile: path('patchbay.yaml').meta({
      env: 'PATCHBAY_CONFIG',
      description: 'File of networks, signers and connections. It need not exist.',
    }),
    env: listOf(z.string().regex(/^[A-Za-z_]\w*$/, 'must be the name of an environment variable'))
      .default([])
      .meta({
        env: 'PATCHBAY_FLOW_ENV',
        description: 'Names of the environment variables that flows may read as `env.NAME`.',
      }),
  }),
  egress: z.object({
    allow: listOf(
      z
        .string()
        .regex(
          /^(\[[^\]]+\]|[^\s:[\]]+)(:\d{1,5}(-\d{1,5})?)?$/,
          'must look like 10.0.0.0/8:443 or 127.0.0.1:3100-3199',
        ),
    )
      .default([])
      .meta({
        env: 'PATCHBAY_EGRESS_ALLOW',
        description:
          'Private addresses that flows may call, as `address[/bits][:port[-port]]`, separated by commas. Public addresses are always allowed.',
      }),
  }),
  retention: z.object({
    runDays: wholeNumber({ min: 1, max: 36_500 }).default(14).meta({
      env: 'PATCHBAY_RETENTION_DAYS',
      description:
        'Days for which completed and cancelled runs are kept; failed ones stay until somebody handles them.',
    }),
    eventDays: wholeNumber({ min: 1, max: 36_500 }).default(30).meta({
      env: 'PATCHBAY_EVENT_RETENTION_DAYS',
      description: 'Days for which events are kept. A repeated event is recognised for as long.',
    }),
  }),
  sandbox: z.object({
    enabled: z
      .enum(['on', 'off'])
      .default('off')
      .transform((state) => state === 'on')
      .meta({
        env: 'PATCHBAY_SANDBOX',
        description:
          '`on` starts servers that play Salesforce, IFTTT and Zapier, and a development chain. Never with `NODE_ENV=production`; `npm start` switches it on.',
      }),
  }),
  log: z.object({
    level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info').meta({
      env: 'LOG_LEVEL',
      description: 'The least grave entries that are written.',
    }),
    format: z.enum(['json', 'pretty']).optional().meta({
      env: 'LOG_FORMAT',
      description: 'One JSON object per line, or lines for people. Default: `pretty` on a terminal, otherwise `json`.',
    }),
  }),
});

type DeepReadonly<T> = T extends Secret
  ? T
  : T extends readonly (infer Item)[]
    ? readonly DeepReadonly<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
      : T;

export type Config = DeepReadonly<z.output<typeof configSchema>>;

/** 32 bytes given as 64 hexadecimal digits or as base64; undefined when the text is neither. */
export function decodeKey(text: string): Buffer | undefined {
  const trimmed = text.trim();
  const bytes = /^[0-9a-fA-F]{64}$/.test(trimmed) ? Buffer.from(trimmed, 'hex') : Buffer.from(trimmed, 'base64');
  return bytes.length === 32 && /^[\w+/=-]+$/.test(trimmed) ? bytes : undefined;
}

function wholeNumber({ min, max }: { readonly min: number; readonly max: number }) {
  return z.coerce.number({ error: 'must be a number' }).int('must be a whole number').min(min).max(max);
}

function path(whenUnset: string) {
  return z
    .string()
    .min(1)
    .prefault(whenUnset)
    .transform((text) => resolve(text));
}

function listOf<Item extends z.ZodType<string, string>>(item: Item) {
  return z.preprocess(
    (value) =>
      typeof value === 'string'
        ? value
            .split(',')
            .map((part) => part.trim())
            .filter((part) => part !== '')
        : value,
    z.array(item),
  );
}

function secretText() {
  return z
    .string()
    .min(1)
    .transform((text) => new Secret(text));
}

function webUrl() {
  return z
    .url({ protocol: /^https?$/, error: 'must be an address beginning with http:// or https://' })
    .transform((text) => text.replace(/\/+$/, ''));
}

function serverUrl(protocols: readonly string[]) {
  return z
    .string()
    .refine((text) => isUrl(text, protocols), `must be an address beginning with ${protocols[0]}//`)
    .transform((text) => new Secret(text));
}

function redisUrl() {
  return z
    .string()
    .refine(
      (text) => text.split(',').every((part) => part.startsWith('/') || isUrl(part.trim(), ['redis:', 'rediss:'])),
      'must be an address beginning with redis:// or rediss://, or the path of a socket',
    )
    .transform((text) => new Secret(text));
}

/** A user without a host (`postgresql://me@/db?host=/run/postgresql`) is how one names a socket. */
function isUrl(address: string, protocols: readonly string[]): boolean {
  const text = address.replace('@/', '@localhost/');
  return URL.canParse(text) && protocols.includes(new URL(text).protocol);
}
