import { describe, expect, it } from '@jest/globals';
import { usesOf } from '#engine';
import {
  PatchbayError,
  defineAction,
  defineConnection,
  defineConnector,
  defineTrigger,
  z,
  type CheckContext,
  type Fault,
  type UseService,
} from '#sdk';
import { catalogOf } from '../../test/builders/catalog-of.js';
import { FlowChecker } from './flow-checker.js';

const document = `name: notes
trigger: { uses: webhook.received }
steps:
  - uses: crm.write
    with:
      object: Nowhere
      fields: { Name: "{{event.body.name}}" }
  - uses: crm.write
    with: { object: Contact, fields: {} }
`;

const noService: UseService = () => {
  throw new Error('No service is lent here');
};

const during = <T>(_: string, work: (client: unknown) => Promise<T>): Promise<T> => work('client');

function aChecker(
  check: (context: CheckContext) => Promise<readonly Fault[]>,
  onReopened: (listener: (name: string) => void) => void = () => undefined,
): FlowChecker {
  const connection = defineConnection({ title: 'CRM', settings: z.object({}), open: () => 'client' });
  const write = defineAction({
    title: 'Write',
    summary: 'Writes.',
    connection,
    input: z.object({ object: z.string(), fields: z.record(z.string(), z.unknown()) }),
    output: z.object({}),
    examples: [],
    repeatable: 'Yes.',
    check,
    run: () => ({}),
  });
  const crm = defineConnector({
    name: 'crm',
    title: 'CRM',
    summary: 'A CRM.',
    connection,
    triggers: {},
    actions: { write },
  });
  const connections = { nameFor: () => 'main', during, onReopened };
  return new FlowChecker({ catalog: catalogOf([crm]), connections, use: noService, withinMs: 200 });
}

describe('checks of a flow by the other side', () => {
  it('given an input that is not there, when the flow is checked, then line and column are those of the input', async () => {
    const seen: unknown[] = [];
    const checker = aChecker(({ input, client }) => {
      seen.push(input, client);
      const detail = 'There is no Nowhere';
      return Promise.resolve(
        input['object'] === 'Nowhere' ? [{ pointer: '/object', detail, fix: 'Try Contact.' }] : [],
      );
    });

    const { faults, warnings } = await checker.check(document, 'notes.yaml');

    expect(faults).toEqual([
      {
        pointer: '#/steps/0/with/object',
        file: 'notes.yaml',
        line: 6,
        column: 15,
        rule: 'not-there',
        detail: 'There is no Nowhere.',
        fix: 'Try Contact.',
      },
    ]);
    expect(warnings).toEqual([]);
    expect(seen.slice(0, 2)).toEqual([{ object: 'Nowhere', fields: { Name: undefined } }, 'client']);
  });

  it('given a connection that lets too little be final, when a flow that moves value is checked, then that is a warning', async () => {
    const connection = defineConnection({ title: 'Chain', settings: z.object({}), open: () => 'client' });
    const asked: unknown[] = [];
    const mined = defineTrigger({
      title: 'Mined',
      summary: 'Hears.',
      connection,
      input: z.object({ confirmations: z.number().optional() }),
      event: z.object({}),
      examples: [],
      finality: {
        input: 'confirmations',
        shortfall: () => undefined,
        shortfallOf: (client) => {
          asked.push(client);
          return { pointer: '/confirmations', detail: 'The network asks for 3 blocks', fix: 'Wait for more.' };
        },
      },
      listen: () => Promise.resolve(),
    });
    const chain = defineConnector({
      name: 'chain',
      title: 'Chain',
      summary: 'A chain.',
      connection,
      triggers: { mined },
      actions: {},
    });
    const connections = { nameFor: () => 'main', during, onReopened: () => undefined };
    const checker = new FlowChecker({ catalog: catalogOf([chain]), connections, use: noService });
    const silentFlow = 'name: payer\ntrigger:\n  uses: chain.mined\nsteps: []\n';
    const outspoken = silentFlow.replace('chain.mined', 'chain.mined\n  with: { confirmations: 1 }');

    const { faults, warnings } = await checker.checkUses(usesOf(silentFlow), { movesValue: true });
    const others = [
      await checker.checkUses(usesOf(silentFlow)),
      await checker.checkUses(usesOf(outspoken), { movesValue: true }),
    ];

    expect(faults).toEqual([]);
    expect(warnings).toMatchObject([
      { rule: 'less-than-final', severity: 'warning', line: 2, detail: 'The network asks for 3 blocks.' },
    ]);
    expect(others.flatMap((checks) => checks.warnings)).toEqual([]);
    expect(asked).toEqual(['client']);
  });

  it.each([
    ['refuses', () => Promise.reject(new PatchbayError('connection.refused', { detail: 'nobody is there' }))],
    ['never answers', () => new Promise<never>(() => undefined)],
  ])(
    'given another side that %s, when the flow is checked, then that is one warning and no fault',
    async (_, check) => {
      const { faults, warnings } = await aChecker(check).check(document);

      expect(faults).toEqual([]);
      expect(warnings).toMatchObject([{ rule: 'not-checked', detail: expect.stringContaining('connection main') }]);
    },
  );

  it('given another side that was silent, when it is asked again at once, then nobody waits for it', async () => {
    let asked = 0;
    const checker = aChecker(() => {
      asked += 1;
      return Promise.reject(new PatchbayError('connection.refused', { detail: 'nobody is there' }));
    });
    await checker.check(document);
    const before = asked;

    const { warnings } = await checker.check(document);

    expect(asked).toBe(before);
    expect(warnings).toMatchObject([{ rule: 'not-checked', detail: expect.stringContaining('nobody is there') }]);
  });

  it.each(['before', 'after'])(
    'given a connection that is opened anew %s its old client fails, when a flow is checked, then the new one is asked',
    async (when) => {
      let reopen: (name: string) => void = () => undefined;
      let fail: (error: Error) => void = () => undefined;
      const failure = new Promise<never>((_, reject) => (fail = reject));
      let check = (): Promise<readonly Fault[]> => failure;
      const checker = aChecker(
        () => check(),
        (listener) => (reopen = listener),
      );
      const checking = checker.check(document);

      if (when === 'before') reopen('main');
      fail(new PatchbayError('connection.refused', { detail: 'nobody is there' }));
      const old = await checking;
      if (when === 'after') reopen('main');
      check = () => Promise.resolve([{ pointer: '/object', detail: 'There is no Nowhere', fix: 'Try Contact.' }]);
      const { faults, warnings } = await checker.check(document);

      expect(old.warnings).toMatchObject([{ rule: 'not-checked' }]);
      expect(warnings).toEqual([]);
      expect(faults).toHaveLength(2);
    },
  );
});
