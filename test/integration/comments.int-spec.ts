import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { GrantService } from '#libs/access';
import { type Comment, CommentsModule, CommentService } from '#libs/comments';
import { FolderService, MoveService } from '#libs/files';
import type { AccountActor } from '#libs/kernel';
import type { LocatedNode } from '#libs/nodes';
import { Purger } from '#libs/nodes';
import { TrashService } from '#libs/trash';

import { type BytesHarness, codeOf, startBytes } from './bytes-harness.js';

let house: BytesHarness;
let comments: CommentService;
let owner: AccountActor;
let reader: AccountActor;
let stranger: AccountActor;
let folder: LocatedNode;
let file: LocatedNode;
/** The file as both of them name it. */
const node = { path: ['team', 'plan.txt'] };

beforeAll(async () => {
  house = await startBytes({}, undefined, [CommentsModule]);
  await house.app.init();
  comments = house.app.get(CommentService, { strict: false });
});
afterAll(() => house.close());

async function person(): Promise<AccountActor> {
  const actor = await house.account();
  await house.database.run('UPDATE accounts SET name = $2 WHERE id = $1', [actor.accountId, `p${actor.accountId}`]);
  await house.database.run(
    `INSERT INTO logins (id, account_id, kind, value, value_key, confirmed_at) VALUES (gen_random_uuid(), $1, 'email', $2, $2, now())`,
    [actor.accountId, emailOf(actor)],
  );
  return actor;
}

const emailOf = (actor: AccountActor): string => `p${actor.accountId}@example.org`;

beforeEach(async () => {
  [owner, reader, stranger] = [await person(), await person(), await person()];
  folder = await house.app.get(FolderService, { strict: false }).create(owner, { path: ['team'], createParents: true });
  file = await house.upload(owner, '/team/plan.txt', 'plan');
  await share(reader, { write: false, delete: false, download: false });
  await house.database.run('DELETE FROM outbox');
});

async function share(actor: AccountActor, right: { write: boolean; delete: boolean; download: boolean }): Promise<void> {
  await house.app.get(GrantService, { strict: false }).grant(owner, { node: folder, subject: { accountId: actor.accountId }, right, accepted: true });
}

const say = (actor: AccountActor, text = 'hello', more: object = {}): Promise<Comment> =>
  comments.create(actor, { node, text, kind: 'text', ...more });
const list = (actor: AccountActor, offset = 0, limit = 0) => comments.list(actor, { node, offset, limit });
const trash = (ref: { id: string }) =>
  house.app.get(TrashService, { strict: false }).trash(owner, { nodes: [ref], onlyEmpty: false, permanent: false });

async function mails(): Promise<{ to: string; subject: string; text: string }[]> {
  const rows = await house.database.query<{ payload: { to: string; subject: string; text: string } }>(
    `SELECT payload FROM outbox WHERE job = 'mail.send' ORDER BY id`,
  );
  return rows.map((row) => row.payload);
}

async function events(type: string): Promise<{ actorId: number; facts: Record<string, unknown> }[]> {
  return house.database.query(`SELECT actor_id AS "actorId", facts FROM change_events WHERE type = $1 AND node_id = $2 ORDER BY seq`, [
    type,
    file.id,
  ]);
}

