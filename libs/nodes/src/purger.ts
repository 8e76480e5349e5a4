import { Injectable } from '@nestjs/common';

import { AppConfig } from '#libs/config';
import { UnitOfWork } from '#libs/database';
import { Clock } from '#libs/kernel';

import { negated, totalBytes } from './ledger/media-bytes.js';
import { QuotaLedger } from './ledger/repositories/quota-ledger.repository.js';
import { VersionRepository } from './ledger/repositories/version.repository.js';
import { MountRepository } from './repositories/mount.repository.js';
import { PurgeRepository } from './repositories/purge.repository.js';
import { SpaceRepository } from './repositories/space.repository.js';
import { SpaceService } from './space.service.js';

const ROOTS_A_BATCH = 200;
const ROWS_A_BATCH = 1000;

/** What one batch did; `more` is false when nothing is left that could be erased now. */
export interface PurgeStep {
  readonly erased: number;
  readonly more: boolean;
}

/** Erases what is marked 'purging' in batches of a few hundred milliseconds at most. Freed bytes leave the quota with the rows. */
@Injectable()
export class Purger {
  constructor(
    private readonly rows: PurgeRepository,
    private readonly versions: VersionRepository,
    private readonly quotas: QuotaLedger,
    private readonly mounts: MountRepository,
    private readonly spaces: SpaceRepository,
    private readonly locks: SpaceService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly config: AppConfig,
  ) {}

  /** One batch in a transaction of its own. It can be killed anywhere: the next one goes on with what is left. */
  async step(spaceId: string): Promise<PurgeStep> {
    const roots = await this.rows.roots(spaceId, ROOTS_A_BATCH);
    if (roots.length === 0) return { erased: 0, more: false };
    const folders = roots.filter((root) => root.kind === 'folder').map((root) => root.id);
    if (folders.length > 0 && (await this.rows.needsFlatten(spaceId, folders))) {
      await this.unitOfWork.run(async () => {
        await this.locks.lock(spaceId);
        await this.mounts.removeFrom(folders);
        await this.rows.flatten(spaceId, folders, ROWS_A_BATCH, this.clock.now());
      });
      return { erased: 0, more: true };
    }
    const erased = await this.eraseBatch(
      spaceId,
      roots.map((root) => root.id),
    );
    // Nothing done although rows are there: somebody else holds them, and whoever that is goes on.
    return { erased, more: erased > 0 };
  }

  /** All of the space, batch by batch; `between` runs outside of transactions and may throw to stop. Returns how many rows are gone. */
  async all(spaceId: string, between: (erased: number) => Promise<void>): Promise<number> {
    let total = 0;
    for (;;) {
      const { erased, more } = await this.step(spaceId);
      total += erased;
      await between(total);
      if (!more) return total;
    }
  }

  /** Deletes the versions of a space that are not current, batch by batch. Returns how many. */
  async oldVersions(spaceId: string, between: (deleted: number) => Promise<void>): Promise<number> {
    let total = 0;
    for (;;) {
      const deleted = await this.unitOfWork.run(async () => {
        const { freed, versions } = await this.versions.deleteOld(spaceId, this.graceEnd(), ROWS_A_BATCH);
        if (totalBytes(freed) > 0) await this.quotas.add(await this.ownerOf(spaceId), negated(freed));
        return versions;
      });
      total += deleted;
      await between(total);
      if (deleted < ROWS_A_BATCH) return total;
    }
  }

  private eraseBatch(spaceId: string, rootIds: readonly string[]): Promise<number> {
    return this.unitOfWork.run(async () => {
      const held = await this.rows.lockRoots(rootIds);
      const folders = held.filter((root) => root.kind === 'folder').map((root) => root.id);
      const files = held.filter((root) => root.kind === 'file').map((root) => root.id);
      // Whoever still has one of them mounted loses it with the rows.
      await this.mounts.removeOf(folders);
      if (folders.length > 0 && files.length < ROWS_A_BATCH)
        files.push(...(await this.rows.lockFilesIn(spaceId, folders, ROWS_A_BATCH - files.length)));
      let erased = 0;
      if (files.length > 0) {
        const { freed } = await this.versions.deleteOf(files, this.graceEnd());
        erased += await this.rows.deleteFiles(files);
        if (folders.length > 0) erased += await this.rows.deleteEmptyFolders(spaceId, folders);
        if (totalBytes(freed) > 0) await this.quotas.add(await this.ownerOf(spaceId), negated(freed));
        return erased;
      }
      return folders.length > 0 ? this.rows.deleteEmptyFolders(spaceId, folders) : 0;
    });
  }

  private async ownerOf(spaceId: string): Promise<number> {
    const space = await this.spaces.find(spaceId);
    if (!space) throw new Error(`no space ${spaceId}`);
    return space.accountId;
  }

  private graceEnd(): Date {
    return new Date(this.clock.nowMs() + this.config.files.blobGraceSeconds * 1000);
  }
}
