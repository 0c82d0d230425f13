import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Lease, Leases } from '#platform';
import { PatchbayError, type HttpClient, type IftttServiceSettings, type Logger } from '#sdk';
import type { IdentitiesStore } from './identities.store.js';
import type { ServiceAccount } from './service-account.js';

export interface RealtimeParts {
  readonly account: ServiceAccount;
  readonly identities: IdentitiesStore;
  readonly http: HttpClient;
  readonly leases: Leases;
  readonly log: Logger;
  readonly times?: RealtimeTimes;
}

export interface RealtimeTimes {
  /** From the answer to one call to the next call. */
  readonly pauseMs: number;
  /** After a call that was not taken; doubled for each further one. */
  readonly firstBackOffMs: number;
}

/** As many as one call may name. */
const mostIdentities = 1_000;
/** The pause is a little over a second, so that calls arrive no closer than that. */
const usualTimes: RealtimeTimes = { pauseMs: 1_020, firstBackOffMs: 2_000 };
const longestBackOffMs = 300_000;

/**
 * Tells IFTTT which identities have something new, so that it polls at once. One process of the hub does so, about once a
 * second at the most; what could not be told stays noted in the store and is told later, also after a restart.
 */
export class RealtimeService {
  readonly #stop = new AbortController();
  #lease: Lease | undefined;
  #ended: Promise<void> = Promise.resolve();
  #failures = 0;
  readonly #times: RealtimeTimes;

  constructor(private readonly parts: RealtimeParts) {
    this.#times = parts.times ?? usualTimes;
  }

  start(): void {
    this.#ended = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
    await this.#lease?.release();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { pauseMs } = this.#times;
    while (!signal.aborted) {
      // Another process may have called within the last second, so the first thing here is to wait as well.
      let waitMs = pauseMs;
      if (await this.#holdsLease()) {
        await pause(waitMs, signal);
        if (signal.aborted) return;
        waitMs = await this.#tell().catch((error: unknown) => {
          this.parts.log.info('IFTTT cannot be told of news for now', { error });
          return pauseMs;
        });
        waitMs -= pauseMs;
      }
      if (waitMs > 0) await pause(waitMs, signal);
    }
  }

  async #holdsLease(): Promise<boolean> {
    if (this.#lease?.signal.aborted) {
      await this.#lease.release().catch(() => undefined);
      this.#lease = undefined;
    }
    this.#lease ??= await this.parts.leases.acquire('ifttt realtime').catch(() => undefined);
    return this.#lease !== undefined;
  }

  /** @returns how long to wait before the next call, in milliseconds */
  async #tell(): Promise<number> {
    const { account, identities, log } = this.parts;
    const { pauseMs, firstBackOffMs } = this.#times;
    const service = await account.find();
    if (service === undefined) return pauseMs;
    const untold = await identities.untold(mostIdentities);
    if (untold.size === 0) {
      this.#failures = 0;
      return pauseMs;
    }
    const error = await this.#post(service, [...untold.keys()]);
    const facts = error && { code: error.code, detail: error.detail, identities: untold.size };
    if (error && error.retry !== 'never') {
      this.#failures += 1;
      const backOffMs = Math.min(firstBackOffMs * 2 ** (this.#failures - 1), longestBackOffMs);
      const waitMs = Math.max(error.retryAfterMs ?? 0, backOffMs);
      log.info('IFTTT did not take a notification; it is sent again', { ...facts, waitMs });
      return waitMs;
    }
    this.#failures = 0;
    await identities.told(untold);
    if (error) {
      log.warn('IFTTT refused a notification; its Applets wait for their next poll', {
        ...facts,
        fix: 'Check the service key, and that Realtime is switched on in the settings of the service.',
      });
    }
    return pauseMs;
  }

  /** @returns why IFTTT did not take it */
  async #post(
    { key, realtimeUrl }: IftttServiceSettings,
    identities: readonly string[],
  ): Promise<PatchbayError | undefined> {
    try {
      await this.parts.http.request({
        method: 'POST',
        url: `${realtimeUrl}/v1/notifications`,
        headers: {
          'content-type': 'application/json',
          'ifttt-service-key': key.reveal(),
          'x-request-id': randomUUID().replaceAll('-', ''),
        },
        body: JSON.stringify({ data: identities.map((identity) => ({ trigger_identity: identity })) }),
        redact: [key.reveal()],
        signal: this.#stop.signal,
      });
      return undefined;
    } catch (thrown) {
      return PatchbayError.from(thrown);
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
