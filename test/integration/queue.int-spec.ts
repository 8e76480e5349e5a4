import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Database, UnitOfWork } from '#libs/database';
import { Correlation } from '#libs/observability';
import { FinalJobError, JobQueues, Outbox, OutboxRelay, PostponeJob, WorkerRuntime } from '#libs/queue';

import { available, createTestDatabase, type TestDatabase, testRedisUrl } from '../support/services.js';
import { createProducer, createWorker, eventually, handlers, LogLines, type Services, startWorker } from './queue-harness.js';

const BACKENDS = available.redis ? (['postgresql', 'redis'] as const) : (['postgresql'] as const);

describe.each(BACKENDS)('queue on %s', (backend) => {
  let database: TestDatabase;
  let services: Services;
  const cleanups: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    database = await createTestDatabase();
    services = { databaseUrl: database.url, redisUrl: backend === 'redis' ? await testRedisUrl() : undefined };
  });

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    await database.drop();
  });

  const worker: typeof startWorker = async (...args) => {
    const started = await startWorker(...args);
    cleanups.push(started.stop);
    return started;
  };

  const producer = async () => {
    const app = await createProducer(services);
    cleanups.push(() => app.close());
    return { outbox: app.get(Outbox), unitOfWork: app.get(UnitOfWork), database: app.get(Database) };
  };

  it('delivers what was committed, once, with its correlation id, and nothing that was rolled back', async () => {
    const seen: unknown[] = [];
    const { outbox, unitOfWork, database: db } = await producer();
    await worker(services, { jobs: { 'nodes.purge-space': (payload) => void seen.push([payload, Correlation.current()]) } });
    const lost = Correlation.run('lost', () =>
      unitOfWork.run(async () => {
        await outbox.add('nodes.purge-space', { spaceId: 'rolled-back' });
        throw new Error('roll back');
      }),
    );
    await expect(lost).rejects.toThrow('roll back');
    await Correlation.run('request-1', () => unitOfWork.run(() => outbox.add('nodes.purge-space', { spaceId: 'committed' })));
    await eventually(() => seen.length > 0);
    await eventually(async () => (await db.queryOne<{ n: number }>('SELECT count(*) AS n FROM outbox'))?.n === 0);
    await Correlation.run('request-2', () => outbox.add('nodes.purge-space', { spaceId: 'later' }));
    await eventually(() => seen.length > 1);
    expect(seen).toEqual([
      [{ spaceId: 'committed' }, 'request-1'],
      [{ spaceId: 'later' }, 'request-2'],
    ]);
  });

  it('holds a delayed job back', async () => {
    const times: number[] = [];
    const { outbox } = await producer();
    await worker(services, { jobs: { 'nodes.purge-space': () => void times.push(performance.now()) } });
    const begun = performance.now();
    await outbox.add('nodes.purge-space', { spaceId: 'a' }, { delayMs: 1_500 });
    await eventually(() => times.length > 0);
    expect(times[0]! - begun).toBeGreaterThanOrEqual(1_400);
  });

  it('absorbs rows that are sent again because the relay died between adding and deleting', async () => {
    const seen: string[] = [];
    const { outbox, database: db } = await producer();
    const app = await createWorker(services, {
      jobs: { 'nodes.purge-space': (payload) => void seen.push((payload as { spaceId: string }).spaceId) },
    });
    cleanups.push(async () => {
      await app.get(WorkerRuntime).stop(3_000);
      await app.close();
    });
    const queues = app.get(JobQueues);
    await queues.open();
    for (let i = 0; i < 20; i++) await outbox.add('nodes.purge-space', { spaceId: String(i) });
    const died = app.get(UnitOfWork).run(async () => {
      await app.get(OutboxRelay).pass();
      throw new Error('killed before the commit');
    });
    await expect(died).rejects.toThrow('killed');
    expect(await db.queryOne('SELECT count(*) AS n FROM outbox')).toEqual({ n: 20 });
    expect((await queues.counts('bulk')).due).toBe(20);
    await queues.close();
    await app.get(WorkerRuntime).start([]);
    await eventually(async () => (await db.queryOne<{ n: number }>('SELECT count(*) AS n FROM outbox'))?.n === 0);
    await eventually(() => seen.length >= 20);
    await eventually(async () => {
      const { due, active } = await queues.counts('bulk');
      return due + active === 0;
    });
    expect(seen.length).toBe(20);
    expect(new Set(seen).size).toBe(20);
  });

  it('tries again after an error, tells the last one to the failure hook, and stops at once for a final error', async () => {
    const attempts: string[] = [];
    const failures: string[] = [];
    const { outbox } = await producer();
    const { app } = await worker(services, {
      jobs: {
        'nodes.purge-space': (payload, { attempt }) => {
          const { spaceId } = payload as { spaceId: string };
          attempts.push(`${spaceId}${attempt}`);
          if (spaceId === 'final') throw new FinalJobError('no use');
          if (attempt < 2) throw new Error('not yet');
        },
        'blobs.collect': () => {
          throw new Error('only one attempt');
        },
      },
      failed: (name, error) => failures.push(`${name}: ${(error as Error).message}`),
    });
    await outbox.add('nodes.purge-space', { spaceId: 'final' });
    await outbox.add('nodes.purge-space', { spaceId: 'again' });
    await outbox.add('blobs.collect', {});
    await eventually(() => attempts.includes('again2') && failures.length === 2);
    expect(attempts.filter((text) => text.startsWith('final'))).toEqual(['final1']);
    expect(failures.sort()).toEqual(['blobs.collect: only one attempt', 'nodes.purge-space: no use']);
    await eventually(async () => (await app.get(JobQueues).counts('bulk')).failed === 1);
  });

  it('returns a postponed job to the queue without a lost attempt', async () => {
    const runs: number[] = [];
    const { outbox } = await producer();
    await worker(services, {
      jobs: {
        'blobs.collect': (_, { attempt }) => {
          runs.push(attempt);
          if (runs.length < 3) throw new PostponeJob(100);
        },
      },
    });
    await outbox.add('blobs.collect', {});
    await eventually(() => runs.length === 3);
    expect(runs).toEqual([1, 1, 1]);
  });

  it('stops in order: a running job ends or goes back, and runs elsewhere at once', async () => {
    const { outbox } = await producer();
    let started = false;
    const first = await startWorker(services, {
      jobs: {
        'nodes.purge-space': (_, { signal }) =>
          new Promise<void>((_resolve, reject) => {
            started = true;
            signal.addEventListener('abort', () => reject(signal.reason as Error));
          }),
      },
    });
    await outbox.add('nodes.purge-space', { spaceId: 'x' });
    await eventually(() => started);
    const begun = performance.now();
    await first.stop();
    expect(performance.now() - begun).toBeLessThan(10_000);
    const attempts: number[] = [];
    await worker(services, { jobs: { 'nodes.purge-space': (_, { attempt }) => void attempts.push(attempt) } });
    await eventually(() => attempts.length > 0, 5_000);
    expect(attempts).toEqual([1]);
  });

  it('runs a schedule once a period however many workers there are, also when they start together and again', async () => {
    const runs: number[] = [];
    const behaviour = { jobs: { 'derived.expire': () => void runs.push(performance.now()) } };
    const schedules = [{ job: 'derived.expire', everyMs: 1_000 }] as const;
    await Promise.all([worker(services, behaviour, { schedules }), worker(services, behaviour, { schedules })]);
    await eventually(() => runs.length >= 2);
    await worker(services, behaviour, { schedules });
    await eventually(() => runs.length >= 5);
    const gaps = runs.slice(1).map((at, index) => at - runs[index]!);
    // the first run is at once, the second at the next full second; from then on one a period
    expect(Math.min(...gaps.slice(1))).toBeGreaterThan(500);
  });

  it('does not boot without a handler, or with two', async () => {
    const all = handlers({});
    await expect(createWorker(services, {}, new LogLines(), all.slice(1))).rejects.toThrow(
      /every job needs exactly one handler, but there are no handler for mail\.send/,
    );
    await expect(createWorker(services, {}, new LogLines(), [...all, ...handlers({}).slice(0, 1)])).rejects.toThrow(/2 handlers for mail\.send/);
    await expect(createWorker(services, {}, new LogLines(), all.slice(0, -1))).rejects.toThrow(/every task needs exactly one handler/);
  });

  it('lets a job that no build knows fail loudly, and leaves an unknown row in the outbox', async () => {
    const logs = new LogLines();
    const { database: db } = await producer();
    await db.run(`INSERT INTO outbox (job, payload) VALUES ('from.the-future', '{}')`);
    const { app } = await worker(services, {}, { logs });
    await app.get(JobQueues).get('fast').add('from.the-past', { payload: {}, correlationId: null }, { attempts: 5 });
    await eventually(() => logs.lines.some((line) => line['job'] === 'from.the-past' && line['level'] === 50));
    await eventually(() => logs.lines.some((line) => JSON.stringify(line['jobs']) === '["from.the-future"]'));
    await eventually(async () => (await app.get(JobQueues).counts('fast')).failed === 1);
    expect(await db.queryOne('SELECT count(*) AS n FROM outbox')).toEqual({ n: 1 });
  });

  it('survives a database that goes away, without a storm of errors, and resumes by itself', async () => {
    const seen: string[] = [];
    const logs = new LogLines();
    const { outbox } = await producer();
    await worker(services, { jobs: { 'nodes.purge-space': (payload) => void seen.push((payload as { spaceId: string }).spaceId) } }, { logs });
    await outbox.add('nodes.purge-space', { spaceId: 'before' });
    await eventually(() => seen.includes('before'));
    const admin = new pg.Client({ connectionString: process.env.STOWAGE_TEST_PG_URL });
    await admin.connect();
    cleanups.push(() => admin.end());
    const name = new URL(services.databaseUrl).pathname.slice(1);
    await admin.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS false`);
    await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
    const cpu = process.cpuUsage();
    const lines = logs.lines.length;
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const used = process.cpuUsage(cpu);
    const busyMs = (used.user + used.system) / 1_000;
    const logged = logs.lines.slice(lines).filter((line) => Number(line['level']) >= 40).length;
    await admin.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS true`);
    const back = performance.now();
    await eventually(() =>
      outbox.add('nodes.purge-space', { spaceId: 'after' }).then(
        () => true,
        () => false,
      ),
    );
    await eventually(() => seen.includes('after'), 15_000);
    process.stdout.write(
      `${backend}: ${busyMs.toFixed(0)} ms of CPU and ${logged} warnings in 3 s without a database, resumed after ${(performance.now() - back).toFixed(0)} ms\n`,
    );
    expect(busyMs).toBeLessThan(1_500);
    expect(logged).toBeLessThan(40);
  });

  it('starts a job within half a second of its commit', async () => {
    const { outbox } = await producer();
    let done = 0;
    const waits: number[] = [];
    await worker(services, { jobs: { 'blobs.collect': () => void (done = performance.now()) } });
    for (let i = 0; i < 20; i++) {
      done = 0;
      const begun = performance.now();
      await outbox.add('blobs.collect', {});
      await eventually(() => done > 0);
      waits.push(done - begun);
    }
    waits.sort((a, b) => a - b);
    process.stdout.write(`job latency on ${backend}: median ${waits[10]!.toFixed(1)} ms, p95 ${waits[18]!.toFixed(1)} ms\n`);
    expect(waits[10]!).toBeLessThan(500);
  });
});
