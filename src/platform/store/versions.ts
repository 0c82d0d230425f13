import { sql } from 'kysely';
import { PatchbayError } from '#sdk';

/** Another one whenever the row was changed. As text, because a Date would lose the microseconds. */
export const versionText = sql<string>`updated_at::text`;

const attempts = 5;

/**
 * Reads something and writes what comes of it, anew when others wrote in between.
 *
 * @param attempt – gives false when it was another version by the time it was to be written
 * @throws request.conflict when others change it all the time
 */
export async function untilWritten<T>(what: string, attempt: () => Promise<T | false>): Promise<T> {
  for (let count = 1; count <= attempts; count++) {
    const written = await attempt();
    if (written !== false) return written;
  }
  throw new PatchbayError('request.conflict', {
    detail: `Others changed ${what} each time before this change of it could be written.`,
    fix: 'Try again.',
  });
}
