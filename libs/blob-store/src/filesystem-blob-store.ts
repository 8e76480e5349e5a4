import { hash, randomBytes } from 'node:crypto';
import { constants, createReadStream, type Stats } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, readFile, rename, rm, stat, statfs, unlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { DomainError } from '#libs/kernel';
import {
  type BlobHead,
  BlobStore,
  type ByteRange,
  type DeleteOutcome,
  type ListedBlob,
  type ListedMultipart,
  type PartInfo,
  type PresignedPart,
  type PresignGetOptions,
  type PresignPartOptions,
  type PresignPutOptions,
  type PutOptions,
  type StoredBlob,
} from './blob-store.js';
import { Directories } from './directories.js';
import { fileSystemError, missingObject, noParts, rangeError, systemCode, unknownUpload } from './errors.js';
import { disk, writeBody } from './file-sink.js';
import { hashStream } from './hash-stream.js';
import { HashPool } from './hash-pool.js';
import { assertKey, assertPartNumber } from './keys.js';
import type { SignedUrls } from './signed-urls.js';

const READ_CHUNK_BYTES = 1024 * 1024;
const DELETES_AT_ONCE = 8;
const UPLOAD_ID = /^[0-9a-f]{32}$/;
const PART_NAME = /^\d{5}$/;

export interface FilesystemBlobStoreOptions {
  readonly root: string;
  readonly signedUrls: SignedUrls;
}

/**
 * Blobs as files below one folder: `objects/<3 hex>/<key>` (a slash of the key becomes a dot, which no key holds), `multipart/<upload id>/<part>`,
 * and `tmp/` for what is not finished. An object appears by rename of a file that is on disk already.
 */
export class FilesystemBlobStore extends BlobStore {
  override readonly minPartBytes = 0;
  private readonly objects: string;
  private readonly multiparts: string;
  private readonly temporary: string;
  private readonly signedUrls: SignedUrls;
  private readonly directories = new Directories();
  private readonly hashes = new HashPool();

  constructor(options: FilesystemBlobStoreOptions) {
    super();
    const root = resolve(options.root);
    this.objects = join(root, 'objects');
    this.multiparts = join(root, 'multipart');
    this.temporary = join(root, 'tmp');
    this.signedUrls = options.signedUrls;
  }

  override async prepare(): Promise<void> {
    for (const path of [this.objects, this.multiparts, this.temporary]) await disk(mkdir(path, { recursive: true }));
    const shards = Array.from({ length: 256 }, (_, shard) => join(this.objects, shard.toString(16).padStart(2, '0')));
    await disk(Promise.all(shards.map((path) => mkdir(path, { recursive: true }))));
    await disk(this.directories.sync(this.objects));
    await disk(this.directories.sync(dirname(this.objects)));
  }

  override async check(): Promise<void> {
    const path = await this.temp();
    const { bavail } = await disk(statfs(this.temporary));
    if (bavail === 0) throw new DomainError('STORAGE_FULL', 'The storage is full');
    await disk(writeFile(path, ''));
    await disk(unlink(path));
    await disk(this.directories.ensure(this.objects));
  }

  override async put(key: string, body: Readable | Buffer, options: PutOptions = {}): Promise<StoredBlob> {
    const target = this.objectPath(key);
    const temp = await this.temp();
    const blob = await writeBody(temp, body, options, this.hashes);
    await this.publish(temp, target);
    return blob;
  }

  override async head(key: string): Promise<BlobHead | null> {
    const stats = await this.statOf(this.objectPath(key));
    return stats === null ? null : { sizeBytes: stats.size, etagMd5: null };
  }

