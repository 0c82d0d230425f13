import { afterEach, describe, expect, it } from '@jest/globals';
import { aScriptedHub, type HubScript, type ScriptedHub } from '../../test/builders/scripted-hub.js';
import { aTerminal, type Terminal } from '../../test/builders/terminal.js';
import { runCli } from './program.js';

const operator = '0x00000000000000000000000000000000000000a1';
const link = '0x00000000000000000000000000000000000000b2';
const probe = `oracle-probe-treasury-${link.slice(2, 10)}`;
const answer = `0x${'7b'.padStart(64, '0')}`;

const before = { id: 'r-0', event: 'e-0', state: 'failed', error: null };
const refused = {
  id: 'r-1',
  event: 'e-1',
  state: 'failed',
  error: { code: 'oracle.payment', message: 'The request pays 0 juels.', fix: 'Lower minPayment:.', refused: true },
};
const others = { id: 'r-2', event: 'e-2', state: 'failed', error: null };

/** A hub with an oracle, whose probe has asked as request 0x9a; two dead letters are listed from then on. */
const asked: HubScript = {
  'GET /api/connections': {
    body: {
      connections: [
        {
          name: 'oracle',
          connector: 'oracle',
          settings: { network: 'local', contract: 'operator', signer: 'treasury' },
        },
      ],
    },
  },
  'GET /api/contracts/operator': { body: { address: operator } },
  'GET /api/contracts/operator/getChainlinkToken': { body: { result: link } },
  [`GET /api/contracts/${probe}`]: { body: { address: probe } },
  [`POST /api/contracts/${probe}/ask`]: {
    body: { status: 'mined', blockNumber: 7, events: [{ name: 'Asked', args: { requestId: '0x9a' } }] },
  },
  [`GET /api/contracts/${probe}/answerOf`]: { body: { result: '0x' } },
  'GET /api/dead-letters': [{ body: { items: [before] } }, { body: { items: [others, refused, before] } }],
  'GET /api/runs/r-1': { body: { ...refused, data: { request: { id: '0x9a' } } } },
  'GET /api/runs/r-2': { body: { ...others, data: { transfer: {} } } },
  'GET /api/runs': { body: { items: [refused] } },
};

describe('waiting for the answer of an oracle', () => {
  let hub: ScriptedHub | undefined;
  afterEach(async () => hub?.stop());

  async function ask(script: HubScript): Promise<{ exitCode: number; terminal: Terminal }> {
    hub = await aScriptedHub({ ...asked, ...script });
    const terminal = aTerminal({ env: { PATCHBAY_HUB: hub.url, PATCHBAY_KEY: 'key-1' } });
    return { exitCode: await runCli(['oracle', 'ask', 'oracle', '--job', 'price'], terminal), terminal };
  }

  it('given that the request is a dead letter, then its reason is told, and what to do', async () => {
    const { exitCode, terminal } = await ask({});

    expect(exitCode).toBe(1);
    expect(terminal.stderr()).toContain('dead letter r-1: oracle.payment  The request pays 0 juels.');
    expect(terminal.stderr()).toContain('Fix: Lower minPayment:. See the request: npx patchbay dead-letters show r-1');
    expect(hub?.calls.map(({ path }) => path)).not.toContain('/api/runs/r-0');
  });

  it('given that another flow is still at it, when it answers, then that counts', async () => {
    const { exitCode, terminal } = await ask({
      'GET /api/runs': { body: { items: [refused, { ...refused, id: 'r-3', state: 'running', error: null }] } },
      [`GET /api/contracts/${probe}/answerOf`]: [{ body: { result: '0x' } }, { body: { result: answer } }],
    });

    expect(exitCode).toBe(0);
    expect(terminal.stdout()).toMatch(/number +123/);
  });

  it('given a key that may not read runs, then the answer is waited for all the same', async () => {
    const { exitCode } = await ask({
      'GET /api/dead-letters': { status: 403, body: { status: 403, code: 'auth.forbidden' } },
      [`GET /api/contracts/${probe}/answerOf`]: [{ body: { result: '0x' } }, { body: { result: answer } }],
    });

    expect(exitCode).toBe(0);
  });
});
