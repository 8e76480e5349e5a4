import { Injectable } from '@nestjs/common';

import { AdminRights, refusePair } from '#libs/accounts';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, Call, Clock, DomainError, newId } from '#libs/kernel';
import { FolderLimits, NodeRepository, SpaceRepository, SpaceService } from '#libs/nodes';
import { Outbox } from '#libs/queue';
import { type NewServiceKey, type ServiceKey, ServiceKeys } from '#libs/service-keys';

import { type Bucket, type BucketHolder, bucketNotFound, checkedBucketName, type CountedBucket } from './bucket.js';
import { type BucketPlan, planOf } from './plans.js';
import { BucketRepository, type BucketRow, type CountedRow } from './repositories/bucket.repository.js';

const MOST_BUCKETS = 100;

/** The first day of the month (UTC) that `ms` is in. */
export function monthOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 7)}-01`;
}

/** A key for buckets with the names of those that it reaches; null = all. */
export type BucketKey<K extends ServiceKey = ServiceKey> = K & { readonly buckets: readonly string[] | null };

/**
 * Buckets: spaces beside the home of an account, in which programs keep files by path. The account owns what is in them and pays for it; the plan of a
 * bucket limits it further, as a folder with a limit is limited.
 */
@Injectable()
export class Buckets {
  constructor(
    private readonly rows: BucketRepository,
    private readonly spaces: SpaceService,
    private readonly spaceRows: SpaceRepository,
    private readonly nodes: NodeRepository,
    private readonly limits: FolderLimits,
    private readonly keys: ServiceKeys,
    private readonly rights: AdminRights,
    private readonly outbox: Outbox,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * A new bucket of the actor, or of a user whom he administrates. INVALID_ARGUMENT for name and plan, NAME_TAKEN, WRONG_STATE beyond 100 buckets;
   * FORBIDDEN by a key for programs; as AdminRights.
   */
  async create(
    actor: AccountActor,
    wish: { readonly name: string; readonly plan?: string | undefined },
    accountId = actor.accountId,
  ): Promise<CountedBucket> {
    await this.requireRight(actor, accountId);
    const name = checkedBucketName(wish.name);
    const plan = planOf(wish.plan);
    // with the home comes the quota that pays
    await this.spaces.homeOf(accountId);
    return this.unitOfWork.run(async () => {
      const now = this.clock.now();
      const home = await this.spaces.homeOf(accountId);
      await this.spaces.lock(home.spaceId);
      if ((await this.rows.count(accountId)) >= MOST_BUCKETS) throw new DomainError('WRONG_STATE', `There are ${MOST_BUCKETS} buckets already.`);
      const space = { spaceId: newId(now.getTime()), rootId: newId(now.getTime()) };
      if (!(await this.spaceRows.insert('bucket', accountId, space, now.getTime())))
        throw new DomainError('ACCOUNT_NOT_FOUND', 'There is no such user.');
      if (!(await this.rows.insert(space.spaceId, accountId, name, plan.id, now))) {
        throw new DomainError('NAME_TAKEN', `There is a bucket "${name}" already.`);
      }
      if (plan.storageLimitBytes !== null) await this.limits.set({ id: space.rootId, ownerId: accountId }, plan.storageLimitBytes);
      Call.note('account', accountId);
      Call.note('space', space.spaceId);
      return (await this.counted(accountId, name))[0]!;
    });
  }

  /** The buckets of the actor, or of a user whom he administrates, by name. FORBIDDEN by a key for programs; as AdminRights. */
  async ofAccount(actor: AccountActor, accountId = actor.accountId): Promise<CountedBucket[]> {
    await this.requireRight(actor, accountId);
    return this.counted(accountId, null);
  }

  /** The buckets that a holder reaches, by name, with what they hold; one statement. */
  async list({ actor, scope }: BucketHolder): Promise<CountedBucket[]> {
    return (await this.counted(actor.accountId, null)).filter(({ id }) => scope === null || scope.includes(id));
  }

  /** The same of one. Throws as `find`. */
  async describe({ actor, scope }: BucketHolder, name: string): Promise<CountedBucket> {
    const [bucket] = await this.counted(actor.accountId, name);
    if (!bucket || (scope !== null && !scope.includes(bucket.id))) throw bucketNotFound();
    return bucket;
  }

  /** Any bucket that a holder reaches. NODE_NOT_FOUND as `find`. */
  async any({ actor, scope }: BucketHolder): Promise<Bucket> {
    const bucket = (await this.all(actor.accountId)).find(({ id }) => scope === null || scope.includes(id));
    if (!bucket) throw bucketNotFound();
    return bucket;
  }

  /** NODE_NOT_FOUND (`details.which` is `bucket`) for what is not there or out of reach. */
  async find({ actor, scope }: BucketHolder, name: string): Promise<Bucket> {
    const row = await this.rows.byName(actor.accountId, name, this.month());
    if (!row || (scope !== null && !scope.includes(row.id))) throw bucketNotFound();
    return toBucket(row);
  }

  /** A bucket by its id, whoever asks; null when there is none. */
  async get(id: string): Promise<Bucket | null> {
    const row = await this.rows.byId(id, this.month());
    return row && toBucket(row);
  }

  /**
   * Removes a bucket for good, by name; with `withFiles` also one that holds something. Nobody finds it any more at once, its bytes are freed in the background.
   * NODE_NOT_FOUND, FOLDER_NOT_EMPTY; FORBIDDEN by a key for programs; as AdminRights.
   */
  async remove(actor: AccountActor, name: string, { withFiles }: { readonly withFiles: boolean }, accountId = actor.accountId): Promise<void> {
    await this.requireRight(actor, accountId);
    await this.unitOfWork.run(async () => {
      const row = await this.rows.byName(accountId, name, this.month());
      if (!row) throw bucketNotFound();
      await this.spaces.lock(row.id);
      const [root] = await this.nodes.byIds([row.rootId]);
      if (!withFiles && root !== undefined && root.childFiles + root.childFolders > 0) {
        throw new DomainError('FOLDER_NOT_EMPTY', `The bucket "${name}" is not empty.`);
      }
      await this.rows.remove(row.id);
      Call.note('account', accountId);
      Call.note('space', row.id);
      await this.outbox.add('buckets.sweep', {});
    });
  }

  /** A key for buckets: for those of these names, or for all, also for later ones. As ServiceKeys.create; NODE_NOT_FOUND for a name that is none. */
  async createKey(
    actor: AccountActor,
    { name, buckets }: { readonly name: string; readonly buckets: readonly string[] | null },
    accountId = actor.accountId,
  ): Promise<BucketKey<NewServiceKey>> {
    await this.requireRight(actor, accountId);
    const ids = buckets === null ? null : await this.idsOf(accountId, [...new Set(buckets)]);
    return { ...(await this.keys.create(actor, { kind: 'storage', name, scope: ids }, accountId)), buckets };
  }

  /** As ServiceKeys.list; buckets that were removed are left out of what a key reaches. */
  async listKeys(actor: AccountActor, accountId = actor.accountId): Promise<BucketKey[]> {
    const keys = await this.keys.list(actor, 'storage', accountId);
    if (keys.every(({ scope }) => scope === null)) return keys.map((key) => ({ ...key, buckets: null }));
    const names = new Map((await this.all(accountId)).map(({ id, name }) => [id, name]));
    return keys.map((key) => ({ ...key, buckets: key.scope && key.scope.flatMap((id) => names.get(id) ?? []) }));
  }

  private async idsOf(accountId: number, names: readonly string[]): Promise<string[]> {
    const known = new Map((await this.all(accountId)).map(({ id, name }) => [name, id]));
    return names.map((name) => {
      const id = known.get(name);
      if (id === undefined) throw bucketNotFound();
      return id;
    });
  }

  private async counted(accountId: number, name: string | null): Promise<CountedBucket[]> {
    const rows = await this.rows.counted(accountId, this.month(), name);
    return rows.map(({ storageBytes, fileCount, ...row }: CountedRow) => {
      const { bandwidthBytes } = row;
      return { ...toBucket(row), usage: { storageBytes, fileCount, bandwidthBytes } };
    });
  }

  private async all(accountId: number): Promise<Bucket[]> {
    return (await this.rows.ofAccount(accountId, this.month())).map(toBucket);
  }

  private async requireRight(actor: AccountActor, accountId: number): Promise<void> {
    refusePair(actor);
    if (accountId === actor.accountId) return;
    await this.rights.requireAdminOf(actor, accountId);
    await this.rights.requireHigher(actor, accountId);
  }

  private month(): string {
    return monthOf(this.clock.nowMs());
  }
}

function toBucket<R extends BucketRow>({ plan, ...row }: R): Omit<R, 'plan'> & { readonly plan: BucketPlan } {
  return { ...row, plan: planOf(plan) };
}
