import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type DownloadGate,
  type DownloadPass,
  FilesystemBlobStore,
  SignedUrls,
  type StoredBlob,
  UploadGate,
  type UploadSlot,
} from '#libs/blob-store';
import { DomainError } from '#libs/kernel';
import { Logger } from '#libs/observability';
import { type BlobHandler, createBlobHandler } from '../../apps/api/src/blobs/blob-handler.js';
import { expected, freshKey, listen, readAll } from '../support/blob-store-contract.js';

const MIB = 1024 * 1024;

/** Remembers what it was told, and refuses what a test tells it to. */
class RecordingGate extends UploadGate {
  readonly calls: string[] = [];
  announced: number | null | undefined;
  refusal: DomainError | null = null;
  refusalAtEnd: DomainError | null = null;
  slot: UploadSlot = { maxBytes: 10 * MIB };
  blob: StoredBlob | null = null;
  /** Resolves at the end of the next upload, whichever it is. */
  ended = Promise.resolve();
  private end: () => void = () => undefined;

  override open(_key: string, announcedBytes: number | null): Promise<UploadSlot> {
    this.calls.push('open');
    this.announced = announcedBytes;
    this.ended = new Promise((resolve) => (this.end = resolve));
    return this.refusal ? Promise.reject(this.refusal) : Promise.resolve(this.slot);
  }
  override stored(_key: string, blob: StoredBlob): Promise<void> {
    this.calls.push('stored');
    this.blob = blob;
    if (this.refusalAtEnd) return Promise.reject(this.refusalAtEnd);
    this.end();
    return Promise.resolve();
  }
  override failed(): Promise<void> {
    this.calls.push('failed');
    this.end();
    return Promise.resolve();
  }
}

