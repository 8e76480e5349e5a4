import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { AccountActor } from '#libs/kernel';
import { ChangeLog, changeOf, CHANGES_CHANNEL, type LocatedNode, type NodeChange, SpaceService } from '#libs/nodes';
import { Signals } from '#libs/signals';

import { TreeHarness } from './tree-harness.js';

let house: TreeHarness;
let log: ChangeLog;

beforeAll(async () => {
  house = await TreeHarness.start();
  log = house.service(ChangeLog);
});
afterAll(async () => house?.close());

interface Row {
  scope_id: string;
  seq: number;
  event_id: string;
  type: string;
  path: string;
  old_path: string | null;
  facts: Record<string, unknown>;
}

const rows = (since: number) =>
  house.database.query<Row & Record<string, unknown>>(
    'SELECT scope_id, seq, event_id, type, path, old_path, facts FROM change_events WHERE seq > $1 ORDER BY seq, length(path) DESC',
    [since],
  );
const lastSeq = async () => (await house.database.queryOne<{ seq: number }>('SELECT coalesce(max(seq), 0) AS seq FROM change_events'))!.seq;
const share = (node: LocatedNode) => house.database.run('UPDATE nodes SET shared = true WHERE id = $1', [node.id]);

/** Records one change of its own and returns what stands in which feed. */
async function recorded(change: NodeChange): Promise<Record<string, string>> {
  const since = await lastSeq();
  await house.unitOfWork.run(() => log.record([change]));
  const found = await rows(since);
  expect(new Set(found.map((row) => row.seq)).size).toBe(1);
  expect(new Set(found.map((row) => row.event_id)).size).toBe(1);
  return Object.fromEntries(found.map((row) => [row.scope_id, `${row.type} ${row.old_path === null ? '' : `${row.old_path} -> `}${row.path}`]));
}

