import type { Kysely } from 'kysely';
import type { Pool } from 'pg';
import type { FlowsService } from '#flows';
import type { Database, Signals, Vault } from '#platform';
import { EndedRuns, RunEnds, type RunsLive } from '#runs';
import type { HttpClient, Logger, OracleKept, OracleResumptions, OracleTurns } from '#sdk';
import type { HookReceiver, SourcesService } from '#triggers';
import { AdapterRuns } from './adapter-runs.js';
import { KeptStore } from './kept.store.js';
import { OracleErrors } from './oracle.filter.js';
import { RepliesStore } from './replies.store.js';
import { ReplySender, type ReplyTimes } from './reply-sender.js';
import { RequestsStore } from './requests.store.js';
import { ResumptionsStore } from './resumptions.store.js';
import { TurnsStore } from './turns.store.js';

export interface OracleServicesParts {
  readonly db: Kysely<Database>;
  readonly pool: Pool;
  readonly vault: Vault;
  readonly flows: FlowsService;
  readonly sources: SourcesService;
  readonly receiver: HookReceiver;
  readonly live: RunsLive;
  readonly http: HttpClient;
  readonly signals: Signals;
  readonly publicUrl: string;
  readonly log: Logger;
  readonly times?: ReplyTimes;
}

export interface OracleServices {
  /** What the routes need. */
  readonly provided: readonly object[];
  /** What steps that ask adapters and workflows elsewhere keep. */
  readonly resumptions: OracleResumptions;
  readonly turns: OracleTurns;
  readonly kept: OracleKept;
  /** Hears of the ends of runs; in every role that answers or sends. */
  start(options: { readonly sendsReplies: boolean }): void;
  stop(): Promise<void>;
}

const trimEveryMs = 10 * 60_000;
const repliesKeptDays = 30;

/** Puts the parts of the oracle together that are beside its connector; nothing is heard or sent before `start`. */
export function oracleServices(parts: OracleServicesParts): OracleServices {
  const { db, pool, vault, flows, live, log, publicUrl } = parts;
  const endedRuns = new EndedRuns(db);
  const ends = new RunEnds({ live, endedRuns, log });
  const requests = new RequestsStore(pool);
  const replies = new RepliesStore(db, vault);
  const resumptions = new ResumptionsStore(db, publicUrl);
  const turns = new TurnsStore(db, pool);
  const kept = new KeptStore(db);
  const adapters = new AdapterRuns({ ...parts, endedRuns, ends, requests, replies });
  const sender = new ReplySender({
    ...parts,
    replies,
    answerOf: (run, jobRunId) => adapters.answerOf(run, jobRunId),
  });
  let trimming: NodeJS.Timeout | undefined;
  let isSending = false;

  async function trim(): Promise<void> {
    await requests.trim();
    await replies.trim(repliesKeptDays);
    await resumptions.trim();
    await turns.trim();
    await kept.trim();
  }

  return {
    provided: [adapters, resumptions, new OracleErrors(log)],
    resumptions,
    turns,
    kept,
    start({ sendsReplies }) {
      const follow = (): void => ends.follow(adapters.adapters(), () => sender.runEnded());
      flows.onChange(follow);
      follow();
      isSending = sendsReplies;
      if (!sendsReplies) return;
      sender.start();
      trimming = setInterval(() => {
        trim().catch((error: unknown) => log.info('The tables of adapters were not cleaned for now', { error }));
      }, trimEveryMs).unref();
    },
    async stop() {
      clearInterval(trimming);
      if (isSending) await sender.stop();
      ends.stop();
    },
  };
}
