import { setTimeout as sleep } from 'node:timers/promises';

import { Injectable } from '@nestjs/common';

import { GrantService } from '#libs/access';
import { AccountDirectory, Authenticator } from '#libs/accounts';
import { AppConfig } from '#libs/config';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError } from '#libs/kernel';
import { MountRepository, NodeRepository, Purger, PurgeRepository, SpaceRepository, SpaceService, UploadSessionRepository } from '#libs/nodes';

import { ErasingRepository } from './repositories/erasing.repository.js';
import { PersonalDataRepository } from './repositories/personal-data.repository.js';

export interface EraseRun {
  readonly accountId: number;
  /** The task that erases: its own row stays. */
  readonly taskId: string;
  /** Between two batches, outside of a transaction: the part that is done, 0 to 1. It may throw to stop. */
  readonly between: (done: number) => Promise<void>;
  /** In the last transaction. */
  readonly finished: () => Promise<void>;
}

const BATCH = 1_000;
/** Waits for rows that somebody else holds for a moment. */
const WAIT_MS = 200;
const WAITS = 50;

/**
 * Erases what the house holds of an account. Each step looks at what is there still, so that a run that was killed anywhere is followed by one that
 * comes to the same end. The row of the account stays, without a word about the person: others' files name it as their author.
 */
@Injectable()
export class AccountEraser {
  constructor(
    private readonly rows: ErasingRepository,
    private readonly personal: PersonalDataRepository,
    private readonly grants: GrantService,
    private readonly mounts: MountRepository,
    private readonly nodes: NodeRepository,
    private readonly purger: Purger,
    private readonly marks: PurgeRepository,
    private readonly spaceRows: SpaceRepository,
    private readonly uploads: UploadSessionRepository,
    private readonly spaces: SpaceService,
    private readonly directory: AccountDirectory,
    private readonly authenticator: Authenticator,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly config: AppConfig,
  ) {}

  /** BUSY when others hold parts of it for too long. The account must have been marked by `beginErasing`. */
  async erase(run: EraseRun): Promise<void> {
    const { accountId } = run;
    const home = await this.rows.home(accountId);
    await this.endUploads(accountId, home?.spaceId ?? null);
    for (const space of await this.rows.otherSpaces(accountId)) await this.removeSpace(space, run);
    if (home) {
      await this.endSharing(accountId, home, run);
      await this.inBatches(run, 0.1, () => this.personal.deleteFeeds(home.spaceId));
      await this.purge(home, run);
    }
    await this.forgetPerson(run);
    await this.finish(run, home);
    this.authenticator.forget(accountId);
    this.directory.forget(accountId);
  }

  /** The bytes that are reserved for uploads come back with them; the objects of those that may still be written to are deleted when they cannot be. */
  private async endUploads(accountId: number, spaceId: string | null): Promise<void> {
    const now = this.clock.now();
    const open = await this.unitOfWork.run(() => this.personal.endUploads(accountId, spaceId, now));
    const deleteAt = open ? new Date(now.getTime() + this.config.files.uploadTtlSeconds * 1000) : now;
    while ((await this.unitOfWork.run(() => this.uploads.reap(now, deleteAt, BATCH))) === BATCH);
  }

  /** The account leaves what others share with it, and nobody has its folders any more: each is told. */
  private async endSharing(accountId: number, { spaceId, rootId }: { spaceId: string; rootId: string }, run: EraseRun): Promise<void> {
    const owner: AccountActor = { kind: 'account', accountId, companyId: null, role: 'user', tokenId: null };
    for (const mount of await this.mounts.within(spaceId, [rootId])) {
      await this.unitOfWork.run(async () => {
        await this.grants.leave(owner, [mount.targetId]);
        await this.mounts.remove([mount.id]);
      });
      await run.between(0);
    }
    for (const id of await this.mounts.sharedWithin(spaceId, [rootId])) {
      await this.unitOfWork.run(async () => {
        const [node] = await this.nodes.byIds([id]);
        if (!node) return;
        await this.grants.revokeAll(owner, node);
        await this.mounts.removeOf([id]);
      });
      await run.between(0.05);
    }
  }

  /** A space that is no home goes with all that is in it, and with whatever says that it ends with it. */
  private async removeSpace(space: { spaceId: string; rootId: string }, run: EraseRun): Promise<void> {
    const { spaceId } = space;
    await this.endSharing(run.accountId, space, run);
    await this.inBatches(run, 0.1, () => this.personal.deleteFeeds(spaceId));
    await this.purge(space, run);
    await this.unitOfWork.run(async () => {
      await this.spaces.lock(spaceId);
      if (!(await this.spaceRows.remove(spaceId))) throw new DomainError('BUSY', 'Files of the account are still being worked on.');
    });
    await this.inBatches(run, 0.1, () => this.personal.deleteFeeds(spaceId));
  }

  private async purge({ spaceId, rootId }: { spaceId: string; rootId: string }, run: EraseRun): Promise<void> {
    const all = Math.max(1, await this.marks.countNodes(spaceId));
    for (let waits = 0; ;) {
      const mark = () =>
        this.unitOfWork.run(async () => {
          await this.spaces.lock(spaceId);
          return this.marks.markAll(spaceId, rootId, BATCH, this.clock.now());
        });
      const marked = await this.inBatches(run, 0.1, mark);
      const erased = await this.purger.all(spaceId, (done) => run.between(0.1 + 0.7 * Math.min(1, done / all)));
      if ((await this.marks.countNodes(spaceId)) === 0) return;
      if (marked === 0 && erased === 0 && ++waits > WAITS) throw new DomainError('BUSY', 'Files of the account are still being worked on.');
      await sleep(WAIT_MS);
      await run.between(0.5);
    }
  }

  private async forgetPerson(run: EraseRun): Promise<void> {
    const { accountId, taskId } = run;
    await this.unitOfWork.run(async () => {
      await this.personal.forgetTries(accountId);
      await this.personal.expireObjects(accountId, this.clock.now());
      for (const column of await this.personal.owned()) await this.personal.deleteOwned(column, accountId, taskId);
      await this.personal.forgetDevices(accountId);
      await this.personal.forgetWords(accountId);
    });
    await this.inBatches(run, 0.9, () => this.personal.forgetName(accountId));
  }

  private async finish(run: EraseRun, home: { spaceId: string } | null): Promise<void> {
    const { accountId, taskId } = run;
    await this.unitOfWork.run(async () => {
      if (home) {
        await this.spaces.lock(home.spaceId);
        if (!(await this.rows.removeHome(accountId, home.spaceId))) throw new DomainError('BUSY', 'Files of the account are still being worked on.');
        await this.personal.deleteFeeds(home.spaceId);
      }
      // Once more under the last lock: a request that was let in before the end may have written since.
      await this.rows.lock(accountId);
      for (const column of await this.personal.owned()) await this.personal.deleteOwned(column, accountId, taskId);
      await this.rows.anonymize(accountId, this.clock.now());
      await run.finished();
    });
  }

  private async inBatches(run: EraseRun, done: number, batch: () => Promise<number>): Promise<number> {
    for (let sum = 0; ;) {
      const count = await batch();
      if (count === 0) return sum;
      sum += count;
      await run.between(done);
    }
  }
}
