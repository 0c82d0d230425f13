import { monitorEventLoopDelay } from 'node:perf_hooks';

import type { OnModuleDestroy } from '@nestjs/common';
import { sql, type Kysely } from 'kysely';

import type { Database } from '../store/schema.js';

export interface Check {
  readonly name: string;
  readonly isOk: boolean;
  readonly detail?: string;
}

const longestLagMs = 5000;
const writeTimeoutMs = 2000;
/** Probes of many watchers share one write. */
const rememberMs = 1000;

/** Whether this process lives, and whether it should get work. */
export class Readiness implements OnModuleDestroy {
  #isStopping = false;
  #lastWrite: { readonly at: number; readonly check: Promise<Check> } | undefined;
  readonly #loop = monitorEventLoopDelay({ resolution: 100 });

  constructor(private readonly db: Kysely<Database>) {
    this.#loop.enable();
  }

  /** From now on nobody should send anything here; called first when the hub is stopped. */
  beginStop(): void {
    this.#isStopping = true;
  }

  onModuleDestroy(): void {
    this.beginStop();
    this.#loop.disable();
  }

  /** The worst delay of the event loop since it was last asked for. */
  live(): Check {
    const lagMs = Math.round(this.#loop.max / 1e6);
    this.#loop.reset();
    return { name: 'event loop', isOk: lagMs < longestLagMs, detail: `${lagMs} ms behind` };
  }

  async ready(): Promise<Check[]> {
    const running: Check = {
      name: 'running',
      isOk: !this.#isStopping,
      ...(this.#isStopping && { detail: 'being stopped' }),
    };
    return [running, await this.#database()];
  }

  #database(): Promise<Check> {
    const now = performance.now();
    if (this.#lastWrite && now - this.#lastWrite.at < rememberMs) return this.#lastWrite.check;
    const check = this.#writeInTime();
    this.#lastWrite = { at: now, check };
    return check;
  }

  async #writeInTime(): Promise<Check> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<Check>((settle) => {
      timer = setTimeout(
        () => settle({ name: 'database', isOk: false, detail: `no write within ${writeTimeoutMs} ms` }),
        writeTimeoutMs,
      );
    });
    try {
      return await Promise.race([this.#write(), tooLate]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #write(): Promise<Check> {
    try {
      await sql`insert into setting (name, value) values ('health.write', to_jsonb(now()))
        on conflict (name) do update set value = excluded.value`.execute(this.db);
      return { name: 'database', isOk: true };
    } catch (error) {
      return { name: 'database', isOk: false, detail: error instanceof Error ? error.message : String(error) };
    }
  }
}
