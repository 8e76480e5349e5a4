import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { MultiConfirmTask, type UploadName } from '#libs/files';
import { Database } from '#libs/database';
import type { AccountActor } from '#libs/kernel';
import type { TaskContext } from '#libs/tasks';

import { type BytesHarness, startBytes } from './bytes-harness.js';

let h: BytesHarness;
let actor: AccountActor;

beforeAll(async () => {
  h = await startBytes();
  actor = await h.account();
});
afterAll(() => h?.close());

/** A run of the task as the runner gives it; `dieAfter` batches it is killed. */
function context(checkpoint: TaskContext['checkpoint'] = null, dieAfter = Infinity): TaskContext & { saved: object[] } {
  const saved: object[] = [];
  return {
    taskId: 'test',
    accountId: actor.accountId,
    guest: null,
    checkpoint,
    signal: new AbortController().signal,
    saved,
    saveProgress: (_percent, state) => {
      if (saved.length >= dieAfter) return Promise.reject(new Error('killed'));
      saved.push(state ?? {});
      return Promise.resolve();
    },
    throwIfCancelled: () => Promise.resolve(),
  };
}

async function uploaded(path: string, body: string, overwrite = false): Promise<UploadName> {
  const tempName = await h.create(actor, path, { overwrite });
  await h.put(tempName, Buffer.from(body));
  return { accountId: actor.accountId, tempName };
}

describe('confirming many uploads', () => {
  it('tells for each what became of it, in order, and one refusal stops no other', async () => {
    await h.upload(actor, '/m/taken', 'old');
    const other = await h.account();
    const [late, again] = [await uploaded('/m/late', '1'), await uploaded('/m/same', '2')];
    await h.upload(actor, '/m/late', 'faster');
    const items = [
      await uploaded('/m/new folder/a', 'a'),
      late,
      await uploaded('/m/taken', 'new', true),
      { accountId: actor.accountId, tempName: `${actor.accountId}_${'0'.repeat(32)}` },
      again,
      again,
      await uploaded('/m/same', '3', true),
      { accountId: other.accountId, tempName: await h.create(other, '/x') },
      { accountId: actor.accountId, tempName: await h.create(actor, '/m/nothing came') },
      { accountId: actor.accountId, tempName: 'garbage' },
      await uploaded('/m/new folder/b', 'b'),
    ];
    const result = await h.app.get(MultiConfirmTask).run({ items }, context());
    const told = result.nodes.map((entry) => (entry.node ? `${entry.node.path} v${entry.node.versionNo}` : entry.error.code));
    expect(told).toEqual([
      '/m/new folder/a v1',
      'NAME_TAKEN',
      '/m/taken v2',
      'UPLOAD_NOT_FOUND',
      '/m/same v2',
      '/m/same v2',
      '/m/same v2',
      'NODE_NOT_FOUND',
      'UPLOAD_INCOMPLETE',
      'UPLOAD_NOT_FOUND',
      '/m/new folder/b v1',
    ]);
    expect(result).toMatchObject({ success: 6, failed: 5 });
    expect((await h.quota(actor)).usedBytes).toBe((await h.database.queryOne<{ n: number }>('SELECT sum(size_bytes)::bigint AS n FROM versions'))!.n);
  });

  it('goes on after a kill with the same end, in a few statements a batch', async () => {
    const items: UploadName[] = [];
    for (let i = 0; i < 450; i++) items.push(await uploaded(`/many/${i % 5}/${i}`, String(i)));
    const killed = context(null, 1);
    await expect(h.app.get(MultiConfirmTask).run({ items }, killed)).rejects.toThrow('killed');
    let statements = 0;
    const query = Database.prototype.query;
    Database.prototype.query = function <T extends Record<string, unknown>>(this: Database, text: string, values?: readonly unknown[]): Promise<T[]> {
      statements++;
      return query.call(this, text, values) as Promise<T[]>;
    };
    const result = await h.app
      .get(MultiConfirmTask)
      .run({ items }, context(killed.saved[0] as TaskContext['checkpoint']))
      .finally(() => (Database.prototype.query = query));
    expect(result).toMatchObject({ success: 450, failed: 0 });
    expect(result.nodes.map((entry) => entry.node?.path)).toEqual(items.map((_, i) => `/many/${i % 5}/${i}`));
    // 200 of the rest were written by the run that died: they are asked for one by one; the last 50 come together
    expect(statements).toBeLessThan(220);
    const rows = await h.database.query<{ name: string; child_files: number }>(
      `SELECT f.name, f.child_files FROM nodes f JOIN nodes m ON m.id = f.parent_id AND m.name = 'many' ORDER BY 1`,
    );
    expect(rows.map((row) => row.child_files)).toEqual([90, 90, 90, 90, 90]);
  });
});
