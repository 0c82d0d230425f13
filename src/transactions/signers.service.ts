import { access, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { DeclaredSigner, DeclaredSigners } from '#connections';
import {
  HdWallet,
  SigningThread,
  highestAccount,
  openRemoteSigner,
  openThreadSigner,
  type Signer,
  type SignerNames,
  type SignerSource,
  type WalletAccount,
} from '#evm';
import { PatchbayError, Secret, nearest, type HttpClient } from '#sdk';

export interface SignerView {
  readonly name: string;
  readonly kind: DeclaredSigner['kind'];
  /** Null when it cannot be opened. */
  readonly address: string | null;
  /** Why it cannot sign now. */
  readonly problem: { readonly code: string; readonly detail: string; readonly fix: string | null } | null;
}

export interface WalletView {
  readonly name: string;
  readonly path: string;
}

/** Accounts of each wallet that an address is looked for in. */
const searchedAccounts = 100;
/** Trying a password costs a second of a core and much memory, whoever asks how often. */
const brokenForMs = 10_000;
/** How long whoever types an address waits for signers that are slow to tell theirs. */
const patienceMs = 2_000;
/** How long they are not waited for again after that: a folder of flows is not to wait for each address. */
const slowForMs = 15_000;
const accountName = /^hd-(.+)-(0|[1-9]\d{0,9})$/;
/** Also what keeps a name from being a path. */
const fileName = /^([a-z][a-z0-9-]*)[.]json$/;

/** What signs, by name or address: signers and wallets of the configuration file, and keystores in its folder. */
export class SignersService implements SignerSource, SignerNames {
  readonly #declared: DeclaredSigners;
  readonly #http: HttpClient;
  readonly #thread: SigningThread;
  readonly #brokenForMs: number;
  readonly #patienceMs: number;
  readonly #wallets: ReadonlyMap<string, HdWallet>;
  readonly #signers = new Map<string, Promise<Signer>>();
  /** Address to name, of what was opened or looked up. */
  readonly #names = new Map<string, string>();
  #isSlowUntil = 0;

  constructor(parts: {
    readonly declared: DeclaredSigners;
    readonly http: HttpClient;
    /** Time after which a keystore that did not open is tried again. Default 10,000. */
    readonly brokenForMs?: number;
    /** How long an address that is typed is looked for, before it is taken to be known. Default 2,000. */
    readonly patienceMs?: number;
  }) {
    this.#declared = parts.declared;
    this.#http = parts.http;
    this.#thread = new SigningThread();
    this.#brokenForMs = parts.brokenForMs ?? brokenForMs;
    this.#patienceMs = parts.patienceMs ?? patienceMs;
    this.#wallets = new Map(
      [...parts.declared.wallets].map(([name, { mnemonic, passphrase, path }]) => [
        name,
        new HdWallet(name, this.#thread, async () => ({
          kind: 'wallet',
          mnemonic: await mnemonic(),
          passphrase: await passphrase?.(),
          path,
        })),
      ]),
    );
  }

  async get(name: string): Promise<Signer> {
    if (isAddress(name)) return this.#byAddress(name.toLowerCase());
    const known = this.#signers.get(name);
    if (known !== undefined) return known;
    const declared = this.#declared.signers.get(name) ?? (await this.#inFolder(name));
    if (declared !== undefined) return this.#open(name, declared);
    const account = this.#accountOf(name);
    if (account !== undefined) return account.wallet.signer(account.index);
    throw await this.#unknown(name);
  }

  async assertKnown(name: string): Promise<void> {
    if (isAddress(name)) return this.#assertAddress(name.toLowerCase());
    const isKnown =
      this.#declared.signers.has(name) ||
      this.#accountOf(name) !== undefined ||
      (await this.#inFolder(name)) !== undefined;
    if (!isKnown) throw await this.#unknown(name);
  }

  /** Each is opened; one that cannot be hides no other. */
  async list(): Promise<SignerView[]> {
    return Promise.all([...(await this.#all())].map(([name, declared]) => this.#view(name, declared)));
  }

  listWallets(): WalletView[] {
    return [...this.#declared.wallets].map(([name, { path }]) => ({ name, path }));
  }

  /** @throws evm.unknownSigner */
  async accounts(wallet: string, { from, count }: { from: number; count: number }): Promise<WalletAccount[]> {
    const known = this.#wallets.get(wallet);
    if (known !== undefined) return known.accounts(from, count);
    throw new PatchbayError('evm.unknownSigner', {
      detail: `There is no wallet called ${wallet}.`,
      fix:
        this.#wallets.size === 0
          ? 'Declare one under wallets: in patchbay.yaml.'
          : `Known wallets: ${[...this.#wallets.keys()].join(', ')}.`,
    });
  }

  async close(): Promise<void> {
    await this.#thread.close();
  }

  async #view(name: string, declared: DeclaredSigner): Promise<SignerView> {
    const { kind } = declared;
    let address = declared.kind === 'remote' ? (declared.address ?? null) : null;
    try {
      const signer = await this.#open(name, declared);
      ({ address } = signer);
      await signer.check?.();
      return { name, kind, address, problem: null };
    } catch (error) {
      const { code, detail, fix } = PatchbayError.from(error);
      return { name, kind, address, problem: { code, detail, fix: fix ?? null } };
    }
  }

  /** A failed attempt is forgotten: a password may be corrected, another process may come back. */
  #open(name: string, declared: DeclaredSigner): Promise<Signer> {
    const known = this.#signers.get(name);
    if (known !== undefined) return known;
    const opening = this.#opened(name, declared).then(
      (signer) => {
        if (!this.#names.has(signer.address)) this.#names.set(signer.address, name);
        return signer;
      },
      (error: unknown) => {
        const forget = (): unknown => this.#signers.delete(name);
        if (declared.kind === 'keystore') setTimeout(forget, this.#brokenForMs).unref();
        else forget();
        throw error;
      },
    );
    this.#signers.set(name, opening);
    return opening;
  }

  #opened(name: string, declared: DeclaredSigner): Promise<Signer> {
    switch (declared.kind) {
      case 'key':
        return openThreadSigner(this.#thread, {
          name,
          source: `the private key of the signer ${name}`,
          load: async () => ({ kind: 'key', privateKey: await declared.privateKey() }),
        });
      case 'keystore':
        return openThreadSigner(this.#thread, {
          name,
          source: `the keystore ${declared.keystore.name} of the signer ${name}`,
          load: async () => ({
            kind: 'keystore',
            json: await declared.keystore.read(),
            password: await declared.password(),
          }),
        });
      case 'remote':
        return openRemoteSigner({ ...declared, name, http: this.#http });
    }
  }

  async #byAddress(address: string): Promise<Signer> {
    const { name } = await this.#search(address);
    if (name === undefined) throw await this.#unknown(address);
    return this.get(name);
  }

  /** One that is away, slow or broken may be whose address it is: only what every signer has disowned is unknown. */
  async #assertAddress(address: string): Promise<void> {
    if (this.#nameOf(address) !== undefined || Date.now() < this.#isSlowUntil) return;
    const patience = new AbortController();
    const found = await Promise.race([
      this.#search(address),
      delay(this.#patienceMs, undefined, { signal: patience.signal }).catch(() => undefined),
    ]);
    patience.abort();
    if (found === undefined) this.#isSlowUntil = Date.now() + slowForMs;
    else if (found.name === undefined && found.isComplete) throw await this.#unknown(address);
  }

  /** Without asking anybody. */
  #nameOf(address: string): string | undefined {
    const derived = [...this.#wallets.values()].find((wallet) => wallet.indexOf(address) !== undefined);
    return this.#names.get(address) ?? (derived && `hd-${derived.name}-${derived.indexOf(address) ?? 0}`);
  }

  /** @returns also whether all signers and wallets told their addresses */
  async #search(address: string): Promise<{ readonly name: string | undefined; readonly isComplete: boolean }> {
    const known = this.#nameOf(address);
    if (known !== undefined) return this.#found(address, known);
    const opened = await Promise.allSettled(
      [...(await this.#all())].map(([name, declared]) => this.#open(name, declared)),
    );
    const name = this.#names.get(address);
    if (name !== undefined) return this.#found(address, name);
    const accounts = await Promise.allSettled(
      [...this.#wallets.values()].map((wallet) => wallet.accounts(0, searchedAccounts)),
    );
    const account = accounts
      .flatMap((settled) => (settled.status === 'fulfilled' ? settled.value : []))
      .find((one) => one.address === address);
    if (account !== undefined) return this.#found(address, account.name);
    return { name: undefined, isComplete: [...opened, ...accounts].every(({ status }) => status === 'fulfilled') };
  }

  #found(address: string, name: string): { readonly name: string; readonly isComplete: boolean } {
    this.#names.set(address, name);
    return { name, isComplete: true };
  }

  /** Of a name such as `hd-customers-7`. */
  #accountOf(name: string): { readonly wallet: HdWallet; readonly index: number } | undefined {
    const [, of, index] = accountName.exec(name) ?? [];
    const wallet = of === undefined ? undefined : this.#wallets.get(of);
    return wallet !== undefined && Number(index) <= highestAccount ? { wallet, index: Number(index) } : undefined;
  }

  async #all(): Promise<ReadonlyMap<string, DeclaredSigner>> {
    const { keystores, signers } = this.#declared;
    if (keystores === undefined) return signers;
    const files = await readdir(keystores.folder).catch(() => []);
    const names = files.flatMap((file) => fileName.exec(file)?.[1] ?? []).sort();
    // What the file declares by name is what counts.
    return new Map([...names.map((name) => [name, this.#keystore(name)] as const), ...signers]);
  }

  /** Looked up anew each time, so that a new file needs no restart. */
  async #inFolder(name: string): Promise<DeclaredSigner | undefined> {
    const { keystores } = this.#declared;
    if (keystores === undefined || !fileName.test(`${name}.json`)) return undefined;
    const isThere = await access(join(keystores.folder, `${name}.json`)).then(
      () => true,
      () => false,
    );
    return isThere ? this.#keystore(name) : undefined;
  }

  #keystore(name: string): DeclaredSigner {
    const { folder = '', passwords = '' } = this.#declared.keystores ?? {};
    return {
      kind: 'keystore',
      keystore: { name: `${name}.json`, isThere: true, read: () => readKept(join(folder, `${name}.json`)) },
      password: async () => new Secret((await readKept(join(passwords, `${name}.txt`))).replace(/\r?\n$/, '')),
    };
  }

  async #unknown(name: string): Promise<PatchbayError> {
    const declared = [...(await this.#all()).keys()];
    const wallets = [...this.#wallets.keys()];
    const known = [...declared, ...wallets.map((wallet) => `hd-${wallet}-<index>`)];
    const [, , index] = accountName.exec(name) ?? [];
    const accounts = index === undefined ? [] : wallets.map((wallet) => `hd-${wallet}-${index}`);
    // An account that a wallet does not reach is not what was meant.
    const meant = nearest(
      name,
      [...declared, ...accounts].filter((one) => one !== name),
    );
    return new PatchbayError('evm.unknownSigner', {
      detail: isAddress(name) ? `No signer has the address ${name}.` : `There is no signer called ${name}.`,
      fix:
        known.length === 0
          ? 'Declare one under signers: in patchbay.yaml.'
          : `${meant === undefined ? '' : `Did you mean ${meant}? `}Known signers: ${known.join(', ')}.`,
    });
  }
}

function isAddress(name: string): boolean {
  return /^0x[0-9a-fA-F]{40}$/.test(name);
}

async function readKept(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new PatchbayError('config.invalid', { detail: `The file ${file} cannot be read.`, cause: error });
  }
}