  override async getRange(key: string, range: ByteRange = {}): Promise<Readable> {
    const handle = await open(this.objectPath(key), 'r').catch((error: unknown) => {
      throw systemCode(error) === 'ENOENT' ? missingObject(key, error) : fileSystemError(error);
    });
    try {
      const { size } = await disk(handle.stat());
      const { start = 0, endInclusive = size - 1 } = range;
      if (start > 0 && start >= size) throw rangeError(size);
      const end = Math.min(endInclusive, size - 1);
      if (end < start) {
        await handle.close();
        return Readable.from([]);
      }
      return createReadStream('', { fd: handle, start, end, highWaterMark: READ_CHUNK_BYTES });
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  override async getWhole(key: string): Promise<Buffer> {
    return readFile(this.objectPath(key)).catch((error: unknown) => {
      throw systemCode(error) === 'ENOENT' ? missingObject(key, error) : fileSystemError(error);
    });
  }

  /** A hard link: objects never change in place, so both names may share the bytes. */
  override async copy(from: string, to: string): Promise<void> {
    const source = this.objectPath(from);
    const target = this.objectPath(to);
    if (source === target) return;
    const temp = await this.temp();
    try {
      await link(source, temp).catch((error: unknown) => {
        if (!['EMLINK', 'EPERM', 'ENOTSUP', 'EXDEV'].includes(systemCode(error) ?? '')) throw error;
        return this.copyBytes(source, temp);
      });
    } catch (error) {
      throw systemCode(error) === 'ENOENT' ? missingObject(from, error) : fileSystemError(error);
    }
    await this.publish(temp, target);
    // Renaming one link of a file over another of the same file does nothing and leaves both.
    await disk(rm(temp, { force: true }));
  }

  override async delete(key: string): Promise<void> {
    const path = this.objectPath(key);
    try {
      await unlink(path);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return;
      throw fileSystemError(error);
    }
    await disk(this.directories.sync(dirname(path)));
  }

  override async deleteMany(keys: readonly string[]): Promise<DeleteOutcome[]> {
    const outcomes: DeleteOutcome[] = [];
    let next = 0;
    const work = async (): Promise<void> => {
      for (let index = next++; index < keys.length; index = next++) {
        const key = keys[index]!;
        outcomes[index] = await this.delete(key).then(
          () => ({ key, error: null }),
          (error: Error) => ({ key, error: error.message }),
        );
      }
    };
    await Promise.all(Array.from({ length: DELETES_AT_ONCE }, work));
    return outcomes;
  }

  override async createMultipart(key: string): Promise<string> {
    assertKey(key);
    const uploadId = randomBytes(16).toString('hex');
    const temp = await this.temp();
    await disk(mkdir(temp));
    await disk(writeFile(join(temp, 'key'), key, { flush: true }));
    await disk(this.directories.ensure(this.multiparts));
    await disk(rename(temp, join(this.multiparts, uploadId)));
    await disk(this.directories.sync(this.multiparts));
    return uploadId;
  }

  override presignPart(options: PresignPartOptions): Promise<PresignedPart> {
    const { key, uploadId, partNumber, sizeBytes, maxBytes, totalBytes } = options;
    assertPartNumber(partNumber);
    const expiresAtMs = this.signedUrls.expiry(options.expiresInSeconds);
    const url = this.signedUrls.sign({ kind: 'PART', key, uploadId, partNumber, sizeBytes, maxBytes, totalBytes, expiresAtMs });
    return Promise.resolve({ url, method: 'PUT', headers: {} });
  }

  override async putPart(
    key: string,
    uploadId: string,
    partNumber: number,
    body: Readable | Buffer,
    options: PutOptions = {},
  ): Promise<{ sizeBytes: number }> {
    assertPartNumber(partNumber);
    const folder = await this.uploadFolder(key, uploadId);
    if (folder === null) throw unknownUpload(uploadId);
    const temp = await this.temp();
    const { sizeBytes } = await writeBody(temp, body, options, null);
    try {
      await rename(temp, join(folder, partName(partNumber)));
      await this.directories.sync(folder);
    } catch (error) {
      await rm(temp, { force: true });
      throw systemCode(error) === 'ENOENT' ? unknownUpload(uploadId) : fileSystemError(error);
    }
    return { sizeBytes };
  }

  override async listParts(key: string, uploadId: string): Promise<PartInfo[] | null> {
    const folder = await this.uploadFolder(key, uploadId);
    return folder === null ? null : this.partsIn(folder);
  }

  override async completeMultipart(key: string, uploadId: string): Promise<StoredBlob> {
    const target = this.objectPath(key);
    const folder = await this.uploadFolder(key, uploadId);
    const parts = folder === null ? null : await this.partsIn(folder);
    if (folder === null || parts === null) return this.hashStored(key, uploadId);
    if (parts.length === 0) throw noParts(uploadId);
    const temp = await this.temp();
    const whole = concatenate(parts.map(({ partNumber }) => join(folder, partName(partNumber))));
    let blob: StoredBlob;
    try {
      blob = await writeBody(temp, whole, {}, this.hashes);
    } catch (error) {
      // Someone else finished (or aborted) it while we were reading.
      if (systemCode(error) === 'ENOENT') return await this.hashStored(key, uploadId);
      throw fileSystemError(error);
    } finally {
      whole.destroy();
    }
    await this.publish(temp, target);
    await this.discard(folder);
    return blob;
  }

  override async abortMultipart(key: string, uploadId: string): Promise<void> {
    const folder = await this.uploadFolder(key, uploadId);
    if (folder !== null) await this.discard(folder);
  }

  override presignGet(options: PresignGetOptions): Promise<string> {
    const { key, fileName, contentType, disposition, etag, pass } = options;
    const expiresAtMs = this.signedUrls.expiry(options.expiresInSeconds);
    return Promise.resolve(this.signedUrls.sign({ kind: 'GET', key, fileName, contentType, disposition, etag, pass, expiresAtMs }));
  }

  override directGet(): Promise<null> {
    return Promise.resolve(null);
  }

  override presignPut({ key, maxBytes, contentType, expiresInSeconds }: PresignPutOptions): string {
    return this.signedUrls.sign({ kind: 'PUT', key, maxBytes, contentType, expiresAtMs: this.signedUrls.expiry(expiresInSeconds) });
  }

  override async *list(prefix = ''): AsyncIterable<ListedBlob> {
    for (const shard of await this.namesIn(this.objects)) {
      const folder = join(this.objects, shard);
      for (const name of await this.namesIn(folder)) {
        const key = name.replaceAll('.', '/');
        if (!key.startsWith(prefix)) continue;
        const stats = await this.statOf(join(folder, name));
        if (stats !== null) yield { key, sizeBytes: stats.size, lastModifiedMs: stats.mtimeMs };
      }
    }
  }

  override async *listMultiparts(): AsyncIterable<ListedMultipart> {
    for (const uploadId of await this.namesIn(this.multiparts)) {
      const marker = join(this.multiparts, uploadId, 'key');
      const stats = await this.statOf(marker);
      const key = stats === null ? null : await readFile(marker, 'utf8').catch(() => null);
      if (stats !== null && key !== null) yield { key, uploadId, startedMs: stats.mtimeMs };
    }
  }

  override async removeLeftovers(olderThanMs: number): Promise<number> {
    const before = Date.now() - olderThanMs;
    let removed = 0;
    for (const name of await this.namesIn(this.temporary)) {
      const path = join(this.temporary, name);
      const stats = await this.statOf(path);
      // The change time, because a link or a renamed folder keeps its old modification time.
      if (stats === null || stats.ctimeMs > before) continue;
      await disk(rm(path, { recursive: true, force: true }));
      removed++;
    }
    return removed;
  }

  override close(): Promise<void> {
    return this.hashes.close();
  }

  private objectPath(key: string): string {
    assertKey(key);
    const shard = hash('sha256', key).slice(0, 2);
    return join(this.objects, shard, key.replaceAll('/', '.'));
  }

  private async temp(): Promise<string> {
    await disk(this.directories.ensure(this.temporary));
    return join(this.temporary, randomBytes(12).toString('hex'));
  }

  private async publish(temp: string, target: string): Promise<void> {
    const folder = dirname(target);
    try {
      await this.directories.ensure(folder);
      await rename(temp, target).catch(async (error: unknown) => {
        if (systemCode(error) !== 'ENOENT') throw error;
        // An operator removed an empty folder under us.
        this.directories.forget(folder);
        await this.directories.ensure(folder);
        await rename(temp, target);
      });
      await this.directories.sync(folder);
    } catch (error) {
      await rm(temp, { force: true }).catch(() => undefined);
      throw fileSystemError(error);
    }
  }

  /** Bytes copied where the file system has no (more) hard links. */
  private async copyBytes(source: string, temp: string): Promise<void> {
    await copyFile(source, temp, constants.COPYFILE_FICLONE);
    const handle = await open(temp, 'r+');
    await handle.sync().finally(() => handle.close());
  }

  /** The folder of an open upload of this key, or null. */
  private async uploadFolder(key: string, uploadId: string): Promise<string | null> {
    assertKey(key);
    if (!UPLOAD_ID.test(uploadId)) return null;
    const folder = join(this.multiparts, uploadId);
    try {
      return (await readFile(join(folder, 'key'), 'utf8')) === key ? folder : null;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return null;
      throw fileSystemError(error);
    }
  }

  private async partsIn(folder: string): Promise<PartInfo[] | null> {
    const parts: PartInfo[] = [];
    for (const name of (await this.namesIn(folder)).filter((entry) => PART_NAME.test(entry)).sort()) {
      const stats = await this.statOf(join(folder, name));
      if (stats === null) return null;
      parts.push({ partNumber: Number(name), sizeBytes: stats.size });
    }
    return parts;
  }

  /** Ends an upload in one step, so that a crash can not leave it with only some of its parts. */
  private async discard(folder: string): Promise<void> {
    const temp = await this.temp();
    try {
      await rename(folder, temp);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return;
      throw fileSystemError(error);
    }
    await disk(this.directories.sync(this.multiparts));
    await disk(rm(temp, { recursive: true, force: true }));
  }

  private async hashStored(key: string, uploadId: string): Promise<StoredBlob> {
    if ((await this.head(key)) === null) throw unknownUpload(uploadId);
    return hashStream(this.hashes, await this.getRange(key));
  }

  private async statOf(path: string): Promise<Stats | null> {
    try {
      return await stat(path);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return null;
      throw fileSystemError(error);
    }
  }

  private async namesIn(path: string): Promise<string[]> {
    try {
      return await readdir(path);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return [];
      throw fileSystemError(error);
    }
  }
}

function partName(partNumber: number): string {
  return String(partNumber).padStart(5, '0');
}

function concatenate(paths: readonly string[]): Readable {
  async function* chunks(): AsyncGenerator<Buffer> {
    for (const path of paths) yield* createReadStream(path, { highWaterMark: READ_CHUNK_BYTES }) as AsyncIterable<Buffer>;
  }
  return Readable.from(chunks(), { objectMode: false, highWaterMark: READ_CHUNK_BYTES });
}
