import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser } from '../support/cloudike-user.js';
import { HttpSession } from '../support/http-session.js';
import { type Stack, startStack } from '../support/stack.js';
import { Subscriber } from '../support/subscriber.js';

const MAX_PER_ACCOUNT = 8;
let stack: Stack;
let first: string;
let second: string;

beforeAll(async () => {
  stack = await startStack({
    apis: 2,
    env: {
      STOWAGE_ACCOUNT_CONFIRMATION: 'off',
      STOWAGE_MAX_WEBSOCKETS_PER_ACCOUNT: String(MAX_PER_ACCOUNT),
      STOWAGE_ALLOWED_ORIGINS: 'https://files.example.org',
    },
  });
  [first = '', second = ''] = stack.baseUrls;
});
afterAll(async () => stack?.stop());

const refusal = (query: string, headers: Record<string, string> = {}, path = '/subscribe/') =>
  Subscriber.open(first, query, headers, path).then(
    async (subscriber) => {
      await subscriber.close();
      return 'open';
    },
    (error: Error) => error.message,
  );

async function sql(text: string, values: unknown[] = []): Promise<void> {
  const client = new pg.Client(stack.databaseUrl);
  await client.connect();
  await client.query(text, values);
  await client.end();
}

describe('what is pushed', () => {
  it('tells all that a view needs, of writes on either api, to sockets on both', async () => {
    const user = await CloudikeUser.register(first);
    const sockets = [
      await Subscriber.listening(first, `token=${user.token}`),
      await Subscriber.listening(second, `token=${user.token}&timestamp=${Date.now()}`),
    ];
    await user.mkdir('/docs');
    await user.upload('/docs/a.txt', Buffer.from('hello'));
    await user.upload('/docs/a.txt', Buffer.from('hello again'), { overwrite: true });
    const http = user.http;
    await http.form('/api/1/fileops/rename/', { path: '/docs/a.txt', newname: 'b.txt' });
    await http.form('/api/1/fileops/move/', { from_path: '/docs/b.txt', to_path: '/' });
    await http.form('/api/1/fileops/delete/', { path: '/docs' });
    for (const socket of sockets) {
      expect(await socket.event('folder_created', '/docs')).toMatchObject({
        icon: 'folder',
        user_id: user.userId,
        init_event_user_id: user.userId,
        content: { modified: expect.any(Number) },
        deleted: false,
        folder: true,
      });
      expect(await socket.event('file_created', '/docs/a.txt')).toMatchObject({
        icon: 'document_text',
        version: 1,
        content: { size: 5, modified: expect.any(Number), created: expect.any(Number) },
      });
      expect(await socket.event('file_new_content', '/docs/a.txt')).toMatchObject({ version: 2, content: { size: 11 } });
      expect(await socket.event('file_renamed', '/docs/b.txt')).toMatchObject({ oldname: 'a.txt', old: { version: 2, content: { size: 11 } } });
      expect(await socket.event('file_moved', '/b.txt')).toMatchObject({ oldpath: '/docs/b.txt', icon: 'document_text', content: { size: 11 } });
      expect(await socket.event('folder_deleted', '/docs')).toMatchObject({ icon: 'folder', deleted: true });
      const storage = await socket.event('storage_info');
      expect(storage).toMatchObject({ home_storage_size: expect.any(Number), hard_quota_size: 0 });
      await socket.until(() => socket.events.some((event) => event.type === 'storage_info' && event.home_storage_size === 16));
      expect(socket.messages.every((message) => message.startsWith('['))).toBe(true);
      await socket.close();
    }
  });

  it('goes to the members of a shared folder by their paths, with a notice, and to nobody else', async () => {
    const [owner, member, stranger] = [await CloudikeUser.register(first), await CloudikeUser.register(second), await CloudikeUser.register(first)];
    await owner.mkdir('/work/project');
    const sockets = await Promise.all([owner, member, stranger].map(({ token }) => Subscriber.listening(second, `token=${token}`)));
    const [ownerSocket, memberSocket, strangerSocket] = sockets as [Subscriber, Subscriber, Subscriber];
    const { hash } = await owner.http.form<{ hash: string }>('/api/1/shares/add/', {
      path: '/work/project',
      member_login: `email:${member.email}`,
      writer: true,
    });
    const sent = await memberSocket.event('share_invitation_sent');
    expect(sent).toMatchObject({ hash: expect.any(String), init_event_user_id: owner.userId });
    const notices = async () => member.http.get<Record<string, unknown>[]>('/api/1/notices/?type=personal&behavior=interactive');
    expect(await notices()).toEqual([
      expect.objectContaining({
        status: 'waiting',
        hash: sent.hash,
        action: 'share_invitation_sent',
        text: 'project',
        type: 'personal',
        behavior: 'interactive',
        user_id: member.userId,
        init_notice_user_id: owner.userId,
      }),
    ]);
    expect(typeof hash).toBe('string');
    await member.http.form('/api/1/shares/accept/', { invite_hash: sent.hash as string });
    expect((await notices())[0]).toMatchObject({ status: 'accepted' });
    expect((await owner.http.get<Record<string, unknown>[]>('/api/1/notices/'))[0]).toMatchObject({
      action: 'share_invitation_accepted',
      status: 'new',
      behavior: 'static',
      init_notice_user_id: member.userId,
    });
    expect((await owner.http.get<Record<string, unknown>[]>('/api/1/notices/'))[0]).toMatchObject({ status: 'viewed' });
    await owner.mkdir('/work/project/sub');
    await member.mkdir('/project/from member');
    await memberSocket.event('folder_created', '/project/sub');
    expect(await ownerSocket.event('folder_created', '/work/project/from member')).toMatchObject({ init_event_user_id: member.userId });
    await memberSocket.event('folder_created', '/project/from member');
    await sleep(300);
    expect(strangerSocket.events.filter((event) => event.type !== 'storage_info')).toEqual([]);
    expect(JSON.stringify(memberSocket.events)).not.toContain('/work');
    for (const socket of sockets) await socket.close();
  });

  it('continues from a cursor and from a time', async () => {
    const user = await CloudikeUser.register(first);
    const socket = await Subscriber.listening(first, `token=${user.token}&cursor=`);
    expect(socket.events).toEqual([{ type: 'subscribed', timestamp: expect.any(Number), user_id: user.userId, cursor: expect.any(String) }]);
    const start = socket.cursor!;
    for (let index = 0; index < 5; index++) await user.mkdir(`/${index}`);
    await socket.event('folder_created', '/4');
    const cursor = socket.events.find((event) => event.path === '/2')!.cursor!;
    await socket.close();
    await user.mkdir('/while away');
    const paths = (all: Subscriber) => all.events.filter((event) => event.type === 'folder_created').map((event) => event.path);
    for (const [from, expected] of [
      [start, ['/0', '/1', '/2', '/3', '/4', '/while away']],
      [cursor, ['/3', '/4', '/while away']],
    ] as const) {
      const again = await Subscriber.open(second, `token=${user.token}&cursor=${encodeURIComponent(from)}`);
      await again.event('folder_created', '/while away');
      expect(paths(again)).toEqual(expected);
      await again.close();
    }
    await sleep(20);
    const sinceMs = Date.now();
    await user.mkdir('/later');
    const late = await Subscriber.open(second, `token=${user.token}&timestamp=${sinceMs}`);
    await late.event('folder_created', '/later');
    await user.mkdir('/live');
    await late.event('folder_created', '/live');
    expect(paths(late)).toEqual(['/later', '/live']);
    await late.close();
  });

  it('is tried out by check_ws on every api', async () => {
    const user = await CloudikeUser.register(first);
    const other = await CloudikeUser.register(first);
    const sockets = [await Subscriber.listening(first, `token=${user.token}`), await Subscriber.listening(second, `token=${user.token}`)];
    const foreign = await Subscriber.listening(first, `token=${other.token}`);
    expect(await user.http.get('/api/1/check_ws/')).toMatchObject({ code: 'OK' });
    for (const socket of sockets) await socket.event('check_ws');
    expect(await user.http.form('/api/0/check_ws', {})).toMatchObject({ code: 'OK' });
    expect(await new HttpSession(first).get('/api/1/check_ws/')).toMatchObject({ code: 'OK' });
    expect(foreign.events.filter((event) => event.type !== 'storage_info')).toEqual([]);
    for (const socket of [...sockets, foreign]) await socket.close();
  });
});

