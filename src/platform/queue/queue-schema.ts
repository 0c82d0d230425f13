import type pg from 'pg';

/** Creates or updates the tables of the queue, for the backend that lives in PostgreSQL. */
export async function migrateQueue(pool: pg.Pool): Promise<void> {
  // Loaded when tables are made: the command line and most specs never come here.
  const { runMigrations } = await import('bullmq');
  const client = await pool.connect();
  try {
    await runMigrations(client);
  } finally {
    client.release();
  }
}
