import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  type Part,
  PutBucketCorsCommand,
  S3Client,
  type S3ClientConfig,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { createHash } from 'node:crypto';
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
import { contentDisposition } from './content-disposition.js';
import { missingObject, noParts, rangeError, unknownUpload } from './errors.js';
import { checked } from './file-sink.js';
import { HashPool } from './hash-pool.js';
import { hashStream } from './hash-stream.js';
import { assertKey, assertPartNumber } from './keys.js';
import { isAbsent, isUnknownUpload, s3, s3Code, s3Error } from './s3-errors.js';
import { SlabReader } from './slab-reader.js';
import { type S3Target, uploadBuffer, uploadStream } from './s3-upload.js';
import type { SignedUrls } from './signed-urls.js';

const MIB = 1024 * 1024;
/** Largest object that one CopyObject takes. */
const COPY_BYTES = 5 * 1024 * MIB;
const COPY_PART_BYTES = 512 * MIB;
const DELETE_BATCH = 1000;
/** A readiness check must answer while it is still of use. */
const CHECK_TIMEOUT_MS = 3000;
/** Largest part that `putPart` takes. */
const RELAYED_PART_BYTES = 64 * MIB;

export interface S3BlobStoreOptions {
  /** Unset: the endpoint of AWS for the region. */
  readonly endpoint?: string;
  /** Endpoint as clients see it, when that differs: goes into signed URLs. */
  readonly publicEndpoint?: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly forcePathStyle: boolean;
  readonly signedUrls: SignedUrls;
}

/** Blobs as objects of one bucket of any S3-compatible server. Parts and downloads go straight to it; whole-object URLs are relayed. */
export class S3BlobStore extends BlobStore {
  override readonly minPartBytes = 5 * MIB;
  private readonly client: S3Client;
  private readonly signer: S3Client;
  private readonly bucket: string;
  private readonly target: S3Target;
  private readonly signedUrls: SignedUrls;
  private readonly hashes = new HashPool();

