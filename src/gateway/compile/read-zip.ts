import { crc32 } from 'node:zlib';
import { fromBufferPromise, getFileNameLowLevel, type Entry, type ZipFile } from 'yauzl';
import { PatchbayError } from '#sdk';
import { checkNotNested, isWanted, type UploadBudget } from './upload-budget.js';
import { refusal } from './upload.js';

/**
 * The wanted files of a zip. The central directory is believed nothing that is not checked: names, kinds, sizes and
 * the headers in front of the content must agree.
 *
 * @throws upload.invalid, request.tooLarge
 */
export async function readZip(archive: string, content: Buffer, budget: UploadBudget): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  try {
    const zip = await fromBufferPromise(content, { decodeStrings: false, validateEntrySizes: true });
    budget.checkEntryCount(archive, zip.entryCount);
    for await (const entry of zip.eachEntry()) {
      const name = getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, true);
      checkKind(archive, name, entry);
      const path = budget.addEntry(archive, name, isFolder(name));
      if (isFolder(name)) continue;
      checkNotNested(archive, path);
      await checkLocalHeader(archive, path, zip, entry);
      if (isWanted(path)) files.set(path, await readEntry(path, zip, entry, budget));
    }
  } catch (error) {
    if (error instanceof PatchbayError) throw error;
    throw refusal(
      `${archive} is a damaged zip: ${error instanceof Error ? error.message : String(error)}`,
      'Pack it again and send it whole.',
    );
  }
  return files;
}

function isFolder(name: string): boolean {
  return name.endsWith('/');
}

const kindMask = 0o170000;
const folderKind = 0o040000;
const fileKind = 0o100000;

/** The upper half of the attributes is the Unix mode; 0 where the zip was not made on Unix. */
function checkKind(archive: string, name: string, entry: Entry): void {
  const kind = (entry.externalFileAttributes >>> 16) & kindMask;
  const isPlain = kind === 0 || kind === (isFolder(name) ? folderKind : fileKind);
  if (!isPlain) {
    throw refusal(
      `The entry ${JSON.stringify(name)} of ${archive} is a link or a device, not a file`,
      'Pack the files themselves: zip follows links unless it is called with -y.',
    );
  }
  if (entry.isEncrypted()) {
    throw refusal(`The entry ${JSON.stringify(name)} of ${archive} is encrypted`, 'Pack it again without a password.');
  }
  if (!entry.canDecodeFileData()) {
    throw refusal(
      `The entry ${JSON.stringify(name)} of ${archive} is packed with method ${String(entry.compressionMethod)}, which is not known here`,
      'Pack it with deflate, the usual method of zip.',
    );
  }
}

const sizesFollowFlag = 0x08;
/** The size is in an extra field then. */
const zip64Size = 0xffff_ffff;

/** Programs that read a zip from its beginning see the local headers; both views must be the same. */
async function checkLocalHeader(archive: string, path: string, zip: ZipFile, entry: Entry): Promise<void> {
  const local = await zip.readLocalFileHeaderPromise(entry);
  const hasSizes = (local.generalPurposeBitFlag & sizesFollowFlag) === 0;
  const isSame = (here: number, there: number): boolean => here === there || here === zip64Size;
  if (
    local.fileName.equals(entry.fileNameRaw) &&
    local.compressionMethod === entry.compressionMethod &&
    (!hasSizes ||
      (isSame(local.compressedSize, entry.compressedSize) && isSame(local.uncompressedSize, entry.uncompressedSize)))
  ) {
    return;
  }
  throw refusal(`${archive} describes its entry ${path} in two ways that differ`, 'Pack it again.');
}

async function readEntry(path: string, zip: ZipFile, entry: Entry, budget: UploadBudget): Promise<Buffer> {
  budget.checkAnnounced(path, entry.uncompressedSize);
  budget.checkRatio(path, entry.compressedSize, entry.uncompressedSize);
  const content = await budget.read(path, await zip.openReadStreamPromise(entry));
  if (crc32(content) !== entry.crc32) throw new Error(`the checksum of ${path} is wrong`);
  return content;
}