describe('who is let in', () => {
  it('needs a token, or a ticket that is good once', async () => {
    const user = await CloudikeUser.register(first);
    expect(await refusal('')).toBe('refused 401');
    expect(await refusal(`token=${'0'.repeat(32)}`)).toBe('refused 401');
    expect(await refusal('ticket=wrong')).toBe('refused 401');
    const { ticket, expires } = await user.http.form<{ ticket: string; expires: number }>('/api/1/subscribe/ticket/', {});
    expect(expires).toBeGreaterThan(Date.now());
    const results = await Promise.all(Array.from({ length: 5 }, () => refusal(`ticket=${ticket}`)));
    expect(results.sort()).toEqual(['open', ...Array.from({ length: 4 }, () => 'refused 401')]);
    const late = await user.http.form<{ ticket: string }>('/api/1/subscribe/ticket/', {});
    await sql(`UPDATE subscribe_tickets SET expires_at = now() - interval '1 second'`);
    expect(await refusal(`ticket=${late.ticket}`)).toBe('refused 401');
    const basic = new HttpSession(first, { authorization: `Basic ${Buffer.from(`${user.email}:correct horse battery`).toString('base64')}` });
    expect((await basic.send('/api/1/subscribe/ticket/', { method: 'POST' })).status).toBe(403);
    expect((await new HttpSession(first).send('/api/1/subscribe/ticket/')).status).toBe(401);
  });

  it('is refused to pages of other origins', async () => {
    const { token } = await CloudikeUser.register(first);
    expect(await refusal(`token=${token}`, { origin: 'https://evil.example' })).toBe('refused 403');
    expect(await refusal(`token=${token}`, { origin: 'null' })).toBe('refused 403');
    expect(await refusal(`token=${token}`, { origin: first })).toBe('open');
    expect(await refusal(`token=${token}`, { origin: 'https://files.example.org' })).toBe('open');
    expect(await refusal(`token=${token}`, {}, '/subscribe')).toBe('open');
  });

  it('refuses what cannot be meant', async () => {
    const { token, http } = await CloudikeUser.register(first);
    expect(await refusal(`token=${token}&cursor=nonsense`)).toBe('refused 400');
    expect(await refusal(`token=${token}&timestamp=yesterday`)).toBe('refused 400');
    expect(await refusal(`token=${token}`, {}, '/elsewhere')).toBe('refused 404');
    expect((await http.send('/subscribe/')).status).toBe(426);
    const sockets = await Promise.all(Array.from({ length: MAX_PER_ACCOUNT }, () => Subscriber.open(first, `token=${token}`)));
    expect(await refusal(`token=${token}`)).toBe('refused 429');
    sockets[0]!.socket.send('x'.repeat(5_000));
    expect((await sockets[0]!.end()).code).toBe(1009);
    for (let count = 0; count < 150; count++) sockets[1]!.socket.send('noise');
    expect((await sockets[1]!.end()).code).toBe(1008);
    for (const socket of sockets) await socket.close();
  });

  it('lets an account open no more than it may have, also when all are asked for at once', async () => {
    const { token } = await CloudikeUser.register(first);
    const asked = await Promise.allSettled(Array.from({ length: 4 * MAX_PER_ACCOUNT }, () => Subscriber.open(first, `token=${token}`)));
    const open = asked.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    expect(open).toHaveLength(MAX_PER_ACCOUNT);
    expect(new Set(asked.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : [])))).toEqual(new Set(['Error: refused 429']));
    for (const socket of open) await socket.close();
    await Promise.allSettled(Array.from({ length: 4 }, () => Subscriber.open(first, `token=${token}&cursor=nonsense`)));
    const again = await Promise.all(open.map(() => Subscriber.open(first, `token=${token}`)));
    for (const socket of again) await socket.close();
  });

  it('answers requests that offer HTTP/2 as if they did not', async () => {
    const { token } = await CloudikeUser.register(first);
    const { port } = new URL(first);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = net.connect(Number(port), '127.0.0.1');
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
      socket.on('end', () => resolve(text));
      socket.on('error', reject);
      socket.write(
        `GET /api/1/metadata/?listing=false HTTP/1.1\r\nHost: x\r\nMountbit-Auth: ${token}\r\nConnection: Upgrade, HTTP2-Settings\r\n` +
          'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n',
      );
    });
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).toContain('"path":"/"');
  });
});

