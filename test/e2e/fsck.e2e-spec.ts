import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Stack, startStack } from '../support/stack.js';

describe('the command that compares ledger and store', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack();
  });
  afterAll(async () => {
    await stack?.stop();
  });

  const run = (...args: string[]) =>
    spawnSync(process.execPath, [resolve('dist/apps/worker/src/fsck.js'), ...args], { env: { ...stack.env }, encoding: 'utf8' });

  it('runs beside a running Stowage, and finds nothing wrong with a new one', () => {
    const { status, stdout, stderr } = run('--deep');
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: expect.stringMatching(/^0 objects .*: 0 findings\n$/), stderr: '' });
  });

  it('says what options there are', () => {
    const { status, stderr } = run('--repair');
    expect(status).toBe(2);
    expect(stderr).toContain('--quarantine');
  });
});
