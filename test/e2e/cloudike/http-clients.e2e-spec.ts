import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ApiClient, CLIENT_KINDS, type ClientKind, type Ticket } from '../../support/api-client.js';
import { encodePath, type WireNode } from '../../support/cloudike-user.js';
import type { HttpAnswer } from '../../support/http-session.js';
import { type SharedStack, sharedStack } from '../../support/stack.js';

const PASSWORD = 'p@ss & wörd=1+1';
/** Names that the clients really make. */
const FOLDER = '/.values & ◐ {x}';

interface Trash {
  readonly content: {
    readonly name: string;
    readonly restore_path: string;
    readonly icon: string;
    readonly modified: number;
    readonly folder: boolean;
  }[];
}

describe('every client of the API at its daily work', () => {
  let stack: SharedStack;

  beforeAll(async () => {
    stack = await sharedStack();
  });

  afterAll(async () => {
    await stack?.stop();
  });

  const signIn = async (kind: ClientKind): Promise<{ client: ApiClient; token: string; userId: number }> => {
    const email = `${kind.toLowerCase()}-${randomBytes(4).toString('hex')}@example.org`;
    const anonymous = new ApiClient(stack.baseUrl, kind);
    expect((await anonymous.write('/api/1/accounts/create/', { email, password: PASSWORD, name: kind })).status).toBe(200);
    const answer = await anonymous.write('/api/1/accounts/login/', { login: `email:${email}`, password: PASSWORD });
    expect(answer.status).toBe(200);
    const { token, userid, ...rest } = answer.json<{ token: string; userid: number }>();
    expect(rest).not.toHaveProperty('code');
    expect(token).toMatch(/^[0-9a-f]{32}$/);
    anonymous.close();
    return { client: new ApiClient(stack.baseUrl, kind, token), token, userId: userid };
  };

  /** As NG does: any error means "not yet", the first 2xx is the end. */
  const finished = async (client: ApiClient, taskId: string): Promise<unknown> => {
    const deadline = Date.now() + 60_000;
    for (;;) {
      const answer = await client.read(`/api/1/task/${taskId}/`);
      if (answer.status < 300) return answer.json();
      expect([answer.status, answer.json()]).toEqual([404, expect.objectContaining({ code: 'TaskRunning', progress: expect.any(Number) })]);
      if (Date.now() > deadline) throw new Error('the task does not end');
      await sleep(25);
    }
  };

  const data = <T = Record<string, unknown>>(answer: HttpAnswer): T => {
    expect([answer.status, answer.status === 200 ? '' : answer.body.toString()]).toEqual([200, '']);
    const body = answer.json<T>();
    expect(body).not.toHaveProperty('code');
    return body;
  };

  describe.each([...CLIENT_KINDS])('%s', (kind) => {
    let client: ApiClient;
    let token: string;
    let userId: number;
    const path = `${FOLDER}/some file + 100%.bin`;
    const bytes = randomBytes(70_000);

    beforeAll(async () => {
      ({ client, token, userId } = await signIn(kind));
    });

    afterAll(() => client?.close());

    it('makes a folder, and is told when it is there already', async () => {
      expect(data(await client.write('/api/1/fileops/folder_create/', { path: FOLDER }))).toMatchObject({
        path: FOLDER,
        folder: true,
        icon: 'folder',
      });
      const again = await client.write('/api/1/fileops/folder_create', { path: FOLDER });
      expect([again.status, again.json()]).toEqual([403, { code: 'FolderAlreadyCreated', description: expect.any(String) }]);
    });

    it('uploads a file in its own way and confirms it, twice', async () => {
      const created = await client.create(path);
      const ticket = data<Ticket & { temp_path?: string }>(created);
      expect(ticket.url).toMatch(/^http:\/\//);
      expect(ticket.confirm_url.startsWith('http://')).toBe(true);
      expect(Object.values(ticket.headers).every((value) => typeof value === 'string')).toBe(true);
      expect((await client.read(`/api/1/metadata${encodePath(path)}`)).status).toBe(404);
      expect([200, 201]).toContain(await client.put(ticket, bytes, 'some file.bin'));
      const confirmed = data<WireNode>(await client.confirm(ticket));
      expect(confirmed).toMatchObject({
        path,
        folder: false,
        bytes: bytes.length,
        checksum: createHash('md5').update(bytes).digest('hex'),
        version: 1,
      });
      expect(confirmed.icon).not.toBe('folder');
      expect(data(await client.confirm(ticket))).toEqual(confirmed);
    });

    it('lists the folder, with and without its content', async () => {
      const listing = data<WireNode>(await client.read(`/api/1/metadata/${encodePath(FOLDER)}/`, { limit: 500, offset: 0, order_by: 'name' }));
      expect(listing.content!.map((node) => [node.path, node.bytes])).toEqual([[path, bytes.length]]);
      expect(listing.is_last_page).toBe(true);
      for (const name of ['listing', 'list']) {
        expect(data(await client.read(`/api/1/metadata${encodePath(FOLDER)}`, { [name]: false }))).not.toHaveProperty('content');
      }
      expect(data<WireNode>(await client.read('/api/1/metadata/')).path).toBe('/');
    });

    it('gets every byte back through a URL that needs no header', async () => {
      const { url } = data<{ url: string }>(await client.read(`/api/1/files/get/${encodePath(path)}/`, { for_view: true }));
      const response = await fetch(url);
      expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
      expect(response.headers.get('content-disposition')).toContain('inline');
    });

    it('copies, moves and renames', async () => {
      expect(data(await client.write('/api/1/fileops/copy/', { from_path: path, to_path: FOLDER }))).toMatchObject({
        path: `${FOLDER}/some file + 100% (1).bin`,
      });
      data(await client.write('/api/1/fileops/folder_create/', { path: '/target' }));
      expect(
        data(await client.write('/api/1/fileops/move/', { from_path: `${FOLDER}/some file + 100% (1).bin`, to_path: '/target', overwrite: false })),
      ).toMatchObject({
        path: '/target/some file + 100% (1).bin',
      });
      expect(data(await client.write('/api/1/fileops/rename/', { path: '/target', newname: 'renamed ü' }))).toMatchObject({ path: '/renamed ü' });
      const refused = await client.write('/api/1/fileops/rename/', { path: '/renamed ü', newname: FOLDER.slice(1) });
      expect([refused.status, refused.json()]).toEqual([403, { code: 'FileCantBeRenamed', description: expect.any(String) }]);
    });

    it('deletes by a single path and by several, and finds both in the trash', async () => {
      expect(data(await client.write('/api/1/fileops/multi/delete/', { path }))).toMatchObject({
        success: 1,
        failed: 0,
        nodes: [{ path, error_code: null, deleted: true }],
      });
      expect(data(await client.write('/api/1/fileops/multi/delete/', { path: ['/renamed ü', '/not there'] }))).toMatchObject({
        success: 1,
        failed: 1,
        nodes: [
          { path: '/renamed ü', error_code: null },
          { path: '/not there', error_code: 404 },
        ],
      });
      const trash = data<Trash>(await client.read('/api/1/trash/', { order_by: 'name' }));
      expect(trash.content.map((item) => item.restore_path).sort()).toEqual([path, '/renamed ü'].sort());
      for (const item of trash.content) expect(item).not.toHaveProperty('path');
    });

    it('restores by names and clears the rest, in the background', async () => {
      const { taskid } = data<{ taskid: string }>(await client.write('/api/1/trash/restore/', { paths: ['some file + 100%.bin'] }));
      await finished(client, taskid);
      expect(data<WireNode>(await client.read(`/api/1/metadata${encodePath(path)}`)).bytes).toBe(bytes.length);
      data(await client.write('/api/1/fileops/multi/delete/', { path }));
      const cleared = data<{ taskid: string }>(await client.write('/api/1/trash/clear/', { path: ['some file + 100%.bin'] }));
      await finished(client, cleared.taskid);
      expect(data<Trash>(await client.read('/api/1/trash/')).content.map((item) => item.restore_path)).toEqual(['/renamed ü']);
      for (const _ of ['first', 'again']) await finished(client, data<{ taskid: string }>(await client.write('/api/1/trash/clear/')).taskid);
      expect(data<Trash>(await client.read('/api/1/trash/')).content).toEqual([]);
    });

    it('confirms several uploads at once', async () => {
      const tickets = await Promise.all(['/m/1.txt', '/m/2.txt'].map(async (target) => data<Ticket>(await client.create(target))));
      for (const ticket of tickets) expect([200, 201]).toContain(await client.put(ticket, Buffer.from('x'), 'x.txt'));
      const { taskid } = data<{ taskid: string }>(
        await client.write('/api/1/files/multi_confirm', { confirm_urls: tickets.map((ticket) => ticket.confirm_url) }),
      );
      expect(await finished(client, taskid)).toMatchObject({ success: 2, failed: 0, nodes: [{ path: '/m/1.txt' }, { path: '/m/2.txt' }] });
    });

    it('is itself, and nobody else', async () => {
      expect(data(await client.read('/api/1/accounts/get/'))).toMatchObject({
        userid: userId,
        storage_size: expect.any(Number),
        quota_size: expect.any(Number),
      });
      const stranger = new ApiClient(
        stack.baseUrl,
        kind,
        token.replace(/./g, (c) => (c === 'a' ? 'b' : 'a')),
      );
      const refused = await stranger.read('/api/1/metadata/');
      expect([refused.status, refused.json()]).toEqual([401, { code: 'Unauthorized', description: expect.any(String) }]);
      stranger.close();
    });
  });
});
