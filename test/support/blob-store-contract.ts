import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BlobStore, StoredBlob } from '#libs/blob-store';
import { isDomainError } from '#libs/kernel';

const MIB = 1024 * 1024;
const PART_BYTES = 8 * MIB;

/** One driver under test. `fetch` reaches whatever address its signed URLs name. */
export interface BlobStoreSubject {
  readonly store: BlobStore;
  close(): Promise<void>;
}

/** Every rule of the BlobStore port, as tests that each driver must pass. */
export function describeBlobStore(driver: string, open: () => Promise<BlobStoreSubject>): void {
  describe(`${driver} blob store`, () => {
    let subject: BlobStoreSubject;
    let store: BlobStore;
    beforeAll(async () => {
      subject = await open();
      store = subject.store;
      await store.prepare();
    });
    afterAll(async () => subject?.close());

    wholeObjects(() => store);
    reading(() => store);
    signedDownloads(() => store);
    multiparts(() => store);
    upkeep(() => store);
  });
}

/** What a server asks first for every request: false means that the request is not for it. */
type FirstHandler = (req: IncomingMessage, res: ServerResponse, continuePending?: boolean) => unknown;

/** A server on a free port with nothing but one handler, which may be set once the address is known. */
export async function listen(): Promise<{ url: string; port: number; handle(handler: FirstHandler): void; close(): Promise<void> }> {
  const server = createServer({ requestTimeout: 0 });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    handle: (handler) => {
      const take = (continuePending: boolean) => (req: IncomingMessage, res: ServerResponse) => {
        if (handler(req, res, continuePending) === false) res.writeHead(404).end();
      };
      server.on('request', take(false)).on('checkContinue', take(true));
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
}

/** A key that no other test uses. */
export function freshKey(): string {
  return `test/${randomBytes(12).toString('hex')}`;
}

/** What a store has to report for these bytes. */
export function expected(bytes: Buffer): StoredBlob {
  return {
    sizeBytes: bytes.length,
    md5: createHash('md5').update(bytes).digest('hex'),
    sha256: createHash('sha256').update(bytes).digest('hex'),
    crc32: crc32(bytes),
  };
}

/** A stream of these bytes in pieces of a size that divides nothing evenly. */
export function streamed(bytes: Buffer, pieceBytes = 65_521): Readable {
  function* pieces(): Generator<Buffer> {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  }
  return Readable.from(pieces(), { objectMode: false });
}

/** Reads a stream to its end. */
export async function readAll(stream: Readable): Promise<Buffer> {
  return Buffer.concat((await stream.toArray()) as Buffer[]);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'no error';
  } catch (error) {
    return isDomainError(error) ? error.code : String(error);
  }
}

