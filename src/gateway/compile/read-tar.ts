import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { PatchbayError } from '#sdk';
import { formatBytes } from './entry-name.js';
import { checkNotNested, isWanted, type UploadBudget } from './upload-budget.js';
import { refusal, tooLarge } from './upload.js';

/**
 * The wanted files of a tar.
 *
 * @throws upload.invalid, request.tooLarge
 */
export async function readTar(archive: string, content: Buffer, budget: UploadBudget): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const entries = extract();
  entries.end(content);
  try {
    for await (const entry of entries) {
      const { name, type, size } = entry.header;
      checkKind(archive, name, type);
      const path = budget.addEntry(archive, name, type === 'directory');
      if (type !== 'directory') checkNotNested(archive, path);
      if (type === 'directory' || !isWanted(path)) {
        entry.resume();
        continue;
      }
      budget.checkAnnounced(path, size);
      // Its types lean on streamx, which has none.
      files.set(path, await budget.read(path, entry as unknown as AsyncIterable<Uint8Array>));
    }
  } catch (error) {
    if (error instanceof PatchbayError) throw error;
    throw refusal(
      `${archive} is a damaged tar: ${error instanceof Error ? error.message : String(error)}`,
      'Pack it again and send it whole.',
    );
  }
  return files;
}

/**
 * Unpacks gzip as a whole: to get past a file in a tar its bytes must be unpacked anyway.
 *
 * @throws upload.invalid, request.tooLarge
 */
export async function readGzip(archive: string, content: Buffer, budget: UploadBudget): Promise<Buffer> {
  const { totalBytes } = budget.limits;
  try {
    const unpacked = await promisify(gunzip)(content, { maxOutputLength: totalBytes });
    budget.checkRatio(archive, content.byteLength, unpacked.byteLength);
    return unpacked;
  } catch (error) {
    if (error instanceof PatchbayError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw tooLarge(
        `${archive} unpacks to more than ${formatBytes(totalBytes)}`,
        'Send only the sources that are needed; a zip may hold more, as what is not needed is skipped unread.',
      );
    }
    throw refusal(
      `${archive} is damaged: ${error instanceof Error ? error.message : String(error)}`,
      'Pack it again and send it whole.',
    );
  }
}

function checkKind(archive: string, name: string, type: string | null): void {
  if (type === 'file' || type === 'contiguous-file' || type === 'directory') return;
  throw refusal(
    `The entry ${JSON.stringify(name)} of ${archive} is a ${type ?? 'thing of unknown kind'}, not a file`,
    'Pack the files themselves: tar follows links when it is called with -h.',
  );
}
