import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser } from '../../support/cloudike-user.js';
import { HttpSession } from '../../support/http-session.js';
import { type SharedStack, sharedStack } from '../../support/stack.js';
import { Subscriber } from '../../support/subscriber.js';

interface WireEvent {
  readonly type: string;
  readonly path: string;
  readonly timestamp: number;
  readonly [field: string]: unknown;
}

let stack: SharedStack;
let user: CloudikeUser;
let other: CloudikeUser;
let middleMs: number;

beforeAll(async () => {
  stack = await sharedStack();
  user = await CloudikeUser.register(stack.baseUrl);
  other = await CloudikeUser.register(stack.baseUrl);
  await user.mkdir('/docs');
  await user.upload('/docs/a.txt', Buffer.from('hello'));
  middleMs = Date.now();
  await new Promise((resolve) => setTimeout(resolve, 10));
  await user.http.form('/api/1/fileops/rename/', { path: '/docs/a.txt', newname: 'b.txt' });
  await user.http.form('/api/1/fileops/move/', { from_path: '/docs/b.txt', to_path: '/' });
  await user.http.form('/api/1/fileops/copy/', { from_path: '/b.txt', to_path: '/docs' });
  await user.http.form('/api/1/fileops/delete/', { path: '/b.txt' });
  await user.http.form('/api/1/fileops/undelete/', { path: '/b.txt' });
});
afterAll(async () => stack?.stop());

const events = (query = '', session = user.http) => session.get<WireEvent[]>(`/api/1/events/?${query}`);
const types = async (query = '') => (await events(query)).map((event) => event.type);
const status = async (target: string, session = user.http, method = 'GET') => (await session.send(target, { method })).status;
const ALL = ['file_undeleted', 'file_deleted', 'file_copied', 'file_moved', 'file_renamed', 'file_created', 'folder_created'];

describe('events/', () => {
  it('answers what happened, newest first, with the fields of the source', async () => {
    const all = await events();
    expect(all.map((event) => event.type)).toEqual(ALL);
    const [, deleted, , moved, renamed, created, folder] = all;
    const person = { user_id: user.userId, init_event_user_id: user.userId, init_event_user_name: user.email.split('@')[0] };
    expect(created).toMatchObject({
      ...person,
      path: '/docs/a.txt',
      deleted: false,
      version: 1,
      content: { created: expect.any(Number), modified: expect.any(Number), size: 5 },
    });
    expect(deleted).toMatchObject({ path: '/b.txt', deleted: true });
    expect(moved).toMatchObject({ path: '/b.txt', oldpath: '/docs/b.txt', old: { content: { size: 5 }, version: 1 } });
    expect(renamed).toMatchObject({ path: '/docs/b.txt', oldname: 'a.txt', old: { version: 1 } });
    expect(folder).toMatchObject({ ...person, path: '/docs', icon: 'folder', content: { modified: expect.any(Number) } });
    expect(folder).not.toHaveProperty('version');
    const times = all.map((event) => event.timestamp);
    expect(times).toEqual([...times].sort((a, b) => b - a));
  });

  it('pages and filters, and events_len counts the same', async () => {
    const length = async (query: string) => (await user.http.get<{ total: number }>(`/api/1/events_len/?${query}`)).total;
    for (const [query, expected] of [
      ['skip=2&limit=3', ALL.slice(2, 5)],
      ['limit=0', []],
      ['limit=1000', ALL],
      ['type=file_moved', ['file_moved']],
      ['type=file_moved&type=folder_created', ['file_moved', 'folder_created']],
      ['type[]=file_moved&type[]=nonsense', ['file_moved']],
      ['type=nonsense', []],
      ['type=', ALL],
      ['person=me', ALL],
      ['person=other', []],
      [`from_timestamp=${middleMs + 1}`, ALL.slice(0, 5)],
      [`to_timestamp=${middleMs}`, ALL.slice(5)],
      [`from_timestamp=${middleMs + 1}&to_timestamp=${middleMs}`, []],
      ['period=1&not_include_storage_info=true', ALL],
    ] as const) {
      expect([query, await types(query)]).toEqual([query, expected]);
      if (!/skip|limit/.test(query)) expect([query, await length(query)]).toEqual([query, expected.length]);
    }
    expect(await user.http.form('/api/0/events', { type: 'file_moved' })).toHaveLength(1);
  });

  it('shows nothing of others', async () => {
    await other.mkdir('/mine');
    expect((await events('', other.http)).map((event) => event.path)).toEqual(['/mine']);
    expect(await types()).toEqual(ALL);
  });

  it.each(['limit=-1', 'limit=many', 'skip=-1', 'skip=1000001', 'person=they', 'from_timestamp=yesterday', 'to_timestamp=1.5', 'period=-1'])(
    'refuses %s',
    async (query) => {
      for (const route of ['events', 'events_len', 'get_log_file'])
        if (route === 'events' || !/limit|skip/.test(query)) expect([route, await status(`/api/1/${route}/?${query}`)]).toEqual([route, 400]);
    },
  );

  it.each(['events', 'events_len', 'get_log_file', 'notices', 'subscribe/ticket'])('%s needs a credential', async (route) => {
    const anonymous = new HttpSession(stack.baseUrl);
    expect(await status(`/api/1/${route}/`, anonymous)).toBe(401);
    expect(await status(`/api/1/${route}/`, anonymous.with({ 'mountbit-auth': '0'.repeat(32) }))).toBe(401);
  });

  it('refuses HEAD where a call changes something', async () => {
    for (const [route, expected] of [
      ['events', 200],
      ['events_len', 200],
      ['check_ws', 200],
      ['get_log_file', 405],
      ['notices', 405],
      ['subscribe/ticket', 405],
    ] as const)
      expect([route, await status(`/api/1/${route}/`, user.http, 'HEAD')]).toEqual([route, expected]);
  });
});

