import { PatchbayError, type Fault } from '#sdk';
import type { CompiledContract } from './compiled.js';

/** One file of a multipart request, or of anything else that comes in pieces. */
export interface UploadPart {
  readonly filename: string;
  readonly stream: AsyncIterable<Uint8Array>;
}

/** What solc reads; settings other than those that shape the code are dropped before it is used. */
export interface StandardJsonInput {
  readonly language: 'Solidity';
  readonly sources: Readonly<Record<string, { readonly content: string }>>;
  readonly settings: Readonly<Record<string, unknown>>;
}

export type SourceUpload =
  | {
      readonly kind: 'sources';
      /** `.sol` files by their path from the root of the project, and `remappings.txt` or `foundry.toml` where there is one. */
      readonly files: ReadonlyMap<string, string>;
    }
  | { readonly kind: 'standard-json'; readonly input: StandardJsonInput };

export type Upload = SourceUpload | { readonly kind: 'artefacts'; readonly contracts: readonly CompiledContract[] };

export interface UploadLimits {
  readonly packedBytes: number;
  readonly totalBytes: number;
  readonly sourceBytes: number;
  readonly jsonBytes: number;
  readonly entries: number;
  readonly depth: number;
  readonly nameLength: number;
  readonly ratio: number;
}

export const uploadLimits: UploadLimits = {
  /** As sent. More than this cannot unpack to something that is allowed, unless most of it is ignored. */
  packedBytes: 10_000_000,
  /** All of it is held in memory; OpenZeppelin's whole package has 1.5 MB of Solidity. */
  totalBytes: 10_000_000,
  /** The largest file of Solidity in OpenZeppelin's package has 65 kB. */
  sourceBytes: 1_000_000,
  /** A build-info carries every source and every output; more than this would hold up the hub while it is parsed. */
  jsonBytes: 5_000_000,
  /** A project with its node_modules of Solidity stays below; each entry costs a header of 46 bytes only. */
  entries: 2_000,
  depth: 20,
  nameLength: 500,
  /** Source text packs to a tenth or a twentieth; deflate can reach a thousandth. */
  ratio: 200,
};

/** The upload cannot be used: what is wrong with it, where, and what its sender can do. */
export function refusal(detail: string, fix: string, faults: readonly Fault[] = []): PatchbayError {
  return new PatchbayError('upload.invalid', { detail, fix, faults });
}

export function tooLarge(detail: string, fix: string): PatchbayError {
  return new PatchbayError('request.tooLarge', { detail, fix });
}
