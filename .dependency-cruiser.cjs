// The arrows of ARCHITECTURE.md. A rule reads as a sentence; `name` is what a broken one prints.
const oneFolder = (...folders) => `^(${folders.join('|')})/`;
const library = (...names) => `(^|/)node_modules/(${names.join('|')})/`;
const spec = '[.]spec[.]ts$';
/** What a room lends to the specs of others. */
const forSpecs = '^src/[^/]+/testing/';

/** Layer 5: what the hub does. A new feature is one more name here. */
const features = [
  'flows',
  'sync',
  'runs',
  'triggers',
  'connections',
  'catalog',
  'networks',
  'transactions',
  'gateway',
  'streams',
  'compat',
  'ifttt',
  'zapier',
];
const featureFolders = features.map((feature) => `src/${feature}`);

/** A connector may use the SDK, the EVM layer and one client library; these are the libraries. */
const clientLibraries = {
  oracle: ['big.js', 'cbor2', 'lossless-json', 'smol-toml', '@ts-graphviz/ast'],
  salesforce: ['jsforce', '@jsforce/[^/]+', 'faye'],
  schedule: ['cron-parser'],
  zapier: ['zapier-platform-core'],
};

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'the-sdk-knows-only-zod-and-axios',
      comment: 'Whatever the SDK imports, every connector author gets. It is small and stable.',
      severity: 'error',
      from: { path: oneFolder('src/sdk'), pathNot: spec },
      to: { dependencyTypesNot: ['core'], pathNot: [oneFolder('src/sdk'), library('zod', 'axios')] },
    },
    {
      name: 'evm-knows-only-sdk-and-ethers',
      comment: 'The chain, without any framework; it runs in a script as well as in the hub.',
      severity: 'error',
      from: { path: oneFolder('src/evm'), pathNot: [spec, '^src/evm/testing/'] },
      to: {
        dependencyTypesNot: ['core'],
        pathNot: [oneFolder('src/evm'), '^src/sdk/index[.]ts$', library('ethers', '@noble/[^/]+', 'ws', 'yaml')],
      },
    },
    {
      name: 'the-engine-knows-no-framework',
      comment:
        'Plain functions on plain data: no Nest, no queue, no connector, no HTTP. A flow runs in a unit test in a millisecond.',
      severity: 'error',
      from: { path: oneFolder('src/engine'), pathNot: spec },
      to: {
        pathNot: [
          oneFolder('src/engine'),
          '^src/sdk/index[.]ts$',
          library('handlebars', 'yaml', 're2js'),
          '^(node:)?(crypto|buffer|util|perf_hooks|path|url)$',
        ],
      },
    },
    {
      name: 'platform-knows-no-feature-or-connector',
      comment: 'What every service needs and no business knows.',
      severity: 'error',
      from: { path: oneFolder('src/platform'), pathNot: spec },
      to: { path: oneFolder('src/(?!platform/|sdk/)[^/]+', 'connectors', 'sandbox') },
    },
    {
      name: 'features-meet-at-their-doors',
      comment: 'A room is entered by its index.ts: import `#runs`, never a file inside it.',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: { path: '^src/[^/]+/', pathNot: ['^src/$1/', '^src/[^/]+/index[.]ts$', forSpecs] },
    },
    {
      name: 'features-meet-at-their-doors',
      severity: 'error',
      from: { path: ['^src/[^/]+[.]ts$', '^(connectors|sandbox|bench)/'] },
      to: { path: '^src/[^/]+/', pathNot: ['^src/[^/]+/index[.]ts$', forSpecs] },
    },
    {
      name: 'what-is-for-specs-stays-in-specs',
      comment: 'The hub must not come to depend on what only pretends.',
      severity: 'error',
      from: { path: oneFolder('src', 'connectors', 'sandbox'), pathNot: [spec, forSpecs] },
      to: { path: forSpecs },
    },
    {
      name: 'features-know-no-connector',
      comment: 'The hub learns of connectors from the list that the application hands to the catalog.',
      severity: 'error',
      from: { path: oneFolder(...featureFolders, 'src/evm', 'src/engine'), pathNot: spec },
      to: { path: oneFolder('connectors') },
    },
    {
      name: 'connectors-use-only-the-sdk',
      comment: 'Of Patchbay a connector knows `#sdk` and `#evm`, and never another connector.',
      severity: 'error',
      from: { path: '^connectors/([^/]+)/', pathNot: spec },
      to: {
        path: ['^src/', '^connectors/', '^sandbox/'],
        pathNot: ['^src/(sdk|evm)/index[.]ts$', '^connectors/$1/'],
      },
    },
    {
      name: 'connectors-bring-one-client-library',
      comment: 'Everything else comes through the SDK. A new client library gets a line at the head of this file.',
      severity: 'error',
      from: {
        path: '^connectors/([^/]+)/',
        pathNot: [spec, ...Object.keys(clientLibraries).map((name) => `^connectors/${name}/`)],
      },
      to: { path: '(^|/)node_modules/', pathNot: library('ethers') },
    },
    ...Object.entries(clientLibraries).map(([connector, libraries]) => ({
      name: 'connectors-bring-one-client-library',
      severity: 'error',
      from: { path: `^connectors/${connector}/`, pathNot: spec },
      to: { path: '(^|/)node_modules/', pathNot: library(...libraries) },
    })),
    ...eachLibraryInOnePlace({
      jsforce: '^connectors/salesforce/salesforce[.]rest[.]ts$',
      bullmq: '^src/platform/queue/',
      handlebars: '^src/engine/',
      axios: '^src/platform/egress/',
      kysely: '^src/(?!sdk/|evm/|engine/)[^/]+/',
      commander: '^src/cli/',
    }),
    {
      name: 'nothing-imports-the-app',
      comment: 'The files that lie directly in src and the command line know everything; nothing knows them.',
      severity: 'error',
      from: { pathNot: ['^src/[^/]+[.]ts$', '^src/cli/', '^(test|bench|scripts)/'] },
      to: { path: ['^src/[^/]+[.]ts$', '^src/cli/'] },
    },
    {
      name: 'sandbox-is-alone',
      comment:
        'The stand-ins speak real protocols to whoever calls. They must not share code with what they are there to test.',
      severity: 'error',
      from: { path: oneFolder('sandbox'), pathNot: spec },
      to: { path: oneFolder('src', 'connectors') },
    },
    {
      name: 'the-hub-needs-no-sandbox',
      comment: 'Only the application starts the sandbox, for the quick start; a production image leaves it out.',
      severity: 'error',
      from: { path: oneFolder('src', 'connectors'), pathNot: [spec, '^src/[^/]+[.]ts$', '^src/cli/'] },
      to: { path: oneFolder('sandbox') },
    },
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one idea, or a third one is hiding.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      comment: 'Nothing imports this file and it imports nothing: it is not part of anything.',
      severity: 'error',
      from: { orphan: true, pathNot: [spec, '[.]d[.]ts$', '^scripts/', '^test/', '^bench/'] },
      to: {},
    },
    {
      name: 'no-unresolved-imports',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],

  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage|scratch|console)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'],
      mainFields: ['module', 'main', 'types'],
    },
    skipAnalysisNotInRules: true,
    progress: { type: 'none' },
    cache: false,
  },
};

function eachLibraryInOnePlace(places) {
  return Object.entries(places).map(([name, place]) => ({
    name: 'each-library-in-one-place',
    comment: 'When a library changes, one file changes with it.',
    severity: 'error',
    from: { path: oneFolder('src', 'connectors', 'sandbox'), pathNot: [spec, place, '^sandbox/'] },
    to: { path: library(name) },
  }));
}