describe('get_log_file/', () => {
  it('makes a CSV of the filtered events, for its starter alone', async () => {
    const { taskid } = await user.http.get<{ taskid: string }>('/api/1/get_log_file/?type=file_moved&type=file_created');
    const { url } = await user.finished<{ url: string }>(taskid);
    const lines = (await user.http.send(url)).body.toString().trimEnd().split('\r\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toBe('time,type,path,old_path,user_id,user_name,owner_name,size,version');
    expect(lines[1]).toMatch(/^\d{4}-.*Z,file_moved,\/b\.txt,\/docs\/b\.txt,/);
    expect(await status(`/api/1/task/${taskid}/`, other.http)).toBe(404);
  });
});

describe('notices/', () => {
  const notices = (session: HttpSession, query = '') => session.get<Record<string, unknown>[]>(`/api/1/notices/?${query}`);

  it('asks about an invitation until it is answered or withdrawn', async () => {
    const [owner, member] = [await CloudikeUser.register(stack.baseUrl), await CloudikeUser.register(stack.baseUrl)];
    for (const name of ['/one', '/two', '/three']) {
      await owner.mkdir(name);
      await owner.http.form('/api/1/shares/add/', { path: name, member_login: `email:${member.email}` });
    }
    expect((await notices(member.http)).map(({ text, status: state }) => [text, state])).toEqual([
      ['three', 'waiting'],
      ['two', 'waiting'],
      ['one', 'waiting'],
    ]);
    expect(await notices(owner.http)).toEqual([]);
    const hashOf = async (text: string) => (await notices(member.http)).find((notice) => notice.text === text)!.hash as string;
    await member.http.form('/api/1/shares/accept/', { invite_hash: await hashOf('one') });
    await member.http.form('/api/1/shares/decline/', { invite_hash: await hashOf('two') });
    await owner.http.form('/api/1/shares/unshare/', { path: '/three' });
    const interactive = await notices(member.http, 'behavior=interactive');
    expect(interactive.map(({ text, status: state }) => [text, state])).toEqual([
      ['two', 'declined'],
      ['one', 'accepted'],
    ]);
    expect(Object.keys(interactive[0]!).sort()).toEqual(
      [
        'status',
        'hash',
        'timestamp',
        'init_notice_user_name',
        'path',
        'init_notice_user_id',
        'user_id',
        'modified',
        'behavior',
        'text',
        'action',
        'type',
      ].sort(),
    );
    expect((await notices(member.http, 'status=accepted')).map(({ text }) => text)).toEqual(['one']);
    expect((await notices(owner.http, 'status=new')).map(({ action }) => action).sort()).toEqual([
      'share_invitation_accepted',
      'share_invitation_declined',
    ]);
    expect(await notices(owner.http, 'status=new')).toEqual([]);
    expect(await notices(owner.http, 'status=viewed&type=personal&behavior=static&scope=abstract')).toHaveLength(2);
    expect(await notices(owner.http, 'type=global')).toEqual([]);
    expect(await notices(other.http)).toEqual([]);
  });

  it.each(['type=mine', 'behavior=loud', 'status=old'])('refuses %s', async (query) => {
    expect(await status(`/api/1/notices/?${query}`)).toBe(400);
  });
});

describe('what a websocket is told beside the tree', () => {
  it('a full listing that is ready, and the storage figures at most once a second', async () => {
    const socket = await Subscriber.listening(stack.baseUrl, `token=${user.token}`);
    const { listing_request_id: id } = await user.http.get<{ listing_request_id: string }>('/api/1/metadata_full_listing/');
    expect(await socket.event('metadata_full_listing', undefined, 60_000)).toMatchObject({
      listing_request_id: id,
      request_id: '',
      path: '',
      owner_id: user.userId,
      user_id: user.userId,
    });
    const started = performance.now();
    for (let index = 0; index < 12; index++) await user.upload(`/s${index}.bin`, Buffer.alloc(10));
    const client = new pg.Client(stack.databaseUrl);
    await client.connect();
    const { rows } = await client.query<{ used: string }>(`SELECT used_bytes AS used FROM quotas WHERE owner_kind = 'account' AND owner_id = $1`, [
      user.userId,
    ]);
    await client.end();
    const pushed = () => socket.events.filter((event) => event.type === 'storage_info');
    await socket.until(() => pushed().at(-1)?.home_storage_size === Number(rows[0]!.used));
    expect(pushed().length).toBeLessThanOrEqual(Math.ceil((performance.now() - started) / 1000) + 1);
    await socket.close();
  });
});
