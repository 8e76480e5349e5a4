import { Injectable } from '@nestjs/common';

import { AccessService, newHash, Policies } from '#libs/access';
import { type AccountRecord, AccountDirectory } from '#libs/accounts';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError, newId } from '#libs/kernel';
import {
  ChangeLog,
  checkName,
  nodeNotFound,
  NodeRepository,
  NodeResolver,
  pageRows,
  quotaExceeded,
  QuotaLedger,
  SpaceService,
  SubtreeRepository,
} from '#libs/nodes';
import { TaskService } from '#libs/tasks';

import { type Migration, MigrationRepository, type MigrationStatus } from './repositories/migration.repository.js';

export interface AddMigration {
  /** A login, or `userid:7` of a colleague. */
  readonly member: string;
  /** In the actor's home; empty = everything. */
  readonly path: readonly string[];
  readonly invitation: string;
  readonly cleanup: boolean;
}

export interface ListMigrations {
  readonly whose: 'my' | 'others' | 'all';
  readonly path?: readonly string[] | undefined;
  /** Empty: all. `accepted` finds those that are done as well. */
  readonly statuses: readonly MigrationStatus[];
}

export interface MigrationInput {
  readonly migrationId: string;
}

/** What a copy of everything is called. */
const HOME = 'home';

