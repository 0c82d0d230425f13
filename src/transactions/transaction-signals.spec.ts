import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Signals, createLog, type Store } from '#platform';
import { eventually } from '../../test/builders/eventually.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { SignalsOfTransactions } from './transaction-signals.js';

let store: Store;
const processes: Signals[] = [];

beforeAll(async () => {
  store = await openTestStore();
  for (const name of ['one', 'other']) {
    const signals = new Signals({
      connection: store.connection,
      pool: store.pool,
      name,
      log: createLog({ level: 'silent', format: 'json' }),
    });
    await signals.start();
    processes.push(signals);
  }
});

afterAll(async () => {
  await Promise.all(processes.map((signals) => signals.close()));
  await store.close();
});

describe('signals of transactions', () => {
  it('given two processes, when many changes are told at once, then both hear of them, and seldom', async () => {
    const [one, other] = processes.map((signals) => new SignalsOfTransactions(signals)) as [
      SignalsOfTransactions,
      SignalsOfTransactions,
    ];
    const heard = { one: 0, other: 0, any: 0, elsewhere: 0 };
    one.on(1, 'changed', () => (heard.one += 1));
    other.on(1, 'changed', () => (heard.other += 1));
    other.onChange(() => (heard.any += 1));
    other.on(2, 'changed', () => (heard.elsewhere += 1));
    await eventually(() => processes[0]!.isHeard('transactions.changed'));
    await eventually(() => {
      one.tell(1, 'changed');
      return heard.other > 0;
    });

    const before = heard.one;
    for (let count = 0; count < 1_000; count++) one.tell(1, 'changed');
    await eventually(() => heard.one > before);

    expect(heard.one - before).toBeLessThan(5);
    expect(heard.any).toBeGreaterThan(0);
    expect(heard.elsewhere).toBe(0);
  });

  it('given a listener that stops, when something is accepted, then it is not called', async () => {
    const signals = new SignalsOfTransactions(processes[0]!);
    let stopped = 0;
    let heard = 0;
    signals.on(3, 'accepted', () => (stopped += 1))();
    signals.on(3, 'accepted', () => (heard += 1));
    signals.tell(3, 'accepted');
    await eventually(() => heard > 0);
    expect(stopped).toBe(0);
  });
});
