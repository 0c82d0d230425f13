import { randomUUID } from 'node:crypto';
import { isWantedCall, type Contract, type GatewayCall, type GatewayCallWish, type NewGatewayCall } from '#evm';
import type { FlowsService } from '#flows';
import { z } from '#sdk';
import type { CallableContract } from './contracts.service.js';
import type { GatewayCallFeed } from './gateway-call.feed.js';

/** As flows name it: the trigger that hears the calls which are kept here. */
const triggerName = 'gateway.called';

const interest = z.object({
  contract: z.string().optional(),
  function: z.string().optional(),
  kind: z.enum(['send', 'read', 'any']).default('send'),
});

/** Keeps the calls that a flow waits for, and no others: a hub without such flows writes nothing. */
export class GatewayCallRecorder {
  #interests: readonly GatewayCallWish[] = [];

  constructor(private readonly parts: { readonly flows: FlowsService; readonly feed: GatewayCallFeed }) {
    parts.flows.onChange(() => this.#refresh());
    this.#refresh();
  }

  isWanted({ contract }: CallableContract, signature: string, kind: GatewayCall['kind']): boolean {
    const call = { contract: placeOf(contract), function: signature, kind };
    return this.#interests.some((wish) => isWantedCall(call, wish));
  }

  describe(
    { network, contract }: CallableContract,
    call: Pick<GatewayCall, 'caller' | 'function' | 'kind' | 'args'>,
  ): NewGatewayCall {
    return {
      time: new Date().toISOString(),
      network: network.name,
      chainId: network.chainId,
      contract: placeOf(contract),
      ...call,
    };
  }

  /** Of a read, before the caller is answered. */
  async keep(call: NewGatewayCall, result: unknown): Promise<void> {
    await this.parts.feed.add({ ...call, id: randomUUID(), result });
  }

  /** A send was kept together with its transaction. */
  tell(): void {
    this.parts.feed.tell();
  }

  /** A paused flow goes on later where it left off, so that what happens meanwhile is kept for it too. */
  #refresh(): void {
    this.#interests = this.parts.flows.list().flatMap(({ compiled: { flow } }) => {
      if (flow.trigger.uses !== triggerName || !flow.enabled) return [];
      const parsed = interest.safeParse(flow.trigger.with);
      return parsed.success ? [parsed.data] : [];
    });
  }
}

function placeOf({ name, address }: Contract): GatewayCall['contract'] {
  return { ...(name !== undefined && { name }), address };
}
