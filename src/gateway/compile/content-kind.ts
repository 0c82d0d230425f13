/** What bytes are, by how they begin; names of files are not asked. */
export type ContentKind = 'zip' | 'gzip' | 'tar' | 'json' | 'text' | { readonly unknown: string };

const magics: readonly { readonly name: string; readonly bytes: readonly number[] }[] = [
  { name: 'a 7-Zip archive', bytes: [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c] },
  { name: 'a RAR archive', bytes: [0x52, 0x61, 0x72, 0x21, 0x1a, 0x07] },
  { name: 'an xz file', bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { name: 'a bzip2 file', bytes: [0x42, 0x5a, 0x68] },
  { name: 'a Zstandard file', bytes: [0x28, 0xb5, 0x2f, 0xfd] },
  { name: 'a PDF', bytes: [0x25, 0x50, 0x44, 0x46] },
  { name: 'a PNG image', bytes: [0x89, 0x50, 0x4e, 0x47] },
  { name: 'a JPEG image', bytes: [0xff, 0xd8, 0xff] },
  { name: 'a Linux program', bytes: [0x7f, 0x45, 0x4c, 0x46] },
  { name: 'a Windows program', bytes: [0x4d, 0x5a, 0x90, 0x00] },
];

export function contentKind(content: Buffer): ContentKind {
  if (startsWith(content, [0x50, 0x4b, 0x03, 0x04]) || startsWith(content, [0x50, 0x4b, 0x05, 0x06])) return 'zip';
  if (startsWith(content, [0x1f, 0x8b])) return 'gzip';
  if (content.toString('latin1', 257, 262) === 'ustar') return 'tar';
  const known = magics.find(({ bytes }) => startsWith(content, bytes));
  if (known) return { unknown: known.name };
  const text = asText(content);
  if (text === undefined) return { unknown: 'neither text nor an archive that is known here' };
  return /^\s*[[{]/.test(text) ? 'json' : 'text';
}

/** undefined when the bytes are no UTF-8, or no text. */
export function asText(content: Buffer): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

function startsWith(content: Buffer, bytes: readonly number[]): boolean {
  return bytes.every((byte, index) => content[index] === byte);
}