describe('who may read a file', () => {
  it('may say something about it, and sees what others say, oldest first', async () => {
    const first = await say(owner, ' one ', { taggedText: 'x' });
    expect(first).toMatchObject({ text: ' one ', taggedText: 'x', kind: 'text', authorId: owner.accountId, dueMs: 0, assignees: [] });
    expect(first.id).toMatch(/^[0-9a-f]{24}$/);
    const second = await say(reader, 'two');
    expect(await list(reader)).toEqual([first, second]);
    expect(await list(owner, 1, 1)).toEqual([second]);
    // once in the feed of the owner's space, once in that of the shared folder
    expect(new Set((await events('comment_created')).map((event) => event.facts['comment_id']))).toEqual(new Set([first.id, second.id]));
  });

  it('is asked at every call: a stranger, a former reader and a guest find nothing', async () => {
    const { id } = await say(reader, 'two', {});
    expect(await codeOf(comments.create(stranger, { node: { id: file.id }, text: 'x', kind: 'text' }))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(comments.list(stranger, { node: { id: file.id }, offset: 0, limit: 0 }))).toBe('NODE_NOT_FOUND');
    for (const work of [
      () => comments.edit(stranger, { id, text: 'x' }),
      () => comments.remove(stranger, id),
      () => comments.setTaskStatus(stranger, id, 'done'),
    ])
      expect(await codeOf(work())).toBe('COMMENT_NOT_FOUND');
    await house.database.run('DELETE FROM grants WHERE node_id = $1', [folder.id]);
    for (const work of [() => comments.edit(reader, { id, text: 'x' }), () => comments.remove(reader, id)])
      expect(await codeOf(work())).toBe('COMMENT_NOT_FOUND');
    expect(await codeOf(comments.list(reader, { node: { id: file.id }, offset: 0, limit: 0 }))).toBe('NODE_NOT_FOUND');
  });

  it.each([
    [{ text: '' }, 'INVALID_ARGUMENT'],
    [{ text: '  ' }, 'INVALID_ARGUMENT'],
    [{ text: 'x'.repeat(8193) }, 'INVALID_ARGUMENT'],
    [{ text: '\ud800' }, 'INVALID_ARGUMENT'],
    [{ text: 'a\0b' }, 'INVALID_ARGUMENT'],
    [{ taggedText: 'x'.repeat(16_385) }, 'INVALID_ARGUMENT'],
    [{ dueMs: 1 }, 'INVALID_ARGUMENT'],
    [{ assignees: [1] }, 'INVALID_ARGUMENT'],
    [{ kind: 'task', dueMs: -1 }, 'INVALID_ARGUMENT'],
    [{ kind: 'task', assignees: Array.from({ length: 51 }, (_, index) => index) }, 'INVALID_ARGUMENT'],
    [{ kind: 'task', assignees: [987_654] }, 'ACCOUNT_NOT_FOUND'],
    [{ node: { path: ['team'] } }, 'NOT_A_FILE'],
    [{ node: { path: [] } }, 'NOT_A_FILE'],
    [{ node: { path: ['nowhere'] } }, 'NODE_NOT_FOUND'],
  ])('must say %.60j rightly: %s', async (more, code) => {
    expect(await codeOf(say(owner, 'text', more))).toBe(code);
    expect(await list(owner)).toEqual([]);
  });
});

describe('a comment', () => {
  it('is changed by its author alone', async () => {
    const comment = await say(reader, 'old', { taggedText: 'tagged' });
    expect(await codeOf(comments.edit(owner, { id: comment.id, text: 'x' }))).toBe('FORBIDDEN');
    const edited = await comments.edit(reader, { id: comment.id, text: 'new' });
    expect(edited).toMatchObject({ text: 'new', taggedText: 'tagged', createdMs: comment.createdMs });
    expect(await list(owner)).toEqual([edited]);
    expect(await codeOf(comments.edit(reader, { id: comment.id, dueMs: 5 }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(comments.edit(reader, { id: comment.id, text: ' ' }))).toBe('INVALID_ARGUMENT');
    expect(await events('comment_changed')).not.toHaveLength(0);
  });

  it('is removed by its author or the owner of the file, once', async () => {
    const [mine, theirs] = [await say(owner), await say(reader)];
    expect(await codeOf(comments.remove(reader, mine.id))).toBe('FORBIDDEN');
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => comments.remove(owner, theirs.id)));
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    await comments.remove(owner, mine.id);
    expect(await list(owner)).toEqual([]);
    for (const id of [mine.id, 'x', '', 'f'.repeat(24)]) expect(await codeOf(comments.remove(owner, id))).toBe('COMMENT_NOT_FOUND');
  });

  it('goes with its file: hidden in the trash, moved along, erased with it', async () => {
    const comment = await say(reader);
    await house.app.get(MoveService, { strict: false }).rename(owner, { node, name: 'other.txt' });
    expect(await comments.list(reader, { node: { path: ['team', 'other.txt'] }, offset: 0, limit: 0 })).toEqual([comment]);
    await trash({ id: file.id });
    for (const work of [() => comments.edit(reader, { id: comment.id, text: 'x' }), () => comments.remove(owner, comment.id)])
      expect(await codeOf(work())).toBe('COMMENT_NOT_FOUND');
    await house.app.get(TrashService, { strict: false }).undelete(owner, { paths: [['team', 'other.txt']] });
    expect(await comments.edit(reader, { id: comment.id, text: 'again' })).toMatchObject({ text: 'again' });
    await house.app.get(TrashService, { strict: false }).trash(owner, { nodes: [{ id: folder.id }], onlyEmpty: false, permanent: true });
    await house.app.get(Purger, { strict: false }).all(file.spaceId, () => Promise.resolve());
    expect(await house.database.query('SELECT 1 FROM comments WHERE node_id = $1', [file.id])).toEqual([]);
  });
});

