import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { EventBusState } from './event-bus.js';
import type { RecordsState } from './records.js';

export interface OrgState {
  readonly orgId: string;
  readonly records: RecordsState;
  readonly events: EventBusState;
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
    const state = JSON.parse(readFileSync(this.#file, 'utf8')) as Partial<OrgState>;
    // An org that was kept by an older sandbox begins anew.
    return state.orgId === undefined || state.records === undefined || state.events === undefined
      ? undefined
      : { orgId: state.orgId, records: state.records, events: state.events };
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
