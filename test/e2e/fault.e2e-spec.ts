import { expect, it } from 'vitest';

import { runFaults } from '../fault/fault-run.js';

it('50 kills of api, worker, database and queue lose nothing that was acknowledged', async () => {
  const report = await runFaults({
    kills: 50,
    seed: Number(process.env['STOWAGE_FAULT_SEED'] ?? 20_261_121),
    redis: process.env['STOWAGE_TEST_MODE'] === 'services',
    say: (line) => process.stdout.write(`${line}\n`),
  });
  expect(report.violations).toEqual([]);
  expect(report.acknowledged).toBeGreaterThan(100);
  expect(Object.values(report.kills).reduce((sum, count) => sum + count, 0)).toBe(50);
}, 900_000);
