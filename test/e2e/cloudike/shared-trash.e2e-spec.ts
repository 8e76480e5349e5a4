import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser, type WireNode } from '../../support/cloudike-user.js';
import { type HttpAnswer, HttpSession } from '../../support/http-session.js';
import { type SharedStack, sharedStack } from '../../support/stack.js';

// trash/from_shared and trash/restore/<name>/from_shared (contract, section 12), and what a member's uploads and deletions do to the owner.

interface Page {
  readonly content: (WireNode & { readonly owner: number; readonly author: number })[];
  readonly is_last_page: boolean;
  readonly hash: string;
}

let stack: SharedStack;
let owner: CloudikeUser;
let writer: CloudikeUser;
let reader: CloudikeUser;
let stranger: CloudikeUser;

beforeAll(async () => {
  stack = await sharedStack();
  [owner, writer, reader, stranger] = (await Promise.all([0, 1, 2, 3].map(() => CloudikeUser.register(stack.baseUrl)))) as [
    CloudikeUser,
    CloudikeUser,
    CloudikeUser,
    CloudikeUser,
  ];
});
afterAll(() => stack?.stop());

async function give(path: string, to: CloudikeUser, isWriter: boolean): Promise<void> {
  await owner.http.form('/api/1/fileops/folder_create/', { path }, [200, 403]);
  const { hash } = await owner.http.form<{ hash: string }>('/api/1/shares/add/', { path, member_login: `email:${to.email}`, writer: isWriter });
  await to.http.form('/api/1/shares/accept/', { hash });
}

const list = (who: CloudikeUser, path: string, query = '') => who.http.get<Page>(`/api/1/trash/from_shared${path}${query}`);
const remove = (who: CloudikeUser, path: string) => who.http.form<WireNode>('/api/1/fileops/delete/', { path });
const restore = (who: CloudikeUser | null, name: string, path: string, query = ''): Promise<HttpAnswer> =>
  (who?.http ?? new HttpSession(stack.baseUrl)).send(`/api/1/trash/restore/${encodeURIComponent(name)}/from_shared${path}${query}`, {
    method: 'POST',
  });
const said = (reply: HttpAnswer): string => `${reply.status} ${reply.json<{ code?: string }>().code ?? ''}`.trim();
const asked = async (who: CloudikeUser, path: string) => said(await who.http.send(`/api/1/trash/from_shared${path}`));

describe('trash/from_shared', () => {
  it('lists what was deleted out of the folder, with paths of whoever asks, by pages and orders', async () => {
    await give('/deep', reader, false);
    await owner.mkdir('/deep/Team');
    await give('/deep/Team', writer, true);
    for (const name of ['a.txt', 'b.txt']) await writer.upload(`/Team/${name}`, Buffer.from(name));
    await writer.mkdir('/Team/sub');
    const gone = await remove(writer, '/Team/a.txt');
    expect(gone).toMatchObject({ path: '/Team/a.txt', deleted: true, is_in_trash: true });
    await remove(owner, '/deep/Team/b.txt');
    await remove(writer, '/Team/sub');
    const all = await list(writer, '/Team', '?order_by=name');
    expect(all.content.map(({ name, restore_path, deleted }) => ({ name, restore_path, deleted }))).toEqual([
      { name: 'a.txt', restore_path: '/Team/a.txt', deleted: true },
      { name: 'b.txt', restore_path: '/Team/b.txt', deleted: true },
      { name: 'sub', restore_path: '/Team/sub', deleted: true },
    ]);
    expect(all.content[0]).toMatchObject({ owner: owner.userId, author: writer.userId, bytes: 5 });
    expect('path' in all.content[0]!).toBe(false);
    expect((await list(owner, '/deep/Team')).content.map((item) => item.restore_path)).toContain('/deep/Team/a.txt');
    expect((await owner.http.get<Page>('/api/1/trash/')).content).toHaveLength(3);
    expect((await writer.http.get<Page>('/api/1/trash/')).content).toEqual([]);
    expect((await list(writer, '/Team', '?dirs_only=true')).content.map((item) => item.name)).toEqual(['sub']);
    expect(await list(writer, '/Team/', '?limit=1&offset=1&order_by=name')).toMatchObject({ content: [{ name: 'b.txt' }], is_last_page: false });
  });

  it('answers 304 while the trash is as it was', async () => {
    const reply = await writer.http.send('/api/1/trash/from_shared/Team');
    const etag = String(reply.headers.etag);
    expect(etag).toContain(reply.json<Page>().hash);
    const again = await writer.http.send('/api/1/trash/from_shared/Team', { headers: { 'if-none-match': etag } });
    expect([again.status, again.body.length]).toEqual([304, 0]);
    await owner.upload('/other.txt', Buffer.from('x'));
    await remove(owner, '/other.txt');
    expect((await writer.http.send('/api/1/trash/from_shared/Team', { headers: { 'if-none-match': etag } })).status).toBe(200);
    expect((await list(writer, '/Team')).content.map((item) => item.name)).not.toContain('other.txt');
  });

  it('is 400 for what is no shared folder of the user, 404 for nothing, 403 for readers and 401 without a token', async () => {
    await writer.mkdir('/own');
    await writer.mkdir('/Team/inner');
    for (const path of ['', '/own', '/Team/inner']) expect(await asked(writer, path)).toBe('400 InvalidParameters');
    expect(await asked(owner, '/other')).toBe('404 NotFound');
    for (const path of ['/Team', '/deep/Team']) expect(await asked(stranger, path)).toBe('404 NotFound');
    expect(await asked(reader, '/deep')).toBe('403 Forbidden');
    expect(await asked(writer, '/Team?limit=-1')).toBe('400 InvalidParameters');
    expect((await new HttpSession(stack.baseUrl).send('/api/1/trash/from_shared/Team')).status).toBe(401);
  });
});

