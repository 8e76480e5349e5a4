import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { Clock, newId } from '#libs/kernel';

import { AUTOMATIC_TYPES, formatOf } from './formats.js';
import { PreviewRepository, type ScannedVersion, type Wish } from './repositories/preview.repository.js';

const BATCH = 5_000;
/** Ids carry the time at which they were made, rows appear when their transaction ends: so much of the end is looked at again. */
const LATE_MS = 60_000;

/**
 * Finds new versions that deserve previews, by the order of their ids. Uploads know nothing of it and pay nothing for it: a scan reads a version once
 * or a few times, by its key, and passes by whatever has no preview of its own accord (source code above all).
 */
@Injectable()
export class PreviewScan {
  constructor(
    private readonly previews: PreviewRepository,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** Returns how many previews were put into queues. */
  async run(signal?: AbortSignal): Promise<number> {
    let found = 0;
    for (let from: string | null = null; ;) {
      signal?.throwIfAborted();
      const step = await this.unitOfWork.run(() => this.step(from));
      if (step === null) return found;
      found += step.found;
      if (step.next === null) return found;
      from = step.next;
    }
  }

  /** Looks at one batch. `from`: where the batch before ended, as the stored place lags behind. Null while another process scans. */
  private async step(from: string | null): Promise<{ found: number; next: string | null } | null> {
    const stored = await this.previews.lockScan();
    if (stored === null) return null;
    const versions = await this.previews.versionsAfter(from ?? stored, BATCH);
    const last = versions[versions.length - 1];
    if (!last) return { found: 0, next: null };
    const settled = lowestId(this.clock.nowMs() - LATE_MS);
    const place = last.id < settled ? last.id : settled;
    if (place > stored) await this.previews.moveScan(place);
    const found = await this.previews.enqueue(versions.flatMap(wishOf), false, this.clock.now());
    return { found, next: versions.length === BATCH ? last.id : null };
  }
}

function wishOf({ blobId, mimeType, sizeBytes, tenantId }: ScannedVersion): Wish[] {
  const making = AUTOMATIC.has(mimeType) || mimeType.startsWith('video/') ? formatOf(mimeType, sizeBytes) : null;
  return making === null || making === 'text' ? [] : [{ blobId, making, tenantId }];
}

const AUTOMATIC = new Set(AUTOMATIC_TYPES);

/** An id that is not above any made at this time. */
function lowestId(ms: number): string {
  return `${newId(Math.max(0, ms)).slice(0, 15)}000-8000-000000000000`;
}
