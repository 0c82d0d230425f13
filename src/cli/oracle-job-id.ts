const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * A job as consumer contracts customarily write it: the hexadecimal digits of a UUID as text, or a name of at most 32 bytes,
 * padded on the right. Undefined when it is neither.
 */
export function jobIdWord(job: string): string | undefined {
  const bytes = Buffer.from(uuid.test(job) ? job.toLowerCase().replaceAll('-', '') : job, 'utf8');
  return bytes.length === 0 || bytes.length > 32 ? undefined : `0x${bytes.toString('hex').padEnd(64, '0')}`;
}