describe('the change log', () => {
  let actor: AccountActor;
  let a: LocatedNode, b: LocatedNode, c: LocatedNode, other: LocatedNode, file: LocatedNode;
  const by = () => ({ actorId: actor.accountId });

  beforeAll(async () => {
    actor = await house.account();
    a = await house.folder(actor, '/a');
    b = await house.folder(actor, '/a/b');
    c = await house.folder(actor, '/a/b/c');
    other = await house.folder(actor, '/other');
    file = await house.file(actor, '/a/b/c/f.txt', { bytes: 7 });
    await share(a);
    await share(c);
    await share(other);
  });

  it('writes into the feed of the space and of every shared folder above, with the path from there', async () => {
    const change = { type: changeOf('created', file), ...by(), node: file, folderId: c.id, name: file.name };
    expect(await recorded(change)).toEqual({
      [file.spaceId]: 'file_created /a/b/c/f.txt',
      [a.id]: 'file_created /b/c/f.txt',
      [c.id]: 'file_created /f.txt',
    });
    const [row] = await rows((await lastSeq()) - 1);
    expect(row!.facts).toEqual({
      kind: 'file',
      owner: actor.accountId,
      created: file.createdMs,
      modified: file.modifiedMs,
      version: 1,
      size: 7,
      mime: 'text/plain',
    });
  });

  it('tells a move whole where both places are seen, and as coming or going elsewhere', async () => {
    const change = {
      type: changeOf('moved', file),
      ...by(),
      node: file,
      folderId: other.id,
      name: 'g.txt',
      old: { folderId: c.id, name: 'f.txt' },
    };
    expect(await recorded(change)).toEqual({
      [file.spaceId]: 'file_moved /a/b/c/f.txt -> /other/g.txt',
      [a.id]: 'file_deleted /b/c/f.txt',
      [c.id]: 'file_deleted /f.txt',
      [other.id]: 'file_created /g.txt',
    });
    const inside = { ...change, folderId: b.id, name: 'f.txt' };
    expect(await recorded(inside)).toEqual({
      [file.spaceId]: 'file_moved /a/b/c/f.txt -> /a/b/f.txt',
      [a.id]: 'file_moved /b/c/f.txt -> /b/f.txt',
      [c.id]: 'file_deleted /f.txt',
    });
    const halves = (await rows((await lastSeq()) - 1)).map((row) => row.facts);
    expect(halves.filter((facts) => facts.half === 'left' && facts.whole === 'file_moved')).toHaveLength(1);
  });

  it('tells a rename with both names', async () => {
    const change = {
      type: changeOf('renamed', b),
      ...by(),
      node: b,
      folderId: a.id,
      name: 'bb',
      old: { folderId: a.id, name: 'b' },
    };
    expect(await recorded(change)).toEqual({
      [b.spaceId]: 'folder_renamed /a/b -> /a/bb',
      [a.id]: 'folder_renamed /b -> /bb',
    });
    const [row] = await rows((await lastSeq()) - 1);
    expect(row!.facts).toMatchObject({ oldname: 'b', old: { modified: b.modifiedMs } });
  });

  it('tells the members of shared folders inside of what is deleted or comes back', async () => {
    const change = (type: 'folder_deleted' | 'folder_undeleted') => ({ type, ...by(), node: b, folderId: a.id, name: 'b' });
    expect(await recorded(change('folder_deleted'))).toEqual({
      [b.spaceId]: 'folder_deleted /a/b',
      [a.id]: 'folder_deleted /b',
      [c.id]: 'folder_deleted /',
    });
    await house.database.run(
      `UPDATE nodes SET removal = 'trashed', removed_at = now(), trash_name = 'c', restore_path = '/a/b/c', restore_key = 'x' WHERE id = $1`,
      [c.id],
    );
    expect(Object.keys(await recorded(change('folder_undeleted')))).toEqual([b.spaceId, a.id]);
    expect(await recorded({ ...change('folder_deleted'), node: c, folderId: b.id, name: 'c' })).toMatchObject({ [c.id]: 'folder_deleted /' });
  });

  it('tells a change of the root of a space', async () => {
    const { rootId, spaceId } = await house.service(SpaceService).homeOf(actor.accountId);
    const root = await house.get(actor, '/');
    expect(rootId).toBe(root.id);
    expect(await recorded({ type: 'link_created', ...by(), node: root, folderId: null, name: '' })).toEqual({ [spaceId]: 'link_created /' });
  });

  it('writes any number of changes by one statement and wakes each feed once, after the commit', async () => {
    const woken: string[] = [];
    const end = await house.service(Signals).subscribe(CHANGES_CHANNEL, { signal: (id) => woken.push(id) });
    const since = await lastSeq();
    const changes = Array.from({ length: 500 }, (_, index): NodeChange => ({
      type: 'file_created',
      ...by(),
      node: file,
      folderId: other.id,
      name: `f${index}`,
    }));
    await house.unitOfWork.run(async () => {
      await log.record(changes);
      expect(woken).toEqual([]);
    });
    expect(new Set(woken)).toEqual(new Set([file.spaceId, other.id]));
    end();
    const found = await rows(since);
    expect(found).toHaveLength(1000);
    expect(found.filter((row) => row.scope_id === other.id).map((row) => row.path)).toEqual(changes.map((change) => `/${change.name}`));
  });

  it('leaves nothing when the change is rolled back', async () => {
    const since = await lastSeq();
    const woken: string[] = [];
    const end = await house.service(Signals).subscribe(CHANGES_CHANNEL, { signal: (id) => woken.push(id) });
    const failing = house.unitOfWork.run(async () => {
      await log.record([{ type: 'file_created', ...by(), node: file, folderId: c.id, name: 'f' }]);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await rows(since)).toEqual([]);
    expect(woken).toEqual([]);
    end();
  });

  it('writes personal events into the home of each account, made when there was none', async () => {
    const [first, second] = [await house.account(), await house.account()];
    const { spaceId } = await house.service(SpaceService).homeOf(first.accountId);
    const since = await lastSeq();
    await log.recordForAccounts('company_admin_right', [first.accountId, second.accountId], { actorId: actor.accountId, facts: { value: true } });
    const { spaceId: made } = await house.service(SpaceService).homeOf(second.accountId);
    const found = await rows(since);
    expect(
      found.map(({ scope_id, type, path, facts }) => ({ scope_id, type, path, facts })).sort((x, y) => (x.scope_id < y.scope_id ? -1 : 1)),
    ).toEqual([spaceId, made].sort().map((scope_id) => ({ scope_id, type: 'company_admin_right', path: '/', facts: { value: true } })));
  });
});
