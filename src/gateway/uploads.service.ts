import type { Caller } from '#platform';
import { PatchbayError } from '#sdk';
import type { CompiledContract } from './compile/compiled.js';
import { listContents } from './compile/read-upload.js';
import type { SolidityCompiler } from './compile/solidity-compiler.js';
import type { Upload } from './compile/upload.js';
import type { InterfacesService } from './interfaces.service.js';
import type { StoredInterface } from './interfaces.store.js';
import type { UploadOptions } from './upload-request.js';

export interface UploadContents {
  readonly sources: readonly string[];
  readonly contracts: readonly { readonly name: string; readonly file: string | undefined }[];
}

export interface Registered {
  readonly known: StoredInterface;
  /** Of the compiler. */
  readonly warnings: readonly string[];
}

/** From an upload to an interface: compiled where it must be, one contract chosen, kept in one go. */
export class UploadsService {
  constructor(
    private readonly parts: { readonly compiler: SolidityCompiler; readonly interfaces: InterfacesService },
  ) {}

  /** What is inside; nothing is compiled and nothing is kept. */
  list(upload: Upload): UploadContents {
    return listContents(upload);
  }

  /** @throws solidity.invalid with file and line, upload.invalid when it is not clear which contract is meant */
  async register(upload: Upload, options: UploadOptions, caller: Caller): Promise<Registered> {
    const { contracts, input, warnings } = await this.#contractsOf(upload, options);
    const contract = choose(contracts, options.contract);
    const name = options.name ?? contract.name;
    const known = await this.parts.interfaces.register(name, contract, { input, createdBy: caller.name });
    return { known, warnings };
  }

  async #contractsOf(
    upload: Upload,
    options: UploadOptions,
  ): Promise<{ contracts: readonly CompiledContract[]; input: string | undefined; warnings: readonly string[] }> {
    if (upload.kind === 'artefacts') return { contracts: upload.contracts, input: undefined, warnings: [] };
    const { source, compiler, evm, runs } = options;
    return await this.parts.compiler.compile(upload, {
      ...(source !== undefined && { sources: source }),
      ...(compiler !== undefined && { compiler }),
      ...(evm !== undefined && { evmVersion: evm }),
      ...(runs !== undefined && { optimizerRuns: runs }),
    });
  }
}

/** The one that is named; else the only one, or the only one that can be deployed. */
function choose(contracts: readonly CompiledContract[], wanted: string | undefined): CompiledContract {
  const fitting =
    wanted === undefined
      ? contracts
      : contracts.filter((contract) => contract.name === wanted || fullName(contract) === wanted);
  const deployable = fitting.filter(({ bytecode }) => bytecode !== undefined);
  const [only] = fitting.length === 1 ? fitting : deployable.length === 1 ? deployable : [];
  if (only) return only;
  const candidates = (deployable.length > 0 ? deployable : contracts).map(fullName);
  const pointer = '#/contract';
  throw new PatchbayError('upload.invalid', {
    detail:
      fitting.length === 0
        ? `There is no contract ${wanted ?? ''} in the upload`
        : `There are ${fitting.length} contracts${wanted === undefined ? '' : ` called ${wanted}`} in the upload`,
    fix: `Name one with contract=: ${candidates.slice(0, 20).join(', ')}`,
    faults: [{ pointer, detail: fitting.length === 0 ? 'It is not in the upload' : 'It must say which one' }],
  });
}

function fullName({ name, file }: CompiledContract): string {
  return file === undefined ? name : `${file}:${name}`;
}
