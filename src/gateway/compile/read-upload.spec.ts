import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { PatchbayError } from '#sdk';
import { listContents, readUpload } from './read-upload.js';
import { aTar, aZip, parts } from './testing/packing.js';
import { uploadLimits, type UploadLimits } from './upload.js';

const token = 'contract Token { uint256 public supply; }\n';

async function refusalOf(files: Readonly<Record<string, string | Buffer>>): Promise<PatchbayError> {
  const outcome: unknown = await readUpload(parts(files)).catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(PatchbayError);
  return outcome as PatchbayError;
}

describe('reading an upload', () => {
  it('given a zip of a project in its own folder, when it is read, then its sources have the paths of the project', async () => {
    const zip = aZip([
      { name: 'token-main/', content: '', mode: 0o040755, method: 0 },
      { name: 'token-main/contracts/Token.sol', content: token },
      { name: 'token-main/contracts/access/Owner.sol', content: 'interface Owner {}' },
      { name: 'token-main/remappings.txt', content: 'a/=b/\n' },
      { name: 'token-main/README.md', content: 'ignored' },
      { name: '__MACOSX/token-main/contracts/._Token.sol', content: 'ignored' },
    ]);

    const upload = await readUpload(parts({ 'upload.bin': zip }));

    expect(upload).toMatchObject({ kind: 'sources' });
    expect(upload.kind === 'sources' && [...upload.files.keys()]).toEqual([
      'contracts/Token.sol',
      'contracts/access/Owner.sol',
      'remappings.txt',
    ]);
    expect(listContents(upload)).toEqual({
      sources: ['contracts/Token.sol', 'contracts/access/Owner.sol'],
      contracts: [
        { name: 'Token', file: 'contracts/Token.sol' },
        { name: 'Owner', file: 'contracts/access/Owner.sol' },
      ],
    });
  });

  it('given a tar, plain or gzipped, when it is read, then it gives the same', async () => {
    const tar = await aTar([
      { name: './', type: 'directory' },
      { name: './src/Token.sol', content: token },
    ]);

    const plain = await readUpload(parts({ tar }));
    const gzipped = await readUpload(parts({ 'x.zip': gzipSync(tar) }));

    expect(plain).toEqual({ kind: 'sources', files: new Map([['src/Token.sol', token]]) });
    expect(gzipped).toEqual(plain);
  });

  it('given single files, when they are read, then they lie side by side', async () => {
    const upload = await readUpload(parts({ 'A.sol': 'contract A {}', 'B.sol': '/* contract X */ library B {}' }));

    expect(listContents(upload).contracts).toEqual([
      { name: 'A', file: 'A.sol' },
      { name: 'B', file: 'B.sol' },
    ]);
  });

  it('given dependencies in the archive, when its contents are listed, then they are left out', async () => {
    const zip = aZip([
      { name: 'contracts/A.sol', content: 'contract A {}' },
      { name: 'node_modules/p/B.sol', content: 'contract B {}' },
      { name: 'lib/q/C.sol', content: 'contract C {}' },
    ]);

    expect(listContents(await readUpload(parts({ zip }))).sources).toEqual(['contracts/A.sol']);
  });
});

