import { createProjectGraphAsync } from '@nx/devkit';
import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

// The layer rule reads the project graph from Nx's cache, and without one checks nothing: make it, current, first.
process.env.NX_DAEMON ??= 'false';
await createProjectGraphAsync();

/**
 * Who may depend on whom, by the tags in each package.json. A library knows nothing of the services; a service knows no
 * other service, only its contract; only the command line and the tests may start services.
 */
const DEPENDENCIES = [
  { sourceTag: 'type:lib', onlyDependOnLibsWithTags: ['type:lib'] },
  { sourceTag: 'type:service', onlyDependOnLibsWithTags: ['type:lib'] },
  { sourceTag: 'type:app', onlyDependOnLibsWithTags: ['type:lib', 'type:service'] },
  { sourceTag: 'type:setup', onlyDependOnLibsWithTags: ['type:setup'] },
  { sourceTag: 'type:test', onlyDependOnLibsWithTags: ['*'] },
  { sourceTag: 'layer:pure', onlyDependOnLibsWithTags: ['layer:pure'] },
  { sourceTag: 'layer:contract', onlyDependOnLibsWithTags: ['layer:pure'] },
  { sourceTag: 'layer:model', onlyDependOnLibsWithTags: ['layer:pure', 'layer:contract'] },
  { sourceTag: 'layer:infra', onlyDependOnLibsWithTags: ['layer:pure', 'layer:contract', 'layer:infra'] },
  { sourceTag: 'layer:backend', onlyDependOnLibsWithTags: ['layer:pure', 'layer:contract', 'layer:model'] },
  {
    sourceTag: 'layer:engine',
    onlyDependOnLibsWithTags: ['layer:pure', 'layer:contract', 'layer:model', 'layer:infra', 'layer:backend'],
  },
];

export default tseslint.config(
  { ignores: ['**/dist/', '**/node_modules/', '.nx/', 'coverage/', 'runs/', 'libs/contracts/src/gen/'] },
  {
    files: ['**/*.ts', '**/*.tsx', '**/*.mjs', '**/*.js'],
    plugins: { '@nx': nx },
    languageOptions: { parser: tseslint.parser },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          allow: [],
          allowCircularSelfDependency: false,
          depConstraints: DEPENDENCIES,
          enforceBuildableLibDependency: false,
        },
      ],
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['@mpa/*/*', '!@mpa/*/package.json', '!@mpa/*/testing'],
              message: 'Import a package by its entry point.',
            },
          ],
        },
      ],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.recommendedTypeCheckedOnly],
    languageOptions: {
      parserOptions: {
        projectService: {
          allowDefaultProject: [
            'vitest.config.ts',
            'vitest.interop.config.ts',
            'vitest.kubernetes.config.ts',
            'libs/console/vite.config.ts',
          ],
        },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      // An implementation of an asynchronous interface need not wait for anything.
      '@typescript-eslint/require-await': 'off',
      // Objects of arrow functions are typed by interfaces with method signatures here; they have no `this` to lose.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  { files: ['libs/setup/**', 'libs/cli/**', 'test/**'], rules: { 'no-console': 'off' } },
  prettier,
);
