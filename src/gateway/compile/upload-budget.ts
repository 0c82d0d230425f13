import { checkEntryName, formatBytes, isDependency } from './entry-name.js';
import { refusal, tooLarge, type UploadLimits } from './upload.js';

/** Below this a high ratio is harmless, and common for generated JSON. */
const ratioFromBytes = 100_000;

/** Counts what one upload has used, over all its parts, so that many small parts weigh as much as a large one. */
export class UploadBudget {
  readonly #names = new Set<string>();
  #entries = 0;
  #bytes = 0;

  constructor(readonly limits: UploadLimits) {}

  /**
   * Counts an entry, whether its content is wanted or not.
   *
   * @returns its path, without a leading `./`; empty for the root folder itself
   * @throws upload.invalid
   */
  addEntry(archive: string, name: string, isFolder: boolean): string {
    this.checkEntryCount(archive, 1);
    this.#entries += 1;
    const path = checkEntryName(archive, name, this.limits);
    if (isFolder) return path;
    if (path === '') throw refusal(`An entry of ${archive} has no name`, 'Pack it again.');
    if (this.#names.has(path)) {
      throw refusal(`${path} is in the upload twice`, 'Send each file once, under one name.');
    }
    this.#names.add(path);
    return path;
  }

  checkEntryCount(archive: string, more: number): void {
    if (this.#entries + more <= this.limits.entries) return;
    throw refusal(
      `${archive} brings more than ${String(this.limits.entries)} entries`,
      'Leave out what is not needed: tests, artefacts, and those parts of node_modules that are no Solidity.',
    );
  }

  /** Before reading: what the archive says about the size. It may lie, so `read` counts as well. */
  checkAnnounced(path: string, bytes: number): void {
    const limit = this.#limitOf(path);
    if (bytes > limit) throw this.#fileTooLarge(path, limit);
    if (this.#bytes + bytes > this.limits.totalBytes) throw this.#allTooLarge();
  }

  checkRatio(path: string, packedBytes: number, bytes: number): void {
    if (bytes < ratioFromBytes || bytes <= packedBytes * this.limits.ratio) return;
    throw refusal(
      `${path} unpacks to more than ${String(this.limits.ratio)} times its packed size`,
      'Source text never does. Pack the project again, without generated files.',
    );
  }

  /** @throws request.tooLarge as soon as there is one byte too many */
  async read(path: string, stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
    const limit = this.#limitOf(path);
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of stream) {
      bytes += chunk.byteLength;
      this.#bytes += chunk.byteLength;
      if (bytes > limit) throw this.#fileTooLarge(path, limit);
      if (this.#bytes > this.limits.totalBytes) throw this.#allTooLarge();
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  #limitOf(path: string): number {
    return /[.]json$/i.test(path) ? this.limits.jsonBytes : this.limits.sourceBytes;
  }

  #fileTooLarge(path: string, limit: number): Error {
    return tooLarge(`${path} has more than ${formatBytes(limit)}`, 'Leave it out, or split the file.');
  }

  #allTooLarge(): Error {
    return tooLarge(
      `The upload unpacks to more than ${formatBytes(this.limits.totalBytes)}`,
      'Send only the sources that are needed.',
    );
  }
}

/** What is kept of an archive: Solidity, JSON, and where a project says how its imports are found. */
export function isWanted(path: string): boolean {
  const name = path.split('/').at(-1) ?? '';
  // macOS packs a shadow of each file, with the same ending.
  if (path.startsWith('__MACOSX/') || name.startsWith('._')) return false;
  return /[.](sol|json)$/i.test(name) || name === 'remappings.txt' || name === 'foundry.toml';
}

/** Contracts in an archive within the archive would be missing without a word. */
export function checkNotNested(archive: string, path: string): void {
  if (!/[.](zip|tar|tgz|gz|bz2|xz|7z|rar|zst)$/i.test(path) || isDependency(path)) return;
  throw refusal(
    `${path} inside ${archive} is an archive itself`,
    'Unpack it first, and pack its files with the others.',
  );
}
