import { describe, expect, it } from '@jest/globals';
import { placeOf, scanSolidity } from './solidity-scanner.js';

describe('scanning Solidity', () => {
  it('given every way to write an import, when it is scanned, then each path is found where it stands', () => {
    const source = `import "a.sol"; import 'b.sol' as B; import * as C from "c.sol";
import {D, E as F} from "d.sol"; // import "no.sol";
/* import "no.sol"; */ contract G { string s = "import 'no.sol';"; }
import "../h.sol";`;

    const { imports } = scanSolidity(source);

    expect(imports.map(({ text }) => text)).toEqual(['a.sol', 'b.sol', 'c.sol', 'd.sol', '../h.sol']);
    expect(placeOf(source, imports[3]!.offset)).toEqual({ line: 2, column: 25 });
  });

  it('given pragmas and definitions, when they are scanned, then those of the outermost level are found', () => {
    const { pragmas, contracts } =
      scanSolidity(`pragma solidity >=0.8.0 <0.9.0; pragma abicoder v2; pragma experimental "x";
      abstract contract A { struct contractB { uint x; } } interface I {} library L { } contract C is A {}
      function contractless() pure {} error E(); /* contract X {} */`);

    expect(pragmas.map(({ text }) => text)).toEqual(['>=0.8.0 <0.9.0']);
    expect(contracts).toEqual(['A', 'I', 'L', 'C']);
  });

  it.each(['import', 'import "a', 'contract', '/* no end', '"no end', 'pragma solidity', '}}} contract A {'])(
    'given the broken source %s, when it is scanned, then it is left for the compiler',
    (source) => {
      expect(() => scanSolidity(source)).not.toThrow();
    },
  );
});
