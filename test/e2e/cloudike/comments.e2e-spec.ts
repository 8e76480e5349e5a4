import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { CloudikeUser } from '../../support/cloudike-user.js';
import { HttpSession } from '../../support/http-session.js';
import { type SharedStack, sharedStack } from '../../support/stack.js';

// Comments and tasks on files: docs/contracts/cloudike.md 14.

interface WireComment {
  id: string;
  created_time: number;
  text: string;
  taggedText: string;
  type: string;
  owner_id: number;
  due_date?: number;
  assignees?: { id: string; user_id: number; status: string; created_time: number }[];
}

let stack: SharedStack;
let anonymous: HttpSession;
let owner: CloudikeUser;
let reader: CloudikeUser;
let stranger: CloudikeUser;
let team: string;
let turn = 0;

beforeAll(async () => {
  stack = await sharedStack();
  anonymous = new HttpSession(stack.baseUrl);
  [owner, reader, stranger] = [
    await CloudikeUser.register(stack.baseUrl),
    await CloudikeUser.register(stack.baseUrl),
    await CloudikeUser.register(stack.baseUrl),
  ];
});
afterAll(() => stack?.stop());

beforeEach(async () => {
  team = `team${++turn}`;
  await owner.upload(`/${team}/plan.txt`, Buffer.from('plan'));
  const { hash } = await owner.http.form<{ hash: string }>('/api/1/shares/add/', { path: `/${team}`, member_login: `email:${reader.email}` });
  await reader.http.form('/api/1/shares/accept/', { hash });
});

const say = (user: CloudikeUser, parameters: Record<string, string | number | readonly number[]>, path = `${team}/plan.txt`) =>
  user.http.form<WireComment>(`/api/1/workflow/comment/${path}`, parameters);
const list = (user: CloudikeUser, query = '') => user.http.get<WireComment[]>(`/api/1/workflow/comments/${team}/plan.txt${query}`);

