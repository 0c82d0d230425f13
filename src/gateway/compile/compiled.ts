import type { Abi } from '#evm';

/** Bytes of runtime code that differ from one deployment to the next, as solc reports them. */
export interface CodePlace {
  readonly start: number;
  readonly length: number;
}

export interface Compiler {
  /** Full, e.g. `0.8.37+commit.f1a9a3ab`. */
  readonly version: string;
  readonly evmVersion: string;
  readonly optimizer: { readonly enabled: boolean; readonly runs: number };
}

/** NatSpec as solc gives it. */
export interface ContractDocs {
  readonly devdoc: Readonly<Record<string, unknown>>;
  readonly userdoc: Readonly<Record<string, unknown>>;
}

/** One contract that can be registered as an interface: compiled here, or ready-made by another tool. */
export interface CompiledContract {
  readonly name: string;
  /** Path of its source inside the upload; undefined for a bare ABI. */
  readonly file: string | undefined;
  readonly abi: Abi;
  /** 0x hex, unlinked places as solc leaves them; undefined for interfaces, abstract contracts and bare ABIs. */
  readonly bytecode: string | undefined;
  readonly runtimeBytecode: string | undefined;
  readonly immutables: readonly CodePlace[];
  /** Fully qualified library name to its places in `bytecode`. */
  readonly links: Readonly<Record<string, readonly CodePlace[]>>;
  /** The compiler's metadata, as text. */
  readonly metadata: string | undefined;
  readonly compiler: Compiler | undefined;
  readonly docs: ContractDocs | undefined;
}
