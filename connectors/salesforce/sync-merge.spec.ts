import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isNothing, merge, type Agreement, type Column, type MergeInput, type MergePlan } from './sync-merge.js';
import type { Value } from './sync-values.js';

const column = (name: string, more: Partial<Column> = {}): Column => ({
  name,
  direction: 'both',
  conflict: 'chain',
  toSalesforce: (value) => (value === '' ? null : value),
  toChain: (value) => value ?? '',
  ...more,
});

const plan = (columns: readonly Column[], more: Partial<MergePlan> = {}): MergePlan => ({
  columns,
  conflict: 'chain',
  onChain: 'mark',
  inSalesforce: 'remove',
  mark: 'Removed__c',
  canSet: true,
  canRemove: true,
  ...more,
});

const known = (fields: Agreement['fields'], more: Partial<Agreement> = {}): Agreement => ({
  onChain: true,
  inSalesforce: true,
  mark: false,
  fields,
  ...more,
});

const equal = (value: Value) => ({ chain: value, salesforce: value });
const both = (chain: Value, salesforce: Value, more: Partial<MergeInput> = {}): MergeInput => ({
  chain: { Name: chain },
  salesforce: { Name: salesforce },
  isMarked: false,
  agreed: known({ Name: equal('old') }),
  ...more,
});

describe('merging one field', () => {
  const name = plan([column('Name')]);

  it.each([
    ['nothing has changed', both('old', 'old'), undefined, undefined],
    ['the chain has changed', both('new', 'old'), undefined, 'new'],
    ['the record has changed', both('old', 'new'), 'new', undefined],
    ['both have changed to the same', both('new', 'new'), undefined, undefined],
    ['both have changed', both('chain', 'record'), undefined, 'chain'],
    ['a record is emptied', both('old', null), '', undefined],
    ['nothing was ever agreed on', both('chain', 'record', { agreed: undefined }), undefined, 'chain'],
    ['nothing was agreed on and the record is blank', both('chain', null, { agreed: undefined }), undefined, 'chain'],
    ['nothing was agreed on and the entry is blank', both('', 'record', { agreed: undefined }), 'record', undefined],
  ])('given that %s, then it is written where it is missing', (_, input, toChain, toSalesforce) => {
    const merged = merge(name, input);
    expect(merged.toChain).toEqual(
      toChain === undefined ? undefined : { kind: 'set', isNew: false, values: { Name: toChain } },
    );
    expect(merged.toSalesforce).toEqual(
      toSalesforce === undefined ? undefined : { kind: 'update', fields: { Name: toSalesforce } },
    );
  });

  it('given that both have changed, then the policy of the field decides', () => {
    const input = both('chain', 'record');
    const policy = (conflict: Column['conflict']) => plan([column('Name', { conflict })]);
    expect(merge(policy('salesforce'), input).toChain).toMatchObject({ values: { Name: 'record' } });
    expect(merge(policy('newest'), input).needsNewest).toBe(true);
    expect(merge(policy('newest'), { ...input, newest: 'chain' }).toSalesforce).toMatchObject({
      fields: { Name: 'chain' },
    });
    expect(merge(policy('newest'), { ...input, newest: 'salesforce' }).toChain).toMatchObject({
      values: { Name: 'record' },
    });
  });

  it('given a field that goes one way, then a change of the other side is taken back once', () => {
    const oneWay = plan([column('Name', { direction: 'toSalesforce' })]);
    expect(merge(oneWay, both('old', 'edited')).toSalesforce).toMatchObject({ fields: { Name: 'old' } });
    const again = merge(oneWay, {
      ...both('old', 'ruled'),
      written: { chain: new Set(), salesforce: new Set(['Name']) },
    });
    expect(isNothing(again)).toBe(true);
    expect(isNothing(merge(oneWay, { ...both('old', 'ruled'), agreed: again.agreed }))).toBe(true);
    const toChain = plan([column('Name', { direction: 'toChain' })]);
    expect(merge(toChain, both('edited', 'old')).toChain).toMatchObject({ values: { Name: 'old' } });
  });

  it('given a side that changed again while its value was written to the other, then the new value is written too', () => {
    const toSalesforce = plan([column('Name', { direction: 'toSalesforce' })]);
    const { agreed } = merge(toSalesforce, both('new', 'old'));
    const written = { chain: new Set<string>(), salesforce: new Set(['Name']) };
    const again = merge(toSalesforce, both('newer', 'new', { agreed, written }));
    expect(again.toSalesforce).toMatchObject({ fields: { Name: 'newer' } });

    const toChain = plan([column('Name', { direction: 'toChain' })]);
    const sent = merge(toChain, both('old', 'new'));
    const called = { chain: new Set(['Name']), salesforce: new Set<string>() };
    const later = merge(toChain, both('new', 'newer', { agreed: sent.agreed, written: called }));
    expect(later.toChain).toMatchObject({ values: { Name: 'newer' } });
  });

  it('given a rule that changed what was written, then that is a change of its own, and comes back once', () => {
    const first = merge(name, both('new', 'old'));
    const second = merge(name, { ...both('new', 'NEW'), agreed: first.agreed });
    expect(second.toChain).toMatchObject({ values: { Name: 'NEW' } });
    expect(isNothing(merge(name, { ...both('NEW', 'NEW'), agreed: second.agreed }))).toBe(true);
  });

  it('given that a reorganisation took back what the hub had sent, then it is sent again', () => {
    const sent = merge(name, both('old', 'new'));
    const again = merge(name, { ...both('old', 'new'), agreed: sent.agreed, isReverted: true });
    expect(again.toChain).toMatchObject({ values: { Name: 'new' } });
    const theirs = merge(name, { ...both('old', 'old'), agreed: known({ Name: equal('gone') }), isReverted: true });
    expect(isNothing(theirs)).toBe(true);
  });
});

