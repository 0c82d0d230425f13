import { crc32, deflateRawSync } from 'node:zlib';
import { pack } from 'tar-stream';
import type { UploadPart } from '../upload.js';

export interface ZipEntry {
  readonly name: string;
  readonly content: string | Buffer;
  /** Unix mode with the kind of file; a plain file unless told otherwise. */
  readonly mode?: number;
  readonly flags?: number;
  readonly method?: number;
  /** What the central directory says about the size, when it lies. */
  readonly announcedSize?: number;
  /** What the header in front of the content says, when it lies. */
  readonly localName?: string;
  readonly localSize?: number;
}

const deflated = 8;
const utf8Names = 0x0800;

/** A zip, byte by byte, so that it can be wrong in any way. */
export function aZip(entries: readonly ZipEntry[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const content = Buffer.from(entry.content);
    const method = entry.method ?? deflated;
    const packed = method === deflated ? deflateRawSync(content) : content;
    const size = entry.announcedSize ?? content.byteLength;
    const flags = (entry.flags ?? 0) | utf8Names;
    const fields = (name: Buffer, announced: number): Buffer =>
      numbers(
        [2, 20],
        [2, flags],
        [2, method],
        [4, 0],
        [4, crc32(content)],
        [4, packed.byteLength],
        [4, announced],
        [2, name.byteLength],
        [2, 0],
      );
    const localName = Buffer.from(entry.localName ?? entry.name);
    const local = [numbers([4, 0x0403_4b50]), fields(localName, entry.localSize ?? size), localName, packed];
    const name = Buffer.from(entry.name);
    const attributes = ((entry.mode ?? 0o100644) << 16) >>> 0;
    directory.push(
      numbers([4, 0x0201_4b50], [2, 0x0314]),
      fields(name, size),
      numbers([2, 0], [2, 0], [2, 0], [4, attributes], [4, offset]),
      name,
    );
    parts.push(...local);
    offset += local.reduce((sum, part) => sum + part.byteLength, 0);
  }
  const directorySize = directory.reduce((sum, part) => sum + part.byteLength, 0);
  const count = entries.length;
  const end = numbers(
    [4, 0x0605_4b50],
    [2, 0],
    [2, 0],
    [2, count],
    [2, count],
    [4, directorySize],
    [4, offset],
    [2, 0],
  );
  return Buffer.concat([...parts, ...directory, end]);
}

export interface TarEntry {
  readonly name: string;
  readonly content?: string;
  readonly type?: 'file' | 'symlink' | 'link' | 'directory' | 'character-device';
  readonly linkname?: string;
}

export async function aTar(entries: readonly TarEntry[]): Promise<Buffer> {
  const packing = pack();
  for (const { content = '', ...header } of entries) packing.entry(header, content);
  packing.finalize();
  const chunks: Uint8Array[] = [];
  // Its types lean on streamx, which has none.
  for await (const chunk of packing as unknown as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Parts of a request, each in two pieces. */
export async function* parts(files: Readonly<Record<string, string | Buffer>>): AsyncGenerator<UploadPart> {
  for (const [filename, content] of Object.entries(files)) yield { filename, stream: inTwo(Buffer.from(content)) };
}

async function* inTwo(content: Buffer): AsyncGenerator<Uint8Array> {
  const half = content.byteLength >> 1;
  yield content.subarray(0, half);
  yield content.subarray(half);
}

function numbers(...fields: readonly (readonly [size: 2 | 4, value: number])[]): Buffer {
  return Buffer.concat(
    fields.map(([size, value]) => {
      const bytes = Buffer.alloc(size);
      bytes.writeUIntLE(value, 0, size);
      return bytes;
    }),
  );
}
