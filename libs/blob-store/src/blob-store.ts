import type { Readable } from 'node:stream';

import type { DownloadPass } from './download-gate.js';

/** What is known about an object once it is durable. Hashes are lower-case hex, `crc32` is unsigned. */
export interface StoredBlob {
  readonly sizeBytes: number;
  readonly md5: string;
  readonly sha256: string;
  readonly crc32: number;
}

export interface PutOptions {
  /** Exact length of the body when known beforehand. Any other length is refused (SIZE_MISMATCH). */
  readonly sizeBytes?: number;
  /** Upper bound; a longer body is refused (TOO_LARGE). */
  readonly maxBytes?: number;
  /** Kept by drivers that can; the filesystem driver has no use for it. */
  readonly contentType?: string;
}

export interface BlobHead {
  readonly sizeBytes: number;
  /** MD5 as the store itself knows it; null when it does not (filesystem; objects that S3 assembled from parts). */
  readonly etagMd5: string | null;
}

/** Bounds in bytes; `endInclusive` past the last byte means the last byte. */
export interface ByteRange {
  readonly start?: number;
  readonly endInclusive?: number;
}

export interface DeleteOutcome {
  readonly key: string;
  /** Null when the object is gone, whether or not it existed before. */
  readonly error: string | null;
}

export interface PartInfo {
  readonly partNumber: number;
  readonly sizeBytes: number;
}

export interface PresignPartOptions {
  readonly key: string;
  readonly uploadId: string;
  /** 1 to 10,000. */
  readonly partNumber: number;
  readonly expiresInSeconds: number;
  /** Binds the exact length of the part. */
  readonly sizeBytes?: number;
  /** Upper bound; the filesystem driver enforces it. S3 cannot: there only `sizeBytes` binds, and the caller checks the sum at the end. */
  readonly maxBytes?: number;
  /** Upper bound of all parts together, enforced like `maxBytes`. */
  readonly totalBytes?: number;
}

export interface PresignedPart {
  readonly url: string;
  readonly method: 'PUT';
  /** Headers that the sender must add. */
  readonly headers: Readonly<Record<string, string>>;
}

export type Disposition = 'attachment' | 'inline';

export interface PresignGetOptions {
  readonly key: string;
  readonly expiresInSeconds: number;
  readonly fileName: string;
  readonly contentType: string;
  readonly disposition: Disposition;
  /** Checksum of the object when the caller knows it; becomes the ETag where our own api serves the bytes. */
  readonly etag?: string;
  /** With it the URL is one of our own api, and whoever uses it is judged again each time. */
  readonly pass?: DownloadPass;
}

export interface PresignPutOptions {
  readonly key: string;
  readonly maxBytes: number;
  readonly contentType?: string;
  readonly expiresInSeconds: number;
}

export interface ListedBlob {
  readonly key: string;
  readonly sizeBytes: number;
  readonly lastModifiedMs: number;
}

export interface ListedMultipart {
  readonly key: string;
  readonly uploadId: string;
  readonly startedMs: number;
}

/**
 * Where bytes live: the port, and its DI token. Keys are opaque (`[a-z0-9/_-]`, at most 200 characters) and never come from a user's text.
 * Besides the codes named at each method, every method may throw STORAGE_UNAVAILABLE and every writing one STORAGE_FULL.
 */
export abstract class BlobStore {
  /** Smallest size that every part but the last must have at `completeMultipart`, in bytes. */
  abstract readonly minPartBytes: number;

  /** Makes the place (folders, bucket) ready. Run at migrate time; harmless to repeat. */
  abstract prepare(): Promise<void>;

  /** Resolves when the store can read and write; throws STORAGE_UNAVAILABLE or STORAGE_FULL with the reason otherwise. */
  abstract check(): Promise<void>;

  /**
   * Stores the whole body and returns when it is durable. Replaces an object of the same key atomically (callers guarantee that this is
   * allowed). TOO_LARGE, SIZE_MISMATCH, STORAGE_FULL and an error of the source keep nothing. The source is left undestroyed on refusal.
   */
  abstract put(key: string, body: Readable | Buffer, options?: PutOptions): Promise<StoredBlob>;

  /** Null when there is no such object. */
  abstract head(key: string): Promise<BlobHead | null>;

  /** Bytes of the object. STORAGE_UNAVAILABLE with `details.missing` when absent, INVALID_ARGUMENT when `start` lies past the end. */
  abstract getRange(key: string, range?: ByteRange): Promise<Readable>;

  /** All bytes of a small object in one piece: with many of them, far cheaper than a stream each. Throws as `getRange` does. */
  async getWhole(key: string): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of (await this.getRange(key)) as AsyncIterable<Buffer>) parts.push(part);
    return Buffer.concat(parts);
  }

  /** Copies without moving bytes through this process. STORAGE_UNAVAILABLE with `details.missing` when `from` is absent. */
  abstract copy(from: string, to: string): Promise<void>;

  /** An absent object is fine. */
  abstract delete(key: string): Promise<void>;

  /** Deletes each on its own; one failure stops no other. Outcomes in the order of `keys`. */
  abstract deleteMany(keys: readonly string[]): Promise<DeleteOutcome[]>;

  /** Starts a multipart upload and returns its id. */
  abstract createMultipart(key: string): Promise<string>;

  /** An absolute URL that takes one part by PUT. */
  abstract presignPart(options: PresignPartOptions): Promise<PresignedPart>;

  /** Stores one part, replacing an earlier one of the same number. UPLOAD_NOT_FOUND, TOO_LARGE, SIZE_MISMATCH. */
  abstract putPart(key: string, uploadId: string, partNumber: number, body: Readable | Buffer, options?: PutOptions): Promise<{ sizeBytes: number }>;

  /** Parts received so far, ascending; null for an unknown (ended, aborted) upload. */
  abstract listParts(key: string, uploadId: string): Promise<PartInfo[] | null>;

  /**
   * Assembles the parts in ascending number and returns when the object is durable. Repeating it for a finished upload returns the same.
   * UPLOAD_NOT_FOUND, UPLOAD_INCOMPLETE (no part), INVALID_ARGUMENT (a part but the last is below `minPartBytes`; the upload stays open).
   */
  abstract completeMultipart(key: string, uploadId: string): Promise<StoredBlob>;

  /** Drops the upload and its parts; an unknown one is fine. */
  abstract abortMultipart(key: string, uploadId: string): Promise<void>;

  /** An absolute URL that serves the object with the given name and type, ranges included. */
  abstract presignGet(options: PresignGetOptions): Promise<string>;

  /**
   * Where the store itself gives the bytes of a URL with a `pass`, for a few seconds, to whoever was judged just now. Null: nowhere, they go through
   * this process.
   */
  abstract directGet(options: PresignGetOptions): Promise<string | null>;

  /** An absolute URL of our own api (every driver) that takes the whole object, see docs/decisions/relay-uploads.md. */
  abstract presignPut(options: PresignPutOptions): string;

  /** Every object, in no promised order. */
  abstract list(prefix?: string): AsyncIterable<ListedBlob>;

  /** Every multipart upload that was neither completed nor aborted. */
  abstract listMultiparts(): AsyncIterable<ListedMultipart>;

  /** Removes temporary files that a crash left behind and that are older than the age given. Returns how many. */
  abstract removeLeftovers(olderThanMs: number): Promise<number>;

  /** Ends connections and threads. */
  abstract close(): Promise<void>;
}
