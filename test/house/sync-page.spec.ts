import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { z } from '#sdk';
import { syncSchema } from '../../src/sync/sync.schema.js';

interface Shape {
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly items?: Shape;
}

/** `chain/from` and the like. */
function keysOf({ properties = {}, items }: Shape, place = ''): string[] {
  const own = Object.entries(properties).flatMap(([name, below]) => [
    `${place}${name}`,
    ...keysOf(below, `${place}${name}/`),
  ]);
  return [...own, ...(items === undefined ? [] : keysOf(items, place))];
}

describe('the page on syncs', () => {
  it('has every key of a sync file in the table of its part, and no others', async () => {
    const page = await readFile('docs/sync.md', 'utf8');
    const tables = page.split(/^## /m).find((part) => part.startsWith('Every key')) ?? '';
    const onPage = tables.split(/^### /m).flatMap((part, index) => {
      const place = index === 0 ? '' : `${/^\w+/.exec(part)?.[0] ?? ''}/`;
      return [...part.matchAll(/^\| `(\w+)` /gm)].map(([, name = '']) => `${place}${name}`);
    });
    // The table of types has one that looks like a key.
    const inTables = onPage.filter((key) => key !== 'fields/bool');

    expect(inTables.sort()).toEqual(keysOf(z.toJSONSchema(syncSchema, { io: 'input' }) as Shape).sort());
  });
});
