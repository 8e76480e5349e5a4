import { Injectable } from '@nestjs/common';

import { type StoredBlob, UploadGate, type UploadSlot } from '#libs/blob-store';
import { AppConfig } from '#libs/config';
import { Clock, DomainError } from '#libs/kernel';
import { UploadSessionRepository } from '#libs/nodes';

import { newStoreKey, tempNameOf } from './temp-names.js';
import { MAX_OBJECT_BYTES } from './upload.service.js';

/** Lets bytes in for open upload sessions only, and only as many as the quota holds; keeps their ledger. */
@Injectable()
export class SessionUploadGate extends UploadGate {
  constructor(
    private readonly sessions: UploadSessionRepository,
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {
    super();
  }

  /** UPLOAD_NOT_FOUND, UPLOAD_CLOSED, QUOTA_EXCEEDED. */
  override async open(key: string, announcedBytes: number | null): Promise<UploadSlot> {
    const now = this.clock.nowMs();
    const ttlMs = this.config.files.uploadTtlSeconds * 1000;
    const outcome = await this.sessions.open(known(key), {
      announcedBytes,
      freshKey: newStoreKey(),
      now: new Date(now),
      leaseUntil: new Date(now + ttlMs),
      renewBefore: new Date(now + ttlMs / 2),
    });
    if (outcome === 'unknown') throw notFound();
    if (outcome === 'closed') throw new DomainError('UPLOAD_CLOSED', 'This upload has ended.');
    return { storeKey: outcome.storeKey, maxBytes: announcedBytes ?? outcome.freeBytes ?? MAX_OBJECT_BYTES };
  }

  /** UPLOAD_CLOSED when the session ended meanwhile or another writer's bytes replaced these; QUOTA_EXCEEDED. */
  override async stored(key: string, blob: StoredBlob, storeKey: string): Promise<void> {
    const kept = await this.sessions.stored(known(key), storeKey, blob, this.clock.now());
    if (!kept) throw new DomainError('UPLOAD_CLOSED', 'This upload has ended.');
  }

  override async failed(key: string, storeKey: string): Promise<void> {
    await this.sessions.giveUp(known(key), storeKey, newStoreKey(), this.clock.now());
  }
}

function known(key: string): string {
  const tempName = tempNameOf(key);
  if (tempName === null) throw notFound();
  return tempName;
}

function notFound(): DomainError {
  return new DomainError('UPLOAD_NOT_FOUND', 'There is no such upload.');
}
