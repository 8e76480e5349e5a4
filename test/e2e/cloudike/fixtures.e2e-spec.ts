import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser, encodePath, type UploadTicket, type WireNode } from '../../support/cloudike-user.js';
import { type SharedStack, sharedStack } from '../../support/stack.js';
import { mustBeRefused, tortureNames, tortureTimes } from '../../support/torture.js';
import { inParallel } from '../../support/uploader.js';

const PART = 5 * 1024 * 1024;

let stack: SharedStack;
let user: CloudikeUser;

beforeAll(async () => {
  stack = await sharedStack();
  user = await CloudikeUser.register(stack.baseUrl);
});
afterAll(() => stack?.stop());

const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest('hex');

/** Uploads in parts through files/create_part, the parts sent in reverse order. */
async function uploadInParts(path: string, bytes: Buffer): Promise<WireNode> {
  const ticket = await user.createUpload(path, { size: bytes.length, multipart: true });
  const parts = Math.max(1, Math.ceil(bytes.length / PART));
  for (let number = parts; number >= 1; number--) {
    const part = await user.http.form<{ url: string; method: string; headers: Record<string, string> }>('/api/1/files/create_part/', {
      temp_path: ticket.temp_path,
      part_num: number,
    });
    expect(await user.put({ ...part, method: 'PUT' }, bytes.subarray((number - 1) * PART, number * PART))).toBe(200);
  }
  return user.http.form<WireNode>(ticket.confirm_url, {});
}

describe('sizes', () => {
  it.each([0, 1, 4096, PART - 1, PART, PART + 1])('%i bytes come back as they went in', async (size) => {
    const bytes = randomBytes(size);
    const node = await user.upload(`/sizes/${size}.bin`, bytes, { checksum: md5(bytes) });
    expect(node).toMatchObject({ bytes: size, checksum: md5(bytes), folder: false });
    expect(bytes.equals(await user.download(`/sizes/${size}.bin`))).toBe(true);
  });

  it.each([PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 7])('%i bytes in parts come back as they went in', async (size) => {
    const bytes = randomBytes(size);
    const node = await uploadInParts(`/sizes/parts-${size}.bin`, bytes);
    expect(node).toMatchObject({ bytes: size, checksum: md5(bytes) });
    expect(bytes.equals(await user.download(`/sizes/parts-${size}.bin`))).toBe(true);
  });

  it('more than 5 GiB come back as they went in (on the S3 server of the tests, which lives in memory, only when asked to)', async () => {
    const size = (stack.mode === 'embedded' || process.env['STOWAGE_TEST_HUGE'] ? 5 * 1024 ** 3 : 64 * 1024 ** 2) + 1;
    const block = randomBytes(4 * 1024 ** 2);
    const sent = createHash('sha256');
    const source = Readable.from(
      (function* () {
        for (let at = 0; at < size; at += block.length) {
          const piece = block.subarray(0, Math.min(block.length, size - at));
          sent.update(piece);
          yield piece;
        }
      })(),
      { objectMode: false, highWaterMark: block.length },
    );
    const ticket = await user.createUpload('/sizes/huge.bin', { size });
    const stored = await user.http.send(ticket.url, { method: 'PUT', headers: { ...ticket.headers, 'content-length': String(size) }, body: source });
    expect(stored.status).toBe(200);
    expect((await user.http.form<WireNode>(ticket.confirm_url, {})).bytes).toBe(size);
    const { url } = await user.http.get<{ url: string }>('/api/1/files/get/sizes/huge.bin');
    const received = createHash('sha256');
    await user.http.send(url, { sink: received });
    expect(received.digest('hex')).toBe(sent.digest('hex'));
    await user.http.form('/api/1/fileops/delete/', { path: '/sizes/huge.bin', without_trash: true });
  });

  it('answers ranges of a file exactly', async () => {
    const bytes = randomBytes(100_000);
    await user.upload('/sizes/range.bin', bytes);
    const { url } = await user.http.get<{ url: string }>('/api/1/files/get/sizes/range.bin');
    for (const [range, expected] of [
      ['bytes=0-0', bytes.subarray(0, 1)],
      ['bytes=99999-', bytes.subarray(99_999)],
      ['bytes=-10', bytes.subarray(99_990)],
      ['bytes=500-1499', bytes.subarray(500, 1500)],
      ['bytes=99990-200000', bytes.subarray(99_990)],
    ] as const) {
      const reply = await user.http.send(url, { headers: { range } });
      expect(reply.status).toBe(206);
      expect(reply.body).toEqual(expected);
    }
    expect((await user.http.send(url, { headers: { range: 'bytes=100000-' } })).status).toBe(416);
  });
});