function wholeObjects(store: () => BlobStore): void {
  it.each([0, 1, MIB - 1, MIB, MIB + 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES + 17])(
    'should give back %i bytes from a stream and from a buffer, with their hashes',
    async (size) => {
      const bytes = randomBytes(size);
      for (const body of [bytes, streamed(bytes)]) {
        const key = freshKey();
        expect(await store().put(key, body)).toEqual(expected(bytes));
        expect((await store().head(key))?.sizeBytes).toBe(size);
        expect((await readAll(await store().getRange(key))).equals(bytes)).toBe(true);
      }
    },
  );

  it('should replace an object whole', async () => {
    const key = freshKey();
    await store().put(key, Buffer.from('the first, longer text'));
    await store().put(key, Buffer.from('the second'));
    expect((await readAll(await store().getRange(key))).toString()).toBe('the second');
  });

  it.each([100, 2 * MIB, 20 * MIB])('should refuse more than %i bytes and keep nothing', async (maxBytes) => {
    for (const bytes of [randomBytes(maxBytes + 1), streamed(randomBytes(maxBytes + 1))]) {
      const key = freshKey();
      expect(await codeOf(store().put(key, bytes, { maxBytes }))).toBe('TOO_LARGE');
      expect(await store().head(key)).toBeNull();
    }
    const exact = freshKey();
    expect((await store().put(exact, streamed(randomBytes(maxBytes)), { maxBytes })).sizeBytes).toBe(maxBytes);
  });

  it.each([
    [10, 11],
    [11, 10],
    [9 * MIB, 9 * MIB + 1],
    [9 * MIB + 1, 9 * MIB],
  ])('should refuse %i bytes announced as %i and keep nothing', async (size, sizeBytes) => {
    const key = freshKey();
    expect(await codeOf(store().put(key, streamed(randomBytes(size)), { sizeBytes }))).toBe('SIZE_MISMATCH');
    expect(await store().head(key)).toBeNull();
  });

  it.each([1000, 3 * MIB, 20 * MIB])('should keep nothing and pass the error on when the source breaks after %i bytes', async (size) => {
    const key = freshKey();
    const broken = new Error('the sender is gone');
    function* pieces(): Generator<Buffer> {
      yield randomBytes(size);
      throw broken;
    }
    await expect(store().put(key, Readable.from(pieces(), { objectMode: false }))).rejects.toBe(broken);
    const destroyed = new Readable({ read: () => undefined });
    const put = store().put(key, destroyed);
    destroyed.push(randomBytes(size));
    setImmediate(() => destroyed.destroy());
    await expect(put).rejects.toThrow('before it was complete');
    expect(await store().head(key)).toBeNull();
    for await (const upload of store().listMultiparts()) expect(upload.key).not.toBe(key);
  });

  it('should leave one of several parallel writers of one key, whole', async () => {
    const key = freshKey();
    const bodies = Array.from({ length: 6 }, (_, index) => Buffer.alloc(3 * MIB + index, index));
    await Promise.all(bodies.map((body) => store().put(key, streamed(body))));
    const stored = await readAll(await store().getRange(key));
    expect(bodies.some((body) => body.equals(stored))).toBe(true);
  });

  it('should refuse a key that is not opaque', async () => {
    for (const key of ['', '/a', 'a/', 'a//b', '../a', 'a.b', 'A', 'a b', 'é', 'a\0', 'x'.repeat(201)]) {
      expect(await codeOf(store().put(key, Buffer.from('x')))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(store().head(key))).toBe('INVALID_ARGUMENT');
    }
  });

  it('should take 100 MiB without holding them in memory', async () => {
    const piece = randomBytes(MIB);
    const hash = createHash('sha256');
    let peak = 0;
    function* pieces(): Generator<Buffer> {
      for (let index = 0; index < 100; index++) {
        hash.update(piece);
        const { arrayBuffers, heapUsed } = process.memoryUsage();
        peak = Math.max(peak, arrayBuffers + heapUsed - before);
        yield piece;
      }
    }
    const key = freshKey();
    global.gc?.();
    const start = process.memoryUsage();
    const before = start.arrayBuffers + start.heapUsed;
    const { sha256 } = await store().put(key, Readable.from(pieces(), { objectMode: false }));
    expect(sha256).toBe(hash.digest('hex'));
    expect(peak).toBeLessThan(64 * MIB);
    await store().delete(key);
  });
}

