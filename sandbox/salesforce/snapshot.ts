import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { RecordsState } from './records.js';
import type { TopicsState } from './topics.js';

export interface OrgState {
  readonly orgId: string;
  readonly records: RecordsState;
  readonly topics: TopicsState;
}

const saveEveryMs = 250;

/** The org on disk: written soon after a change, in one piece, so that a killed process leaves the old or the new state. */
export class Snapshot {
  readonly #file: string;
  #pending: (() => OrgState) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  read(): OrgState | undefined {
    if (!existsSync(this.#file)) return undefined;
    // Only `flush` writes this file.
    return JSON.parse(readFileSync(this.#file, 'utf8')) as OrgState;
  }

  save(state: () => OrgState): void {
    this.#pending = state;
    this.#timer ??= setTimeout(() => this.flush(), saveEveryMs).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending === undefined) return;
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(`${this.#file}.new`, JSON.stringify(this.#pending()));
    renameSync(`${this.#file}.new`, this.#file);
    this.#pending = undefined;
  }
}
