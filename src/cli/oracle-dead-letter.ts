import { exitCodes } from './exit-code.js';
import type { PageAnswer, RunAnswer, RunDetailAnswer } from './hub-answers.js';
import { HubAnswerError, type HubClient } from './hub-client.js';

/** Of the newest; what is older than all of them is not looked for. */
const pageSize = 100;

/** The dead letters of a hub that were not there yet when this was made: whether a request is among them. */
export class NewDeadLetters {
  readonly #seen: Set<string>;
  /** Of the request that is looked for. */
  #found: RunDetailAnswer | undefined;

  private constructor(
    private readonly hub: HubClient,
    there: readonly RunAnswer[],
  ) {
    this.#seen = new Set(there.map(({ id }) => id));
  }

  /** @returns undefined with a key that may not read runs */
  static async from(hub: HubClient): Promise<NewDeadLetters | undefined> {
    try {
      return new NewDeadLetters(hub, await newest(hub));
    } catch (error) {
      if (error instanceof HubAnswerError && error.exitCode === exitCodes.notAllowed) return undefined;
      throw error;
    }
  }

  /** The dead letter of an oracle request, once no other flow may have answered it or do so. */
  async of(requestId: string): Promise<RunAnswer | undefined> {
    this.#found ??= await this.#find(requestId);
    if (this.#found === undefined) return undefined;
    const { items } = await this.hub.get<PageAnswer<RunAnswer>>(
      `/api/runs?event=${this.#found.event}&limit=${pageSize}`,
    );
    const isGivenUp = items.every(({ state }) => state === 'failed' || state === 'cancelled');
    return isGivenUp ? items.find(({ state }) => state === 'failed') : undefined;
  }

  async #find(requestId: string): Promise<RunDetailAnswer | undefined> {
    for (const { id } of await newest(this.hub)) {
      if (this.#seen.has(id)) continue;
      this.#seen.add(id);
      const run = await this.hub.get<RunDetailAnswer>(`/api/runs/${id}`);
      if (requestIdOf(run.data) === requestId) return run;
    }
    return undefined;
  }
}

async function newest(hub: HubClient): Promise<readonly RunAnswer[]> {
  return (await hub.get<PageAnswer<RunAnswer>>(`/api/dead-letters?limit=${pageSize}`)).items;
}

function requestIdOf(data: unknown): string | undefined {
  return (data as { readonly request?: { readonly id?: string } } | null)?.request?.id;
}
