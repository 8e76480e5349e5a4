import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';
import { DomainError } from '#libs/kernel';

import { QuotaLedger, quotaExceeded } from './ledger/repositories/quota-ledger.repository.js';
import { LimitRepository } from './repositories/limit.repository.js';
import { SubtreeRepository } from './repositories/subtree.repository.js';

export interface LimitCheck {
  /** True: the counters of the folders hold the bytes already. Exact also against moves, when it is the last statement of its transaction. */
  readonly counted?: boolean;
  /** Where the bytes come from: limits that hold there too are not touched by the change. */
  readonly movedFrom?: string;
}

/** What folders may hold in all: the live bytes at and below a folder with a limit never pass it. */
@Injectable()
export class FolderLimits {
  constructor(
    private readonly limits: LimitRepository,
    private readonly subtrees: SubtreeRepository,
    private readonly quotas: QuotaLedger,
    private readonly database: Database,
  ) {}

  /**
   * Passes when `addedBytes` more fit into a place: a folder, or the ids of the way to it. Where a folder above has a limit, those who add there
   * wait for each other until the end of their transactions. One statement when none has. QUOTA_EXCEEDED.
   */
  async require(place: string | readonly string[], addedBytes: number, { counted = false, movedFrom }: LimitCheck = {}): Promise<void> {
    const folderId = typeof place === 'string' ? place : place[place.length - 1];
    if (folderId === undefined || addedBytes <= 0) return;
    const limited = await this.limits.above(folderId, movedFrom ?? null);
    for (const { id } of limited) await this.hold(id);
    for (const { id, limitBytes } of limited) {
      const { bytes } = await this.subtrees.figures(id);
      if (bytes + (counted ? 0 : addedBytes) > limitBytes) throw quotaExceeded();
    }
  }

  /** `require` for many folders of one space whose counters hold the new bytes already, in one statement when the space has no limits. */
  async requireCounted(spaceId: string, folderIds: readonly string[]): Promise<void> {
    const ids = new Set(folderIds);
    if (ids.size > 1 && !(await this.limits.anyIn(spaceId))) return;
    for (const id of [...ids].sort()) await this.require(id, 1, { counted: true });
  }

  /**
   * Limits a folder, null = not any more, as the last writes of a transaction that holds the lock of its space. FOLDER_LIMIT_TOO_SMALL below what it
   * holds.
   *
   * Whoever makes a space larger takes its owner's quota and looks for limits after that, or holds the lock of the space: with the quota held here, what
   * is on its way is counted below, and what comes later sees the limit. The row is written before the quota is taken, as uploads do it.
   */
  async set(folder: { readonly id: string; readonly ownerId: number }, limitBytes: number | null): Promise<void> {
    await this.limits.set(folder.id, limitBytes);
    if (limitBytes === null) return;
    await this.quotas.hold([folder.ownerId]);
    await this.hold(folder.id);
    if (limitBytes < 1 || limitBytes < (await this.subtrees.figures(folder.id)).bytes) {
      throw new DomainError('FOLDER_LIMIT_TOO_SMALL', 'The folder holds more than this already.');
    }
  }

  /** Bytes that may still be added to a folder by the limits at and above it; null when there are none. */
  async freeBytes(folderId: string): Promise<number | null> {
    const limited = await this.limits.above(folderId, null);
    if (limited.length === 0) return null;
    const held = await this.subtrees.bytesBelow(
      limited.map(({ id }) => id),
      false,
    );
    return Math.max(0, Math.min(...limited.map(({ id, limitBytes }) => limitBytes - (held.get(id) ?? 0))));
  }

  /** Waits until this transaction alone makes what a limit holds larger. */
  private async hold(folderId: string): Promise<void> {
    await this.database.lock(`folder-limit:${folderId}`);
  }
}
