import { describe, expect, it } from 'vitest';

import { HealthService } from './health.service.js';

const well = (): Promise<void> => Promise.resolve();
const ill = (): Promise<void> => Promise.reject(new Error('away'));

describe('the report of health', () => {
  it.each([
    ['nothing is watched', [], 'ok'],
    ['all is well', [well, well], 'ok'],
    ['a service with a stand-in is away', [well, ill], 'degraded'],
    ['a service without a stand-in is away', [ill, well], 'unavailable'],
    ['both are away', [ill, ill], 'unavailable'],
  ] as const)('when %s', async (_, [needed, helpful], status) => {
    const health = new HealthService();
    if (needed) health.register('needed', needed);
    if (helpful) health.register('helpful', helpful, 'degraded');
    expect((await health.report()).status).toBe(status);
  });

  it('names each check with its reason, without secrets, whatever a failure means', async () => {
    const health = new HealthService();
    health.register('database', well);
    health.register('redis', () => Promise.reject(new Error('redis://u:pw@host is away')), 'degraded');
    expect(await health.report()).toEqual({
      status: 'degraded',
      checks: { database: { ok: true }, redis: { ok: false, error: 'redis://[redacted]@host is away' } },
    });
  });

  it('takes a check that throws at once, or never answers, for a failure', async () => {
    const health = new HealthService();
    health.register('broken', () => {
      throw new Error('not open');
    });
    health.register('silent', () => new Promise(() => undefined), 'degraded');
    expect(await health.report()).toEqual({
      status: 'unavailable',
      checks: { broken: { ok: false, error: 'not open' }, silent: { ok: false, error: 'no answer within 2000 ms' } },
    });
  });

  it('replaces a check of the same name, with what its failure means', async () => {
    const health = new HealthService();
    health.register('queue', ill);
    health.register('queue', ill, 'degraded');
    expect((await health.report()).status).toBe('degraded');
    health.register('queue', well);
    expect((await health.report()).status).toBe('ok');
  });
});