describe('the end of a websocket', () => {
  it('comes within two seconds of the end of its token, on every api', async () => {
    const ends = async (act: (user: CloudikeUser) => Promise<unknown>) => {
      const user = await CloudikeUser.register(first);
      const { ticket } = await user.http.form<{ ticket: string }>('/api/1/subscribe/ticket/', {});
      const sockets = [
        await Subscriber.listening(first, `token=${user.token}`),
        await Subscriber.listening(second, `token=${user.token}`),
        await Subscriber.listening(second, `ticket=${ticket}`),
      ];
      const start = performance.now();
      await act(user);
      for (const socket of sockets) expect((await socket.end(2_500)).code).toBe(1008);
      return performance.now() - start;
    };
    expect(await ends((user) => user.http.send('/api/1/accounts/logout/', { method: 'POST' }))).toBeLessThan(2_500);
    await ends((user) => sql(`UPDATE accounts SET state = 'disabled' WHERE id = $1`, [user.userId]));
    await ends((user) => sql(`UPDATE auth_tokens SET expires_at = now() WHERE account_id = $1`, [user.userId]));
    const rules = async (user: CloudikeUser, settings: object) => {
      const made = `WITH c AS (INSERT INTO companies (name, settings) VALUES ('rules', $2::jsonb) RETURNING id)
                    UPDATE accounts SET company_id = (SELECT id FROM c) WHERE id = $1`;
      await sql(made, [user.userId, JSON.stringify(settings)]);
    };
    // what is pushed to somebody is no use of the token
    await ends(async (user) => {
      await sql(`UPDATE auth_tokens SET last_used_at = now() - interval '1 hour' WHERE account_id = $1`, [user.userId]);
      await rules(user, { logoutTimeoutEnable: true, logoutTimeout: 30 });
    });
    await ends((user) => rules(user, { secondFactorRequired: true }));
  });

  it('is told at a restart, and nothing is lost across it', async () => {
    const user = await CloudikeUser.register(first);
    const socket = await Subscriber.listening(second, `token=${user.token}&cursor=`);
    await user.mkdir('/before');
    await socket.event('folder_created', '/before');
    const restarting = stack.restart('api', 1);
    expect((await socket.end()).code).toBe(1012);
    await user.mkdir('/meanwhile');
    await restarting;
    const again = await Subscriber.open(second, `token=${user.token}&cursor=${encodeURIComponent(socket.cursor!)}`);
    await again.event('folder_created', '/meanwhile');
    expect(again.events.map((event) => event.path)).not.toContain('/before');
    await again.close();
  });
});

