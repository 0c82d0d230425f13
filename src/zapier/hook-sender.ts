import { setMaxListeners } from 'node:events';
import { Looks, type Lease, type Leases, type Signals } from '#platform';
import { PatchbayError, type Logger } from '#sdk';
import { accountOf } from './hook-pace.js';
import { sendLane, type LaneParts, type LaneSignals } from './hook-lane.js';

export interface HookSenderParts extends LaneParts {
  readonly leases: Leases;
  readonly signals: Signals;
  readonly log: Logger;
}

interface Held {
  readonly lease: Lease;
  readonly signals: LaneSignals;
}

/** Something waits to be sent, or somebody subscribed; may get lost. */
export const zapierTopic = 'zapier';

const leaseName = 'zapier sender';
const cleanEveryMs = 10 * 60_000;
const days = { kept: 30, tried: 7 };
/** Hooks that are sent to at the same time; each holds one page of what waits. */
const mostLanes = 64;
const windowMinutes = 5;
const graceMs = 5_000;

/** Brings what waits to Zapier, in the one process that holds the lease: limits are kept where everything passes. */
export class HookSender {
  readonly #lanes = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();
  readonly #kill = new AbortController();
  #held: Held | undefined;
  /** Under which it is known what others sent. */
  #paced: Lease | undefined;
  readonly #looks: Looks;
  #cleaning: NodeJS.Timeout | undefined;

  constructor(private readonly parts: HookSenderParts) {
    this.#looks = new Looks({
      look: () => this.#openLanes(),
      failed: (error) => parts.log.info('Nothing can be sent to Zapier for now', { error }),
      everyMs: parts.times.lookEveryMs,
      hears: { signals: parts.signals, topic: zapierTopic },
    });
  }

  start(): void {
    this.#cleaning = setInterval(() => void this.#clean(), cleanEveryMs).unref();
    void this.#looks.start();
  }

  /** Requests under way have a moment to end; what those carried that do not is sent again, under the same ids. */
  async stop(): Promise<void> {
    this.#stop.abort();
    clearInterval(this.#cleaning);
    await this.#looks.stop();
    const timer = setTimeout(() => this.#kill.abort(), graceMs);
    await Promise.all(this.#lanes.values());
    clearTimeout(timer);
    await this.#held?.lease.release();
  }

  async #openLanes(): Promise<void> {
    const held = await this.#hold();
    if (!held) return;
    await this.#learnPace(held.lease);
    const { signals } = held;
    const free = mostLanes - this.#lanes.size;
    if (free <= 0) return;
    for (const lane of await this.parts.deliveries.lanes(free + this.#lanes.size)) {
      const { subscription } = lane;
      if (this.#lanes.has(subscription) || this.#lanes.size >= mostLanes) continue;
      const sending = sendLane(lane, this.parts, signals)
        .catch((error: unknown) => {
          if (!signals.stop.aborted)
            this.parts.log.info('Sending to a hook of Zapier was interrupted', { subscription, error });
        })
        .finally(() => this.#lanes.delete(subscription));
      this.#lanes.set(subscription, sending);
    }
  }

  async #hold(): Promise<Held | undefined> {
    if (this.#held && !this.#held.lease.signal.aborted) return this.#held;
    // What the lost lease began is over before it is taken up again.
    if (this.#held) await Promise.all(this.#lanes.values());
    const lease = await this.parts.leases.acquire(leaseName);
    this.#held = lease && {
      lease,
      signals: {
        stop: AbortSignal.any([this.#stop.signal, lease.signal]),
        kill: AbortSignal.any([this.#kill.signal, lease.signal]),
      },
    };
    // Every lane listens to them.
    if (this.#held) setMaxListeners(0, this.#held.signals.stop, this.#held.signals.kill);
    return this.#held;
  }

  /** The other side remembers what another process sent; nothing is sent before that is known here too. */
  async #learnPace(lease: Lease): Promise<void> {
    if (this.#paced === lease) return;
    const sent: { readonly account: string; readonly requests: number }[] = [];
    for (const { subscription, requests } of await this.parts.deliveries.sentLately(windowMinutes)) {
      const target = await this.parts.subscriptions.target(subscription).catch(nothingIfUnreadable);
      if (target !== undefined) sent.push({ account: accountOf(target), requests });
    }
    for (const { account, requests } of sent) this.parts.pace.seed(account, requests);
    this.#paced = lease;
  }

  async #clean(): Promise<void> {
    if (!this.#held || this.#held.lease.signal.aborted) return;
    try {
      const givenUp = await this.parts.deliveries.clean(days);
      if (givenUp > 0)
        this.parts.log.error('Events could not be sent to Zapier for a week and are given up', { givenUp });
    } catch (error) {
      this.parts.log.info('The ledger of Zapier was not cleaned for now', { error });
    }
  }
}

/** Its own lane says so; the others do not wait for it. */
function nothingIfUnreadable(error: unknown): undefined {
  if (error instanceof PatchbayError && error.code === 'vault.unreadable') return undefined;
  throw error;
}
