import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FilesystemBlobStore, S3BlobStore, SignedUrls } from '#libs/blob-store';
import { expected, freshKey, readAll, streamed } from '../support/blob-store-contract.js';

const MIB = 1024 * 1024;
const run = promisify(execFile);
const signedUrls = new SignedUrls({ publicUrl: 'http://127.0.0.1:1', secretKey: 'a secret for the fault tests' });

/** Makes writes below `root` fail beyond 20 to 24 MiB: a small file system where we may mount one, else a limit on the size of files. */
async function limitSpace(root: string): Promise<() => Promise<unknown>> {
  if (process.getuid?.() === 0) {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'stowage-test', root]);
    return () => run('umount', [root]);
  }
  await run('prlimit', [`--pid=${process.pid}`, `--fsize=${20 * MIB}:unlimited`]);
  return () => run('prlimit', [`--pid=${process.pid}`, '--fsize=unlimited:unlimited']);
}

describe('filesystem blob store on a full disk', () => {
  let root: string;
  let restore: () => Promise<unknown>;
  let store: FilesystemBlobStore;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'stowage-full-'));
    restore = await limitSpace(root);
    store = new FilesystemBlobStore({ root, signedUrls });
    await store.prepare();
  });
  afterAll(async () => {
    await store.close();
    // Also shows that no file is left open: a file system in use cannot be unmounted.
    await vi.waitFor(() => restore(), { timeout: 5000 });
    await rm(root, { recursive: true, force: true });
  });

  it('should refuse what does not fit, keep nothing of it, and go on', async () => {
    const kept = freshKey();
    const bytes = randomBytes(2 * MIB);
    await store.put(kept, bytes);
    for (const body of [randomBytes(30 * MIB), streamed(randomBytes(30 * MIB))]) {
      const key = freshKey();
      await expect(store.put(key, body)).rejects.toMatchObject({ code: 'STORAGE_FULL' });
      expect([await store.head(key), await readdir(join(root, 'tmp'))]).toEqual([null, []]);
    }
    expect(await store.put(kept, streamed(bytes))).toEqual(expected(bytes));
    expect((await readAll(await store.getRange(kept))).equals(bytes)).toBe(true);
    await store.delete(kept);
  });

  it('should leave a multipart upload open when its whole does not fit', async () => {
    const key = freshKey();
    const id = await store.createMultipart(key);
    for (const partNumber of [1, 2, 3]) await store.putPart(key, id, partNumber, randomBytes(7 * MIB));
    await expect(store.completeMultipart(key, id)).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    expect([await store.head(key), await readdir(join(root, 'tmp'))]).toEqual([null, []]);
    expect(await store.listParts(key, id)).toHaveLength(3);
    await store.abortMultipart(key, id);
    expect((await store.put(key, randomBytes(9 * MIB))).sizeBytes).toBe(9 * MIB);
  });
});

describe('filesystem blob store after a crash', () => {
  it('should remove old leftovers alone', async () => {
    const root = await mkdtemp(join(tmpdir(), 'stowage-crash-'));
    const store = new FilesystemBlobStore({ root, signedUrls });
    await store.prepare();
    await writeFile(join(root, 'tmp', 'half'), 'half an upload');
    await mkdir(join(root, 'tmp', 'ended'));
    await writeFile(join(root, 'tmp', 'ended', '00001'), 'a part of an ended upload');
    // An old modification time says nothing: a copy is a link and keeps that of its origin.
    await utimes(join(root, 'tmp', 'half'), 0, 0);
    expect(await store.removeLeftovers(60_000)).toBe(0);
    await expect.poll(() => store.removeLeftovers(0)).toBe(2);
    expect(await readdir(join(root, 'tmp'))).toEqual([]);
    await store.close();
    await rm(root, { recursive: true });
  });

  it('should go on when an operator removed its folders', async () => {
    const root = await mkdtemp(join(tmpdir(), 'stowage-folders-'));
    const store = new FilesystemBlobStore({ root, signedUrls });
    const key = freshKey();
    await store.put(key, Buffer.from('one'));
    await rm(join(root, 'objects'), { recursive: true });
    await store.put(key, Buffer.from('two'));
    expect((await readAll(await store.getRange(key))).toString()).toBe('two');
    await store.close();
    await rm(root, { recursive: true });
  });

  it('should say that a folder which cannot be used is unavailable', async () => {
    const root = await mkdtemp(join(tmpdir(), 'stowage-file-'));
    await writeFile(join(root, 'store'), 'a file, not a folder');
    const store = new FilesystemBlobStore({ root: join(root, 'store'), signedUrls });
    const key = freshKey();
    for (const work of [() => store.check(), () => store.prepare(), () => store.put(key, Buffer.from('x')), () => store.head(key)]) {
      await expect(work()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    }
    await store.close();
    await rm(root, { recursive: true });
  });
});

describe('S3 blob store without its server', () => {
  const options = { bucket: 'b', region: 'us-east-1', accessKeyId: 'an-id', secretAccessKey: 'a-secret-key', forcePathStyle: true, signedUrls };

  it('should say that a server which is gone is unavailable, without a credential in the error', async () => {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as { port: number };
    await new Promise((closed) => server.close(closed));
    const store = new S3BlobStore({ ...options, endpoint: `http://127.0.0.1:${port}` });
    const key = freshKey();
    for (const work of [
      () => store.check(),
      () => store.put(key, Buffer.from('x')),
      () => store.put(key, streamed(randomBytes(20 * MIB))),
      () => store.head(key),
      () => store.getRange(key),
      () => store.createMultipart(key),
    ]) {
      const error = await work().then(
        () => null,
        (reason: Error) => reason,
      );
      expect(error).toMatchObject({ code: 'STORAGE_UNAVAILABLE', message: expect.stringContaining('ECONNREFUSED') });
      expect(JSON.stringify([error, error?.stack, String(error?.cause)])).not.toMatch(/an-id|a-secret-key/);
    }
    expect((await store.deleteMany([key]))[0]?.error).toContain('does not answer');
    await store.close();
  });

  it('should not wait long for a server that never answers when asked whether it is ready', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => void sockets.push(socket));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as { port: number };
    const store = new S3BlobStore({ ...options, endpoint: `http://127.0.0.1:${port}` });
    await expect(store.check()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(sockets.length).toBeGreaterThan(0);
    for (const socket of sockets) socket.destroy();
    await new Promise((closed) => server.close(closed));
    await store.close();
  });
});
