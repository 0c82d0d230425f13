import { describe, expect, it } from '@jest/globals';
import type { FlowsService } from '#flows';
import { aFlow } from '../engine/testing/flow-runs.js';
import { declaredTriggersOf } from './declared-triggers.js';
import type { SourcesService } from './sources.service.js';

describe('what the flows declare', () => {
  it('given flows, when a trigger asks, then it gets those of its own that are enabled and can be listened to', () => {
    const known = (name: string, rest = '', isPaused = false) => ({
      name,
      isPaused,
      compiled: aFlow(`${rest}steps: [{ uses: test.notify, with: {} }]`),
    });
    const flows = {
      list: () => [known('a'), known('b', '', true), known('c', 'enabled: false\n'), known('lost')],
    } as unknown as FlowsService;
    const aSource = (topic: string) => ({ connection: 'default', input: { topic }, movesValue: topic === 'b' });
    const sources = {
      findOf: (name: string) => (name === 'lost' ? undefined : aSource(name)),
    } as unknown as SourcesService;

    const declared = declaredTriggersOf(flows, sources);

    expect(declared.of('test.heard')).toEqual([
      { flow: 'a', connection: 'default', input: { topic: 'a' }, movesValue: false, isPaused: false },
      { flow: 'b', connection: 'default', input: { topic: 'b' }, movesValue: true, isPaused: true },
    ]);
    expect(declared.of('test.other')).toEqual([]);
  });
});
