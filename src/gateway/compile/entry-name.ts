import { refusal, type UploadLimits } from './upload.js';

/**
 * A name inside an upload as a plain relative path. Nothing is ever written under it, but it is shown, stored and
 * matched with imports, and whoever unpacks the stored sources must be safe too.
 *
 * @throws upload.invalid
 */
export function checkEntryName(
  archive: string,
  name: string,
  limits: Pick<UploadLimits, 'depth' | 'nameLength'>,
): string {
  const reject = (what: string): never => {
    throw refusal(
      `The entry ${JSON.stringify(name.slice(0, 200))} of ${archive} ${what}`,
      'Pack the project again from its own folder, so that all names are relative and plain.',
    );
  };
  if (name.length > limits.nameLength) reject(`has a name of more than ${String(limits.nameLength)} characters`);

  if (/[\u0000-\u001f\u007f\ufffd]/.test(name)) reject('has a name with characters that are no text');
  if (name.includes('\\')) reject('has a backslash in its name');
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name)) reject('has an absolute path');
  const segments = name
    .replace(/^([.][/])+/, '')
    .replace(/[/]$/, '')
    .split('/');
  if (segments.includes('..')) reject('leads out of its folder');
  if (segments.length === 1 && (segments[0] === '' || segments[0] === '.')) return '';
  if (segments.includes('') || segments.includes('.')) reject('has an empty folder name in its path');
  if (segments.length > limits.depth) reject(`lies more than ${String(limits.depth)} folders deep`);
  return segments.join('/');
}

/** Whether a file belongs to what a project uses, not to what it is. */
export function isDependency(path: string): boolean {
  return /(^|[/])node_modules[/]/.test(path) || path.startsWith('lib/');
}

export function formatBytes(bytes: number): string {
  return bytes >= 1_000_000 ? `${String(bytes / 1_000_000)} MB` : `${String(bytes / 1_000)} kB`;
}
