const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const hexDigits = /^[0-9a-f]{32}$/i;
const printable = /^[\x20-\x7e]+$/;
const wordBytes = 32;

/** Whether it can be the id of a job: a UUID, with or without dashes, or a name of at most 32 bytes. */
export function isJobId(job: string): boolean {
  const bytes = Buffer.byteLength(job, 'utf8');
  return uuid.test(job) || (bytes > 0 && bytes <= wordBytes && !job.includes('\0'));
}

/** As it is shown and compared: a UUID with dashes in lower case, a name as it is. */
export function canonicalJob(job: string): string {
  if (!uuid.test(job)) return job;
  return job
    .toLowerCase()
    .replaceAll('-', '')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/**
 * How consumers write a job into a request, as words in lower case. A UUID has two spellings, both of them in use: its 32
 * digits as text, which may be capitals, and its 16 bytes with zeros behind them. A name has one. The customary one comes first.
 */
export function specIdsOf(job: string): readonly string[] {
  if (!uuid.test(job)) return [textWord(job)];
  const digits = job.toLowerCase().replaceAll('-', '');
  return [...new Set([textWord(digits), `0x${digits.padEnd(2 * wordBytes, '0')}`, textWord(digits.toUpperCase())])];
}

/** As consumers customarily write it; undefined for what cannot be a job. */
export function specIdOf(job: string): string | undefined {
  return isJobId(job) ? specIdsOf(job)[0] : undefined;
}

/** The job that a word most likely means; the word itself where it means nothing to a reader. */
export function jobOf(specId: string): string {
  const bytes = Buffer.from(specId.slice(2), 'hex');
  const text = bytes.toString('latin1').replace(/\0+$/, '');
  if (hexDigits.test(text)) return canonicalJob(text);
  if (printable.test(text)) return text;
  const isUuid = bytes.length === wordBytes && bytes.subarray(16).every((byte) => byte === 0);
  return isUuid && bytes.some((byte) => byte !== 0) ? canonicalJob(bytes.toString('hex', 0, 16)) : specId.toLowerCase();
}

/** Digits of mixed case are the same job as well, but no subscription could list all ways to write them. */
export function isSameJob(specId: string, job: string): boolean {
  return specIdsOf(job).includes(specId) || (uuid.test(job) && jobOf(specId) === canonicalJob(job));
}

function textWord(text: string): string {
  return `0x${Buffer.from(text, 'utf8')
    .toString('hex')
    .padEnd(2 * wordBytes, '0')}`;
}
