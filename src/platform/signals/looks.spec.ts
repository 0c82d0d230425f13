import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../../test/builders/eventually.js';
import { Looks, type LooksOptions } from './looks.js';

const longMs = 60_000;

let looks: Looks;
let begun: number;
let failures: unknown[];
/** Ends the look that is under way. */
let end: (error?: Error) => void;

function create(options: Partial<LooksOptions> = {}): Looks {
  begun = 0;
  failures = [];
  looks = new Looks({
    look: () =>
      new Promise((resolve, reject) => {
        begun += 1;
        end = (error) => (error === undefined ? resolve() : reject(error));
      }),
    failed: (error) => failures.push(error),
    everyMs: longMs,
    ...options,
  });
  return looks;
}

/** A channel of one process. */
function channel() {
  const listeners = new Set<(payload: unknown) => void>();
  const interests: string[] = [];
  return {
    interests,
    tell: () => listeners.forEach((listener) => listener(null)),
    on: (_topic: string, listener: (payload: unknown) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    setInterest: (topic: string) => interests.push(topic),
  };
}

afterEach(async () => {
  const stopped = looks.stop();
  end();
  await stopped;
});

describe('looks', () => {
  it('given a look under way, when others are asked for, then one follows it, and no second one beside it', async () => {
    const first = create().ask();
    const asked = [looks.ask(), looks.ask()];
    expect(begun).toBe(1);

    end();
    await eventually(() => begun === 2);
    end();

    await Promise.all([first, ...asked]);
    expect(begun).toBe(2);
  });

  it('given a look that asks for another one itself, when it ends, then that one follows', async () => {
    let rounds = 0;
    create({
      look: async () => {
        rounds += 1;
        if (rounds < 3) void looks.ask();
      },
    });

    await looks.ask();

    expect(rounds).toBe(3);
  });

  it('given a look that fails, then it is said, and the next one is made', async () => {
    const asked = create().ask();
    end(new Error('no store'));
    await asked;
    expect(failures).toEqual([new Error('no store')]);

    void looks.ask();
    expect(begun).toBe(2);
  });

  it('given that nobody asks, when they are started, then a look follows the other after a while', async () => {
    let count = 0;
    create({ look: async () => void (count += 1), everyMs: 5 });
    await looks.start();
    expect(count).toBe(1);

    await eventually(() => count >= 3);
  });

  it('given a topic, when it is signalled, then they look at once, until they are stopped', async () => {
    const signals = channel();
    let count = 0;
    create({ look: async () => void (count += 1), hears: { signals, topic: 'streams' } });
    await looks.start();
    expect(signals.interests).toEqual(['streams']);

    signals.tell();
    expect(count).toBe(2);
    await looks.stop();
    signals.tell();
    expect(count).toBe(2);
  });

  it('given a look under way and one asked for, when they are stopped, then the first one ends and the other is not begun', async () => {
    void create().ask();
    void looks.ask();
    let isStopped = false;
    const stopped = looks.stop().then(() => (isStopped = true));
    expect(isStopped).toBe(false);

    end();
    await stopped;
    await looks.ask();

    expect(begun).toBe(1);
  });
});
