import { Injectable } from '@nestjs/common';

import type { EventView } from '#libs/events';
import type { AccountActor } from '#libs/kernel';
import { NodeFacts } from '#libs/node-facts';
import { NodeResolver } from '#libs/nodes';

import { presentExtradata, type WireExtradata } from '../presenters/extradata.presenter.js';
import { iconOf } from '../presenters/icon.js';

type Facts = EventView['facts'];

const KNOWN = new Set(['kind', 'owner', 'created', 'modified', 'version', 'size', 'mime', 'shared', 'old', 'oldname']);

/** Events as clients of this dialect read them: the same in `events/` and on websockets (contract 1.9 and 6). */
@Injectable()
export class EventPresenter {
  constructor(
    private readonly resolver: NodeResolver,
    private readonly facts: NodeFacts,
  ) {}

  /** Events of one viewer, in their order. No statement, or two when previews were made: their links are the viewer's own and do not live long. */
  async present(events: readonly EventView[]): Promise<Record<string, unknown>[]> {
    const previews = await this.previews(events.filter((event) => event.type === 'extradata_created'));
    return events.map((event) => {
      const wire = presentEvent(event);
      return event.type === 'extradata_created' ? { ...wire, processed_interfaces: previews.get(event.nodeId) ?? {} } : wire;
    });
  }

  private async previews(events: readonly EventView[]): Promise<Map<string | null, WireExtradata>> {
    const [first] = events;
    if (!first) return new Map();
    const viewer: AccountActor = { kind: 'account', accountId: first.viewerId, companyId: null, role: 'user', tokenId: null };
    const placed = await this.resolver.findMany(
      viewer,
      events.flatMap(({ nodeId }) => (nodeId === null ? [] : [{ id: nodeId }])),
    );
    const nodes = placed.flatMap((place) => place?.node ?? []);
    const facts = await this.facts.of(viewer, nodes);
    return new Map(nodes.map((node) => [node.id, presentExtradata(facts.get(node.id)?.extradata ?? null)]));
  }
}

/** One event. Facts that only some types have (`public_hash`, `hash`, ...) stand in it under their own names. */
export function presentEvent(event: EventView): Record<string, unknown> {
  const { facts, oldPath } = event;
  const more = Object.entries(facts).filter(([name]) => !KNOWN.has(name));
  return {
    ...Object.fromEntries(more),
    id: event.id,
    ...(event.cursor === null ? {} : { cursor: event.cursor }),
    type: event.type,
    timestamp: event.atMs,
    path: event.path,
    user_id: event.viewerId,
    init_event_user_id: event.actorId,
    init_event_user_name: event.actorName,
    deleted: event.type.endsWith('_deleted') && facts.kind !== undefined && !event.type.startsWith('link_'),
    ...(facts.kind === undefined ? {} : nodeFields(event)),
    ...(facts.owner === undefined ? {} : { owner_id: facts.owner, owner_name: event.ownerName }),
    ...(oldPath === null ? {} : { oldpath: oldPath }),
    ...(facts.oldname === undefined ? {} : { oldname: facts.oldname }),
    ...(isFacts(facts.old) ? { old: before(facts.old) } : {}),
  };
}

function nodeFields({ facts }: EventView): Record<string, unknown> {
  const folder = facts.kind === 'folder';
  const mimeType = typeof facts.mime === 'string' ? facts.mime : 'application/octet-stream';
  return {
    folder,
    icon: folder ? 'folder' : iconOf(mimeType),
    ...(folder ? {} : { version: facts.version, mime_type: mimeType }),
    bytes: folder ? 0 : facts.size,
    created: facts.created,
    modified: facts.modified,
    content: content(facts),
    shared: facts.shared === true,
  };
}

function before(old: Facts): Record<string, unknown> {
  return { content: content(old), ...(old.version === undefined ? {} : { version: old.version }) };
}

function content({ created, modified, size }: Facts): Record<string, unknown> {
  return size === undefined ? { created, modified } : { created, modified, size };
}

function isFacts(value: Facts[string] | undefined): value is Facts {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
