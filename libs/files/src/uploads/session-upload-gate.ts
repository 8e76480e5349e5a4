import { Injectable } from '@nestjs/common';

import { type StoredBlob, UploadGate, type UploadSlot } from '#libs/blob-store';
import { AppConfig } from '#libs/config';
import { Clock, DomainError, isDomainError } from '#libs/kernel';
import { UploadSessionRepository } from '#libs/nodes';

import { newStoreKey, tempNameOf } from './temp-names.js';
import { UploadPlaces } from './upload-places.js';
import { MAX_OBJECT_BYTES } from './upload.service.js';

/** Lets bytes in for open upload sessions only, and only as many as the quota holds; keeps their ledger. */
@Injectable()
export class SessionUploadGate extends UploadGate {
  constructor(
    private readonly sessions: UploadSessionRepository,
    private readonly places: UploadPlaces,
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {
    super();
  }

  /** UPLOAD_NOT_FOUND, UPLOAD_CLOSED, QUOTA_EXCEEDED. */
  override async open(key: string, announcedBytes: number | null): Promise<UploadSlot> {
    const now = this.clock.nowMs();
    const ttlMs = this.config.files.uploadTtlSeconds * 1000;
    const tempName = known(key);
    const outcome = await this.sessions.open(tempName, {
      announcedBytes,
      freshKey: newStoreKey(),
      now: new Date(now),
      leaseUntil: new Date(now + ttlMs),
      renewBefore: new Date(now + ttlMs / 2),
    });
    if (outcome === 'unknown') throw notFound();
    if (outcome === 'closed') throw ended();
    if (outcome.foreign && !(await this.mayBring(tempName))) {
      // Whoever may not write there any more holds no space there either.
      await this.sessions.endLease(tempName, new Date(now));
      throw ended();
    }
    return { storeKey: outcome.storeKey, maxBytes: announcedBytes ?? outcome.freeBytes ?? MAX_OBJECT_BYTES };
  }

  /** UPLOAD_CLOSED when the session ended meanwhile or another writer's bytes replaced these; QUOTA_EXCEEDED. */
  override async stored(key: string, blob: StoredBlob, storeKey: string): Promise<void> {
    const kept = await this.sessions.stored(known(key), storeKey, blob, this.clock.now());
    if (!kept) throw ended();
  }

  override async failed(key: string, storeKey: string): Promise<void> {
    await this.sessions.giveUp(known(key), storeKey, newStoreKey(), this.clock.now());
  }

  private async mayBring(tempName: string): Promise<boolean> {
    const session = await this.sessions.find(tempName);
    if (!session) return false;
    try {
      await this.places.find(session);
      return true;
    } catch (error) {
      if (isDomainError(error, 'NODE_NOT_FOUND') || isDomainError(error, 'FORBIDDEN')) return false;
      throw error;
    }
  }
}

function known(key: string): string {
  const tempName = tempNameOf(key);
  if (tempName === null) throw notFound();
  return tempName;
}

function ended(): DomainError {
  return new DomainError('UPLOAD_CLOSED', 'This upload has ended.');
}

function notFound(): DomainError {
  return new DomainError('UPLOAD_NOT_FOUND', 'There is no such upload.');
}