describe('signed blob URLs over HTTP', () => {
  let server: Awaited<ReturnType<typeof listen>>;
  let root: string;
  let store: FilesystemBlobStore;
  let signedUrls: SignedUrls;
  let gate: RecordingGate;
  let bytesSeen: [string, number][];
  /** In place of the usual one, for one test. */
  let handler: BlobHandler | undefined;
  const logged: string[] = [];
  const logger = Logger.create('warn', {}, { write: (line: string) => void logged.push(line) });

  beforeAll(async () => {
    server = await listen();
    root = await mkdtemp(join(tmpdir(), 'stowage-blob-http-'));
    signedUrls = new SignedUrls({ publicUrl: server.url, secretKey: 'a secret for the tests of blob URLs' });
    store = new FilesystemBlobStore({ root, signedUrls });
    await store.prepare();
    const onBytes = (direction: string, bytes: number) => bytesSeen.push([direction, bytes]);
    server.handle((req, res, continuePending) =>
      (handler ?? createBlobHandler({ store, signedUrls, uploads: gate, logger, onBytes }))(req, res, continuePending),
    );
  });
  beforeEach(() => {
    gate = new RecordingGate();
    handler = undefined;
    bytesSeen = [];
    logged.length = 0;
  });
  afterAll(async () => {
    await server.close();
    await store.close();
    await rm(root, { recursive: true });
  });

  const putUrl = (key: string, maxBytes = 10 * MIB): string => store.presignPut({ key, maxBytes, expiresInSeconds: 60 });
  const temporaryFiles = async (): Promise<string[]> => readdir(join(root, 'tmp'));
  const stored = async (key: string): Promise<Buffer> => readAll(await store.getRange(key));

  describe('taking whole objects', () => {
    const bytes = randomBytes(2 * MIB + 1);
    const body = new Uint8Array(bytes);

    it.each(['PUT', 'POST'])('should take a raw %s', async (method) => {
      const key = freshKey();
      const answer = await fetch(putUrl(key), { method, body });
      expect([answer.status, await answer.text(), answer.headers.get('etag')]).toEqual([200, '', `"${expected(bytes).md5}"`]);
      expect((await stored(key)).equals(bytes)).toBe(true);
      expect([gate.calls, gate.announced, gate.blob]).toEqual([['open', 'stored'], bytes.length, expected(bytes)]);
      expect(bytesSeen).toEqual([['in', bytes.length]]);
    });

    it('should take a form in which every header is a file part and the file comes last', async () => {
      const key = freshKey();
      const form = new FormData();
      form.append('Content-Type', new Blob(['application/octet-stream']), 'Content-Type');
      form.append('x-other', new Blob([randomBytes(100_000)]), 'x-other');
      form.append('file', new Blob([body]), 'имя "файла".bin');
      expect((await fetch(putUrl(key), { method: 'POST', body: form })).status).toBe(200);
      expect((await stored(key)).equals(bytes)).toBe(true);
      expect([gate.calls, gate.announced]).toEqual([['open', 'stored'], null]);
    });

    it('should take a form with fields before and after the file', async () => {
      const key = freshKey();
      const form = new FormData();
      form.append('key', 'whatever');
      form.append('file', new Blob([body]), 'a.bin');
      form.append('success_action_status', '201');
      form.append('again', new Blob([randomBytes(300_000)]), 'again');
      expect((await fetch(putUrl(key), { method: 'POST', body: form })).status).toBe(200);
      expect((await stored(key)).equals(bytes)).toBe(true);
    });

    it('should take a form whose file part has no file name, byte for byte', async () => {
      const key = freshKey();
      const every = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
      const form = Buffer.concat([Buffer.from('--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n'), every, Buffer.from('\r\n--b--\r\n')]);
      const headers = { 'content-type': 'multipart/form-data; boundary=b' };
      expect((await fetch(putUrl(key), { method: 'POST', headers, body: new Uint8Array(form) })).status).toBe(200);
      expect((await stored(key)).equals(every)).toBe(true);
    });

    it('should take nothing as an empty object', async () => {
      for (const init of [{ method: 'PUT' }, { method: 'POST', body: '' }]) {
        const key = freshKey();
        expect((await fetch(putUrl(key), init)).status).toBe(200);
        expect((await store.head(key))?.sizeBytes).toBe(0);
      }
      const key = freshKey();
      const form = new FormData();
      form.append('file', new Blob([]), 'empty');
      expect((await fetch(putUrl(key), { method: 'POST', body: form })).status).toBe(200);
      expect((await store.head(key))?.sizeBytes).toBe(0);
    });

    it('should put the bytes where the gate says', async () => {
      const [key, storeKey] = [freshKey(), freshKey()];
      gate.slot = { maxBytes: 100, storeKey };
      expect((await fetch(putUrl(key), { method: 'PUT', body: 'attempt 1' })).status).toBe(200);
      expect([(await stored(storeKey)).toString(), await store.head(key)]).toEqual(['attempt 1', null]);
    });

    it('should answer 400 and keep nothing for a form without a file, cut off or malformed', async () => {
      const key = freshKey();
      const form = new FormData();
      form.append('other', new Blob([body]), 'a.bin');
      const missing = await fetch(putUrl(key), { method: 'POST', body: form });
      expect([missing.status, ((await missing.json()) as { code: string }).code]).toEqual([400, 'InvalidArgument']);
      const cut = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nsome bytes';
      const cutBehind = `${cut}\r\n--b\r\nContent-Disposition: form-data; name="x"\r\n\r\nmore`;
      for (const text of [cut, cutBehind, 'nothing of a form', '']) {
        const headers = { 'content-type': 'multipart/form-data; boundary=b' };
        expect((await fetch(putUrl(key), { method: 'POST', headers, body: text })).status, text).toBe(400);
      }
      expect((await fetch(putUrl(key), { method: 'POST', headers: { 'content-type': 'multipart/form-data' }, body: cut })).status).toBe(400);
      expect([await store.head(key), await temporaryFiles()]).toEqual([null, []]);
      expect(gate.calls.filter((call) => call !== 'open')).toEqual(Array(6).fill('failed'));
    });

    it.each([
      ['UPLOAD_NOT_FOUND', 404, 'UploadNotFound'],
      ['UPLOAD_CLOSED', 409, 'UploadClosed'],
      ['QUOTA_EXCEEDED', 402, 'QuotaExceeded'],
      ['TOO_LARGE', 413, 'TooLarge'],
      ['STORAGE_FULL', 507, 'StorageFull'],
    ] as const)('should answer %s of the gate with %i, before and after the bytes', async (code, status, wire) => {
      gate.refusal = new DomainError(code, 'the reason');
      const before = await fetch(putUrl(freshKey()), { method: 'PUT', body });
      expect([before.status, await before.json()]).toEqual([status, { code: wire, description: 'the reason' }]);
      gate.refusal = null;
      gate.refusalAtEnd = new DomainError(code, 'the reason');
      const after = await fetch(putUrl(freshKey()), { method: 'PUT', body });
      expect([after.status, await after.json()]).toEqual([status, { code: wire, description: 'the reason' }]);
      expect(gate.calls).toEqual(['open', 'open', 'stored', 'failed']);
    });

    it('should not tell the text of an unexpected error', async () => {
      gate.refusalAtEnd = new Error('password of the database') as DomainError;
      const answer = await fetch(putUrl(freshKey()), { method: 'PUT', body: 'x' });
      expect([answer.status, await answer.text()]).toEqual([500, expect.not.stringContaining('password')]);
      expect(logged).toHaveLength(1);
    });

    it('should answer 413 by the length announced, before a byte is read, and by the bytes counted', async () => {
      const key = freshKey();
      expect((await fetch(putUrl(key, 100), { method: 'PUT', body: new Uint8Array(101) })).status).toBe(413);
      expect(gate.calls).toEqual([]);
      gate.slot = { maxBytes: 50 };
      expect((await fetch(putUrl(key, 100), { method: 'PUT', body: new Uint8Array(60) })).status).toBe(413);
      expect(gate.calls).toEqual(['open', 'failed']);
      gate.slot = { maxBytes: 10 * MIB };
      const chunked = new Response(new Uint8Array(3 * MIB)).body!;
      expect((await fetch(putUrl(key, 2 * MIB), { method: 'PUT', body: chunked, duplex: 'half' })).status).toBe(413);
      const form = new FormData();
      form.append('file', new Blob([new Uint8Array(3 * MIB)]), 'a');
      expect((await fetch(putUrl(key, 2 * MIB + 1), { method: 'POST', body: form })).status).toBe(413);
      expect([await store.head(key), await temporaryFiles()]).toEqual([null, []]);
      const exact = new FormData();
      exact.append('file', new Blob([new Uint8Array(2 * MIB)]), 'a');
      expect((await fetch(putUrl(key, 2 * MIB), { method: 'POST', body: exact })).status).toBe(200);
    });

    it('should refuse a sender that waits for 100 Continue without taking its body', async () => {
      gate.refusal = new DomainError('QUOTA_EXCEEDED', 'no room');
      const { continued, status } = await putExpecting(putUrl(freshKey()), Buffer.alloc(5 * MIB));
      expect([continued, status]).toEqual([false, 402]);
      gate.refusal = null;
      expect(await putExpecting(putUrl(freshKey()), Buffer.alloc(5 * MIB))).toEqual({ continued: true, status: 200 });
    });

    it.each([10, 3 * MIB])('should keep nothing and log no error when the sender leaves after %i bytes', async (size) => {
      const key = freshKey();
      const url = new URL(putUrl(key));
      const form = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n';
      for (const head of [
        `PUT ${url.pathname}${url.search} HTTP/1.1\r\nHost: x\r\nContent-Length: ${10 * MIB}\r\n\r\n`,
        `PUT ${url.pathname}${url.search} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${(5 * MIB).toString(16)}\r\n`,
        `POST ${url.pathname}${url.search} HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: ${10 * MIB}\r\n\r\n${form}`,
      ]) {
        const before = gate.calls.length;
        const socket = connect(server.port, '127.0.0.1');
        socket.on('error', () => undefined);
        socket.write(head);
        socket.write(Buffer.alloc(size));
        await expect.poll(() => gate.calls.length).toBe(before + 1);
        socket.destroy();
        await gate.ended;
        expect(gate.calls.at(-1)).toBe('failed');
      }
      expect([await store.head(key), await temporaryFiles(), logged]).toEqual([null, [], []]);
    });
  });

  describe('refusing', () => {
    it('should answer 403 for a URL that is unsigned, altered, of another method or expired', async () => {
      const key = freshKey();
      const url = putUrl(key);
      const other = putUrl(freshKey());
      const expired = signedUrls.sign({ kind: 'PUT', key, expiresAtMs: Date.now() - 1000 });
      for (const attempt of [url.split('?')[0]!, url.replace('max=', 'max=1'), url.replace(key, freshKey()), expired]) {
        const answer = await fetch(attempt, { method: 'PUT', body: 'x' });
        expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([403, 'Forbidden']);
      }
      expect((await fetch(url)).status).toBe(403);
      expect((await fetch(other, { method: 'DELETE' })).status).toBe(403);
      expect((await fetch(`${server.url}/blobs/`, { method: 'PUT' })).status).toBe(403);
      expect((await fetch(`${server.url}/blobs/../../etc/passwd?sig=x`)).status).toBe(404);
      expect(gate.calls).toEqual([]);
    });

    it('should leave other paths to others', async () => {
      expect((await fetch(`${server.url}/blob`)).status).toBe(404);
    });

    it('should answer a preflight without a signature, and allow any origin on every answer', async () => {
      const answer = await fetch(`${server.url}/blobs/x`, { method: 'OPTIONS' });
      expect([answer.status, answer.headers.get('access-control-max-age')]).toEqual([204, '1728000']);
      for (const each of [answer, await fetch(`${server.url}/blobs/x`), await fetch(putUrl(freshKey()), { method: 'PUT', body: 'x' })]) {
        expect(each.headers.get('access-control-allow-origin')).toBe('*');
        expect(each.headers.get('access-control-allow-methods')).toContain('PUT');
        expect(each.headers.get('access-control-expose-headers')).toContain('ETag');
      }
    });
  });

  describe('serving', () => {
    const bytes = randomBytes(3 * MIB + 1);
    const key = freshKey();
    const url = (disposition: 'attachment' | 'inline' = 'attachment', contentType = 'text/html', fileName = 'a.html'): Promise<string> =>
      store.presignGet({ key, expiresInSeconds: 60, fileName, contentType, disposition, etag: 'abc' });
    beforeAll(async () => void (await store.put(key, bytes)));

    it('should never let content act on our origin', async () => {
      const answer = await fetch(await url('inline'));
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('content-security-policy')).toBe("sandbox; default-src 'none'");
      expect(answer.headers.get('content-disposition')).toBe('inline; filename="a.html"');
      await answer.arrayBuffer();
      const hostile = await fetch(await url('attachment', 'text/html\r\nSet-Cookie: a=b', 'x\r\nSet-Cookie: a=b'), { method: 'HEAD' });
      expect([hostile.status, hostile.headers.get('set-cookie'), hostile.headers.get('content-type')]).toEqual([
        200,
        null,
        'application/octet-stream',
      ]);
    });

    it('should ask for each use of a URL that was made for somebody, and lead to a store that serves by itself', async () => {
      const pass = { holder: 'somebody', nodeId: 'n1' };
      const made = await store.presignGet({ key, expiresInSeconds: 60, fileName: 'a', contentType: 'text/plain', disposition: 'attachment', pass });
      expect((await fetch(made)).status).toBe(403);
      const asked: DownloadPass[] = [];
      let refusal: DomainError | null = null;
      const downloads: DownloadGate = {
        judge: (given) => {
          asked.push(given);
          return refusal === null ? Promise.resolve() : Promise.reject(refusal);
        },
      };
      const direct = Object.assign(Object.create(store) as FilesystemBlobStore, { directGet: () => Promise.resolve('https://store.example/x') });
      for (const [target, statuses] of [
        [store, [200, 200, 206]],
        [direct, [302, 200, 302]],
      ] as const) {
        handler = createBlobHandler({ store: target, signedUrls, uploads: gate, downloads, logger });
        const send = (init: RequestInit) => fetch(made, { redirect: 'manual', ...init });
        const all = [await send({}), await send({ method: 'HEAD' }), await send({ headers: { range: 'bytes=0-1' } })];
        expect(all.map(({ status }) => status)).toEqual(statuses);
        if (statuses[0] === 302) {
          expect([all[0]!.headers.get('location'), all[0]!.headers.get('cache-control')]).toEqual(['https://store.example/x', 'private, no-store']);
          expect(all[0]!.headers.get('access-control-allow-origin')).toBe('*');
        }
        for (const each of all) await each.arrayBuffer();
      }
      expect(asked).toEqual(Array.from({ length: 6 }, () => pass));
      for (const [code, status] of [
        ['UNAUTHENTICATED', 401],
        ['NODE_NOT_FOUND', 404],
        ['FORBIDDEN', 403],
      ] as const) {
        refusal = new DomainError(code, 'gone');
        expect((await fetch(made)).status).toBe(status);
      }
    });

    it('should answer HEAD as GET without the bytes', async () => {
      const answer = await fetch(await url(), { method: 'HEAD' });
      expect([answer.status, answer.headers.get('content-length'), answer.headers.get('accept-ranges')]).toEqual([
        200,
        String(bytes.length),
        'bytes',
      ]);
      expect((await answer.arrayBuffer()).byteLength).toBe(0);
      expect(bytesSeen).toEqual([['out', 0]]);
    });

    it('should honour If-Range, If-None-Match and If-Match', async () => {
      const get = async (headers: Record<string, string>): Promise<number> => {
        const answer = await fetch(await url(), { headers });
        await answer.arrayBuffer();
        return answer.status;
      };
      expect(await get({ range: 'bytes=0-1', 'if-range': '"abc"' })).toBe(206);
      expect(await get({ range: 'bytes=0-1', 'if-range': '"other"' })).toBe(200);
      expect(await get({ range: 'bytes=0-1', 'if-range': 'Wed, 21 Oct 2026 07:28:00 GMT' })).toBe(200);
      expect(await get({ 'if-none-match': 'W/"abc"' })).toBe(304);
      expect(await get({ 'if-none-match': '"other"' })).toBe(200);
      expect(await get({ 'if-match': '"abc"' })).toBe(200);
      expect(await get({ 'if-match': '"other"' })).toBe(412);
      expect(await get({ range: 'bytes=0-1,5-6' })).toBe(200);
    });

    it('should tell the size with a 416', async () => {
      const answer = await fetch(await url(), { headers: { range: `bytes=${bytes.length}-` } });
      expect([answer.status, answer.headers.get('content-range')]).toEqual([416, `bytes */${bytes.length}`]);
    });

    it('should answer 404 for an object that is gone', async () => {
      const gone = await store.presignGet({ key: freshKey(), expiresInSeconds: 60, fileName: 'a', contentType: 'a/b', disposition: 'inline' });
      expect((await fetch(gone)).status).toBe(404);
    });

    it('should log no error when the reader leaves, in the middle or with the last byte', async () => {
      const target = new URL(await url());
      for (const until of [1000, bytes.length]) {
        await new Promise<void>((closed) => {
          const socket = connect(server.port, '127.0.0.1');
          let received = 0;
          socket.on('data', (chunk: Buffer) => {
            received += chunk.length;
            if (received >= until) socket.destroy();
          });
          socket.on('close', () => closed());
          socket.write(`GET ${target.pathname}${target.search} HTTP/1.1\r\nHost: x\r\n\r\n`);
        });
      }
      const whole = await fetch(await url());
      expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true);
      expect(logged).toEqual([]);
    });
  });

  describe('taking parts', () => {
    it('should answer 404 once the upload has ended and 413 over the limit', async () => {
      const key = freshKey();
      const uploadId = await store.createMultipart(key);
      const { url } = await store.presignPart({ key, uploadId, partNumber: 1, expiresInSeconds: 60, maxBytes: 10 });
      expect((await fetch(url, { method: 'PUT', body: 'x'.repeat(11) })).status).toBe(413);
      expect((await fetch(url, { method: 'PUT', body: 'x'.repeat(10) })).status).toBe(200);
      await store.abortMultipart(key, uploadId);
      expect((await fetch(url, { method: 'PUT', body: 'x' })).status).toBe(404);
      expect(gate.calls).toEqual([]);
    });
  });
});

/** PUT with Expect: sends the body only after 100 Continue. */
function putExpecting(url: string, body: Buffer): Promise<{ continued: boolean; status: number }> {
  return new Promise((resolve, reject) => {
    let continued = false;
    const outgoing = request(url, { method: 'PUT', headers: { expect: '100-continue', 'content-length': body.length } });
    outgoing.on('continue', () => {
      continued = true;
      outgoing.end(body);
    });
    outgoing.on('response', (response) => {
      response.resume().on('end', () => resolve({ continued, status: response.statusCode ?? 0 }));
      if (!continued) outgoing.destroy();
    });
    outgoing.on('error', (error) => {
      if (!continued) return;
      reject(error);
    });
    outgoing.flushHeaders();
  });
}