describe('merging records and entries', () => {
  const name = plan([column('Name')]);
  const fields = { Name: equal('old') };

  it('given one side only and nothing agreed, then the other is made', () => {
    expect(merge(name, { chain: { Name: 'a' }, salesforce: undefined, agreed: undefined }).toSalesforce).toEqual({
      kind: 'create',
      fields: { Name: 'a' },
    });
    expect(merge(name, { chain: undefined, salesforce: { Name: 'a' }, agreed: undefined }).toChain).toEqual({
      kind: 'set',
      isNew: true,
      values: { Name: 'a' },
    });
    const readOnly = { ...name, canSet: false };
    const unknown = { chain: undefined, salesforce: { Name: 'a' }, agreed: undefined };
    expect(isNothing(merge(readOnly, unknown))).toBe(true);
  });

  it('given an entry that is gone, then the record is marked, deleted or left', () => {
    const input: MergeInput = { chain: undefined, salesforce: { Name: 'old' }, isMarked: false, agreed: known(fields) };
    expect(merge(name, input).toSalesforce).toEqual({ kind: 'update', fields: {}, mark: true });
    expect(merge({ ...name, onChain: 'delete' }, input).toSalesforce).toEqual({ kind: 'delete' });
    expect(isNothing(merge({ ...name, onChain: 'ignore' }, input))).toBe(true);
    expect(merge({ ...name, onChain: 'delete' }, { ...input, isReverted: true }).toSalesforce).toMatchObject({
      mark: true,
    });
  });

  it('given a marked record, then the mark is kept, and taken away when the entry is there again', () => {
    const gone = known({}, { onChain: false, mark: true });
    const input: MergeInput = { chain: undefined, salesforce: { Name: 'old' }, agreed: gone };
    expect(isNothing(merge(name, { ...input, isMarked: true }))).toBe(true);
    expect(merge(name, { ...input, isMarked: false }).toSalesforce).toMatchObject({ mark: true });
    const back = merge(name, { chain: { Name: 'old' }, salesforce: { Name: 'old' }, isMarked: true, agreed: gone });
    expect(back.toSalesforce).toEqual({ kind: 'update', fields: {}, mark: false });
  });

  it('given an entry that comes back, or goes, while its record was marked or unmarked, then the mark follows', () => {
    const written = { chain: new Set<string>(), salesforce: new Set(['Removed__c']) };
    const there = { chain: { Name: 'old' }, salesforce: { Name: 'old' }, written };
    const gone = known({}, { onChain: false, mark: true });
    const back = merge(name, { ...there, isMarked: true, agreed: gone });
    expect(back.toSalesforce).toEqual({ kind: 'update', fields: {}, mark: false });
    expect(isNothing(merge(name, { ...there, isMarked: true, agreed: back.agreed }))).toBe(true);
    const again = merge(name, { ...there, chain: undefined, isMarked: false, agreed: back.agreed });
    expect(again.toSalesforce).toEqual({ kind: 'update', fields: {}, mark: true });
    expect(isNothing(merge(name, { ...there, chain: undefined, isMarked: false, agreed: again.agreed }))).toBe(true);
  });

  it('given a record that is gone, then the entry is removed or left, and an edit on the chain brings it back', () => {
    const input: MergeInput = { chain: { Name: 'old' }, salesforce: undefined, agreed: known(fields) };
    expect(merge(name, input).toChain).toEqual({ kind: 'remove' });
    const ignored = merge({ ...name, inSalesforce: 'ignore' }, input);
    expect(isNothing(ignored)).toBe(true);
    const later = { ...input, agreed: ignored.agreed, chain: { Name: 'edited' } };
    expect(isNothing(merge({ ...name, inSalesforce: 'ignore' }, later))).toBe(true);
    expect(merge(name, { ...input, chain: { Name: 'edited' } }).toSalesforce).toMatchObject({ kind: 'create' });
    expect(merge({ ...name, conflict: 'salesforce' }, { ...input, chain: { Name: 'edited' } }).toChain).toEqual({
      kind: 'remove',
    });
  });
});

