import tseslint from 'typescript-eslint';

const production = ['src/**/*.ts', 'connectors/**/*.ts'];
const specs = ['**/*.spec.ts', 'test/**/*.ts'];

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'scratch/', '.patchbay/', 'console/', 'contracts/abi/', 'connectors/zapier/app/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },

  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-else-return': 'error',
      'no-console': 'error',
      'max-lines': ['error', 400],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportAllDeclaration', message: 'A door lists what it offers: name the exports.' },
      ],

      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // A file with decorators is left alone by the rule itself: Nest reads the emitted types of constructor parameters,
      // so these imports must stay values.
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-import-type-side-effects': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        {
          argsIgnorePattern: '^_',
          varsIgnorePattern: '^_',
          destructuredArrayIgnorePattern: '^_',
          ignoreRestSiblings: true,
        },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // What was caught or is the reason of a signal is passed on as it is.
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true, allowThrowingAny: false }],
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
      // What flows and other systems hand in is unknown by nature, and must become text somewhere.
      '@typescript-eslint/no-base-to-string': 'off',
      // A port promises to wait even where this implementation has nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      // A Nest module is an empty class on which the decorator hangs everything.
      '@typescript-eslint/no-extraneous-class': 'off',
    },
  },

  {
    files: production,
    ignores: [...specs, 'src/platform/config/**', 'src/cli/**', 'src/main.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'Settings come from #platform; only its config folder reads the environment.',
        },
      ],
    },
  },

  {
    // The engine has no clock of its own: time is an input, so that a run can be repeated exactly.
    files: ['src/engine/**/*.ts'],
    ignores: specs,
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportAllDeclaration', message: 'A door lists what it offers: name the exports.' },
        { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: 'Take the time from `now()`.' },
        {
          selector: 'MemberExpression[object.name="Date"][property.name="now"]',
          message: 'Take the time from `now()`.',
        },
      ],
    },
  },

  {
    // What people read in a terminal is printed there.
    files: ['src/cli/**/*.ts', 'sandbox/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts', 'contracts/build.ts'],
    rules: { 'no-console': 'off' },
  },

  {
    files: specs,
    rules: {
      // As long as its stories.
      'max-lines': 'off',
      // A spec reads answers of servers and libraries, and compares them; it need not narrow them first.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
