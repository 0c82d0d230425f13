import { createKeySigner, type Signer, type SignerSource } from '#evm';
import { PatchbayError, type Secret } from '#sdk';

export interface SignerView {
  readonly name: string;
  readonly address: string;
}

/** What signs, by name, from the configuration file. Keys never leave the signers. */
export class SignersService implements SignerSource {
  readonly #signers = new Map<string, Promise<Signer>>();

  constructor(private readonly declared: ReadonlyMap<string, { readonly privateKey: Secret }>) {}

  get(name: string): Promise<Signer> {
    const known = this.#signers.get(name);
    if (known !== undefined) return known;
    const declared = this.declared.get(name);
    if (declared === undefined) {
      throw new PatchbayError('evm.unknownSigner', {
        detail: `There is no signer called ${name}.`,
        fix:
          this.declared.size === 0
            ? 'Declare one under signers: in patchbay.yaml.'
            : `Known signers: ${[...this.declared.keys()].join(', ')}.`,
      });
    }
    const signer = createKeySigner(name, declared.privateKey);
    this.#signers.set(name, signer);
    return signer;
  }

  async list(): Promise<SignerView[]> {
    const signers = await Promise.all([...this.declared.keys()].map((name) => this.get(name)));
    return signers.map(({ name, address }) => ({ name, address }));
  }
}
