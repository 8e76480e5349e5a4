import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Database, UnitOfWork } from '#libs/database';
import { type Actor, DomainError, newId, SYSTEM_ACTOR } from '#libs/kernel';
import { JobQueues, Outbox } from '#libs/queue';
import { type TaskContext, TaskService } from '#libs/tasks';

import { available, createTestDatabase, type TestDatabase, testRedisUrl } from '../support/services.js';
import { type Behaviour, createProducer, eventually, type Services, startWorker } from './queue-harness.js';

const BACKENDS = available.redis ? (['postgresql', 'redis'] as const) : (['postgresql'] as const);

describe.each(BACKENDS)('tasks on %s', (backend) => {
  let database: TestDatabase;
  let services: Services;
  let tasks: TaskService;
  let db: Database;
  let unitOfWork: UnitOfWork;
  let outbox: Outbox;
  const cleanups: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    database = await createTestDatabase();
    services = { databaseUrl: database.url, redisUrl: backend === 'redis' ? await testRedisUrl() : undefined };
    const app = await createProducer(services);
    cleanups.push(() => app.close());
    tasks = app.get(TaskService);
    db = app.get(Database);
    unitOfWork = app.get(UnitOfWork);
    outbox = app.get(Outbox);
  });

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    await database.drop();
  });

  async function work(behaviour: Behaviour['tasks']) {
    const started = await startWorker(services, { tasks: behaviour });
    cleanups.push(started.stop);
    return started.app;
  }

  const start = async (input: object = {}) => (await tasks.start(SYSTEM_ACTOR, 'files.purge', input)).publicId;
  const ended = (id: string, limitMs?: number) =>
    eventually(async () => {
      const task = await tasks.get(SYSTEM_ACTOR, id);
      return task.finishedMs !== null && task;
    }, limitMs);

  it('runs a task with its input to its result', async () => {
    await work({ 'files.purge': (input) => Promise.resolve({ echo: input }) });
    const id = await start({ names: ['ä', 'b'] });
    expect(id).toMatch(/^[0-9a-f]{128}$/);
    expect(await ended(id)).toMatchObject({ state: 'succeeded', progress: 100, result: { echo: { names: ['ä', 'b'] } }, error: null });
    expect((await tasks.latest(SYSTEM_ACTOR, 'files.purge'))?.publicId).toBe(id);
    expect(await tasks.latest(SYSTEM_ACTOR, 'trash.clear')).toBeNull();
  });

  it('leaves no task behind when the transaction that starts it is rolled back', async () => {
    const attempt = unitOfWork.run(async () => {
      await start();
      throw new Error('roll back');
    });
    await expect(attempt).rejects.toThrow('roll back');
    expect(await db.queryOne('SELECT (SELECT count(*) FROM tasks) AS tasks, (SELECT count(*) FROM outbox) AS jobs')).toEqual({ tasks: 0, jobs: 0 });
  });

  it('shows a task to its starter only', async () => {
    const account = await db.queryOne<{ id: number }>('INSERT INTO accounts DEFAULT VALUES RETURNING id');
    const other = (accountId: number): Actor => ({ kind: 'account', accountId, companyId: null, role: 'user', tokenId: null });
    const { publicId } = await tasks.start(other(account!.id), 'files.purge', {});
    expect((await tasks.get(other(account!.id), publicId)).state).toBe('waiting');
    expect((await tasks.get(SYSTEM_ACTOR, publicId)).state).toBe('waiting');
    for (const call of ['get', 'cancel', 'retry'] as const) {
      await expect(tasks[call](other(account!.id + 1), publicId)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    }
    await expect(tasks.get(SYSTEM_ACTOR, "' OR 1=1")).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  });

  it('shows the task of a guest to whoever knows its id, and never takes a guest for the house', async () => {
    const guest: Actor = { kind: 'guest', pass: 'link', passId: newId(), rootId: newId(), spaceId: newId(), issuerId: 1 };
    const { publicId } = await tasks.start(guest, 'files.purge', {});
    const house = await start();
    for (const actor of [guest, null, SYSTEM_ACTOR, { ...guest, passId: newId() }]) {
      expect(await tasks.get(actor, publicId)).toMatchObject({ state: 'waiting', guest });
    }
    for (const actor of [guest, null]) await expect(tasks.get(actor, house)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    expect((await tasks.latest(SYSTEM_ACTOR, 'files.purge'))?.publicId).toBe(house);
    expect(await tasks.latest(guest, 'files.purge')).toBeNull();
  });

  it('fails with words for the user: a refusal says why, a defect does not show itself', async () => {
    const app = await work({
      'files.purge': (input) => {
        if ((input as { refuse: boolean }).refuse) throw new DomainError('QUOTA_EXCEEDED', 'There is not enough space left.');
        throw new DomainError('INTERNAL', 'connection to 10.0.0.1 refused');
      },
    });
    const refused = await ended(await start({ refuse: true }));
    expect(refused).toMatchObject({ state: 'failed', error: { code: 'QUOTA_EXCEEDED', message: 'There is not enough space left.' } });
    // a job with two attempts instead of the catalogue's, for the sake of a short test
    const defect = await unitOfWork.run(async () => {
      const id = await start({ refuse: false });
      await db.run('DELETE FROM outbox');
      return id;
    });
    const row = await db.queryOne<{ id: string }>('SELECT id FROM tasks WHERE public_id = $1', [defect]);
    const envelope = { payload: { taskId: row!.id, kind: 'files.purge' }, correlationId: null };
    await app
      .get(JobQueues)
      .get('bulk')
      .add('tasks.run', envelope, { attempts: 2, backoff: { type: 'fixed', delay: 500 } });
    await eventually(async () => (await db.queryOne<{ attempts: number }>('SELECT attempts FROM tasks WHERE id = $1', [row!.id]))!.attempts === 1);
    expect((await tasks.get(SYSTEM_ACTOR, defect)).error).toBeNull();
    const broken = await ended(defect);
    expect(await db.queryOne('SELECT attempts FROM tasks WHERE id = $1', [row!.id])).toEqual({ attempts: 2 });
    expect(broken).toMatchObject({ state: 'failed', error: { code: 'TASK_FAILED' } });
    expect(broken.error!.message).not.toContain('10.0.0.1');
  });

  it('cancels a waiting task at once and a running one at its next batch; both can be run again from their checkpoint', async () => {
    const waiting = await start();
    expect((await tasks.cancel(SYSTEM_ACTOR, waiting)).state).toBe('cancelled');
    const checkpoints: unknown[] = [];
    let endless = true;
    await work({
      'files.purge': async (_, context: TaskContext) => {
        checkpoints.push(context.checkpoint);
        for (let batch = 1; endless; batch++) {
          await context.throwIfCancelled();
          await unitOfWork.run(() => context.saveProgress(7, { batch }));
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        return 'done';
      },
    });
    const running = await start();
    await eventually(async () => (await tasks.get(SYSTEM_ACTOR, running)).progress > 0);
    await expect(tasks.retry(SYSTEM_ACTOR, running)).rejects.toMatchObject({ code: 'TASK_RUNNING' });
    await tasks.cancel(SYSTEM_ACTOR, running);
    expect((await ended(running)).state).toBe('cancelled');
    expect(checkpoints).toEqual([null]);
    endless = false;
    await tasks.retry(SYSTEM_ACTOR, running);
    expect(await ended(running)).toMatchObject({ state: 'succeeded', result: 'done' });
    expect(checkpoints[1]).toMatchObject({ batch: expect.any(Number) as number });
    await expect(tasks.retry(SYSTEM_ACTOR, running)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('rolls progress back with the batch it belongs to', async () => {
    await work({
      'files.purge': async (_, context) => {
        await unitOfWork.run(() => context.saveProgress(10, { batch: 1 }));
        await unitOfWork
          .run(async () => {
            await context.saveProgress(90, { batch: 2 });
            throw new Error('the batch failed');
          })
          .catch(() => undefined);
        throw new DomainError('FORBIDDEN', 'stop here');
      },
    });
    const id = await start();
    expect(await ended(id)).toMatchObject({ state: 'failed', progress: 10 });
    expect(await db.queryOne('SELECT checkpoint FROM tasks WHERE public_id = $1', [id])).toEqual({ checkpoint: { batch: 1 } });
  });

  it('never runs one task twice at the same time, however many jobs it has', async () => {
    let now = 0;
    let most = 0;
    let runs = 0;
    await work({
      'files.purge': async () => {
        runs++;
        most = Math.max(most, ++now);
        await new Promise((resolve) => setTimeout(resolve, 300));
        now--;
        return null;
      },
    });
    const id = await start();
    const row = await db.queryOne<{ id: string }>('SELECT id FROM tasks WHERE public_id = $1', [id]);
    for (let i = 0; i < 5; i++) await outbox.add('tasks.run', { taskId: row!.id, kind: 'files.purge' });
    await ended(id);
    expect([most, runs]).toEqual([1, 1]);
  });

  it('continues from the checkpoint in another worker after SIGKILL, within 20 s', async () => {
    const child = fork(join(import.meta.dirname, 'tasks-child.ts'), {
      execArgv: ['--conditions=stowage-source', '--import', join(import.meta.dirname, 'run-typescript.mjs')],
      env: { PATH: process.env.PATH, TEST_DATABASE_URL: services.databaseUrl, TEST_REDIS_URL: services.redisUrl ?? '' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    cleanups.push(() => Promise.resolve(void child.kill('SIGKILL')));
    let saved = 0;
    child.on('message', (message: { batch?: number }) => (saved = message.batch ?? saved));
    await once(child, 'message');
    const id = await start();
    await eventually(() => saved >= 5);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const killed = performance.now();
    let resumedAt = 0;
    await work({
      'files.purge': (_, context) => {
        resumedAt = (context.checkpoint as { batch: number }).batch;
        return Promise.resolve('resumed');
      },
    });
    expect(await ended(id, 30_000)).toMatchObject({ state: 'succeeded', result: 'resumed' });
    process.stdout.write(`${backend}: resumed ${((performance.now() - killed) / 1_000).toFixed(1)} s after SIGKILL\n`);
    expect(resumedAt).toBeGreaterThanOrEqual(saved);
    expect(performance.now() - killed).toBeLessThan(20_000);
  });

  it('finds tasks whose jobs were lost with the queue, and forgets old finished ones', async () => {
    const lost = await start();
    const stuck = await start();
    const old = await start();
    await db.run('DELETE FROM outbox');
    await db.run(`UPDATE tasks SET updated_at = now() - interval '2 minutes'`);
    await db.run(`UPDATE tasks SET state = 'running', started_at = now() WHERE public_id = $1`, [stuck]);
    await db.run(`UPDATE tasks SET state = 'failed', finished_at = now() - interval '8 days' WHERE public_id = $1`, [old]);
    const app = await work({ 'files.purge': () => Promise.resolve('found') });
    await outbox.add('tasks.sweep', {});
    expect((await ended(lost)).result).toBe('found');
    expect((await ended(stuck)).result).toBe('found');
    await expect(tasks.get(SYSTEM_ACTOR, old)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    expect((await app.get(JobQueues).counts('fast')).failed).toBe(0);
  });

  it('gives a task up that kills every worker that takes it', async () => {
    const id = await start();
    await db.run('UPDATE tasks SET attempts = 30 WHERE public_id = $1', [id]);
    await work({});
    expect(await ended(id)).toMatchObject({ state: 'failed', error: { code: 'TASK_FAILED' } });
    await tasks.retry(SYSTEM_ACTOR, id);
    expect(await ended(id)).toMatchObject({ state: 'succeeded' });
  });
});
