import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Sandbox } from '../../sandbox/index.js';
import { demoToken, payer } from '../../sandbox/chain/demo-contracts.js';
import { recipients } from '../../sandbox/demo.js';

/** Transfers of the demo token at a steady pace, without waiting for blocks; counts what the chain accepted. */
export class ChainTraffic {
  sent = 0;
  #isOn = true;
  readonly #ended: Promise<void>;

  constructor(
    private readonly rpc: Sandbox['chain']['rpc'],
    perSecond: number,
  ) {
    this.#ended = this.#send(1_000 / perSecond);
  }

  /** @returns how many transfers were sent */
  async stop(): Promise<number> {
    this.#isOn = false;
    await this.#ended;
    return this.sent;
  }

  async #send(everyMs: number): Promise<void> {
    while (this.#isOn) {
      await sendTransfer(this.rpc, randomInt(1, 1_000_000));
      this.sent += 1;
      await delay(everyMs);
    }
  }
}

/** Hands a transfer to the chain and does not wait for its block. @returns its hash */
export function sendTransfer(rpc: Sandbox['chain']['rpc'], amount: number): Promise<string> {
  const to = recipients[randomInt(recipients.length)] ?? recipients[0];
  return rpc<string>('eth_sendTransaction', { from: payer, to: demoToken, data: transferData(to, amount) });
}

export function transferData(to: string, amount: number): string {
  return `0xa9059cbb${to.slice(2).padStart(64, '0')}${amount.toString(16).padStart(64, '0')}`;
}
