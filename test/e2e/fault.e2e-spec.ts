import { expect, it } from 'vitest';

import { runFaults } from '../fault/fault-run.js';

const services = process.env['STOWAGE_TEST_MODE'] === 'services';
// a whole suite kills 50 times; most of it where Redis is among the victims
const kills = Number(process.env['STOWAGE_FAULT_KILLS'] ?? (services ? 35 : 15));
const seed = Number(process.env['STOWAGE_FAULT_SEED'] ?? 20_261_121);

it(
  `${kills} kills of api, worker, database and queue (seed ${seed}) lose nothing that was acknowledged`,
  async () => {
    const say = (line: string) => void process.stdout.write(`${line}\n`);
    const report = await runFaults({ kills, seed, redis: services, say });
    say(
      `kills ${JSON.stringify(report.kills)}, ${report.acknowledged} operations acknowledged, ${report.cutOff} cut off, ${report.violations.length} violations`,
    );
    expect(report.violations).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(kills * 2);
    expect(Object.values(report.kills).reduce((sum, count) => sum + count, 0)).toBe(kills);
  },
  Math.max(900_000, kills * 20_000),
);