// 10,000 names and 1,000 times in the embedded default; fewer with S3 and Redis, which know of neither
describe('names', () => {
  it('torture names come back byte for byte, or are refused with a reason', async () => {
    const names = tortureNames(stack.mode === 'embedded' ? 10_000 : 2_000, 20_261_121);
    await user.mkdir('/names');
    await user.mkdir('/paths');
    const outcome = new Map<string, number>();
    await inParallel(names, 8, async (name) => {
      // a name with a slash is a path of several names, so it gets a folder of its own
      const body = JSON.stringify({ path: `${name.includes('/') ? '/paths' : '/names'}/${name}` });
      const reply = await user.http.send('/api/1/fileops/folder_create/', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      if (reply.status !== 200)
        expect(reply.json<{ code: string; description: string }>()).toMatchObject({
          code: expect.any(String),
          description: expect.stringMatching(/./),
        });
      outcome.set(name, reply.status);
    });
    const listed = new Set<string>();
    for (let offset = 0, last = false; !last; offset += 2000) {
      const page = await user.metadata('/names', { limit: 2000, offset });
      for (const node of page.content!) listed.add(node.path.slice('/names/'.length));
      last = page.is_last_page!;
    }
    for (const name of names) {
      const status = outcome.get(name)!;
      expect(status, JSON.stringify(name)).toBeLessThan(500);
      if (name.includes('/')) continue;
      if (mustBeRefused(name)) expect(status, JSON.stringify(name)).not.toBe(200);
      else if (status === 200) expect(listed.has(name), JSON.stringify(name)).toBe(true);
      else {
        // the only other reason is a sibling that is the same name to a reader: another case or another normal form
        const same = names.some((other) => other !== name && other.normalize('NFC').toLowerCase() === name.normalize('NFC').toLowerCase());
        expect(same, `${JSON.stringify(name)} answered ${status}`).toBe(true);
      }
    }
  });

  it('finds a node under any spelling that a reader takes for the same name, and answers the stored one', async () => {
    await user.mkdir('/Ме\u0301сто É');
    for (const spelling of ['/Ме\u0301сто E\u0301', '/МЕ\u0301СТО é']) expect((await user.metadata(spelling)).path).toBe('/Ме\u0301сто É');
  });
});

describe('times', () => {
  it('timestamps stay exact through upload, copy, move, version, restore and trash', async () => {
    const times = tortureTimes(stack.mode === 'embedded' ? 1_000 : 200, 7);
    await user.mkdir('/times');
    await inParallel(times, 8, async (time, index) => {
      const node = await user.upload(`/times/${index}.txt`, Buffer.from(`${index}`), { created: time - 1, modified: time });
      expect(node).toMatchObject({ modified: time, client_data: { created: time - 1, modified: time } });
    });
    const expectTimes = async (folder: string) => {
      const { content } = await user.metadata(folder);
      expect(content!.length).toBe(times.length);
      for (const node of content!) {
        const time = times[Number(/(\d+)\.txt$/.exec(node.path)![1])]!;
        expect(node, node.path).toMatchObject({ modified: time, client_data: { created: time - 1, modified: time } });
      }
    };
    await expectTimes('/times');
    await user.http.form('/api/1/fileops/copy/', { from_path: '/times', to_path: '/' });
    await expectTimes('/times (1)');
    await user.mkdir('/moved');
    await user.http.form('/api/1/fileops/move/', { from_path: '/times (1)', to_path: '/moved' });
    await expectTimes('/moved/times (1)');
    await user.http.form('/api/1/fileops/delete/', { path: '/moved/times (1)' });
    await user.http.form('/api/1/fileops/undelete/', { path: '/moved/times (1)' });
    await expectTimes('/moved/times (1)');
    await user.upload('/times/0.txt', Buffer.from('changed'), { overwrite: true, created: 5, modified: 6 });
    const restored = await user.http.form<WireNode>('/api/1/files/restore/', { path: '/times/0.txt', version: 1 });
    expect(restored).toMatchObject({ modified: times[0], client_data: { created: times[0]! - 1, modified: times[0] } });
  });

  it.each(['abc', '1e999', '8640000000000001', '1.5'])('refuses the time %s', async (modified) => {
    const reply = await user.http.send('/api/1/files/create/', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ path: '/times/bad.txt', modified }).toString(),
    });
    expect(reply.status).toBe(400);
    expect(reply.json().code).toBe('InvalidParameters');
  });
});