describe('refusing an upload', () => {
  const source = { name: 'A.sol', content: token };
  const entries: Record<string, [Parameters<typeof aZip>[0], RegExp]> = {
    'a name that leads out': [[{ name: 'a/../../A.sol', content: token }], /"a\/\.\.\/\.\.\/A\.sol".*leads out/],
    'an absolute name': [[{ name: '/etc/A.sol', content: token }], /"\/etc\/A\.sol".*absolute/],
    'a name with a drive': [[{ name: 'C:/A.sol', content: token }], /"C:\/A\.sol".*absolute/],
    'a backslash': [[{ name: '..\\A.sol', content: token }], /backslash/],
    'a NUL': [[{ name: 'A.sol\0.png', content: token }], /no text/],
    'a long name': [[{ name: `${'d'.repeat(500)}.sol`, content: token }], /more than 500 characters/],
    'a deep path': [[{ name: `${'d/'.repeat(21)}A.sol`, content: token }], /20 folders deep/],
    'a symbolic link': [[{ name: 'A.sol', content: '/etc/passwd', mode: 0o120777 }], /"A\.sol".*is a link/],
    'a device': [[{ name: 'A.sol', content: '', mode: 0o020666 }], /is a link or a device/],
    'the same name twice': [[source, { ...source, name: './A.sol' }], /A\.sol is in the upload twice/],
    'an encrypted entry': [[{ ...source, flags: 1 }], /"A\.sol".*is encrypted/],
    'an unknown method': [[{ ...source, method: 14 }], /method 14/],
    'an archive inside': [
      [{ name: 'inner.zip', content: aZip([source]) }],
      /inner\.zip inside .* is an archive itself/,
    ],
    'another name in front of the content': [[{ ...source, localName: 'B.sol' }], /two ways that differ/],
    'another size in front of the content': [[{ ...source, localSize: 1 }], /two ways that differ/],
    'a size that is a lie': [[{ ...source, announcedSize: 5 }], /damaged zip/],
    'a ratio of a bomb': [[{ name: 'A.sol', content: ' '.repeat(900_000) }], /A\.sol unpacks to more than 200 times/],
    'text that is none': [[{ name: 'A.sol', content: Buffer.from([0xff, 0xfe, 0x41]) }], /A\.sol is no text/],
    'nothing of use': [[{ name: 'README.md', content: 'x' }], /no Solidity and no artefact/],
  };

  it.each(Object.entries(entries))(
    'given a zip with %s, when it is read, then it is refused by name',
    async (_, [zip, message]) => {
      const error = await refusalOf({ 'project.zip': aZip(zip) });

      expect(error.code).toBe('upload.invalid');
      expect(error.detail).toMatch(message);
      expect(error.fix).toEqual(expect.any(String));
    },
  );

  it('given a small zip that announces 20 GB, when it is read, then it is refused unread', async () => {
    const zip = aZip(
      Array.from({ length: 5 }, (_, index) => ({
        name: `${String(index)}.sol`,
        content: 'x',
        announcedSize: 0xffff_fff0,
        localSize: 0xffff_fff0,
      })),
    );

    const error = await refusalOf({ zip });

    expect(error).toMatchObject({ code: 'request.tooLarge', detail: '0.sol has more than 1 MB' });
  });

  it('given many files that are small each, when they are read, then all together may not be large', async () => {
    const text = Array.from({ length: 20_000 }, (_, index) => `// ${String(index * 7919)} line of text\n`).join('');
    const zip = aZip(Array.from({ length: 20 }, (_, index) => ({ name: `${String(index)}.sol`, content: text })));

    const error = await refusalOf({ zip });

    expect(error).toMatchObject({ code: 'request.tooLarge', detail: 'The upload unpacks to more than 10 MB' });
  });

  it('given 10,000 files, when they are read, then they are refused', async () => {
    const files = Array.from({ length: 10_000 }, (_, index) => ({
      name: `${String(index)}.sol`,
      content: '',
      method: 0,
    }));

    expect((await refusalOf({ zip: aZip(files) })).detail).toBe('zip brings more than 2000 entries');
    expect((await refusalOf({ tar: await aTar(files.slice(0, 2_001)) })).detail).toBe(
      'tar brings more than 2000 entries',
    );
  });

  it('given an archive that ends too early, when it is read, then it is called damaged', async () => {
    const zip = aZip([source]);
    const tar = await aTar([source]);

    expect((await refusalOf({ zip: zip.subarray(0, -30) })).detail).toMatch(/zip is a damaged zip/);
    expect((await refusalOf({ tar: tar.subarray(0, 540) })).detail).toMatch(/tar is a damaged tar/);
    expect((await refusalOf({ tgz: gzipSync(tar).subarray(0, -20) })).detail).toMatch(/tgz is damaged/);
  });

  it('given content that was changed on its way, when it is read, then its checksum tells', async () => {
    const zip = aZip([{ ...source, method: 0 }]);
    zip.write('x', zip.indexOf(token));

    expect((await refusalOf({ zip })).detail).toMatch(/the checksum of A\.sol is wrong/);
  });

  it('given a tar with links, devices or names that lead out, when it is read, then it is refused by name', async () => {
    const link = await aTar([{ name: 'A.sol', type: 'symlink', linkname: '/etc/passwd' }]);
    const hardLink = await aTar([{ name: 'A.sol', type: 'link', linkname: 'B.sol' }]);
    const device = await aTar([{ name: 'A.sol', type: 'character-device' }]);
    const slip = await aTar([{ name: '../A.sol', content: token }]);
    const nested = await aTar([{ name: 'inner.zip', content: 'PK' }]);

    expect((await refusalOf({ link })).detail).toMatch(/"A\.sol" of link is a symlink/);
    expect((await refusalOf({ hardLink })).detail).toMatch(/is a link/);
    expect((await refusalOf({ device })).detail).toMatch(/is a character-device/);
    expect((await refusalOf({ slip })).detail).toMatch(/"\.\.\/A\.sol" of slip leads out/);
    expect((await refusalOf({ nested })).detail).toBe('inner.zip inside nested is an archive itself');
  });

  it('given a gzip bomb, when it is read, then it is stopped at the limit', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));

    expect(await refusalOf({ bomb })).toMatchObject({
      code: 'request.tooLarge',
      detail: 'bomb unpacks to more than 10 MB',
    });
    const small = gzipSync(Buffer.alloc(5_000_000));
    expect((await refusalOf({ small })).detail).toBe('small unpacks to more than 200 times its packed size');
  });

  it('given limits, when several parts reach them together, then that counts as if one had', async () => {
    const two = { 'A.sol': token, 'B.sol': token };
    const reading = (limits: Partial<UploadLimits>) => readUpload(parts(two), { ...uploadLimits, ...limits });

    await expect(reading({ totalBytes: token.length + 1 })).rejects.toMatchObject({ code: 'request.tooLarge' });
    await expect(reading({ packedBytes: token.length + 1 })).rejects.toMatchObject({
      code: 'request.tooLarge',
      detail: expect.stringContaining('With B.sol') as unknown,
    });
  });

  it('given an input for solc, when a source in it is large, then it is refused as a file would be', async () => {
    const json = { language: 'Solidity', sources: { 'A.sol': { content: ' '.repeat(1_000_001) } } };

    await expect(readUpload({ json })).rejects.toMatchObject({
      code: 'request.tooLarge',
      detail: 'A.sol has more than 1 MB',
    });
  });

  it('given more bytes than may be sent, when they arrive, then reading ends at the limit', async () => {
    let sent = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        sent += 1_000_000;
        yield Buffer.alloc(1_000_000);
      }
    }
    async function* one(): AsyncGenerator<{ filename: string; stream: AsyncIterable<Uint8Array> }> {
      yield { filename: 'a.zip', stream: endless() };
    }

    await expect(readUpload(one())).rejects.toMatchObject({ code: 'request.tooLarge' });
    expect(sent).toBeLessThan(12_000_000);
  });

  it.each([
    ['a 7-Zip archive', Buffer.from('377abcaf271c0004', 'hex')],
    ['a PNG image', Buffer.from('89504e470d0a1a0a', 'hex')],
    ['neither text nor an archive that is known here', Buffer.from([1, 0, 2, 0])],
  ])('given %s under the name of a zip, when it is read, then it is called what it is', async (name, content) => {
    expect((await refusalOf({ 'project.zip': content })).detail).toBe(`project.zip is ${name}`);
  });

  it('given text under the name of a zip, an empty file or a name with a folder, when it is read, then it is refused', async () => {
    expect((await refusalOf({ 'project.zip': 'hello' })).detail).toMatch(/no Solidity by its name/);
    expect((await refusalOf({ 'A.sol': '' })).detail).toBe('A.sol is empty');
    expect((await refusalOf({ 'a/A.sol': token })).detail).toMatch(/has a folder in it/);
    expect((await refusalOf({ 'a.json': '{ "abi": [' })).detail).toMatch(/a\.json is no JSON/);
    expect((await refusalOf({ 'package.json': '{ "name": "x" }' })).detail).toMatch(/None of the JSON/);
  });
});
