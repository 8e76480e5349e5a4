import { Injectable } from '@nestjs/common';

import { BlobStore, type ListedMultipart } from '#libs/blob-store';
import { AppConfig } from '#libs/config';
import { UnitOfWork } from '#libs/database';
import { Clock } from '#libs/kernel';
import { BlobRepository, DerivedObjectRepository, ObjectLedger, type Tombstone, TombstoneRepository, UploadSessionRepository } from '#libs/nodes';

const BATCH = 500;
const DELETE_BATCH = 200;
const MINUTE_MS = 60_000;

/** Ends what was left behind: sessions, blobs, derived objects, and at last the objects themselves. Every step can be killed and run again. */
@Injectable()
export class StoreJanitor {
  constructor(
    private readonly sessions: UploadSessionRepository,
    private readonly blobs: BlobRepository,
    private readonly derived: DerivedObjectRepository,
    private readonly tombstones: TombstoneRepository,
    private readonly ledger: ObjectLedger,
    private readonly store: BlobStore,
    private readonly unitOfWork: UnitOfWork,
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {}

  /** Ends uploads whose lease is over. Returns how many. */
  async reapUploads(signal?: AbortSignal): Promise<number> {
    return repeat(BATCH, signal, () => this.unitOfWork.run(() => this.sessions.reap(this.clock.now(), this.clock.now(), BATCH)));
  }

  /**
   * Ends multipart uploads of the store that no ledger knows (a crash between the store and the ledger leaves one) and the store's own
   * temporary files, both only when they are older than anything under way. Returns how many.
   */
  async sweepStore(signal?: AbortSignal): Promise<number> {
    const graceMs = Math.max(this.config.files.blobGraceSeconds * 1000, MINUTE_MS);
    const before = this.clock.nowMs() - graceMs;
    let swept = await this.store.removeLeftovers(Math.max(this.config.files.uploadTtlSeconds * 1000, graceMs));
    let batch: ListedMultipart[] = [];
    for await (const multipart of this.store.listMultiparts()) {
      signal?.throwIfAborted();
      if (multipart.startedMs > before) continue;
      batch.push(multipart);
      if (batch.length === BATCH) swept += await this.abortUnknown(batch.splice(0));
    }
    batch = batch.splice(0);
    return swept + (await this.abortUnknown(batch));
  }

  /** Deletes blobs that nothing uses any more from the ledger. Returns how many were looked at. */
  async collectBlobs(signal?: AbortSignal): Promise<number> {
    return repeat(BATCH, signal, async () => {
      const { handled } = await this.unitOfWork.run(() => this.blobs.collectDue(this.clock.now(), this.clock.now(), BATCH));
      return handled;
    });
  }

  /** Hands expired archives, listings and deltas over to deletion. Returns how many. */
  async expireDerived(signal?: AbortSignal): Promise<number> {
    return repeat(BATCH, signal, () => this.derived.expire(this.clock.now(), BATCH));
  }

  /** Deletes due objects from the store; one that fails is tried again later, on its own. Returns how many are gone. */
  async deleteTombstones(signal?: AbortSignal): Promise<number> {
    let gone = 0;
    await repeat(DELETE_BATCH, signal, async () => {
      const claimed = await this.tombstones.claim(this.clock.now(), DELETE_BATCH);
      gone += await this.deleteObjects(claimed);
      return claimed.length;
    });
    return gone;
  }

  private async deleteObjects(claimed: readonly Tombstone[]): Promise<number> {
    if (claimed.length === 0) return 0;
    const failures = new Map<string, string>();
    for (const { storeKey, multipartId } of claimed) {
      if (multipartId === null) continue;
      await this.store.abortMultipart(storeKey, multipartId).catch((error: Error) => failures.set(storeKey, error.message));
    }
    const keys = claimed.map((tombstone) => tombstone.storeKey).filter((key) => !failures.has(key));
    for (const { key, error } of await this.store.deleteMany(keys)) if (error !== null) failures.set(key, error);
    const done = claimed.filter((tombstone) => !failures.has(tombstone.storeKey));
    await this.tombstones.finish(done);
    if (failures.size > 0) await this.tombstones.fail([...failures].map(([storeKey, error]) => ({ storeKey, error })));
    return done.length;
  }

  private async abortUnknown(multiparts: readonly ListedMultipart[]): Promise<number> {
    const known = await this.ledger.entries(multiparts.map((multipart) => multipart.key));
    const unknown = multiparts.filter(({ key, uploadId }) => {
      const entry = known.get(key);
      // A noted object without an upload id is one whose upload is just being begun.
      return entry === undefined || entry.kind === 'blob' || (entry.multipartId !== null && entry.multipartId !== uploadId);
    });
    for (const { key, uploadId } of unknown) await this.store.abortMultipart(key, uploadId);
    return unknown.length;
  }
}

/** Runs `step` until it handles less than a full batch. Returns the sum. */
async function repeat(batch: number, signal: AbortSignal | undefined, step: () => Promise<number>): Promise<number> {
  for (let sum = 0; ;) {
    signal?.throwIfAborted();
    const count = await step();
    sum += count;
    if (count < batch) return sum;
  }
}
