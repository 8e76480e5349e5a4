import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { AccountDirectory, type Person } from '#libs/accounts';
import type { AccountActor } from '#libs/kernel';
import { type LocatedNode, NodeResolver, pageRows } from '#libs/nodes';

import { type CollaboratorRow, type PendingRow, ShareListRepository, type Whose } from './repositories/share-list.repository.js';
import { type FolderName, ShareFolders } from './share-folders.js';

/** Somebody who has a folder, or was invited to it. */
export interface Collaborator {
  readonly accountId: number;
  readonly person: Person;
  readonly owner: boolean;
  readonly writer: boolean;
  readonly state: CollaboratorRow['state'];
  readonly indirect: boolean;
}

export interface PendingInvitation extends PendingRow {
  readonly ownerName: string;
}

const NOBODY: Person = { name: '', lang: 'en', login: '' };
const STATE_ORDER = ['accepted', 'waiting', 'declined'];

/** Which folders are shared, with whom, and who is asked. */
@Injectable()
export class ShareListService {
  constructor(
    private readonly folders: ShareFolders,
    private readonly lists: ShareListRepository,
    private readonly resolver: NodeResolver,
    private readonly access: AccessService,
    private readonly directory: AccountDirectory,
  ) {}

  /** Everybody who has the folder or was invited, each once by his best standing, the owner first. For whoever can see the folder. NODE_NOT_FOUND. */
  async collaborators(actor: AccountActor, name: FolderName): Promise<Collaborator[]> {
    const { node } = await this.folders.seen(actor, name);
    const owner = { accountId: node.ownerId, state: 'accepted', write: true, indirect: false } as const;
    const best = new Map<number, CollaboratorRow>();
    for (const row of await this.lists.collaborators(node.id)) {
      const known = best.get(row.accountId);
      best.set(row.accountId, known ? better(known, row) : row);
    }
    best.delete(node.ownerId);
    const rows = [owner, ...best.values()];
    const people = await this.directory.find(rows.map((row) => row.accountId));
    return rows.map(({ accountId, state, write, indirect }) => {
      return { accountId, person: people.get(accountId) ?? NOBODY, owner: accountId === node.ownerId, writer: write, state, indirect };
    });
  }

  /** Shared folders as the actor sees them, at most as many as one page holds. */
  async list(actor: AccountActor, whose: Whose): Promise<LocatedNode[]> {
    const ids = await this.lists.folders(actor.accountId, whose, pageRows(0));
    const found = (
      await this.resolver.findMany(
        actor,
        ids.map((id) => ({ id })),
      )
    ).flatMap((placed) => (placed ? [placed.node] : []));
    const allowed = await this.access.allowed(actor, 'node.read', found);
    return found.filter((node) => allowed.has(node.id));
  }

  /** Invitations that wait for the actor's answer, newest first. */
  async invites(actor: AccountActor): Promise<PendingInvitation[]> {
    const rows = await this.lists.pending(actor.accountId, pageRows(0));
    const people = await this.directory.find(rows.map((row) => row.ownerId));
    return rows.map((row) => ({ ...row, ownerName: people.get(row.ownerId)?.name ?? '' }));
  }
}

/** Of two ways to one folder: accepted before waiting, and direct before indirect. What can be written through either of them can be. */
function better(a: CollaboratorRow, b: CollaboratorRow): CollaboratorRow {
  const [first, second] = rank(a) <= rank(b) ? [a, b] : [b, a];
  return { ...first, write: first.write || (second.write && second.state === first.state) };
}

function rank({ state, indirect }: CollaboratorRow): number {
  return STATE_ORDER.indexOf(state) * 2 + (indirect ? 1 : 0);
}
