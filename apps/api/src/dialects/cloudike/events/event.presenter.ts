import type { EventView } from '#libs/events';

import { iconOf } from '../presenters/icon.js';

type Facts = EventView['facts'];

const KNOWN = new Set(['kind', 'owner', 'created', 'modified', 'version', 'size', 'mime', 'shared', 'old', 'oldname']);

/**
 * The event object of contract 1.9 and 6: the same in `events/` and on websockets. Facts that only some types have (`public_hash`,
 * `processed_interfaces`, `hash`, ...) stand in it under their own names.
 */
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
    ...(oldPath === null ? {} : { oldpath: oldPath }),
    ...(facts.oldname === undefined ? {} : { oldname: facts.oldname }),
    ...(isFacts(facts.old) ? { old: before(facts.old) } : {}),
  };
}

function nodeFields({ facts, ownerName }: EventView): Record<string, unknown> {
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
    owner_id: facts.owner,
    owner_name: ownerName,
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
