import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PatchbayError } from '#sdk';
import { eventually } from '../../../test/builders/eventually.js';
import { Watches, type Watch } from './watches.js';

class Scripted implements Watch {
  begun = 0;
  isOn = false;
  readonly failures: string[] = [];

  constructor(private readonly faults: readonly Error[] = []) {}

  async listen(signal: AbortSignal): Promise<void> {
    const fault = this.faults[this.begun];
    this.begun += 1;
    if (fault) throw fault;
    this.isOn = true;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    this.isOn = false;
  }

  async failed({ code }: PatchbayError): Promise<void> {
    this.failures.push(code);
    throw new Error('the store is down too');
  }
}

describe('watches', () => {
  let watches: Watches;
  let lease: AbortController;
  beforeEach(() => {
    watches = new Watches();
    lease = new AbortController();
  });
  afterEach(() => watches.stop());

  it('given one that fails, when it is begun again, then the others did not notice', async () => {
    const sick = new Scripted([new PatchbayError('evm.rpc'), new Error('anything')]);
    const well = new Scripted();
    await watches.align(
      new Map([
        ['sick', sick],
        ['well', well],
      ]),
      lease.signal,
    );

    await eventually(() => sick.isOn);
    expect(sick).toMatchObject({ begun: 3, failures: ['evm.rpc', 'internal'] });
    expect(well).toMatchObject({ begun: 1, isOn: true });
  });

  it('given watches that are wanted no more, when others are, then those end and what goes on is left alone', async () => {
    const [first, second, third] = [new Scripted(), new Scripted(), new Scripted()];
    await watches.align(new Map(Object.entries({ first, second })), lease.signal);
    await watches.align(new Map(Object.entries({ second: new Scripted(), third })), lease.signal);

    expect([first, second, third].map(({ isOn }) => isOn)).toEqual([false, true, true]);
    expect(second.begun).toBe(1);
    await watches.stop();
    expect([second, third].map(({ isOn }) => isOn)).toEqual([false, false]);
  });

  it('given a lease that is lost, then all end and none begins again', async () => {
    const watch = new Scripted();
    await watches.align(new Map([['one', watch]]), lease.signal);
    lease.abort();
    await watches.stop();

    expect(watch).toMatchObject({ begun: 1, isOn: false });
  });
});
