import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seed } from '../../test/builders/seed.js';
import { SyncModel, modelColumns, type ModelColumn, type ModelTurn } from '../../test/builders/sync-model.js';

const names = Object.keys(modelColumns) as ModelColumn[];
const value = fc.constantFrom('', 'a', 'b', 'c');
const column = fc.constantFrom(...names);
const direction = fc.constantFrom('both' as const, 'toChain' as const, 'toSalesforce' as const);
const settings = fc.record({
  directions: fc.record({ name: direction, tier: direction, note: direction }),
  conflict: fc.constantFrom('chain' as const, 'salesforce' as const, 'newest' as const),
  isSetAlone: fc.boolean(),
  onChain: fc.constantFrom('mark' as const, 'delete' as const, 'ignore' as const),
  inSalesforce: fc.constantFrom('remove' as const, 'ignore' as const),
});
const edit = fc.record({ side: fc.constantFrom('chain' as const, 'salesforce' as const), column, value });
const removal = fc.record({ side: fc.constantFrom('removeEntry' as const, 'removeRecord' as const) });
const quiet = fc.constantFrom<ModelTurn>(
  { side: 'nothing' },
  { side: 'nothing' },
  { side: 'diesBefore' },
  { side: 'diesAfter' },
  { side: 'isNotMined' },
);
const slow = fc.constantFrom<ModelTurn>({ side: 'sleeps' }, { side: 'wakes' });
const turns = (change: fc.Arbitrary<ModelTurn>) =>
  fc.array(fc.oneof<fc.Arbitrary<ModelTurn>[]>(quiet, change), { maxLength: 40 });

describe('syncing one key', () => {
  it('given changes on both sides and a process that dies, anywhere, then in the end both sides are equal and nothing is left to do', async () => {
    await fc.assert(
      fc.asyncProperty(
        settings,
        turns(fc.oneof({ weight: 5, arbitrary: fc.oneof(edit, edit, slow) }, removal)),
        async (given, happens) => {
          const receiver = { toChain: 'chain', toSalesforce: 'salesforce', both: undefined };
          // What the receiving side says just after it was given a value is taken for a rule of that side.
          const isHeard = (turn: ModelTurn) =>
            !('column' in turn) || receiver[given.directions[turn.column]] !== turn.side;
          const model = new SyncModel(given, happens.filter(isHeard));
          await model.settle();

          const { writes } = model;
          expect((await model.sync()).outcome).toBe('agreed');
          expect(model.writes).toBe(writes);
          expect(model.row.intent).toBeUndefined();
          const { entry, record } = model;
          if (entry === undefined || record === undefined) return;
          expect(record['Removed__c']).toBe(false);
          for (const name of names) {
            const field = record[modelColumns[name]] ?? null;
            if (given.directions[name] !== 'toChain' || field !== null) expect(field).toBe(entry[name] || null);
          }
        },
      ),
      { numRuns: 2_000, seed },
    );
  });

  it('given values that are each changed on one side only, then none of these changes is lost, and without crashes none is written twice', async () => {
    await fc.assert(
      fc.asyncProperty(turns(edit), async (happens) => {
        const isOwn = (turn: ModelTurn) => !('column' in turn) || (turn.column === 'name') === (turn.side === 'chain');
        // Each value is said once: one that is said twice cannot be told from what the hub has written.
        const own = happens
          .filter(isOwn)
          .map((turn, index) => ('value' in turn ? { ...turn, value: `${turn.value}${String(index)}` } : turn));
        const both = { name: 'both', tier: 'both', note: 'both' } as const;
        const model = new SyncModel(
          { directions: both, conflict: 'newest', isSetAlone: true, onChain: 'ignore', inSalesforce: 'ignore' },
          [{ side: 'chain', column: 'name', value: 'first' }, ...own],
        );
        await model.settle();

        if (!own.some(({ side }) => side.startsWith('dies'))) {
          expect(model.writes).toBeLessThanOrEqual(1 + own.filter((turn) => 'column' in turn).length);
        }
        for (const name of names) {
          const last = own.findLast((turn) => 'column' in turn && turn.column === name);
          const expected = last !== undefined && 'value' in last ? last.value : name === 'name' ? 'first' : '';
          expect(model.entry?.[name]).toBe(expected);
          expect(model.record?.[modelColumns[name]] ?? '').toBe(expected);
        }
      }),
      { numRuns: 2_000, seed },
    );
  });
});
