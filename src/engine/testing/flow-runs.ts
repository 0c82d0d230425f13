/** Builders for specs: a small vocabulary, flows from text, and runs against answers given by the spec. */
import { defineAction, defineConnector, defineTrigger, z, type ConnectorDefinition } from '#sdk';
import type { Advance, Call, CompiledFlow, JournalEntry, RunOutcome } from '../flow.js';
import { loadFlow, type LoadOptions } from '../flow.loader.js';
import type { Vocabulary } from '../vocabulary.js';

export function vocabularyOf(...connectors: readonly ConnectorDefinition[]): Vocabulary {
  const triggers = new Map(
    connectors.flatMap(({ name, triggers: own }) => Object.entries(own).map(([key, one]) => [`${name}.${key}`, one])),
  );
  const actions = new Map(
    connectors.flatMap(({ name, actions: own }) => Object.entries(own).map(([key, one]) => [`${name}.${key}`, one])),
  );
  return {
    trigger: (uses) => triggers.get(uses),
    action: (uses) => actions.get(uses),
    triggerNames: () => [...triggers.keys()],
    actionNames: () => [...actions.keys()],
    connectors: () => connectors.map(({ name }) => name),
  };
}

export const testConnector = defineConnector({
  name: 'test',
  title: 'Test',
  summary: 'For specs.',
  triggers: {
    heard: defineTrigger({
      title: 'Something was heard',
      summary: 'Starts a run for everything.',
      input: z.object({ topic: z.string().optional() }),
      event: z.looseObject({}),
      examples: [{}],
      poll: async () => ({ heard: [] }),
    }),
  },
  actions: {
    notify: defineAction({
      title: 'Notify',
      summary: 'Tells somebody.',
      input: z.object({ text: z.string().optional(), count: z.number().optional(), data: z.unknown().optional() }),
      output: z.looseObject({}),
      examples: [{}],
      repeatable: 'It may be done again.',
      run: () => ({}),
    }),
    note: defineAction({
      title: 'Note',
      summary: 'Says what it was given.',
      input: z.object({ text: z.string() }),
      output: z.looseObject({}),
      examples: [{ text: 'a' }],
      repeatable: 'It may be done again.',
      isPure: true,
      run: () => ({}),
    }),
  },
});

/** Hears something that may be taken back, and does what cannot be. */
export const valueConnector = defineConnector({
  name: 'value',
  title: 'Value',
  summary: 'For specs.',
  triggers: {
    mined: defineTrigger({
      title: 'Something was mined',
      summary: 'Starts a run for everything on a chain.',
      input: z.object({ confirmations: z.number().optional() }),
      event: z.looseObject({}),
      examples: [{}],
      finality: {
        input: 'confirmations',
        shortfall: ({ confirmations }) =>
          confirmations === 1 ? { pointer: '/confirmations', detail: 'One block is few', fix: 'Wait.' } : undefined,
      },
      listen: () => Promise.resolve(),
    }),
  },
  actions: {
    pay: defineAction({
      title: 'Pay',
      summary: 'Sends value.',
      input: z.object({ amount: z.number().default(1) }),
      output: z.looseObject({}),
      examples: [{}],
      repeatable: 'It may be done again.',
      movesValue: ({ amount }) => amount !== 0,
      run: () => ({}),
    }),
    reply: defineAction({
      title: 'Reply',
      summary: 'Answers what was asked.',
      input: z.object({}),
      output: z.looseObject({}),
      examples: [{}],
      repeatable: 'It may be done again.',
      movesValue: true,
      isReply: true,
      run: () => ({}),
    }),
  },
});

export const testVocabulary = vocabularyOf(testConnector);
export const valueVocabulary = vocabularyOf(testConnector, valueConnector);

export function aFlow(rest: string, options: Partial<LoadOptions> = {}): CompiledFlow {
  const text = `name: example\ntrigger: { uses: test.heard }\n${rest}`;
  const { flow, faults } = loadFlow(text, { vocabulary: testVocabulary, ...options });
  if (!flow) throw new Error(faults.map((fault) => `${fault.line}:${fault.column} ${fault.detail}`).join('\n'));
  return flow;
}

/** A run with a journal and a clock of its own, like the one that the hub keeps. */
export class TestRun {
  readonly journal = new Map<string, JournalEntry>();
  readonly calls: Call[] = [];
  records = 0;
  now = new Date('2026-01-01T00:00:00Z');
  readonly createdAt = this.now;

  constructor(
    readonly flow: CompiledFlow,
    readonly answer: (call: Call) => unknown = () => ({}),
    readonly overrides: Partial<Advance> = {},
  ) {}

  async advance(overrides: Partial<Advance> = {}): Promise<RunOutcome> {
    const outcome = await this.flow.advance({
      event: {},
      run: { id: 'run-1', createdAt: this.createdAt },
      line: 'steps',
      journal: [...this.journal.values()],
      env: {},
      signal: new AbortController().signal,
      call: async (call) => {
        this.calls.push(call);
        return this.answer(call);
      },
      record: async (entries) => {
        this.records++;
        this.keep(entries);
      },
      now: () => this.now,
      ...this.overrides,
      ...overrides,
    });
    this.keep(outcome.entries);
    return outcome;
  }

  /** Goes on, and lets the time pass until each next attempt, until the run has ended. */
  async finish(): Promise<RunOutcome> {
    for (let pass = 0; pass < 1_000; pass++) {
      const outcome = await this.advance();
      if (outcome.kind !== 'retry') return outcome;
      this.now = outcome.at;
    }
    throw new Error('The run did not end.');
  }

  keep(entries: readonly JournalEntry[]): void {
    for (const entry of entries) this.journal.set(`${entry.step}:${entry.iteration}`, entry);
  }

  /** Each step and how it stands. */
  get states(): Record<string, string> {
    return Object.fromEntries(
      [...this.journal.values()].map((entry) => [
        entry.iteration === 0 ? entry.step : `${entry.step}:${entry.iteration}`,
        entry.state,
      ]),
    );
  }
}
