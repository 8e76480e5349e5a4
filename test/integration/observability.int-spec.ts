import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { describe, expect, it } from 'vitest';

import { Correlation, HealthService, Metrics, observabilityHandler } from '#libs/observability';

import { LogLines } from './queue-harness.js';

describe('health and metrics over HTTP', () => {
  async function serve<T>(health: HealthService, metrics: Metrics, use: (url: string) => Promise<T>): Promise<T> {
    const handler = observabilityHandler(health, metrics);
    const server = createServer((request, response) => {
      if (!handler(request, response)) response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  it('is live at once, and ready when every check passes; a failing or silent check is named with its reason', async () => {
    const health = new HealthService();
    await serve(health, new Metrics(), async (url) => {
      expect((await fetch(`${url}/health/live`)).status).toBe(200);
      health.register('database', () => Promise.resolve());
      expect(await (await fetch(`${url}/health/ready`)).json()).toEqual({ status: 'ok', checks: { database: { ok: true } } });
      health.register('queue', () => Promise.reject(new Error('connect redis://u:pw@host failed')));
      health.register('store', () => new Promise(() => undefined));
      const answer = await fetch(`${url}/health/ready?x=1`);
      expect(answer.status).toBe(503);
      expect(await answer.json()).toEqual({
        status: 'unavailable',
        checks: {
          database: { ok: true },
          queue: { ok: false, error: 'connect redis://[redacted]@host failed' },
          store: { ok: false, error: 'no answer within 2000 ms' },
        },
      });
      expect((await fetch(`${url}/health/live`)).status).toBe(200);
      expect((await fetch(`${url}/health/live`, { method: 'POST' })).status).toBe(405);
      expect((await fetch(`${url}/else`)).status).toBe(404);
    });
  });

  it('shows requests by route, jobs, pool, bytes, event-loop lag and process figures', async () => {
    const metrics = new Metrics();
    metrics.httpRequest({ method: 'GET', route: '/api/1/metadata/*', status: 200 }, 0.004);
    metrics.jobRun('mail.send', 'failed', 2);
    metrics.jobWait('mail.send', 0.2);
    metrics.bytes('in', 10);
    metrics.watchPool({ totalCount: 3, idleCount: 2, waitingCount: 1 });
    metrics.gauge('stowage_queue_depth', 'depth', 'queue', () => Promise.reject(new Error('away')));
    await serve(new HealthService(), metrics, async (url) => {
      const answer = await fetch(`${url}/metrics`);
      const text = await answer.text();
      expect(answer.headers.get('content-type')).toContain('text/plain');
      for (const line of [
        'stowage_http_request_duration_seconds_bucket{le="0.005",method="GET",route="/api/1/metadata/*",status="200"} 1',
        'stowage_job_duration_seconds_count{job="mail.send",outcome="failed"} 1',
        'stowage_job_wait_seconds_count{job="mail.send"} 1',
        'stowage_bytes_total{direction="in"} 10',
        'stowage_pg_pool_connections{state="waiting"} 1',
      ]) {
        expect(text).toContain(line);
      }
      expect(text).toMatch(/nodejs_eventloop_lag_seconds [\d.e-]+/);
      expect(text).toContain('process_resident_memory_bytes');
    });
  });

  it('writes JSON lines with the correlation id and without secrets', () => {
    const logs = new LogLines();
    Correlation.run('abc', () => logs.logger.with({ part: 'x' }).warn('seen ?sig=1234', { password: 'p', error: new Error('boom') }));
    expect(logs.lines[0]).toMatchObject({
      level: 40,
      msg: 'seen ?sig=[redacted]',
      part: 'x',
      correlationId: 'abc',
      password: '[redacted]',
      err: { message: 'boom' },
    });
    Correlation.run('not acceptable\n', () => expect(Correlation.current()).toMatch(/^[0-9a-f]{16}$/));
  });
});