async function call(path: string, params: object, http = owner.http): Promise<{ status: number; code?: string }> {
  const reply = await http.send(`/api/1/workflow/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(params),
  });
  const { code } = reply.json<{ code?: string }>();
  return { status: reply.status, ...(code === undefined ? {} : { code }) };
}

describe('comments', () => {
  it('are made, listed oldest first, changed and removed', async () => {
    const first = await say(owner, { text: 'Owner comment' });
    expect(first).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{24}$/),
      created_time: expect.any(Number),
      text: 'Owner comment',
      taggedText: '',
      type: 'text',
      owner_id: owner.userId,
    });
    expect(Math.abs(Date.now() - first.created_time)).toBeLessThan(60_000);
    const second = await say(reader, { text: 'Zweiter 😀\nLine', taggedText: 'tagged', type: 'text', due_date: 0 });
    expect(await list(reader)).toEqual([first, second]);
    expect(await list(owner, '?limit=1&offset=1')).toEqual([second]);
    const edited = await reader.http.form<WireComment>('/api/1/workflow/comment/edit', { comment_id: second.id, text: 'edited' });
    expect(edited).toEqual({ ...second, text: 'edited' });
    expect(await owner.http.form('/api/1/workflow/comment/delete', { id: second.id })).toEqual({});
    expect(await owner.http.form('/api/1/workflow/comment/delete/', { id: first.id, path: 'whatever' })).toEqual({});
    expect(await list(owner)).toEqual([]);
  });

  it('on a file whose path looks like another route are made all the same', async () => {
    await owner.upload('/edit', Buffer.from('x'));
    await owner.upload('/delete/update_task_status', Buffer.from('x'));
    expect((await call('comment/edit', { text: 'x' })).status).toBe(400);
    const comment = await owner.http.form<WireComment>('/api/1/workflow/comment/', { path: '/edit', text: 'by parameter' });
    expect(await owner.http.get('/api/1/workflow/comments/edit')).toEqual([comment]);
    await say(owner, { text: 'deeper' }, 'delete/update_task_status');
    expect(await owner.http.get('/api/1/workflow/comments/delete/update_task_status')).toHaveLength(1);
  });

  it('go into the trash with their file, and come back', async () => {
    const comment = await say(reader, { text: 'kept' });
    const path = `/${team}/plan.txt`;
    await owner.http.form('/api/1/fileops/delete/', { path });
    expect(await call(`comments${path}`, {})).toEqual({ status: 404, code: 'NotFound' });
    expect(await call('comment/edit', { id: comment.id, text: 'x' }, reader.http)).toEqual({ status: 404, code: 'NotFound' });
    await owner.http.form('/api/1/fileops/undelete/', { path });
    expect(await list(owner)).toEqual([comment]);
  });

  it.each([
    [`comment/TEAM/plan.txt`, {}, { status: 400, code: 'InvalidParameters' }],
    [`comment/TEAM/plan.txt`, { text: ' ' }, { status: 400, code: 'InvalidParameters' }],
    [`comment/TEAM/plan.txt`, { text: 'x'.repeat(8193) }, { status: 400, code: 'InvalidParameters' }],
    [`comment/TEAM/plan.txt`, { text: 'x', type: 'song' }, { status: 400, code: 'InvalidParameters' }],
    [`comment/TEAM/plan.txt`, { text: 'x', due_date: 5 }, { status: 400, code: 'InvalidParameters' }],
    [`comment/TEAM/plan.txt`, { text: 'x', assignees: [1] }, { status: 400, code: 'InvalidParameters' }],
    [`comment/TEAM/plan.txt`, { text: 'x', type: 'task', assignees: [987_654] }, { status: 404, code: 'UserNotFound' }],
    [`comment/TEAM/plan.txt`, { text: 'x', type: 'task', due_date: -1 }, { status: 400, code: 'InvalidParameters' }],
    [`comment/TEAM`, { text: 'x' }, { status: 404, code: 'FileNotFound' }],
    ['comment/', { text: 'x' }, { status: 404, code: 'FileNotFound' }],
    ['comment/nowhere.txt', { text: 'x' }, { status: 404, code: 'NotFound' }],
    ['comments/nowhere.txt', {}, { status: 404, code: 'NotFound' }],
    ['comments/TEAM/plan.txt', { limit: -1 }, { status: 400, code: 'InvalidParameters' }],
    ['comment/edit', { id: 'f'.repeat(24), text: 'x' }, { status: 404, code: 'NotFound' }],
    ['comment/edit', { id: 'nonsense', text: 'x' }, { status: 404, code: 'NotFound' }],
    ['comment/delete', {}, { status: 400, code: 'InvalidParameters' }],
    ['comment/update_task_status', { id: 'f'.repeat(24), status: 'done' }, { status: 404, code: 'NotFound' }],
    ['comment/update_task_status', { id: 'f'.repeat(24), status: 'finished' }, { status: 400, code: 'InvalidParameters' }],
  ])('%s with %.60j is refused', async (path, params, refusal) => {
    expect(await call(path.replace('TEAM', team), params)).toEqual(refusal);
  });

  it('removed twice at once are removed once', async () => {
    const { id } = await say(owner, { text: 'x' });
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => call('comment/delete', { id })));
    expect(outcomes.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(7).fill(404)]);
  });
});

describe('tasks', () => {
  it('have a date and assignees, who say how they stand', async () => {
    const task = await say(owner, { text: 'do it', type: 'task', due_date: 1_900_000_000_000, assignees: [reader.userId, owner.userId] });
    const assignee = { id: expect.stringMatching(/^[0-9a-f]{24}$/), status: 'new', created_time: expect.any(Number) };
    expect(task).toMatchObject({ type: 'task', due_date: 1_900_000_000_000 });
    expect(task.assignees).toEqual(
      expect.arrayContaining([
        { ...assignee, user_id: reader.userId },
        { ...assignee, user_id: owner.userId },
      ]),
    );
    for (const status of ['accept', 'decline', 'done', 'new']) {
      const changed = await reader.http.form<WireComment>('/api/1/workflow/comment/update_task_status', { id: task.id, status });
      expect(changed.assignees!.find(({ user_id }) => user_id === reader.userId)!.status).toBe(status);
      expect(changed.assignees!.find(({ user_id }) => user_id === owner.userId)!.status).toBe('new');
    }
    const fewer = await owner.http.form<WireComment>('/api/1/workflow/comment/edit', { id: task.id, assignees: owner.userId });
    expect(fewer.assignees!.map(({ user_id }) => user_id)).toEqual([owner.userId]);
    expect(await call('comment/update_task_status', { id: task.id, status: 'done' }, reader.http)).toEqual({ status: 403, code: 'Forbidden' });
  });

  it('are only for people who can open the file', async () => {
    expect(await call(`comment/${team}/plan.txt`, { text: 'x', type: 'task', assignees: [stranger.userId] })).toEqual({
      status: 404,
      code: 'UserNotFound',
    });
  });

  it('and naming somebody send a mail', async () => {
    await say(owner, { text: 'figures please', type: 'task', assignees: reader.userId });
    await say(owner, { text: 'look here', taggedText: `look here, @[you](${reader.userId}) and @userid:${stranger.userId}` });
    const outbox = join(stack.dataDir, 'outbox');
    const mails = async () => {
      const names = (await readdir(outbox).catch(() => [])).filter((name) => name.endsWith('.eml'));
      return Promise.all(names.map((name) => readFile(join(outbox, name), 'utf8')));
    };
    await expect
      .poll(async () => (await mails()).filter((mail) => mail.includes(`To: ${reader.email}`) && /figures please|look here/.test(mail)).length, {
        timeout: 20_000,
      })
      .toBe(2);
    expect((await mails()).filter((mail) => mail.includes(`To: ${stranger.email}`))).toEqual([]);
  });
});

describe('who may not', () => {
  it('nobody and strangers: neither read nor write', async () => {
    const { id } = await say(owner, { text: 'x', type: 'task', assignees: owner.userId });
    const routes: [string, object][] = [
      [`comment/${team}/plan.txt`, { text: 'x' }],
      [`comments/${team}/plan.txt`, {}],
      ['comment/edit', { id, text: 'x' }],
      ['comment/delete', { id }],
      ['comment/update_task_status', { id, status: 'done' }],
    ];
    for (const [path, params] of routes) {
      expect((await call(path, params, anonymous)).status).toBe(401);
      expect(await call(path, params, stranger.http)).toEqual({ status: 404, code: 'NotFound' });
    }
  });

  it('readers of what is not theirs, and who is no reader any more', async () => {
    const [mine, theirs] = [await say(owner, { text: 'mine' }), await say(reader, { text: 'theirs' })];
    for (const path of ['comment/edit', 'comment/delete'])
      expect(await call(path, { id: mine.id, text: 'x' }, reader.http)).toEqual({ status: 403, code: 'Forbidden' });
    expect(await call('comment/edit', { id: theirs.id, text: 'x' })).toEqual({ status: 403, code: 'Forbidden' });
    await owner.http.form('/api/1/shares/remove/', { path: `/${team}`, member_login: `email:${reader.email}` });
    for (const path of ['comment/edit', 'comment/delete'])
      expect(await call(path, { id: theirs.id, text: 'x' }, reader.http)).toEqual({ status: 404, code: 'NotFound' });
    expect((await call(`comments/${team}/plan.txt`, {}, reader.http)).status).toBe(404);
    expect(await list(owner)).toEqual([mine, theirs]);
  });
});
