import { describe, expect, it } from '@jest/globals';
import { z } from '#sdk';
import { checkTypedSettings, checkedSettings } from './checked-settings.js';

const schema = z
  .object({
    loginUrl: z.url(),
    budget: z.object({ reserve: z.number() }).optional(),
    headers: z.record(z.string(), z.string()).default({}),
    keys: z.array(z.object({ name: z.string() })).default([]),
  })
  .superRefine(() => undefined);
const written = (settings: unknown) => ({ name: 'crm', connector: 'salesforce', settings });

describe('settings that somebody types', () => {
  it('given a mistyped name, when it is checked, then it is told before what is missing because of it', () => {
    expect(() => checkTypedSettings(written({ loginUrll: 'https://a.example' }), schema)).toThrow(
      expect.objectContaining({
        code: 'connection.invalid',
        faults: [
          { pointer: '/loginUrll', detail: 'Unknown setting', fix: 'Did you mean loginUrl?' },
          expect.objectContaining({ pointer: '/loginUrl' }),
        ],
      }),
    );
  });

  it('given names below others, when they are checked, then only what is free may be called anything', () => {
    const settings = {
      loginUrl: 'https://a.example',
      headers: { anything: 'goes' },
      budget: { reserve: 1, reserv: 2 },
      keys: [{ name: 'one', nmae: 'two' }],
    };

    expect(() => checkTypedSettings(written(settings), schema)).toThrow(
      expect.objectContaining({
        faults: [
          { pointer: '/budget/reserv', detail: 'Unknown setting', fix: 'Did you mean reserve?' },
          { pointer: '/keys/0/nmae', detail: 'Unknown setting', fix: 'Did you mean name?' },
        ],
      }),
    );
  });

  it('given what the connector has found by itself, when they are checked, then it is told with the rest', () => {
    const found = [{ pointer: '/loginUrl', detail: 'There is no such org', fix: 'Did you mean the other one?' }];

    expect(() => checkTypedSettings(written({ loginUrl: 'https://a.example' }), schema, found)).toThrow(
      expect.objectContaining({ code: 'connection.invalid', faults: found }),
    );
  });

  it('given settings from before, when they are opened, then a name that nobody knows any more stops nothing', () => {
    expect(checkedSettings(written({ loginUrl: 'https://a.example', old: true }), schema)).toMatchObject({
      loginUrl: 'https://a.example',
    });
  });
});
