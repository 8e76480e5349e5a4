import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { Readable } from 'node:stream';
import { DomainError } from '#libs/kernel';
import type { PutOptions, StoredBlob } from './blob-store.js';
import { hashInline, type HashPool, type HashRun, INLINE_HASH_BYTES } from './hash-pool.js';
import { s3 } from './s3-errors.js';
import { type Slab, SlabReader } from './slab-reader.js';

export const MOST_PARTS = 10_000;
const MIB = 1024 * 1024;
const PART_BYTES = 8 * MIB;
/** Largest part for a body of unknown length, so that a generous limit does not cost memory: enough for 312 GiB. */
const UNKNOWN_PART_BYTES = 32 * MIB;
/** Parts held in memory at once: two on their way, one filling. */
const PARTS_IN_MEMORY = 3;

export interface S3Target {
  readonly client: S3Client;
  readonly bucket: string;
}

/**
 * Sends a body as one object: in one request up to 8 MiB, as parts above. Always from memory, so that every request carries its Content-MD5
 * and can be repeated; a stream could do neither. Memory is bounded by three parts.
 */
export async function uploadStream(target: S3Target, key: string, source: Readable, options: PutOptions, pool: HashPool): Promise<StoredBlob> {
  const slabBytes = options.sizeBytes === undefined ? Math.min(partBytes(options.maxBytes), UNKNOWN_PART_BYTES) : partBytes(options.sizeBytes);
  const { maxBytes, sizeBytes, contentType } = options;
  const reader = new SlabReader(source, { slabBytes, slabs: PARTS_IN_MEMORY, smallBytes: PART_BYTES, maxBytes, sizeBytes });
  try {
    const small = await reader.small();
    if (small !== null) return await uploadBuffer(target, key, small, contentType, pool);
    return await uploadParts(target, key, reader, contentType, pool);
  } finally {
    reader.detach();
  }
}

/** Sends a body that is in memory already, in one request. */
export async function uploadBuffer(
  { client, bucket }: S3Target,
  key: string,
  body: Buffer,
  contentType: string | undefined,
  pool: HashPool,
): Promise<StoredBlob> {
  const hashes = body.length <= INLINE_HASH_BYTES ? hashInline(body) : await hashOne(pool, body);
  const ContentMD5 = Buffer.from(hashes.md5, 'hex').toString('base64');
  await s3(client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentMD5, ContentType: contentType })));
  return { sizeBytes: body.length, ...hashes };
}

async function hashOne(pool: HashPool, body: Buffer): Promise<Omit<StoredBlob, 'sizeBytes'>> {
  const memory = new SharedArrayBuffer(body.length);
  new Uint8Array(memory).set(body);
  const run = pool.open();
  await run.update(memory, body.length);
  return run.digest();
}

/** The smallest part size (whole MiB, at least 8) with which `sizeBytes` fit into the 10,000 parts S3 allows. */
function partBytes(sizeBytes: number | undefined): number {
  if (sizeBytes === undefined || !Number.isFinite(sizeBytes)) return PART_BYTES;
  return Math.max(PART_BYTES, Math.ceil(sizeBytes / MOST_PARTS / MIB) * MIB);
}

async function uploadParts(target: S3Target, key: string, reader: SlabReader, contentType: string | undefined, pool: HashPool): Promise<StoredBlob> {
  const { client, bucket } = target;
  const created = await s3(client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: key, ContentType: contentType })));
  const upload = { Bucket: bucket, Key: key, UploadId: created.UploadId };
  const run = pool.open();
  const abort = new AbortController();
  const working: Promise<void>[] = [];
  const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
  try {
    for (let slab = await reader.next(); slab !== null; slab = await reader.next()) {
      if (working.length === MOST_PARTS) throw new DomainError('TOO_LARGE', 'A body of unknown length may not need more than 10000 parts');
      const current = slab;
      const PartNumber = working.length + 1;
      // Hashing must follow the order of the body: both threads work first in, first out.
      const sent = sendPart(client, { ...upload, PartNumber }, current, run, abort.signal).then((ETag) => {
        Parts[PartNumber - 1] = { PartNumber, ETag };
        reader.release(current);
      });
      sent.catch((error: Error) => reader.fail(error));
      working.push(sent);
    }
    await Promise.all(working);
    const hashes = await run.digest();
    await s3(client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } })));
    return { sizeBytes: reader.receivedBytes, ...hashes };
  } catch (error) {
    run.drop();
    abort.abort();
    await Promise.allSettled(working);
    // What cannot be aborted now is found by the reaper through listMultiparts.
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
    throw error;
  }
}

async function sendPart(
  client: S3Client,
  part: { Bucket: string; Key: string; UploadId: string | undefined; PartNumber: number },
  slab: Slab,
  run: HashRun,
  abortSignal: AbortSignal,
): Promise<string | undefined> {
  const ContentMD5 = await run.update(slab.memory, slab.length, true);
  const Body = Buffer.from(slab.memory, 0, slab.length);
  const { ETag } = await s3(client.send(new UploadPartCommand({ ...part, Body, ContentMD5 }), { abortSignal }));
  return ETag;
}