  constructor(options: S3BlobStoreOptions) {
    super();
    const { region, accessKeyId, secretAccessKey, forcePathStyle, endpoint, publicEndpoint, bucket } = options;
    const common: S3ClientConfig = {
      region,
      forcePathStyle,
      credentials: { accessKeyId, secretAccessKey },
      // The default adds the CRC32 of an empty body to signed PUT URLs, and trailers that not every server takes. Content-MD5 guards the bytes.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    };
    this.client = new S3Client({
      ...common,
      endpoint,
      maxAttempts: 4,
      // Both timeouts per request: until the answer begins, and of silence on the connection. Bodies are at most one part long.
      requestHandler: {
        connectionTimeout: 3000,
        requestTimeout: 120_000,
        throwOnRequestTimeout: true,
        socketTimeout: 60_000,
        httpAgent: { maxSockets: 64 },
        httpsAgent: { maxSockets: 64 },
      },
    });
    this.signer = new S3Client({ ...common, endpoint: publicEndpoint ?? endpoint });
    this.bucket = bucket;
    this.target = { client: this.client, bucket };
    this.signedUrls = options.signedUrls;
  }

  override prepare(): Promise<void> {
    return this.ensureBucket();
  }

  /** Creates the bucket when it is missing and lets browsers read from and write to signed URLs of it. */
  async ensureBucket(): Promise<void> {
    const Bucket = this.bucket;
    try {
      await this.client.send(new HeadBucketCommand({ Bucket }));
    } catch (error) {
      if (s3Code(error) !== 'NotFound' && s3Code(error) !== 'NoSuchBucket') throw s3Error(error);
      await this.client.send(new CreateBucketCommand({ Bucket })).catch((failure: unknown) => {
        if (s3Code(failure) !== 'BucketAlreadyOwnedByYou') throw s3Error(failure);
      });
    }
    const rule = {
      AllowedOrigins: ['*'],
      AllowedMethods: ['GET', 'HEAD', 'PUT'],
      AllowedHeaders: ['*'],
      ExposeHeaders: ['ETag', 'Content-Range', 'Accept-Ranges'],
    };
    await this.client.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [rule] } })).catch((error: unknown) => {
      // Servers that answer CORS for all buckets alike have no such call.
      if (s3Code(error) !== 'NotImplemented' && s3Code(error) !== 'MethodNotAllowed') throw s3Error(error);
    });
  }

  override async check(): Promise<void> {
    const abortSignal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
    await s3(this.client.send(new HeadBucketCommand({ Bucket: this.bucket }), { abortSignal }));
  }

  override async put(key: string, body: Readable | Buffer, options: PutOptions = {}): Promise<StoredBlob> {
    assertKey(key);
    if (!Buffer.isBuffer(body)) return uploadStream(this.target, key, body, options, this.hashes);
    if (checked(body, options).length <= 64 * MIB) return uploadBuffer(this.target, key, body, options.contentType, this.hashes);
    return uploadStream(this.target, key, Readable.from([body], { objectMode: false }), { ...options, sizeBytes: body.length }, this.hashes);
  }

  override async head(key: string): Promise<BlobHead | null> {
    try {
      const { ContentLength = 0, ETag = '' } = await this.client.send(new HeadObjectCommand(this.object(key)));
      const md5 = /^"?([0-9a-f]{32})"?$/i.exec(ETag);
      return { sizeBytes: ContentLength, etagMd5: md5 ? md5[1]!.toLowerCase() : null };
    } catch (error) {
      if (isAbsent(error)) return null;
      throw s3Error(error);
    }
  }

  override async getRange(key: string, { start = 0, endInclusive }: ByteRange = {}): Promise<Readable> {
    const whole = start === 0 && endInclusive === undefined;
    if (endInclusive !== undefined && endInclusive < start) return Readable.from([]);
    const Range = whole ? undefined : `bytes=${start}-${endInclusive ?? ''}`;
    try {
      const { Body } = await this.client.send(new GetObjectCommand({ ...this.object(key), Range }));
      if (!(Body instanceof Readable)) throw new DomainError('STORAGE_UNAVAILABLE', 'The storage answered without a body', { key });
      return Body;
    } catch (error) {
      if (isAbsent(error)) throw missingObject(key);
      if (s3Code(error) !== 'InvalidRange') throw s3Error(error);
      const sizeBytes = (await this.head(key))?.sizeBytes ?? 0;
      if (start === 0 && sizeBytes === 0) return Readable.from([]);
      throw rangeError(sizeBytes);
    }
  }

  override async copy(from: string, to: string): Promise<void> {
    if (assertKey(from) === assertKey(to)) return;
    const head = await this.head(from);
    if (head === null) throw missingObject(from);
    const CopySource = `${this.bucket}/${encodeURIComponent(from)}`;
    try {
      if (head.sizeBytes <= COPY_BYTES) await this.client.send(new CopyObjectCommand({ ...this.object(to), CopySource }));
      else await this.copyParts(CopySource, to, head.sizeBytes);
    } catch (error) {
      throw isAbsent(error) ? missingObject(from) : s3Error(error);
    }
  }

  override async delete(key: string): Promise<void> {
    await s3(this.client.send(new DeleteObjectCommand(this.object(key))));
  }

  override async deleteMany(keys: readonly string[]): Promise<DeleteOutcome[]> {
    const errors = new Map<string, string>();
    for (let at = 0; at < keys.length; at += DELETE_BATCH) {
      const batch = keys.slice(at, at + DELETE_BATCH);
      try {
        const Delete = { Objects: [...new Set(batch)].map((key) => ({ Key: assertKey(key) })), Quiet: true };
        const { Errors = [] } = await this.client.send(new DeleteObjectsCommand({ Bucket: this.bucket, Delete }));
        for (const { Key, Code, Message } of Errors) if (Code !== 'NoSuchKey') errors.set(Key ?? '', Message ?? Code ?? 'unknown reason');
      } catch {
        // The batch call is missing or was refused as a whole: each on its own.
        for (const key of batch) await this.delete(key).catch((error: Error) => errors.set(key, error.message));
      }
    }
    return keys.map((key) => ({ key, error: errors.get(key) ?? null }));
  }

  override async createMultipart(key: string): Promise<string> {
    const { UploadId } = await s3(this.client.send(new CreateMultipartUploadCommand(this.object(key))));
    if (UploadId === undefined) throw new DomainError('STORAGE_UNAVAILABLE', 'The storage began an upload without naming it');
    return UploadId;
  }

  override async presignPart(options: PresignPartOptions): Promise<PresignedPart> {
    const { key, uploadId, partNumber, expiresInSeconds, sizeBytes } = options;
    assertPartNumber(partNumber);
    const command = new UploadPartCommand({ ...this.object(key), UploadId: uploadId, PartNumber: partNumber, ContentLength: sizeBytes });
    const url = await getSignedUrl(this.signer, command, { expiresIn: expiresInSeconds, signableHeaders: new Set(['content-length']) });
    return { url, method: 'PUT', headers: {} };
  }

  override async putPart(
    key: string,
    uploadId: string,
    partNumber: number,
    body: Readable | Buffer,
    options: PutOptions = {},
  ): Promise<{ sizeBytes: number }> {
    assertPartNumber(partNumber);
    const bytes = Buffer.isBuffer(body) ? checked(body, options) : await gather(body, options);
    const ContentMD5 = createHash('md5').update(bytes).digest('base64');
    const command = new UploadPartCommand({ ...this.object(key), UploadId: uploadId, PartNumber: partNumber, Body: bytes, ContentMD5 });
    try {
      await this.client.send(command);
    } catch (error) {
      throw isUnknownUpload(error) ? unknownUpload(uploadId) : s3Error(error);
    }
    return { sizeBytes: bytes.length };
  }

  override async listParts(key: string, uploadId: string): Promise<PartInfo[] | null> {
    const parts = await this.parts(key, uploadId);
    return parts?.map(({ PartNumber = 0, Size = 0 }) => ({ partNumber: PartNumber, sizeBytes: Size })) ?? null;
  }

  override async completeMultipart(key: string, uploadId: string): Promise<StoredBlob> {
    const parts = await this.parts(key, uploadId);
    if (parts === null) return this.hashStored(key, uploadId);
    if (parts.length === 0) throw noParts(uploadId);
    const short = parts.slice(0, -1).find(({ Size = 0 }) => Size < this.minPartBytes);
    if (short !== undefined) throw tooSmall(short.PartNumber);
    const MultipartUpload = { Parts: parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag })) };
    try {
      await this.client.send(new CompleteMultipartUploadCommand({ ...this.object(key), UploadId: uploadId, MultipartUpload }));
    } catch (error) {
      if (s3Code(error) === 'EntityTooSmall') throw tooSmall(undefined);
      // Finished by another caller, or by an earlier attempt whose answer was lost.
      if (!isUnknownUpload(error)) throw s3Error(error);
    }
    return this.hashStored(key, uploadId);
  }

  override async abortMultipart(key: string, uploadId: string): Promise<void> {
    try {
      await this.client.send(new AbortMultipartUploadCommand({ ...this.object(key), UploadId: uploadId }));
    } catch (error) {
      if (!isUnknownUpload(error)) throw s3Error(error);
    }
  }

  override presignGet(options: PresignGetOptions): Promise<string> {
    const { expiresInSeconds, ...grant } = options;
    if (grant.pass === undefined) return this.directGet(options);
    return Promise.resolve(this.signedUrls.sign({ kind: 'GET', ...grant, expiresAtMs: this.signedUrls.expiry(expiresInSeconds) }));
  }

  override directGet({ key, expiresInSeconds, fileName, contentType, disposition }: PresignGetOptions): Promise<string> {
    const command = new GetObjectCommand({
      ...this.object(key),
      ResponseContentDisposition: contentDisposition(disposition, fileName),
      ResponseContentType: contentType,
    });
    return getSignedUrl(this.signer, command, { expiresIn: expiresInSeconds });
  }

  override presignPut({ key, maxBytes, contentType, expiresInSeconds }: PresignPutOptions): string {
    return this.signedUrls.sign({ kind: 'PUT', key, maxBytes, contentType, expiresAtMs: this.signedUrls.expiry(expiresInSeconds) });
  }

  override async *list(prefix = ''): AsyncIterable<ListedBlob> {
    let ContinuationToken: string | undefined;
    do {
      const page = await s3(this.client.send(new ListObjectsV2Command({ Bucket: this.bucket, Prefix: prefix || undefined, ContinuationToken })));
      for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
        yield { key: Key, sizeBytes: Size, lastModifiedMs: LastModified?.getTime() ?? 0 };
      }
      ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (ContinuationToken !== undefined);
  }

  override async *listMultiparts(): AsyncIterable<ListedMultipart> {
    let markers: { KeyMarker?: string; UploadIdMarker?: string } | null = {};
    while (markers !== null) {
      const request = new ListMultipartUploadsCommand({ Bucket: this.bucket, ...markers });
      const page: Awaited<ReturnType<typeof this.listMultipartPage>> = await this.listMultipartPage(request);
      for (const { Key = '', UploadId = '', Initiated } of page.Uploads ?? [])
        yield { key: Key, uploadId: UploadId, startedMs: Initiated?.getTime() ?? 0 };
      markers = page.IsTruncated ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker } : null;
    }
  }

  /** Nothing to do: what a crash leaves on S3 are multipart uploads, see `listMultiparts`. */
  override removeLeftovers(): Promise<number> {
    return Promise.resolve(0);
  }

  override async close(): Promise<void> {
    this.client.destroy();
    this.signer.destroy();
    await this.hashes.close();
  }

  private listMultipartPage(request: ListMultipartUploadsCommand) {
    return s3(this.client.send(request));
  }

  private object(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.bucket, Key: assertKey(key) };
  }

  private async parts(key: string, uploadId: string): Promise<Part[] | null> {
    const parts: Part[] = [];
    let PartNumberMarker: string | undefined;
    do {
      try {
        const page = await this.client.send(new ListPartsCommand({ ...this.object(key), UploadId: uploadId, PartNumberMarker }));
        parts.push(...(page.Parts ?? []));
        PartNumberMarker = page.IsTruncated ? page.NextPartNumberMarker : undefined;
      } catch (error) {
        if (isUnknownUpload(error)) return null;
        throw s3Error(error);
      }
    } while (PartNumberMarker !== undefined);
    return parts.sort((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
  }

  /** Reads the object back once: S3 knows no hash of an object assembled from parts. */
  private async hashStored(key: string, uploadId: string): Promise<StoredBlob> {
    if ((await this.head(key)) === null) throw unknownUpload(uploadId);
    return s3(hashStream(this.hashes, await this.getRange(key)));
  }

  private async copyParts(CopySource: string, to: string, sizeBytes: number): Promise<void> {
    const UploadId = await this.createMultipart(to);
    const upload = { ...this.object(to), UploadId, CopySource };
    try {
      const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
      for (let start = 0; start < sizeBytes; start += COPY_PART_BYTES) {
        const PartNumber = Parts.length + 1;
        const CopySourceRange = `bytes=${start}-${Math.min(start + COPY_PART_BYTES, sizeBytes) - 1}`;
        const { CopyPartResult } = await this.client.send(new UploadPartCopyCommand({ ...upload, PartNumber, CopySourceRange }));
        Parts.push({ PartNumber, ETag: CopyPartResult?.ETag });
      }
      await this.client.send(new CompleteMultipartUploadCommand({ ...this.object(to), UploadId, MultipartUpload: { Parts } }));
    } catch (error) {
      await this.abortMultipart(to, UploadId).catch(() => undefined);
      throw error;
    }
  }
}

function tooSmall(partNumber: number | undefined): DomainError {
  const which = partNumber === undefined ? 'A part' : `Part ${partNumber}`;
  return new DomainError('INVALID_ARGUMENT', `${which} is too small: every part but the last needs at least 5 MiB (5242880 bytes)`, { partNumber });
}

/** A part in memory: it must be repeatable and carry its Content-MD5. Larger parts go by signed URL, straight to the server. */
async function gather(body: Readable, options: PutOptions): Promise<Buffer> {
  const maxBytes = Math.min(options.maxBytes ?? Infinity, RELAYED_PART_BYTES);
  const reader = new SlabReader(body, { slabBytes: MIB, slabs: 1, smallBytes: maxBytes, maxBytes, sizeBytes: options.sizeBytes });
  try {
    return (await reader.small())!;
  } finally {
    reader.detach();
  }
}
