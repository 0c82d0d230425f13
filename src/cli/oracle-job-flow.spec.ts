import { describe, expect, it } from '@jest/globals';
import { loadFlow } from '#engine';
import { builtInConnectors } from '../../connectors/index.js';
import { catalogOf } from '../../test/builders/catalog-of.js';
import { jobFlowText } from './oracle-job-flow.js';

const vocabulary = catalogOf(builtInConnectors);

describe('the flow of a job that is deployed', () => {
  it.each([true, false])('given onlyPublic %s, then the flow has no faults and says it', (onlyPublic) => {
    const text = jobFlowText({ name: 'price', jobId: 'a-job', connection: 'oracle', onlyPublic });

    const { flow, faults } = loadFlow(text, { vocabulary });

    expect(faults).toEqual([]);
    expect(flow?.flow.steps[0]?.with).toMatchObject({ sources: [{ name: 'asked', onlyPublic }] });
  });
});
