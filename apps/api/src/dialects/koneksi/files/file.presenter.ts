import { Injectable } from '@nestjs/common';

import { ContentIds } from '#libs/content-ids';
import { type AccessFacts, DeclaredTypes, FileSharing, type Recipient } from '#libs/file-access';
import type { AccountActor } from '#libs/kernel';
import type { NodeView } from '#libs/nodes';
import { Sealing } from '#libs/sealing';

import type { Schema } from '../../../http/dialect/dialect.js';
import { presentTimes } from '../directories/directory.presenter.js';

const TEXT = { type: 'string' };

export const FILE: Schema = {
  type: 'object',
  properties: {
    id: TEXT,
    directory_id: TEXT,
    name: TEXT,
    hash: { type: 'string', nullable: true, description: 'CIDv0 of the stored bytes; null while it is being computed' },
    size: { type: 'integer' },
    content_type: TEXT,
    access: { type: 'string', enum: ['private', 'public', 'password', 'email'] },
    is_encrypted: { type: 'boolean' },
    recipients: { type: 'array', nullable: true, items: { type: 'object' } },
    created_at: TEXT,
    updated_at: TEXT,
  },
};

const PRIVATE: AccessFacts = { mode: 'private', recipients: null };

/** A list of links has no names of its own in this format; 2 is the kind of a block of a file. */
const FILE_BLOCK = 2;

/** Files with what stands beside them: access, recipients, content id, seal. A fixed number of statements for any number of files. */
@Injectable()
export class FilePresenter {
  constructor(
    private readonly sharing: FileSharing,
    private readonly contents: ContentIds,
    private readonly sealing: Sealing,
    private readonly types: DeclaredTypes,
  ) {}

  /** Of files that the actor may read (contract 1.2). */
  async all(actor: AccountActor, nodes: readonly NodeView[]) {
    const ids = nodes.map((node) => node.id);
    const [facts, hashes, sealed] = [await this.sharing.facts(actor, nodes), await this.contents.of(ids), await this.sealing.of(ids)];
    const types = await this.types.of(nodes);
    return nodes.map((node) => {
      const { mode, recipients } = facts.get(node.id) ?? PRIVATE;
      return {
        id: node.id,
        directory_id: node.parentId,
        name: node.name,
        hash: hashes.get(node.id) ?? null,
        size: node.sizeBytes,
        content_type: types.get(node.id),
        access: mode,
        is_encrypted: sealed.has(node.id),
        recipients: recipients && recipients.map(presentRecipient),
        ...presentTimes(node),
      };
    });
  }

  async one(actor: AccountActor, node: NodeView, name = node.name) {
    const [file] = await this.all(actor, [node]);
    return { ...file!, name };
  }

  /** The blocks of a file; empty when it is one, null while they are not known. */
  async chunks({ id }: NodeView) {
    const links = await this.contents.links(id);
    return links && links.map(({ cid, sizeBytes }) => ({ name: '', hash: cid, size: sizeBytes, type: FILE_BLOCK }));
  }
}

/** A name is one text here: its first word is the first name, its last the last. */
export function splitName(name: string): { first_name: string; middle_name: string; last_name: string } {
  const [first = '', ...rest] = name.trim().split(/\s+/);
  return { first_name: first, middle_name: rest.slice(0, -1).join(' '), last_name: rest.at(-1) ?? '' };
}

function presentRecipient({ publicId, email, name }: Recipient) {
  return { id: publicId, email, ...splitName(name), suffix: '' };
}
