import type { OpenedFile } from '#libs/files';
import { type AccountActor, DomainError } from '#libs/kernel';
import { checkName, MAX_DEPTH } from '#libs/nodes';

import type { BucketPlan } from './plans.js';

/** Who asks, and which buckets of his account he reaches, by id: null = all. */
export interface BucketHolder {
  readonly actor: AccountActor;
  readonly scope: readonly string[] | null;
}

/** What a bucket holds now, and what has left it in this month (UTC). */
export interface BucketUsage {
  readonly storageBytes: number;
  readonly fileCount: number;
  readonly bandwidthBytes: number;
}

export interface Bucket {
  /** Id of its space. */
  readonly id: string;
  readonly rootId: string;
  readonly ownerId: number;
  readonly name: string;
  readonly plan: BucketPlan;
  readonly createdMs: number;
  /** What has left it in this month (UTC). */
  readonly bandwidthBytes: number;
}

export interface CountedBucket extends Bucket {
  readonly usage: BucketUsage;
}

/** A file as a bucket knows it. Times in ms since the epoch. */
export interface BucketFile {
  readonly id: string;
  readonly bucket: Pick<Bucket, 'id' | 'name'>;
  /** Below the bucket, without a slash in front. */
  readonly path: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly mimeType: string;
  /** Anybody may get it. */
  readonly public: boolean;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly createdMs: number;
  readonly modifiedMs: number;
}

export interface BucketPage {
  readonly files: readonly BucketFile[];
  /** Files that fit, on all pages. */
  readonly total: number;
}

export interface OpenedBucketFile extends OpenedFile {
  readonly bucketId: string;
}

const MOST_PATH_BYTES = 1024;
const NAME = /^[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]$/;

/** The name of a bucket: 3 to 63 lower-case letters, digits, `-` and `.`, with a letter or digit at both ends. INVALID_ARGUMENT. */
export function checkedBucketName(name: string): string {
  if (NAME.test(name)) return name;
  throw new DomainError(
    'INVALID_ARGUMENT',
    'The name of a bucket has 3 to 63 lower-case letters, digits, "-" and ".", and begins and ends with a letter or digit.',
  );
}

/** Segments of the path of a file in a bucket; a slash in front does not count. NAME_ILLEGAL, TREE_TOO_DEEP. */
export function filePath(text: string): string[] {
  const path = text.replace(/^\//, '');
  if (Buffer.byteLength(path) > MOST_PATH_BYTES) {
    throw new DomainError('NAME_ILLEGAL', `A path cannot be longer than ${MOST_PATH_BYTES} bytes.`, { reason: 'long' });
  }
  const segments = path.split('/');
  segments.forEach((segment) => checkName(segment));
  if (segments.length > MAX_DEPTH) throw new DomainError('TREE_TOO_DEEP', `Folders can be nested ${MAX_DEPTH} deep.`);
  return segments;
}

/** Segments of the path of a folder, with or without a slash behind; empty text and `/` are the bucket itself. Throws as `filePath`. */
export function folderPath(text: string): string[] {
  const path = text.replace(/^\//, '').replace(/\/$/, '');
  return path === '' ? [] : filePath(path);
}

/** The path of a file that is put at `text`, where a slash at the end, or no text, means a folder in which it keeps `name`. Throws as `filePath`. */
export function targetPath(text: string, name: string): string[] {
  return text === '' || text.endsWith('/') ? filePath([...folderPath(text), name].join('/')) : filePath(text);
}

export function bucketNotFound(): DomainError {
  return new DomainError('NODE_NOT_FOUND', 'There is no such bucket.', { which: 'bucket' });
}