describe('trash/restore/<name>/from_shared', () => {
  it('brings an item back in the background, for everybody', async () => {
    const { taskid } = (await restore(writer, 'a.txt', '/Team')).json<{ taskid: string }>();
    expect(await writer.finished(taskid)).toMatchObject({ success: 1, failed: 0 });
    expect(await owner.metadata('/deep/Team/a.txt')).toMatchObject({ bytes: 5, deleted: false });
    expect((await owner.http.send(`/api/1/task/${taskid}/`)).status).toBe(404);
  });

  it('replaces what stands there, or refuses to with overwrite=false', async () => {
    await remove(writer, '/Team/a.txt');
    await writer.upload('/Team/a.txt', Buffer.from('newer'));
    expect(said(await restore(writer, 'a.txt', '/Team', '?overwrite=false'))).toBe('403 AlreadyExists');
    const { taskid } = (await restore(writer, 'a.txt', '/Team', '?overwrite=true')).json<{ taskid: string }>();
    await writer.finished(taskid);
    expect(await writer.download('/Team/a.txt')).toEqual(Buffer.from('a.txt'));
    expect((await list(writer, '/Team')).content.filter((item) => item.restore_path === '/Team/a.txt')).toHaveLength(1);
  });

  it('is 404 for names of another place, 400 for what is no shared folder, 403 for readers, 401 without a token', async () => {
    expect(said(await restore(writer, 'other.txt', '/Team'))).toBe('404 NotFound');
    expect(said(await restore(writer, 'nothing', '/Team'))).toBe('404 NotFound');
    expect(said(await restore(writer, 'b.txt', '/nothing'))).toBe('404 NotFound');
    expect(said(await restore(writer, 'b.txt', '/own'))).toBe('400 InvalidParameters');
    expect(said(await restore(stranger, 'b.txt', '/Team'))).toBe('404 NotFound');
    expect(said(await restore(reader, 'b.txt', '/deep'))).toBe('403 Forbidden');
    expect((await restore(null, 'b.txt', '/Team')).status).toBe(401);
    expect((await writer.http.send('/api/1/trash/restore/b.txt/from_shared/Team', { method: 'HEAD' })).status).toBe(405);
  });

  it('ten times at once restores once', async () => {
    const replies = await Promise.all(Array.from({ length: 10 }, () => restore(writer, 'b.txt', '/Team')));
    const tasks = replies.filter((reply) => reply.status === 200).map((reply) => reply.json<{ taskid: string }>().taskid);
    const results = await Promise.all(tasks.map((task) => writer.finished<{ success: number }>(task)));
    expect(results.reduce((sum, { success }) => sum + success, 0)).toBe(1);
    expect(await owner.download('/deep/Team/b.txt')).toEqual(Buffer.from('b.txt'));
  });

  it('is 404 for somebody whose share was taken back', async () => {
    await remove(writer, '/Team/b.txt');
    await owner.http.form('/api/1/shares/remove/', { path: '/deep/Team', member_login: `email:${writer.email}` });
    expect(said(await restore(writer, 'b.txt', '/Team'))).toBe('404 NotFound');
    expect(await asked(writer, '/Team')).toBe('404 NotFound');
  });
});

describe('deleting', () => {
  it('of a mount leaves the share, erasing in it is the owner’s alone, and readers delete nothing', async () => {
    await give('/leave', writer, true);
    await give('/leave', reader, false);
    await owner.upload('/leave/a.txt', Buffer.from('x'));
    const erase = await writer.http.send('/api/1/fileops/delete/?path=/leave/a.txt&without_trash=true', { method: 'POST' });
    expect(said(erase)).toBe('403 Forbidden');
    expect(said(await reader.http.send('/api/1/fileops/delete/?path=/leave/a.txt', { method: 'POST' }))).toBe('403 Forbidden');
    expect(await remove(writer, '/leave')).toMatchObject({ path: '/leave', deleted: true });
    expect((await writer.http.send('/api/1/metadata/leave')).status).toBe(404);
    expect(await owner.metadata('/leave/a.txt')).toMatchObject({ bytes: 1 });
    expect((await owner.http.get<Page>('/api/1/trash/')).content.map((item) => item.name)).not.toContain('leave');
  });
});