describe('quota', () => {
  /** Sets the limit of an account as its administrator would; null is unlimited. */
  async function setQuota(accountId: number, limitBytes: number | null): Promise<void> {
    const client = new pg.Client(stack.env['DATABASE_URL']);
    await client.connect();
    await client.query(`UPDATE quotas SET limit_bytes = $2 WHERE owner_kind = 'account' AND owner_id = $1`, [accountId, limitBytes]);
    await client.end();
  }

  it('of one byte takes one byte and refuses the second before it is sent', async () => {
    const small = await CloudikeUser.register(stack.baseUrl);
    await small.metadata('/');
    await setQuota(small.userId, 1);
    await small.upload('/one', Buffer.from('1'));
    await small.upload('/none', Buffer.alloc(0));
    await expect(small.createUpload('/two', { size: 1 })).rejects.toThrow(/402/);
    const undeclared = await small.createUpload('/two');
    expect(await small.put(undeclared, Buffer.from('2'))).toBe(402);
    await expect(small.http.form('/api/1/fileops/copy/', { from_path: '/one', to_path: '/' })).rejects.toThrow(/402/);
  });

  it('is never exceeded by racing uploads', async () => {
    const racer = await CloudikeUser.register(stack.baseUrl);
    await racer.metadata('/');
    await setQuota(racer.userId, 10_000);
    let accepted = 0;
    await inParallel(Array.from({ length: 60 }), 20, async (_, index) => {
      const reply = await racer.http.send('/api/1/files/create/', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ path: `/race-${index}`, size: 999 }),
      });
      if (reply.status === 402) return;
      expect(reply.status).toBe(200);
      const ticket = reply.json<UploadTicket>();
      expect(await racer.put(ticket, randomBytes(999))).toBe(200);
      await racer.http.form(ticket.confirm_url, {});
      accepted += 1;
    });
    expect(accepted).toBe(10);
    expect((await racer.http.get<{ storage_size: number }>('/api/1/accounts/get/')).storage_size).toBe(9990);
  });

  it('not limited takes what comes', async () => {
    const free = await CloudikeUser.register(stack.baseUrl);
    await free.metadata('/');
    await setQuota(free.userId, null);
    expect((await free.upload('/big', randomBytes(1_000_000))).bytes).toBe(1_000_000);
    expect((await free.http.get<{ storage_size: number }>('/api/1/accounts/get/')).storage_size).toBe(1_000_000);
  });
});

describe('two users', () => {
  it('see nothing of each other', async () => {
    const stranger = await CloudikeUser.register(stack.baseUrl);
    await user.upload('/private/secret.txt', Buffer.from('mine'));
    for (const path of ['/private', '/private/secret.txt']) {
      const theirs = await stranger.http.send(`/api/1/metadata${encodePath(path)}`);
      const unknown = await stranger.http.send(`/api/1/metadata${encodePath('/never-existed')}`);
      expect(theirs.status).toBe(404);
      expect(theirs.json()).toEqual(unknown.json());
    }
  });
});
