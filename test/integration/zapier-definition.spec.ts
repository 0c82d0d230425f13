import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import defaultApp from '../../connectors/zapier/app/index.js';
import { core, fullApp, type Given } from '../builders/zapier-platform.js';
import { publishingFaults, type PublishableApp } from '../builders/zapier-publishing.js';

describe('the definition of the app', () => {
  it.each([
    ['as it is pushed', defaultApp],
    ['with what moves assets', fullApp],
  ])('given the app %s, when Zapier validates it, then nothing is wrong', async (_name, given: Given) => {
    expect((await core.createAppHandler(given)({ command: 'validate' })).results).toEqual([]);
    expect(publishingFaults(given as PublishableApp, core)).toEqual([]);
  });

  it('given no word of the operator, when it is built, then nothing in it moves assets', () => {
    expect(Object.keys((defaultApp as Given).creates)).toEqual(['run_flow', 'read_contract']);
  });

  it('given faults that validation lets through, when they are looked for, then each is found', () => {
    const broken = {
      ...fullApp,
      platformVersion: '1.0.0',
      creates: {
        ...fullApp.creates,
        run_flow: { ...fullApp.creates.run_flow, display: { label: 'run flow', description: 'no sentence' } },
      },
      triggers: {
        ...fullApp.triggers,
        contract_event: {
          ...fullApp.triggers.contract_event,
          operation: {
            ...fullApp.triggers.contract_event.operation,
            performList: undefined,
            inputFields: [
              { key: 'user_id', label: 'User' },
              { key: 'x', label: 'X', dynamic: 'none.id.name' },
            ],
            sample: { id: '1', time: '2026-01-01' },
          },
        },
      },
    };

    expect(publishingFaults(broken, core).map((fault) => fault.split(' ')[0])).toEqual(
      expect.arrayContaining(['platformVersion', 'D004', 'D005', 'D006', 'D018', 'D023', 'D024']),
    );
  });

  it('given package.json, then its versions are those of the definition', async () => {
    const manifest = JSON.parse(await readFile('connectors/zapier/app/package.json', 'utf8'));

    expect(manifest.version).toBe(fullApp.version);
    expect(manifest.dependencies['zapier-platform-core']).toBe(fullApp.platformVersion);
  });
});
