import { Secret, address as addressSchema, z } from '#sdk';
import { declareText, type Surroundings, type TextSource } from './references.js';

/** Reads it anew each time: what opens a key is kept by nobody who does not sign. */
export type SecretSource = () => Promise<Secret>;

export type DeclaredSigner = {
  /** What it may sign, as written; the transaction layer reads it. */
  readonly limits?: unknown;
} & (
  | { readonly kind: 'key'; readonly privateKey: SecretSource }
  | { readonly kind: 'keystore'; readonly keystore: TextSource; readonly password: SecretSource }
  | {
      readonly kind: 'remote';
      readonly url: string;
      /** Lower case. Absent: the remote signer's only one. */
      readonly address: string | undefined;
      readonly headers: Readonly<Record<string, Secret>>;
    }
);

export interface DeclaredWallet {
  readonly mnemonic: SecretSource;
  readonly passphrase: SecretSource | undefined;
  /** Up to the last step, which is the index. */
  readonly path: string;
  readonly limits?: unknown;
}

/** Folders where `<name>.json` is a keystore and `<name>.txt` its password. */
export interface DeclaredKeystores {
  readonly folder: string;
  readonly passwords: string;
}

export interface DeclaredSigners {
  readonly signers: ReadonlyMap<string, DeclaredSigner>;
  readonly wallets: ReadonlyMap<string, DeclaredWallet>;
  readonly keystores: DeclaredKeystores | undefined;
}

