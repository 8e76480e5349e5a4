import type { Readable } from 'node:stream';
import type { BlobGrant, BlobStore, StoredBlob, UploadGate } from '#libs/blob-store';
import { DomainError } from '#libs/kernel';
import type { Logger } from '#libs/observability';
import { formFile, isForm } from './form-body.js';
import { answer, type Exchange } from './http-answer.js';

/** A sender that neither sends nor leaves for this long is cut off. */
const IDLE_MS = 120_000;
/** What a form may bring besides its file: the other parts, boundaries and part headers. */
const FORM_OVERHEAD_BYTES = 1024 * 1024;

interface Parties {
  readonly store: BlobStore;
  readonly uploads: UploadGate;
  readonly log: Logger | undefined;
}

/** Takes a whole object by PUT or POST, raw or as a form. Returns the bytes stored. */
export async function takeObject({ store, uploads, log }: Parties, exchange: Exchange, grant: BlobGrant): Promise<number> {
  const { req } = exchange;
  const form = isForm(req);
  const announced = contentLength(exchange);
  const allowance = form ? FORM_OVERHEAD_BYTES : 0;
  refuseTooLong(announced, grant.maxBytes, allowance);
  const slot = await uploads.open(grant.key, form ? null : announced);
  const storeKey = slot.storeKey ?? grant.key;
  let blob: StoredBlob;
  try {
    const maxBytes = Math.min(slot.maxBytes, grant.maxBytes ?? Infinity);
    refuseTooLong(announced, maxBytes, allowance);
    const options = { maxBytes, contentType: grant.contentType, ...(form || announced === null ? {} : { sizeBytes: announced }) };
    blob = await receive(exchange, form, (body) => store.put(storeKey, body, options));
    await uploads.stored(grant.key, blob, storeKey);
  } catch (error) {
    await reportFailure(uploads, grant.key, storeKey, log);
    throw error;
  }
  exchange.res.setHeader('ETag', `"${blob.md5}"`);
  answer(exchange, 200);
  return blob.sizeBytes;
}

/** Takes one part of a multipart upload by PUT. Returns the bytes stored. */
export async function takePart(store: BlobStore, exchange: Exchange, grant: BlobGrant): Promise<number> {
  const { key, uploadId = '', partNumber = 0, sizeBytes } = grant;
  const announced = contentLength(exchange);
  refuseTooLong(announced, grant.maxBytes, 0);
  if (sizeBytes !== undefined && announced !== null && announced !== sizeBytes) {
    throw new DomainError('FORBIDDEN', `This URL takes exactly ${sizeBytes} bytes`);
  }
  // Known before the first byte, so that a body for an ended upload is not read for nothing.
  const parts = await store.listParts(key, uploadId);
  if (parts === null) throw new DomainError('UPLOAD_NOT_FOUND', 'There is no such upload');
  const others = parts.reduce((sum, part) => sum + (part.partNumber === partNumber ? 0 : part.sizeBytes), 0);
  const maxBytes = Math.min(grant.maxBytes ?? Infinity, Math.max(0, (grant.totalBytes ?? Infinity) - others));
  refuseTooLong(announced, maxBytes, 0);
  const options = { maxBytes, sizeBytes: sizeBytes ?? announced ?? undefined };
  const part = await receive(exchange, false, (body) => store.putPart(key, uploadId, partNumber, body, options));
  answer(exchange, 200);
  return part.sizeBytes;
}

async function receive<T>(exchange: Exchange, form: boolean, store: (body: Readable) => Promise<T>): Promise<T> {
  const { req, res } = exchange;
  if (exchange.continuePending) {
    exchange.continuePending = false;
    res.writeContinue();
  }
  req.setTimeout(IDLE_MS, () => req.destroy(new Error('The sender was silent for too long')));
  try {
    return await store(form ? await formFile(req) : req);
  } finally {
    req.unpipe();
    req.setTimeout(0);
  }
}

async function reportFailure(uploads: UploadGate, key: string, storeKey: string, log: Logger | undefined): Promise<void> {
  try {
    await uploads.failed(key, storeKey);
  } catch (error) {
    // The reaper ends what stays open; the sender is told the first error, not this one.
    log?.warn('upload could not be marked as failed', { error, key });
  }
}

function contentLength({ req }: Exchange): number | null {
  const header = req.headers['content-length'];
  return header === undefined ? null : Number(header);
}

function refuseTooLong(announced: number | null, maxBytes: number | undefined, allowance: number): void {
  if (announced !== null && maxBytes !== undefined && announced > maxBytes + allowance) {
    throw new DomainError('TOO_LARGE', `The body is larger than the ${maxBytes} bytes allowed`, { maxBytes });
  }
}
