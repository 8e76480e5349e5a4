import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { Call, Clock, newId } from '#libs/kernel';
import { Signals } from '#libs/signals';

import { SpaceService } from '../space.service.js';
import type { ChangedNode, JsonFacts, NodeChange, PersonalChangeType } from './change.js';
import { noticeRuleOf } from './notice-rules.js';
import { ChangeRepository, type PersonalItem } from './repositories/change.repository.js';
import type { ChangeItem, News } from './repositories/feed-sql.js';
import { NoticeWriter } from './repositories/notice-writer.repository.js';

/** Channel of libs/signals whose payloads are ids of feeds that have something new. */
export const CHANGES_CHANNEL = 'changes';

export interface PersonalChange {
  readonly actorId: number | null;
  /** Default `/`. */
  readonly path?: string;
  readonly nodeId?: string;
  readonly facts?: JsonFacts;
}

/** One event of `recordEach`: the same for all of these accounts. */
export type PersonalNews = Omit<PersonalChange, 'actorId'> & { readonly accountIds: readonly number[] };

/** Writes what happened into the feeds of those who may know, in the transaction of the change itself. */
@Injectable()
export class ChangeLog {
  constructor(
    private readonly changes: ChangeRepository,
    private readonly notices: NoticeWriter,
    private readonly spaces: SpaceService,
    private readonly unitOfWork: UnitOfWork,
    private readonly signals: Signals,
    private readonly clock: Clock,
  ) {}

  /**
   * Records changes in the feed of the space and of every shared folder above the place (before and after, for moves and renames); what comes
   * or goes also in the feeds of shared folders in it. One statement for all. Call it in the transaction of the change, before `bumpFolders`.
   */
  async record(changes: readonly NodeChange[]): Promise<void> {
    if (changes.length === 0) return;
    const nowMs = this.clock.nowMs();
    await this.wake(await this.changes.insert(changes.map((change) => toItem(change, nowMs))));
  }

  /**
   * The same for changes that the statement of the change writes into the feeds itself (`plainNews`): things made or written, nothing moved or
   * deleted. `write` is given what to tell and answers the feeds it told, which are woken after the commit.
   */
  async recordIn<T extends { readonly woken: readonly string[] }>(changes: readonly NodeChange[], write: (news: News) => Promise<T>): Promise<T> {
    const nowMs = this.clock.nowMs();
    const result = await write(JSON.stringify(changes.map((change) => toItem(change, nowMs))));
    await this.wake(result.woken);
    return result;
  }

  /** Records one event in the feeds of these accounts alone, as `recordEach`. */
  async recordForAccounts(type: PersonalChangeType, accountIds: readonly number[], { actorId, ...told }: PersonalChange): Promise<void> {
    await this.recordEach(type, actorId, [{ accountIds, ...told }]);
  }

  /**
   * Records events in the feeds of their accounts alone, in this order, and what they mean for their notices (types share_*, folder_unshared,
   * ...): a notice takes `facts.hash`, the path and `facts.directory_name`. Accounts that were erased are told nothing. However many there are: one
   * statement, when all accounts have used their storage before, and two for notices.
   */
  async recordEach(type: PersonalChangeType, actorId: number | null, news: readonly PersonalNews[]): Promise<void> {
    const nowMs = this.clock.nowMs();
    const items = news
      .filter(({ accountIds }) => accountIds.length > 0)
      .map(({ accountIds, path, nodeId, facts }) => ({
        ...{ event_id: newId(nowMs), type, actor_id: actorId, node_id: nodeId ?? null, path: path ?? '/', at_ms: nowMs, facts: facts ?? {} },
        account_ids: [...new Set(accountIds)],
      }));
    if (items.length === 0) return;
    const accountIds = new Set(items.flatMap((item) => item.account_ids));
    for (const id of accountIds) Call.note('account', id);
    const told = await this.changes.insertPersonal(items);
    const missing = [...accountIds].filter((id) => !told.has(id));
    if (missing.length > 0) for (const [id, scopeId] of await this.tellHomeless(items, missing)) told.set(id, scopeId);
    const rule = noticeRuleOf(type);
    const notices = items.map((item) => noticeOf(item, told)).filter((notice) => notice.accountIds.length > 0);
    if (rule && notices.length > 0) await this.notices.write(rule, notices, { action: type, actorId, nowMs });
    await this.wake([...told.values()]);
  }

  /** Those who live get a home to be told in; answers their feeds. */
  private async tellHomeless(items: readonly PersonalItem[], missing: readonly number[]): Promise<Map<number, string>> {
    const homeless = new Set(await this.spaces.living(missing));
    for (const id of homeless) await this.spaces.homeOf(id);
    const rest = items
      .map((item) => ({ ...item, account_ids: item.account_ids.filter((id) => homeless.has(id)) }))
      .filter((item) => item.account_ids.length > 0);
    return rest.length === 0 ? new Map<number, string>() : this.changes.insertPersonal(rest);
  }

  private async wake(scopeIds: readonly string[]): Promise<void> {
    await this.unitOfWork.afterCommit(() => {
      for (const scopeId of scopeIds) this.signals.publish(CHANGES_CHANNEL, scopeId);
    });
  }
}

/** The owner hears of invitations to his folder, whoever sends them; the question is not his. */
function noticeOf({ event_id, type, path, facts, account_ids }: PersonalItem, told: ReadonlyMap<number, string>) {
  const isAsked = (id: number): boolean => type !== 'share_invitation_sent' || id !== facts.owner;
  return {
    accountIds: account_ids.filter((id) => told.has(id) && isAsked(id)),
    hash: textOf(facts.hash) ?? event_id,
    path,
    text: textOf(facts.directory_name) ?? path.slice(path.lastIndexOf('/') + 1),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function toItem({ type, actorId, node, folderId, name, old, facts }: NodeChange, nowMs: number): ChangeItem {
  Call.note('node', node.id);
  Call.note('space', node.spaceId);
  const comesOrGoes = node.kind === 'folder' && !node.mount && (type === 'folder_deleted' || type === 'folder_undeleted');
  return {
    event_id: newId(nowMs),
    type,
    actor_id: actorId,
    node_id: node.id,
    at_ms: nowMs,
    start_id: folderId ?? node.id,
    tail: folderId === null ? '' : `/${name}`,
    facts: { ...nodeFacts(node), ...oldFacts(type, old, node), ...facts },
    old_start_id: old?.folderId ?? null,
    old_tail: old ? `/${old.name}` : null,
    arrived_type: old ? `${node.kind}_created` : null,
    left_type: old ? `${node.kind}_deleted` : null,
    below_space_id: comesOrGoes ? node.spaceId : null,
  };
}

function nodeFacts(node: ChangedNode): JsonFacts {
  const { kind, ownerId, createdMs, modifiedMs, versionNo, sizeBytes, mimeType } = node;
  if (kind === 'folder') return { kind, owner: ownerId, created: createdMs, modified: modifiedMs, ...(node.shared ? { shared: true } : {}) };
  return { kind, owner: ownerId, created: createdMs, modified: modifiedMs, version: versionNo, size: sizeBytes, mime: mimeType };
}

function oldFacts(type: NodeChange['type'], old: NodeChange['old'], node: ChangedNode): JsonFacts {
  if (!old) return {};
  const { createdMs, modifiedMs, versionNo, sizeBytes } = old.node ?? node;
  const dates = { created: createdMs, modified: modifiedMs };
  const before: JsonFacts = node.kind === 'folder' ? dates : { ...dates, version: versionNo, size: sizeBytes };
  return { old: before, ...(type.endsWith('_renamed') ? { oldname: old.name } : {}) };
}
