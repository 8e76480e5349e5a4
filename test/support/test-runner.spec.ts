import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { findProgram } from '../../scripts/lib/debian-packages.mjs';
import { parseTestOptions } from '../../scripts/lib/test-options.mjs';
import { countTests } from '../../scripts/lib/test-stages.mjs';

const report = (passed: number, failed: number, files: { status: string; tests: string[] }[]) => ({
  numPassedTests: passed,
  numFailedTests: failed,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: files.map(({ status, tests }) => ({ status, assertionResults: tests.map((each) => ({ status: each })) })),
});

describe('counting a vitest report', () => {
  it.each([
    ['all is well', report(2, 0, [{ status: 'passed', tests: ['passed', 'passed'] }]), 0, { passed: 2, failed: 0 }],
    ['a test failed', report(1, 1, [{ status: 'failed', tests: ['passed', 'failed'] }]), 1, { passed: 1, failed: 1 }],
    ['a file could not be loaded', report(0, 0, [{ status: 'failed', tests: [] }]), 1, { passed: 0, failed: 1 }],
    ['a hook failed after good tests', report(1, 0, [{ status: 'failed', tests: ['passed'] }]), 1, { passed: 1, failed: 1 }],
    [
      'the run ended badly without a culprit',
      report(3, 0, [{ status: 'passed', tests: ['passed', 'passed', 'passed'] }]),
      1,
      { passed: 3, failed: 1 },
    ],
    ['there is no report', undefined, 0, { passed: 0, failed: 1 }],
  ])('when %s', (_, given, code, expected) => {
    expect(countTests(given, code)).toEqual({ ...expected, skipped: 0 });
  });
});

describe('options of the test runner', () => {
  it('are the whole run when there are none', () => {
    expect(parseTestOptions([])).toEqual({
      stages: ['static', 'unit', 'integration', 'e2e-embedded', 'e2e-services'],
      without: [],
      serve: false,
      help: false,
      vitestArgs: [],
    });
  });

  it('leave everything after -- to vitest', () => {
    expect(parseTestOptions(['--only', 'unit', '--without', 's3', '--without', 'browser', '--', 'file', '--only'])).toMatchObject({
      stages: ['unit'],
      without: ['s3', 'browser'],
      vitestArgs: ['file', '--only'],
    });
  });

  it.each([[['--only', 'everything']], [['--only']], [['--without', 'postgres']], [['--fast']]])('refuse %j', (words) => {
    expect(() => parseTestOptions(words)).toThrow(/Usage: npm test/);
  });
});

describe('programs in PATH', () => {
  it('are found behind folders that cannot be looked into', () => {
    const dir = mkdtempSync(join(tmpdir(), 'stowage-path-'));
    try {
      symlinkSync(join(dir, 'loop'), join(dir, 'loop'));
      writeFileSync(join(dir, 'tool'), '');
      expect(findProgram('tool', `${dir}/loop:${dir}/missing:${dir}`)).toBe(join(dir, 'tool'));
      expect(findProgram('tool', `${dir}/loop`)).toBeUndefined();
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
