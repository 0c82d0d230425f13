import { demoToken, payer, sendTransfer, tokenDecimals } from './chain/demo-contracts.js';
import { answerTo, askAmount, askPrice, type Answered, type Asked } from './chain/demo-oracle.js';
import type { Rpc } from './chain/json-rpc.js';
import type { SalesforceStandIn } from './salesforce/index.js';

/** Whom the demo pays: accounts of anvil's phrase, so that a wallet can be opened to look. */
export const recipients = [
  '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
  '0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc',
  '0x90f79bf6eb2c4f870365e785982e1f101e93b906',
  '0x15d34aaf54267db7d7c367839aaf71a00a2c6a65',
  '0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc',
] as const;

export interface Transfer {
  readonly transactionHash: string;
  readonly token: string;
  readonly from: string;
  readonly to: string;
  /** In USDC, e.g. `25000`. */
  readonly amount: string;
}

export interface Opportunity {
  readonly id: string;
  readonly name: string;
  readonly amount: number;
  readonly wallet: string;
}

/** Makes things happen, on the chain and in Salesforce, that the example flows wait for. */
export class Demo {
  #won = 0;

  constructor(
    private readonly rpc: Rpc,
    private readonly salesforce: SalesforceStandIn,
    private readonly now: () => Date,
  ) {}

  async transfer(amount: string, to: string = recipients[0]): Promise<Transfer> {
    const transactionHash = await sendTransfer(this.rpc, { to, value: parseAmount(amount) });
    return { transactionHash, token: demoToken, from: payer, to, amount };
  }

  /** As a person would: an open opportunity, which is then set to Closed Won. */
  winOpportunity({
    name = `Demo deal ${(this.#won += 1)}`,
    amount = 1_200,
    wallet = recipients[0],
  }: Partial<Omit<Opportunity, 'id'>> = {}): Opportunity {
    const closeDate = this.now().toISOString().slice(0, 10);
    const id = this.salesforce.create('Opportunity', {
      Name: name,
      StageName: 'Negotiation/Review',
      CloseDate: closeDate,
      Amount: amount,
      Wallet__c: wallet,
    });
    this.salesforce.update('Opportunity', id, { StageName: 'Closed Won' });
    return { id, name, amount, wallet };
  }

  /** Lets a contract ask the hub what a pair costs; the answer has 8 decimals. */
  requestPrice(pair: string): Promise<Asked> {
    return askPrice(this.rpc, pair);
  }

  /** Lets a contract ask the hub for the amount of an opportunity, in cents. */
  requestAmount(opportunity: string): Promise<Asked> {
    return askAmount(this.rpc, opportunity);
  }

  answerTo(request: string): Promise<Answered> {
    return answerTo(this.rpc, request);
  }

  /** Replaces the newest blocks by empty ones: what they held is gone. */
  async reorg(depth: number): Promise<void> {
    await this.rpc('anvil_reorg', depth, []);
  }
}

function parseAmount(text: string): bigint {
  const [, whole = '0', fraction = ''] = /^(\d+)(?:\.(\d{1,6}))?$/.exec(text) ?? [];
  return BigInt(whole + fraction.padEnd(tokenDecimals, '0'));
}
