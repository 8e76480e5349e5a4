import type { Readable } from 'node:stream';

import { Injectable } from '@nestjs/common';

import { BlobStore, SignedUrls, UploadGate } from '#libs/blob-store';
import { DomainError } from '#libs/kernel';

import { urlKey } from './temp-names.js';
import type { OpenedUpload } from './upload.service.js';

/** Takes bytes that arrive in this process by other ways than the upload's own URL, under its rules: the gate, the limits, the ledger. */
@Injectable()
export class UploadIntake {
  constructor(
    private readonly blobs: BlobStore,
    private readonly signedUrls: SignedUrls,
    private readonly gate: UploadGate,
  ) {}

  /** Resolves when the bytes are durable; `announcedBytes` is null when their number is not known. QUOTA_EXCEEDED, TOO_LARGE, SIZE_MISMATCH, UPLOAD_CLOSED, and what the store throws. */
  async take(upload: OpenedUpload, body: Readable, announcedBytes: number | null): Promise<void> {
    const { pathname, search } = new URL(upload.url);
    const grant = this.signedUrls.verify(upload.method, pathname + search);
    await this.store(grant.key, body, announcedBytes, grant.maxBytes ?? Infinity);
  }

  /** The same for an upload whose URL nobody has any more, by its name; answers the key of the object that the session holds then. */
  takeFor(tempName: string, body: Readable, announcedBytes: number | null): Promise<string> {
    return this.store(urlKey(tempName), body, announcedBytes, Infinity);
  }

  private async store(key: string, body: Readable, announcedBytes: number | null, mostBytes: number): Promise<string> {
    const slot = await this.gate.open(key, announcedBytes);
    const storeKey = slot.storeKey ?? key;
    try {
      const maxBytes = Math.min(slot.maxBytes, mostBytes);
      if (announcedBytes !== null && announcedBytes > maxBytes)
        throw new DomainError('TOO_LARGE', `The body is larger than the ${maxBytes} bytes allowed.`);
      const blob = await this.blobs.put(storeKey, body, { maxBytes, ...(announcedBytes === null ? {} : { sizeBytes: announcedBytes }) });
      await this.gate.stored(key, blob, storeKey);
      return storeKey;
    } catch (error) {
      // The reaper ends what stays open; the caller is told the first error, not this one.
      await this.gate.failed(key, storeKey).catch(() => undefined);
      throw error;
    }
  }
}