describe('a task', () => {
  it('has assignees who can open the file, and each says for himself how it stands', async () => {
    expect(await codeOf(say(owner, 'do it', { kind: 'task', assignees: [stranger.accountId] }))).toBe('ACCOUNT_NOT_FOUND');
    const task = await say(owner, 'do it', { kind: 'task', dueMs: 99, assignees: [reader.accountId, owner.accountId, reader.accountId] });
    expect(task.assignees.map(({ accountId, status }) => [accountId, status])).toEqual([
      [reader.accountId, 'new'],
      [owner.accountId, 'new'],
    ]);
    const done = await comments.setTaskStatus(reader, task.id, 'done');
    expect(done.assignees.map(({ status }) => status).sort()).toEqual(['done', 'new']);
    await share(stranger, { write: true, delete: true, download: true });
    expect(await codeOf(comments.setTaskStatus(stranger, task.id, 'done'))).toBe('FORBIDDEN');
    expect(await codeOf(comments.setTaskStatus(reader, task.id, 'finished'))).toBe('INVALID_ARGUMENT');
    const changed = await comments.edit(owner, { id: task.id, assignees: [stranger.accountId, reader.accountId], dueMs: 0 });
    expect(changed.dueMs).toBe(0);
    expect(Object.fromEntries(changed.assignees.map(({ accountId, status }) => [accountId, status]))).toEqual({
      [reader.accountId]: 'done',
      [stranger.accountId]: 'new',
    });
    expect((await list(owner))[0]!.assignees).toHaveLength(2);
  });

  it('is told to those who got it, by an event of their own and a mail', async () => {
    await say(owner, 'check the figures', { kind: 'task', assignees: [reader.accountId, owner.accountId] });
    expect((await mails()).map(({ to }) => to)).toEqual([emailOf(reader)]);
    const [mail] = await mails();
    expect(mail!.text).toContain('check the figures');
    expect(mail!.subject).toContain('plan.txt');
    expect(await events('comment_task_assigned')).toHaveLength(1);
  });
});

describe('people named in a comment', () => {
  it('are told, when they can open the file and are not the author, and once', async () => {
    const taggedText = `@[Ann](${reader.accountId}) @userid:${stranger.accountId} @${emailOf(stranger)} @${emailOf(reader)} @[me](${owner.accountId})`;
    const comment = await say(owner, 'see', { taggedText });
    expect((await mails()).map(({ to }) => to)).toEqual([emailOf(reader)]);
    expect(await events('comment_tagged')).toEqual([
      { actorId: owner.accountId, facts: expect.objectContaining({ comment_id: comment.id, name: 'plan.txt' }) },
    ]);
    await comments.edit(owner, { id: comment.id, taggedText: `${taggedText}!` });
    expect(await mails()).toHaveLength(1);
    await share(stranger, { write: false, delete: false, download: true });
    await house.database.run('DELETE FROM outbox');
    const second = await comments.edit(owner, { id: comment.id, taggedText: '' });
    await comments.edit(owner, { id: second.id, taggedText });
    expect((await mails()).map(({ to }) => to).sort()).toEqual([emailOf(reader), emailOf(stranger)].sort());
  });

  it('get no more mails than an author may cause in an hour', async () => {
    for (let turn = 0; turn < 103; turn++) await say(owner, `${turn}`, { taggedText: `@userid:${reader.accountId}` });
    expect(await mails()).toHaveLength(100);
    expect(await events('comment_tagged')).toHaveLength(103);
  });
});
