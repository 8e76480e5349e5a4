import prettier from 'eslint-config-prettier';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** Syntax that the house refuses everywhere; flat configuration replaces the list of a rule, so narrower blocks build on this one. */
const REFUSED = [
  { selector: 'ExportAllDeclaration', message: 'Export named things one by one: `export *` hides what a lib offers.' },
  {
    selector: 'CallExpression[callee.property.name="get"] > ObjectExpression > Property[key.name="strict"][value.value=false]',
    message: 'Import the module instead of reaching around it.',
  },
];
const NO_ENVIRONMENT = {
  selector: 'MemberExpression[object.name="process"][property.name="env"]',
  message: 'Only libs/config reads the environment.',
};

const refusedImports = (...patterns) => [
  'error',
  {
    paths: [{ name: '@nestjs/common', importNames: ['forwardRef'], message: 'A cycle between modules is a design error.' }],
    patterns,
  },
];

export default tseslint.config(
  { ignores: ['dist/**', '.stowage/**', '.cache/**', 'coverage/**', 'node_modules/**', 'apps/web/**', 'docs/api/**'] },
  {
    linterOptions: { reportUnusedDisableDirectives: 'error', noInlineConfig: true },
    rules: {
      'no-console': 'error',
      'no-restricted-syntax': ['error', ...REFUSED],
      'no-restricted-imports': refusedImports(),
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx', 'hack'], location: 'start' }],
      'constructor-super': 'error',
      'for-direction': 'error',
      'getter-return': 'error',
      'no-case-declarations': 'error',
      'no-cond-assign': ['error', 'except-parens'],
      'no-constant-binary-expression': 'error',
      'no-constant-condition': ['error', { checkLoops: 'allExceptWhileTrue' }],
      'no-debugger': 'error',
      'no-dupe-else-if': 'error',
      'no-duplicate-case': 'error',
      'no-empty': 'error',
      'no-empty-pattern': 'error',
      'no-eval': 'error',
      'no-extend-native': 'error',
      'no-fallthrough': 'error',
      'no-global-assign': 'error',
      'no-implied-eval': 'error',
      'no-irregular-whitespace': 'error',
      'no-loss-of-precision': 'error',
      'no-misleading-character-class': 'error',
      'no-new-func': 'error',
      'no-param-reassign': 'error',
      'no-prototype-builtins': 'error',
      'no-self-assign': 'error',
      'no-sparse-arrays': 'error',
      'no-unreachable': 'error',
      'no-unsafe-finally': 'error',
      'no-unsafe-optional-chaining': 'error',
      'no-unused-expressions': 'error',
      'no-useless-escape': 'error',
      'no-var': 'error',
      'object-shorthand': 'error',
      'use-isnan': 'error',
      'valid-typeof': 'error',
      eqeqeq: 'error',
      curly: ['error', 'multi-line'],
      'prefer-const': ['error', { destructuring: 'all', ignoreReadBeforeAssign: true }],
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/require-await': 'error',
      '@typescript-eslint/return-await': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all' }],
      // dependency injection reads the types of constructor parameters at run time, so imports of classes must stay imports of values
      '@typescript-eslint/consistent-type-imports': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
    },
  },
  {
    files: ['apps/**/*.ts', 'libs/**/*.ts', 'migrations/**/*.ts'],
    ignores: ['libs/config/**', '**/*.spec.ts'],
    rules: { 'no-restricted-syntax': ['error', ...REFUSED, NO_ENVIRONMENT] },
  },
  {
    // the runner's matchers and recorded answers are loosely typed by nature
    files: ['**/*.spec.ts', 'test/**/*.ts'],
    rules: {
      'no-restricted-syntax': ['error', REFUSED[0]],
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: { globals: globals.node },
    rules: { 'no-undef': 'error', 'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all' }] },
  },
  { files: ['scripts/**', 'test/bench/**', 'test/fault/**'], rules: { 'no-console': 'off' } },
  prettier,
);
