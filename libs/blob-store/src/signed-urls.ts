import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Clock, DomainError } from '#libs/kernel';
import type { Disposition } from './blob-store.js';
import type { DownloadPass } from './download-gate.js';
import { assertKey } from './keys.js';

/** What a signed URL allows. `GET` also allows HEAD, `PUT` also allows POST, `PART` is one part by PUT alone. */
export interface BlobGrant {
  readonly kind: 'GET' | 'PUT' | 'PART';
  readonly key: string;
  /** Milliseconds since the epoch, whole seconds. */
  readonly expiresAtMs: number;
  readonly maxBytes?: number;
  readonly sizeBytes?: number;
  readonly contentType?: string;
  readonly disposition?: Disposition;
  readonly fileName?: string;
  readonly etag?: string;
  readonly uploadId?: string;
  readonly partNumber?: number;
  /** Upper bound of all parts of the upload together. */
  readonly totalBytes?: number;
  /** Whoever the URL was made for, judged again at each use (`DownloadGate`). Absent: the URL alone lets in. */
  readonly pass?: DownloadPass;
}

export interface SignedUrlsOptions {
  /** Base of our own api as clients see it. */
  readonly publicUrl: string;
  readonly secretKey: string;
  readonly clock?: Clock;
}

/** First segment of every URL that our own api serves for blobs. */
export const BLOB_PATH = '/blobs/';

const PARAMETERS = ['exp', 'max', 'len', 'ct', 'cd', 'fn', 'etag', 'upload', 'part', 'sum', 'by', 'on'] as const;

/** Signs and checks `<publicUrl>/blobs/<key>?...`: HMAC-SHA256 over the kind, the key and every parameter. */
export class SignedUrls {
  private readonly base: string;
  private readonly secret: Buffer;
  private readonly clock: Clock | undefined;

  constructor(options: SignedUrlsOptions) {
    if (options.secretKey.length < 16) throw new DomainError('INVALID_ARGUMENT', 'The signing secret needs at least 16 characters');
    this.base = options.publicUrl.replace(/\/+$/, '');
    // A key of its own, so that no other use of the same secret can produce a signature that counts here.
    this.secret = createHmac('sha256', options.secretKey).update('blob urls 1').digest();
    this.clock = options.clock;
  }

  /** The expiry that lies `seconds` ahead, in milliseconds since the epoch. */
  expiry(seconds: number): number {
    return (Math.floor(this.nowMs() / 1000) + seconds) * 1000;
  }

  /** The absolute URL for this grant. */
  sign(grant: BlobGrant): string {
    assertKey(grant.key);
    const values = [
      Math.floor(grant.expiresAtMs / 1000),
      grant.maxBytes,
      grant.sizeBytes,
      grant.contentType,
      grant.disposition,
      grant.fileName,
      grant.etag,
      grant.uploadId,
      grant.partNumber,
      grant.totalBytes,
      grant.pass?.holder,
      grant.pass?.nodeId,
    ];
    let query = '';
    PARAMETERS.forEach((name, index) => {
      const value = values[index];
      if (value !== undefined) query += `${name}=${encode(String(value))}&`;
    });
    return `${this.base}${BLOB_PATH}${grant.key}?${query}sig=${this.signature(grant.kind, grant.key, query)}`;
  }

  /**
   * The grant behind a request (`method`, and path with query as on the request line). FORBIDDEN when it is unsigned, altered, expired or
   * made for another method.
   */
  verify(method: string, target: string): BlobGrant {
    const at = target.indexOf('?');
    const path = at < 0 ? target : target.slice(0, at);
    const parameters = new URLSearchParams(at < 0 ? '' : target.slice(at + 1));
    const key = path.startsWith(BLOB_PATH) ? path.slice(BLOB_PATH.length) : '';
    const kind = kindOf(method, parameters.has('part'));
    const given = Buffer.from(parameters.get('sig') ?? '', 'base64url');
    // Rebuilt from the decoded values, so that a client that re-encodes the query (%20 or +) still matches, and nothing unsigned is read.
    let query = '';
    for (const name of PARAMETERS) {
      const value = parameters.get(name);
      if (value !== null) query += `${name}=${encode(value)}&`;
    }
    const wanted = kind === null ? null : Buffer.from(this.signature(kind, key, query), 'base64url');
    if (kind === null || wanted === null || given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
      throw new DomainError('FORBIDDEN', 'This URL is not valid for this request');
    }
    const expiresAtMs = Number(parameters.get('exp')) * 1000;
    if (!(expiresAtMs > this.nowMs())) throw new DomainError('FORBIDDEN', 'This URL has expired');
    return {
      kind,
      key: assertKey(key),
      expiresAtMs,
      maxBytes: number(parameters.get('max')),
      sizeBytes: number(parameters.get('len')),
      contentType: parameters.get('ct') ?? undefined,
      disposition: parameters.get('cd') === 'inline' ? 'inline' : 'attachment',
      fileName: parameters.get('fn') ?? undefined,
      etag: parameters.get('etag') ?? undefined,
      uploadId: parameters.get('upload') ?? undefined,
      partNumber: number(parameters.get('part')),
      totalBytes: number(parameters.get('sum')),
      pass: passOf(parameters.get('by'), parameters.get('on')),
    };
  }

  private signature(kind: string, key: string, query: string): string {
    return createHmac('sha256', this.secret).update(`${kind}\n${key}\n${query}`).digest('base64url');
  }

  private nowMs(): number {
    return this.clock?.nowMs() ?? Date.now();
  }
}

/** Percent-encoding of a value; a lone surrogate, which has no encoding, becomes U+FFFD. */
function encode(value: string): string {
  return encodeURIComponent(Buffer.from(value, 'utf8').toString('utf8'));
}

function kindOf(method: string, hasPart: boolean): BlobGrant['kind'] | null {
  switch (method) {
    case 'GET':
    case 'HEAD':
      return 'GET';
    case 'PUT':
      return hasPart ? 'PART' : 'PUT';
    case 'POST':
      return 'PUT';
    default:
      return null;
  }
}

function passOf(holder: string | null, nodeId: string | null): DownloadPass | undefined {
  return holder === null ? undefined : { holder, ...(nodeId === null ? {} : { nodeId }) };
}

function number(value: string | null): number | undefined {
  return value === null ? undefined : Number(value);
}
