import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { Call, Clock, newId } from '#libs/kernel';
import { Signals } from '#libs/signals';

import { SpaceService } from '../space.service.js';
import type { ChangedNode, JsonFacts, NodeChange, PersonalChangeType } from './change.js';
import { noticeRuleOf } from './notice-rules.js';
import { ChangeRepository } from './repositories/change.repository.js';
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

  /**
   * Records one event in the feeds of these accounts alone, and what it means for their notices (types share_*, folder_unshared, ...): a notice
   * takes `facts.hash`, the path and `facts.directory_name`. Accounts that were erased are told
   * nothing. One statement, when all of them have used their storage before, and two for notices.
   */
  async recordForAccounts(type: PersonalChangeType, accountIds: readonly number[], { actorId, path, nodeId, facts }: PersonalChange): Promise<void> {
    if (accountIds.length === 0) return;
    for (const id of accountIds) Call.note('account', id);
    const nowMs = this.clock.nowMs();
    const item = { eventId: newId(nowMs), type, actorId, nodeId: nodeId ?? null, path: path ?? '/', atMs: nowMs, facts: facts ?? {} };
    const told = await this.changes.insertPersonal(accountIds, item);
    const missing = [...new Set(accountIds)].filter((id) => !told.has(id));
    const homeless = missing.length === 0 ? [] : await this.spaces.living(missing);
    for (const id of homeless) await this.spaces.homeOf(id);
    const later = homeless.length === 0 ? [] : [...(await this.changes.insertPersonal(homeless, item)).values()];
    const rule = noticeRuleOf(type);
    if (rule) {
      const hash = textOf(facts?.hash) ?? item.eventId;
      const text = textOf(facts?.directory_name) ?? item.path.slice(item.path.lastIndexOf('/') + 1);
      // the owner hears of invitations to his folder, whoever sends them; the question is not his
      const reached = accountIds.filter((id) => told.has(id) || homeless.includes(id));
      const asked = type === 'share_invitation_sent' ? reached.filter((id) => id !== facts?.owner) : reached;
      await this.notices.write(rule, asked, { action: type, hash, actorId, path: item.path, text, nowMs });
    }
    await this.wake([...told.values(), ...later]);
  }

  private async wake(scopeIds: readonly string[]): Promise<void> {
    await this.unitOfWork.afterCommit(() => {
      for (const scopeId of scopeIds) this.signals.publish(CHANGES_CHANNEL, scopeId);
    });
  }
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