/** People copy their files into the homes of others, who have to agree. */
@Injectable()
export class MigrationService {
  constructor(
    private readonly resolver: NodeResolver,
    private readonly access: AccessService,
    private readonly policies: Policies,
    private readonly directory: AccountDirectory,
    private readonly rows: MigrationRepository,
    private readonly nodes: NodeRepository,
    private readonly subtrees: SubtreeRepository,
    private readonly quotas: QuotaLedger,
    private readonly spaces: SpaceService,
    private readonly changes: ChangeLog,
    private readonly tasks: TaskService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** Requests of the actor and to him, newest first. */
  async list(actor: AccountActor, { whose, path, statuses }: ListMigrations): Promise<Migration[]> {
    const wanted = statuses.includes('accepted') ? [...statuses, 'done' as const] : statuses;
    return this.rows.list({
      accountId: actor.accountId,
      whose,
      srcPath: path === undefined ? null : pathText(path),
      statuses: wanted.length === 0 ? null : wanted,
      limit: pageRows(0),
    });
  }

  /**
   * Asks somebody to take a copy of a folder of the actor's, or of everything; asking again while he has not answered changes what is asked.
   * NODE_NOT_FOUND, FORBIDDEN for what belongs to others, NOT_A_FOLDER, ACCOUNT_NOT_FOUND, INVALID_ARGUMENT for himself.
   */
  async add(actor: AccountActor, { member, path, invitation, cleanup }: AddMigration): Promise<Migration> {
    const receiver = await this.receiver(actor, member);
    await this.policies.requireSharing(actor.accountId, receiver.id);
    const { node } = await this.resolver.get(actor, { path });
    await this.access.require(actor, 'node.share', [node]);
    if (node.kind !== 'folder') throw new DomainError('NOT_A_FOLDER', 'Only folders are migrated.');
    return this.unitOfWork.run(async () => {
      const now = this.clock.now();
      const asked = { ownerId: actor.accountId, receiverId: receiver.id, nodeId: node.id, srcPath: pathText(path), dstPath: '', invitation, cleanup };
      const made = await this.rows.request({ id: newId(now.getTime()), hash: newHash(), ...asked, status: 'requested' }, now);
      await this.tell('migration_sent', [receiver.id], made, actor.accountId);
      return made;
    });
  }

  /**
   * Starts the copying into the actor's home. Repeating it changes nothing; one that failed begins anew. MIGRATION_NOT_FOUND, FORBIDDEN for
   * its owner, NODE_NOT_FOUND when the source is gone, QUOTA_EXCEEDED.
   */
  async accept(actor: AccountActor, hash: string): Promise<Migration> {
    await this.spaces.homeOf(actor.accountId);
    return this.unitOfWork.run(async () => {
      const row = await this.held(actor, hash);
      if (row.receiverId !== actor.accountId) throw forbidden('Only its receiver accepts a migration.');
      if (row.status === 'accepted' || row.status === 'done') return row;
      const source = row.nodeId === null ? undefined : (await this.nodes.locate([row.nodeId], null)).get(row.nodeId);
      const owner = await this.directory.account(row.ownerId);
      if (!source?.live || source.node.ownerId !== row.ownerId || owner === null) throw nodeNotFound();
      const free = await this.quotas.freeBytes(actor.accountId);
      if (free !== null && (await this.subtrees.figures(source.node.id)).bytes > free) throw quotaExceeded();
      const dstPath = `/${folderNameOf(owner)}/${source.node.parentId === null ? HOME : source.node.name}`;
      await this.rows.setStatus(row.id, 'accepted', dstPath, null);
      await this.tasks.start(actor, 'handover.migration', { migrationId: row.id } satisfies MigrationInput);
      const accepted = { ...row, status: 'accepted' as const, dstPath };
      if (row.status === 'requested') await this.tell('migration_accepted', [row.ownerId, row.receiverId], accepted, actor.accountId);
      return accepted;
    });
  }

  /** The receiver does not want it: the request is gone. MIGRATION_NOT_FOUND; FORBIDDEN for its owner, and once it is accepted. */
  async reject(actor: AccountActor, hash: string): Promise<void> {
    await this.unitOfWork.run(async () => {
      const row = await this.held(actor, hash);
      if (row.receiverId !== actor.accountId) throw forbidden('Only its receiver rejects a migration.');
      if (row.status !== 'requested') throw forbidden('The migration has been accepted already.');
      await this.rows.remove(row.id);
      await this.tell('migration_rejected', [row.ownerId, row.receiverId], row, actor.accountId);
    });
  }

  /** The owner takes a request back, or forgets one that has ended. MIGRATION_NOT_FOUND; FORBIDDEN for its receiver, and while it is under way. */
  async remove(actor: AccountActor, hash: string): Promise<void> {
    await this.unitOfWork.run(async () => {
      const row = await this.held(actor, hash);
      if (row.ownerId !== actor.accountId) throw forbidden('Only its owner removes a migration.');
      if (row.status === 'accepted') throw forbidden('The migration is under way.');
      await this.rows.remove(row.id);
      if (row.status === 'requested') await this.tell('migration_removed', [row.receiverId, row.ownerId], row, actor.accountId);
    });
  }

  /** A hash is known to the two whom it is about; to everybody else there is no such migration. */
  private async held({ accountId }: AccountActor, hash: string): Promise<Migration> {
    const row = await this.rows.holdByHash(hash);
    if (!row || (row.ownerId !== accountId && row.receiverId !== accountId))
      throw new DomainError('MIGRATION_NOT_FOUND', 'There is no such migration.');
    return row;
  }

  /** Addresses reach across companies; ids of users only within the owner's own. */
  private async receiver(actor: AccountActor, member: string): Promise<AccountRecord> {
    const found = member.trim() === '' ? null : await this.directory.named(member);
    if (found?.id === actor.accountId) throw new DomainError('INVALID_ARGUMENT', 'The files are yours already.');
    const byId = member.trim().startsWith('userid:');
    const isColleague = found !== null && found.companyId !== null && found.companyId === (await this.directory.account(actor.accountId))?.companyId;
    if (found === null || found.state !== 'active' || (byId && !isColleague)) throw new DomainError('ACCOUNT_NOT_FOUND', 'There is no such user.');
    return found;
  }

  private async tell(
    type: 'migration_sent' | 'migration_accepted' | 'migration_rejected' | 'migration_removed',
    accountIds: readonly number[],
    { hash, ownerId, receiverId, srcPath, dstPath, invitation, nodeId }: Migration,
    actorId: number,
  ): Promise<void> {
    const people = await this.directory.find([ownerId, receiverId]);
    const nameOf = (id: number) => people.get(id)?.name ?? '';
    const facts = {
      hash,
      owner: ownerId,
      owner_name: nameOf(ownerId),
      receiver_id: receiverId,
      receiver_name: nameOf(receiverId),
      src_path: srcPath,
      dst_path: dstPath,
      directory_name: srcPath === '' ? HOME : srcPath.slice(srcPath.lastIndexOf('/') + 1),
      ...(invitation === '' ? {} : { message: invitation }),
    };
    // Of the owner's tree the receiver learns the path that he is offered; in his own feed it stands for nothing.
    const news = accountIds.map((id) => {
      return { accountIds: [id], ...(nodeId === null ? {} : { nodeId }), path: id === ownerId ? srcPath || '/' : dstPath || '/', facts };
    });
    await this.changes.recordEach(type, actorId, news);
  }
}

/** What the folder is called into which the files of somebody come: his name, when a folder can be called so. */
export function folderNameOf({ id, name }: Pick<AccountRecord, 'id' | 'name'>): string {
  try {
    return checkName(name.trim().replaceAll('/', '-'));
  } catch {
    return `user${id}`;
  }
}

/** `/a/b`; empty for everything. */
function pathText(path: readonly string[]): string {
  return path.map((segment) => `/${segment}`).join('');
}

function forbidden(text: string): DomainError {
  return new DomainError('FORBIDDEN', text);
}
