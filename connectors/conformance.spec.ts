import { describe, expect, it } from '@jest/globals';
import { checkConnector } from '#sdk';
import { builtInConnectors } from './index.js';

describe('the built-in connectors', () => {
  it('have names of their own', () => {
    const names = builtInConnectors.map(({ name }) => name);

    expect(new Set(names).size).toBe(names.length);
  });

  it.each(builtInConnectors.map((connector) => [connector.name, connector] as const))(
    '%s keeps every rule of the conformance check',
    (_name, connector) => {
      expect(checkConnector(connector)).toEqual([]);
    },
  );
});