function reading(store: () => BlobStore): void {
  const bytes = randomBytes(3 * MIB + 5);
  const key = freshKey();
  const last = bytes.length - 1;
  beforeAll(async () => void (await store().put(key, bytes)));

  it.each([
    [0, 0],
    [last, last],
    [MIB - 1, MIB],
    [5, undefined],
    [last, last + 100],
    [0, last],
  ])('should read from byte %s to %s', async (start, endInclusive) => {
    const part = await readAll(await store().getRange(key, { start, endInclusive }));
    expect(part.equals(bytes.subarray(start, endInclusive === undefined ? undefined : endInclusive + 1))).toBe(true);
  });

  it('should refuse a start past the end', async () => {
    for (const start of [last + 1, last + 1000]) expect(await codeOf(store().getRange(key, { start }))).toBe('INVALID_ARGUMENT');
  });

  it('should tell a missing object apart', async () => {
    const missing = freshKey();
    expect(await store().head(missing)).toBeNull();
    await expect(store().getRange(missing)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE', details: { missing: true } });
    await expect(store().copy(missing, freshKey())).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE', details: { missing: true } });
  });

  it('should copy, also over an object, over itself and from a copy, and outlive its origin', async () => {
    const [origin, copy] = [freshKey(), freshKey()];
    await store().put(origin, Buffer.from('origin'));
    await store().put(copy, Buffer.from('something else'));
    await store().copy(origin, copy);
    await store().copy(origin, copy);
    await store().copy(origin, origin);
    await store().delete(origin);
    expect((await readAll(await store().getRange(copy))).toString()).toBe('origin');
  });

  it('should survive many readers that leave in the middle', async () => {
    for (let index = 0; index < 100; index++) {
      for await (const chunk of await store().getRange(key)) {
        expect(chunk).toBeInstanceOf(Buffer);
        break;
      }
    }
    expect((await readAll(await store().getRange(key))).equals(bytes)).toBe(true);
  });
}

function signedDownloads(store: () => BlobStore): void {
  const bytes = randomBytes(MIB + 3);
  const key = freshKey();
  const fileName = 'наш "отчёт" 100% – 東京;\'é*.txt';
  beforeAll(async () => void (await store().put(key, bytes)));
  const url = (expiresInSeconds = 60) =>
    store().presignGet({ key, expiresInSeconds, fileName, contentType: 'text/x-stowage', disposition: 'attachment' });

  it('should serve the object with its name and type', async () => {
    const answer = await fetch(await url());
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/x-stowage');
    const disposition = answer.headers.get('content-disposition') ?? '';
    expect(disposition).toMatch(/^attachment; filename="[\x20-\x7e]+"; filename\*=UTF-8''/);
    expect(decodeURIComponent(disposition.split("UTF-8''")[1]!)).toBe(fileName);
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
  });

  it.each([
    ['bytes=0-0', 0, 1],
    ['bytes=-1', bytes.length - 1, bytes.length],
    ['bytes=-10', bytes.length - 10, bytes.length],
    ['bytes=1000-', 1000, bytes.length],
    [`bytes=100-${bytes.length + 50}`, 100, bytes.length],
  ])('should serve the range %s', async (range, start, end) => {
    const answer = await fetch(await url(), { headers: { range } });
    expect(answer.status).toBe(206);
    expect(answer.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/${bytes.length}`);
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes.subarray(start, end))).toBe(true);
  });

  it('should answer 416 past the end and 304 for a known ETag', async () => {
    expect((await fetch(await url(), { headers: { range: `bytes=${bytes.length}-` } })).status).toBe(416);
    const first = await fetch(await url());
    await first.arrayBuffer();
    expect((await fetch(await url(), { headers: { 'if-none-match': first.headers.get('etag')! } })).status).toBe(304);
  });

  it('should refuse an expired, an altered and a misused URL', async () => {
    const signed = await url();
    expect((await fetch(signed.replace(key, freshKey()))).status).toBe(403);
    expect((await fetch(signed.replace('stowage', 'other'))).status).toBe(403);
    expect((await fetch(signed.split('?')[0]!)).status).toBe(403);
    expect((await fetch(signed, { method: 'PUT', body: 'x' })).status).toBe(403);
    const short = await url(1);
    await expect.poll(async () => (await fetch(short)).status, { timeout: 10_000, interval: 250 }).toBe(403);
  });
}

function multiparts(store: () => BlobStore): void {
  const part = (byte: number, size = 5 * MIB): Buffer => Buffer.alloc(size, byte);

  it('should assemble parts by number, however they came, the last of each number', async () => {
    const key = freshKey();
    const id = await store().createMultipart(key);
    expect(await store().listParts(key, id)).toEqual([]);
    await store().putPart(key, id, 3, streamed(part(3, 7)), { sizeBytes: 7 });
    await store().putPart(key, id, 1, part(9));
    await store().putPart(key, id, 10, part(10, 1));
    await store().putPart(key, id, 2, streamed(part(2)));
    await store().putPart(key, id, 1, part(1));
    await store().putPart(key, id, 3, part(3));
    const sizes = [5 * MIB, 5 * MIB, 5 * MIB, 1];
    expect(await store().listParts(key, id)).toEqual([1, 2, 3, 10].map((partNumber, index) => ({ partNumber, sizeBytes: sizes[index] })));
    const listed: string[] = [];
    for await (const upload of store().listMultiparts()) if (upload.key === key) listed.push(upload.uploadId);
    expect(listed).toEqual([id]);
    expect(await store().head(key)).toBeNull();

    const bytes = Buffer.concat([part(1), part(2), part(3), part(10, 1)]);
    expect(await store().completeMultipart(key, id)).toEqual(expected(bytes));
    expect((await readAll(await store().getRange(key))).equals(bytes)).toBe(true);
    expect(await store().listParts(key, id)).toBeNull();
    expect(await store().completeMultipart(key, id)).toEqual(expected(bytes));
  });

  it('should complete once when asked twice at the same time', async () => {
    const key = freshKey();
    const id = await store().createMultipart(key);
    await store().putPart(key, id, 1, part(1));
    await store().putPart(key, id, 2, part(2, 11));
    const wanted = expected(Buffer.concat([part(1), part(2, 11)]));
    expect(await Promise.all([store().completeMultipart(key, id), store().completeMultipart(key, id)])).toEqual([wanted, wanted]);
  });

  it('should refuse what cannot be completed and leave it open', async () => {
    const key = freshKey();
    const id = await store().createMultipart(key);
    expect(await codeOf(store().completeMultipart(key, id))).toBe('UPLOAD_INCOMPLETE');
    if (store().minPartBytes > 0) {
      await store().putPart(key, id, 1, part(1, store().minPartBytes - 1));
      await store().putPart(key, id, 2, part(2, 1));
      expect(await codeOf(store().completeMultipart(key, id))).toBe('INVALID_ARGUMENT');
    }
    await store().putPart(key, id, 1, part(1));
    expect(await codeOf(store().completeMultipart(key, id))).toBe('no error');
  });

  it('should take one empty part as an empty object', async () => {
    const key = freshKey();
    const id = await store().createMultipart(key);
    await store().putPart(key, id, 1, Buffer.alloc(0));
    expect(await store().completeMultipart(key, id)).toEqual(expected(Buffer.alloc(0)));
  });

  it('should forget an aborted upload', async () => {
    const key = freshKey();
    const id = await store().createMultipart(key);
    await store().putPart(key, id, 1, part(1, 100));
    await store().abortMultipart(key, id);
    await store().abortMultipart(key, id);
    expect(await store().listParts(key, id)).toBeNull();
    expect(await codeOf(store().putPart(key, id, 2, part(2, 100)))).toBe('UPLOAD_NOT_FOUND');
    expect(await codeOf(store().completeMultipart(key, id))).toBe('UPLOAD_NOT_FOUND');
    for (const partNumber of [0, -1, 10_001, 1.5, NaN]) {
      expect(await codeOf(store().putPart(key, id, partNumber, part(1, 1)))).toBe('INVALID_ARGUMENT');
    }
  });

  it('should take parts by signed URL of exactly the length signed', async () => {
    const key = freshKey();
    const uploadId = await store().createMultipart(key);
    const body = part(1, 100);
    const signed = (expiresInSeconds = 60) => store().presignPart({ key, uploadId, partNumber: 1, expiresInSeconds, sizeBytes: body.length });
    const { url, method, headers } = await signed();
    const send = async (to: string, bytes: Buffer, verb: string = method): Promise<number> =>
      (await fetch(to, { method: verb, headers, body: new Uint8Array(bytes) })).status;
    expect(await send(url, part(1, 101))).toBe(403);
    expect(
      await send(
        url.replace(
          uploadId,
          uploadId.replace(/.$/, (c) => (c === '0' ? '1' : '0')),
        ),
        body,
      ),
    ).toBe(403);
    expect(await send(url, body, 'POST')).toBe(403);
    expect((await fetch(url)).status).toBe(403);
    expect(await store().listParts(key, uploadId)).toEqual([]);
    expect(await send(url, body)).toBe(200);
    expect(await store().completeMultipart(key, uploadId)).toEqual(expected(body));
    expect(await send(url, body)).toBe(404);
    const short = (await signed(1)).url;
    await expect.poll(() => send(short, body), { timeout: 10_000, interval: 250 }).toBe(403);
  });
}

function upkeep(store: () => BlobStore): void {
  it('should delete twice, and many with an outcome each', async () => {
    const keys = [freshKey(), freshKey(), freshKey()];
    for (const key of keys.slice(0, 2)) await store().put(key, Buffer.from('x'));
    await store().delete(keys[0]!);
    await store().delete(keys[0]!);
    expect(await store().deleteMany([])).toEqual([]);
    expect(await store().deleteMany([...keys, keys[1]!])).toEqual([...keys, keys[1]!].map((key) => ({ key, error: null })));
    for (const key of keys) expect(await store().head(key)).toBeNull();
  });

  it('should delete the rest when one of many has a bad key', async () => {
    const key = freshKey();
    await store().put(key, Buffer.from('x'));
    const [bad, good] = await store().deleteMany(['../bad', key]);
    expect(bad?.error).toMatch(/key/);
    expect(good).toEqual({ key, error: null });
    expect(await store().head(key)).toBeNull();
  });

  it('should list everything of a prefix', async () => {
    const prefix = `${freshKey()}/`;
    const wanted = new Map(Array.from({ length: 12 }, (_, index) => [`${prefix}${index}`, index * 10]));
    const started = Date.now();
    for (const [key, size] of wanted) await store().put(key, Buffer.alloc(size));
    const found = new Map<string, number>();
    for await (const { key, sizeBytes, lastModifiedMs } of store().list(prefix)) {
      found.set(key, sizeBytes);
      expect(Math.abs(lastModifiedMs - started)).toBeLessThan(60_000);
    }
    expect(new Map([...found].sort())).toEqual(new Map([...wanted].sort()));
    let all = 0;
    for await (const { key } of store().list()) all += key.startsWith(prefix) ? 1 : 0;
    expect(all).toBe(wanted.size);
  });

  it('should say that it is ready, and remove no leftover that is young', async () => {
    await store().check();
    expect(await store().removeLeftovers(60_000)).toBe(0);
  });
}