describe('a thousand reconnects', () => {
  it('lose no event and bring none of others', async () => {
    const users = await Promise.all(Array.from({ length: 5 }, () => CloudikeUser.register(first)));
    const elsewhere = users.map((user) => new HttpSession(second, { 'mountbit-auth': user.token }));
    const made = users.map((): string[] => []);
    let reconnects = 0;
    let writing = true;

    const write = async (index: number) => {
      for (let count = 0; writing; count++) {
        const path = `/u${index}-${count}`;
        const session = count % 2 === 0 ? users[index]!.http : elsewhere[index]!;
        await session.form('/api/1/fileops/folder_create/', { path });
        made[index]!.push(path);
      }
    };
    const read = async (index: number) => {
      const found: string[] = [];
      let cursor = '';
      const connect = (base: string) => Subscriber.open(base, `token=${users[index]!.token}&cursor=${encodeURIComponent(cursor)}`);
      const keep = (socket: Subscriber) => {
        found.push(...socket.events.filter((event) => event.type === 'folder_created').map((event) => event.path));
        cursor = socket.cursor ?? cursor;
      };
      const begin = await connect(first);
      await begin.until(() => begin.cursor !== undefined);
      return {
        found,
        go: async () => {
          keep(begin);
          begin.kill();
          while (reconnects < 1000) {
            reconnects++;
            const socket = await connect(reconnects % 2 === 0 ? first : second);
            await sleep(Math.random() * 40);
            keep(socket);
            socket.kill();
          }
        },
        finish: async () => {
          const socket = await connect(second);
          const missing = () => made[index]!.length - found.length - socket.events.filter((event) => event.type === 'folder_created').length;
          await socket.until(() => missing() <= 0, 20_000).catch(() => undefined);
          keep(socket);
          await socket.close();
        },
      };
    };
    const readers = await Promise.all(users.flatMap((_, index) => [read(index), read(index)]));
    const writers = users.map((_, index) => write(index));
    await Promise.all(readers.map((reader) => reader.go()));
    writing = false;
    await Promise.all(writers);
    await Promise.all(readers.map((reader) => reader.finish()));
    expect(reconnects).toBeGreaterThanOrEqual(1000);
    readers.forEach((reader, index) => {
      const expected = made[Math.floor(index / 2)]!;
      expect(reader.found).toHaveLength(expected.length);
      expect(new Set(reader.found)).toEqual(new Set(expected));
    });
    expect(made.flat().length).toBeGreaterThan(100);
  });
});