const kinds = ['privateKey', 'keystore', 'remote'] as const;
const reference = z.union(
  [z.string().min(1), z.strictObject({ env: z.string() }), z.strictObject({ file: z.string() })],
  {
    error: 'must be { env: NAME } or { file: PATH }',
  },
);
const limits = z.record(z.string(), z.unknown()).optional();
const keySchema = z.strictObject({ privateKey: reference, limits });
const keystoreSchema = z.strictObject({ keystore: reference, password: reference, limits });
const remoteSchema = z.strictObject({
  remote: z.strictObject({
    url: reference,
    address: reference.optional(),
    headers: z.record(z.string(), reference).default({}),
  }),
  limits,
});
const walletSchema = z.strictObject({
  mnemonic: reference,
  passphrase: reference.optional(),
  path: z
    .string()
    .regex(/^m(\/\d{1,9}'?)+$/, "must be a path such as m/44'/60'/0'/0")
    .default("m/44'/60'/0'/0"),
  limits,
});
const keystoresSchema = z.strictObject({ folder: z.string().min(1), passwords: z.string().min(1) });
const webAddress = z.url({ protocol: /^https?$/, error: 'must be a web address' });

/** Reads the sections of the file that tell what signs; what is wrong is added to the faults of the file. */
export async function declareSigners(
  sections: {
    readonly signers: Readonly<Record<string, unknown>>;
    readonly wallets: Readonly<Record<string, unknown>>;
    readonly keystores?: unknown;
  },
  at: Surroundings,
): Promise<DeclaredSigners> {
  const signers = new Map<string, DeclaredSigner>();
  for (const [name, written] of Object.entries(sections.signers)) {
    const place = { ...at, pointer: `/signers/${name}` };
    if (/^hd-.+-\d+$/.test(name)) fault(place, 'is the name of an account of a wallet; choose another one');
    const declared = await declareSigner(written, place);
    if (declared !== undefined) signers.set(name, declared);
  }
  const wallets = new Map<string, DeclaredWallet>();
  for (const [name, written] of Object.entries(sections.wallets)) {
    const declared = await declareWallet(written, { ...at, pointer: `/wallets/${name}` });
    if (declared !== undefined) wallets.set(name, declared);
  }
  return { signers, wallets, keystores: declareKeystores(sections.keystores, { ...at, pointer: '/keystores' }) };
}

async function declareSigner(written: unknown, at: Surroundings): Promise<DeclaredSigner | undefined> {
  const given = kinds.filter((kind) => typeof written === 'object' && written !== null && kind in written);
  const [kind] = given;
  if (kind === undefined || given.length > 1) {
    fault(at, `must have exactly one of ${kinds.join(', ')}`);
    return undefined;
  }
  switch (kind) {
    case 'privateKey': {
      const key = parsed(keySchema, written, at);
      return key && { kind: 'key', privateKey: await secretOf(key.privateKey, at, 'privateKey'), ...limitsOf(key) };
    }
    case 'keystore': {
      const keystore = parsed(keystoreSchema, written, at);
      return (
        keystore && {
          kind: 'keystore',
          keystore: await declareText(keystore.keystore, below(at, 'keystore')),
          password: await secretOf(keystore.password, at, 'password'),
          ...limitsOf(keystore),
        }
      );
    }
    case 'remote':
      return declareRemote(written, at);
  }
}

async function declareRemote(written: unknown, at: Surroundings): Promise<DeclaredSigner | undefined> {
  const given = parsed(remoteSchema, written, at);
  if (given === undefined) return undefined;
  const place = below(at, 'remote');
  const { remote } = given;
  const url = parsed(webAddress, await textOf(remote.url, below(place, 'url')), below(place, 'url'));
  const addressText = remote.address && (await textOf(remote.address, below(place, 'address')));
  const address = addressText === undefined ? undefined : parsed(addressSchema(), addressText, below(place, 'address'));
  const headers: Record<string, Secret> = {};
  for (const [name, value] of Object.entries(remote.headers)) {
    const text = await textOf(value, below(place, `headers/${name}`));
    if (text !== undefined) headers[name] = new Secret(text);
  }
  return url === undefined ? undefined : { kind: 'remote', url, address, headers, ...limitsOf(given) };
}

async function declareWallet(written: unknown, at: Surroundings): Promise<DeclaredWallet | undefined> {
  const wallet = parsed(walletSchema, written, at);
  return (
    wallet && {
      mnemonic: await secretOf(wallet.mnemonic, at, 'mnemonic'),
      passphrase: wallet.passphrase === undefined ? undefined : await secretOf(wallet.passphrase, at, 'passphrase'),
      path: wallet.path,
      ...limitsOf(wallet),
    }
  );
}

function declareKeystores(written: unknown, at: Surroundings): DeclaredKeystores | undefined {
  const given = written === undefined ? undefined : parsed(keystoresSchema, written, at);
  return given && { folder: at.resolve(given.folder), passwords: at.resolve(given.passwords) };
}

async function secretOf(written: z.output<typeof reference>, at: Surroundings, key: string): Promise<SecretSource> {
  const source = await declareText(written, below(at, key));
  return async () => new Secret(await source.read());
}

/** What is needed at once; a source that cannot be read is a fault already. */
async function textOf(written: z.output<typeof reference>, at: Surroundings): Promise<string | undefined> {
  const source = await declareText(written, at);
  return source.isThere ? (await source.read()).trim() : undefined;
}

function limitsOf({ limits: written }: { readonly limits?: unknown }): { readonly limits?: unknown } {
  return written === undefined ? {} : { limits: written };
}

/** Never with the value: it may be a key that was written in the wrong place. */
function parsed<Schema extends z.ZodType>(
  schema: Schema,
  written: unknown,
  at: Surroundings,
): z.output<Schema> | undefined {
  // Absent because it could not be read, which is a fault already.
  if (written === undefined) return undefined;
  const result = schema.safeParse(written);
  if (result.success) return result.data;
  for (const issue of result.error.issues) fault(below(at, ...issue.path.map(String)), issue.message);
  return undefined;
}

function below(at: Surroundings, ...keys: readonly string[]): Surroundings {
  return { ...at, pointer: [at.pointer, ...keys].join('/') };
}

function fault(at: Surroundings, detail: string): void {
  at.faults.push({ pointer: at.pointer, file: at.file, detail });
}