describe('any sequence of changes', () => {
  const value = fc.constantFrom('', 'a', 'b', 'C', ' d');
  const change = fc.oneof(
    fc.record({ side: fc.constant('chain' as const), field: fc.constantFrom('A', 'B', 'C'), value }),
    fc.record({ side: fc.constant('salesforce' as const), field: fc.constantFrom('A', 'B', 'C'), value }),
    fc.record({ side: fc.constant('removeEntry' as const) }),
    fc.record({ side: fc.constant('removeRecord' as const) }),
  );
  /** One sync, and what both sides change between its writing and its looking again. */
  const sync = fc.record({ side: fc.constant('sync' as const), meanwhile: fc.array(change, { maxLength: 3 }) });
  const direction = fc.constantFrom<Column['direction']>('both', 'toChain', 'toSalesforce');
  const conflict = fc.constantFrom<Column['conflict']>('chain', 'salesforce', 'newest');
  const settings = fc.record({
    directions: fc.tuple(direction, direction, direction),
    conflict,
    onChain: fc.constantFrom<MergePlan['onChain']>('mark', 'delete', 'ignore'),
    inSalesforce: fc.constantFrom<MergePlan['inSalesforce']>('remove', 'ignore'),
    rule: fc.constantFrom('none', 'upper'),
  });

  it('ends with both sides equal and nothing left to do, and then no comparison finds anything', () => {
    fc.assert(
      fc.property(settings, fc.array(fc.oneof(change, sync), { maxLength: 30 }), (given, changes) => {
        const world = new World(given.rule === 'upper');
        const columns = ['A', 'B', 'C'].map((name, index) =>
          column(name, {
            direction: given.directions[index] ?? 'both',
            conflict: given.conflict,
            toSalesforce: (text) => String(text ?? '').trim() || null,
          }),
        );
        const { onChain, inSalesforce } = given;
        const own = plan(columns, { conflict: given.conflict, onChain, inSalesforce });
        // What the receiving side says just after it was given a value is taken for a rule of that side.
        const isHeard = (one: Change) =>
          !('field' in one) ||
          columns.some(({ name, direction }) => {
            const receiver = { toChain: 'chain', toSalesforce: 'salesforce', both: undefined }[direction];
            return name === one.field && receiver !== one.side;
          });
        for (const one of changes) {
          if (one.side === 'sync') world.settle(own, one.meanwhile.filter(isHeard));
          else world.change(one);
        }
        expect(world.settle(own)).toBeLessThanOrEqual(4);
        expect(world.settle(own)).toBe(0);
        const { chain, record } = world;
        if (chain === undefined || record === undefined) return;
        expect(world.isMarked).toBe(false);
        for (const { name, direction, toSalesforce } of columns) {
          const isBlank = direction === 'toChain' && (record[name] ?? null) === null;
          const isRuled = given.rule === 'upper' && name === 'A' && direction !== 'both';
          if (!isBlank && !isRuled) expect(record[name] ?? null).toBe(toSalesforce(chain[name] ?? null));
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

type Change =
  | { readonly side: 'chain' | 'salesforce'; readonly field: string; readonly value: string }
  | { readonly side: 'removeEntry' | 'removeRecord' };

/** Two sides and what was agreed on between them, as the sync keeps them. */
class World {
  chain: Record<string, Value> | undefined;
  record: Record<string, Value> | undefined;
  isMarked = false;
  agreed: Agreement | undefined;

  constructor(private readonly isRuled: boolean) {}

  /** A rule of the org has the last word on what is saved. */
  save(fields: Record<string, Value>): void {
    this.record = this.isRuled ? { ...fields, A: fields['A'] === undefined ? null : upper(fields['A']) } : fields;
  }

  /** As somebody else would. */
  change(one: Change): void {
    if (one.side === 'removeEntry') this.chain = undefined;
    else if (one.side === 'removeRecord') this.record = undefined;
    else if (one.side === 'chain') this.chain = { ...this.chain, [one.field]: one.value };
    else if (one.side === 'salesforce') {
      if (this.record === undefined) this.isMarked = false;
      this.save({ ...this.record, [one.field]: one.value.trim() || null });
    }
  }

  /**
   * @param meanwhile – changes of others, one after each round that had something to write
   * @returns how many rounds had something to write
   */
  settle(own: MergePlan, meanwhile: readonly Change[] = []): number {
    let written = { chain: new Set<string>(), salesforce: new Set<string>() };
    for (let round = 0; round < 10; round += 1) {
      const input = {
        chain: this.chain,
        salesforce: this.record,
        isMarked: this.isMarked,
        agreed: this.agreed,
        written,
      };
      const merged = merge(own, { ...input, newest: 'salesforce' });
      this.agreed = merged.agreed;
      if (isNothing(merged)) return round;
      const { toChain, toSalesforce } = merged;
      written = { chain: new Set(), salesforce: new Set() };
      if (toSalesforce?.kind === 'delete') this.record = undefined;
      else if (toSalesforce !== undefined) {
        if (toSalesforce.kind === 'create') this.isMarked = false;
        this.save({ ...this.record, ...toSalesforce.fields });
        written.salesforce = new Set(Object.keys(toSalesforce.fields));
        if (toSalesforce.mark !== undefined) {
          this.isMarked = toSalesforce.mark;
          written.salesforce.add(own.mark ?? '');
        }
      }
      if (toChain?.kind === 'remove') this.chain = undefined;
      else if (toChain !== undefined) {
        this.chain = { ...this.chain, ...toChain.values };
        written.chain = new Set(Object.keys(toChain.values));
      }
      const theirs = meanwhile[round];
      if (theirs !== undefined) this.change(theirs);
    }
    return 10;
  }
}

function upper(value: Value): Value {
  return typeof value === 'string' ? value.toUpperCase() : value;
}
