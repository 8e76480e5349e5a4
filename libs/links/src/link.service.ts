import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { PasswordHasher } from '#libs/accounts';
import { UnitOfWork } from '#libs/database';
import { BrowseService } from '#libs/files';
import { type AccountActor, Clock, DomainError, newId, randomUrlSafe } from '#libs/kernel';
import { ChangeLog, type LocatedNode, type NodeRef, NodeRepository, NodeResolver, pageRows } from '#libs/nodes';

import { endOf, type Link, linkNotFound } from './link.js';
import { ComplaintRepository } from './repositories/complaint.repository.js';
import { type LinkOptions, LinkRepository } from './repositories/link.repository.js';

const HASH_BYTES = 16;
const HASH = /^[A-Za-z0-9_-]{22,64}$/;
const MAX_TTL_SECONDS = 31_536_000;
const MAX_PASSWORD_BYTES = 256;

/** How a link is to be. What is absent stays as it is, or gets its default. */
export interface CreateLink {
  readonly node: NodeRef;
  /** From now; 0 = without end. At most a year. */
  readonly ttlSeconds?: number | undefined;
  /** Whole downloads; 0 = not limited. */
  readonly downloadMax?: number | undefined;
  /** Empty = none. */
  readonly password?: string | undefined;
  /** Mail to the issuer when the link is used. */
  readonly notify?: boolean | undefined;
  /** True: files may be left in the folder, and nothing else is possible. */
  readonly uploadFolder?: boolean | undefined;
}

/** A link, and what it leads to as its issuer sees it. */
export interface LinkedNode {
  readonly link: Link;
  readonly node: LocatedNode;
}

/** The links that an account gives to people without one. */
@Injectable()
export class LinkService {
  constructor(
    private readonly links: LinkRepository,
    private readonly complaints: ComplaintRepository,
    private readonly browse: BrowseService,
    private readonly resolver: NodeResolver,
    private readonly nodes: NodeRepository,
    private readonly access: AccessService,
    private readonly changes: ChangeLog,
    private readonly passwords: PasswordHasher,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * The actor's link to a node: made, or changed in what is given when there is one. One that has ended makes room for a new one.
   * NODE_NOT_FOUND, FORBIDDEN (no right, in the trash, the company allows no links), ROOT_IMMUTABLE, INVALID_ARGUMENT (ttl, upload to a file), LINK_BLOCKED
   * (an accepted complaint names what it would give out).
   */
  async create(actor: AccountActor, command: CreateLink): Promise<LinkedNode> {
    const options = await this.optionsOf(command);
    const node = await this.linkable(actor, command);
    const placed = await this.resolver.get(actor, { id: node.id });
    const link = await this.unitOfWork.run(async () => {
      const { link, made } = await this.makeOrChange(actor, node, placed.chain, options);
      if (made) await this.tell('link_created', actor, node, link);
      return link;
    });
    return { link, node: { ...node, linked: true } };
  }

  /** Ends the actor's link to a node, also to one in the trash. NODE_NOT_FOUND, LINK_NOT_FOUND. */
  async delete(actor: AccountActor, ref: NodeRef): Promise<LocatedNode> {
    const node = await this.browse.get(actor, { node: ref, includeRemoved: true });
    await this.unitOfWork.run(async () => {
      const link = await this.links.lockOf(node.id, actor.accountId);
      if (!link || !(await this.links.remove(link.id))) throw linkNotFound();
      await this.tell('link_deleted', actor, node, link);
    });
    return this.browse.get(actor, { node: { id: node.id }, includeRemoved: true });
  }

  /** The actor's links to what is in place and he may still see, oldest first, up to one page; one of them when `hash` is given. */
  async list(actor: AccountActor, hash?: string): Promise<LinkedNode[]> {
    if (hash !== undefined && !isLinkHash(hash)) return [];
    const links = await this.links.ofIssuer(actor.accountId, hash ?? null, pageRows(0));
    const placed = await this.resolver.findMany(
      actor,
      links.map(({ nodeId }) => ({ id: nodeId })),
    );
    const found = links.flatMap((link, index) => (placed[index] ? [{ link, node: placed[index].node }] : []));
    const allowed = await this.access.allowed(
      actor,
      'node.read',
      found.map(({ node }) => node),
    );
    return found.filter(({ node }) => allowed.has(node.id));
  }

  private async optionsOf({ ttlSeconds, downloadMax, password, notify, uploadFolder }: CreateLink): Promise<LinkOptions> {
    if (ttlSeconds !== undefined && !(Number.isInteger(ttlSeconds) && ttlSeconds >= 0 && ttlSeconds <= MAX_TTL_SECONDS)) {
      throw new DomainError('INVALID_ARGUMENT', `The lifetime of a link is 0 to ${MAX_TTL_SECONDS} seconds.`);
    }
    if (downloadMax !== undefined && !(Number.isSafeInteger(downloadMax) && downloadMax >= 0)) {
      throw new DomainError('INVALID_ARGUMENT', 'The number of downloads is a whole number from 0.');
    }
    if (password !== undefined && Buffer.byteLength(password) > MAX_PASSWORD_BYTES) {
      throw new DomainError('INVALID_ARGUMENT', `The password of a link has ${MAX_PASSWORD_BYTES} bytes at most.`);
    }
    return {
      ...(uploadFolder === undefined ? {} : { rights: uploadFolder ? ('upload' as const) : ('download' as const) }),
      ...(ttlSeconds === undefined ? {} : { expiresAt: ttlSeconds === 0 ? null : new Date(this.clock.nowMs() + ttlSeconds * 1000) }),
      ...(downloadMax === undefined ? {} : { downloadMax }),
      ...(password === undefined ? {} : { passwordHash: password === '' ? null : await this.passwords.hash(password) }),
      ...(notify === undefined ? {} : { notify }),
    };
  }

  /** The node, when the actor may give a link of this kind to it. */
  private async linkable(actor: AccountActor, { node: ref, uploadFolder }: CreateLink): Promise<LocatedNode> {
    const node = await this.browse.get(actor, { node: ref, includeRemoved: true });
    if (node.removal !== null || node.insideTrash) throw new DomainError('FORBIDDEN', 'What is in the trash cannot be linked.');
    if (node.parentId === null) throw new DomainError('ROOT_IMMUTABLE', 'The root folder cannot be linked.');
    if (uploadFolder && node.kind !== 'folder') throw new DomainError('INVALID_ARGUMENT', 'Files can only be left in a folder.');
    await this.access.require(actor, 'node.link', [node]);
    await this.access.require(actor, uploadFolder ? 'node.upload' : 'node.download', [node]);
    if (!(await this.links.allowedTo(actor.accountId))) throw new DomainError('FORBIDDEN', 'Your company does not allow public links.');
    return node;
  }

  private async makeOrChange(
    actor: AccountActor,
    node: LocatedNode,
    way: readonly string[],
    options: LinkOptions,
  ): Promise<{ link: Link; made: boolean }> {
    for (;;) {
      const there = await this.links.lockOf(node.id, actor.accountId);
      if (there && endOf(there, this.clock.nowMs()) === null) {
        await this.requireSameSide(actor, node, there, options);
        return { link: await this.links.change(there.id, options), made: false };
      }
      if (await this.complaints.isHeld(way)) {
        throw new DomainError('LINK_BLOCKED', 'A link to this was blocked because of a complaint about its content.');
      }
      if (there) await this.links.remove(there.id);
      const nowMs = this.clock.nowMs();
      const fresh = {
        id: newId(nowMs),
        nodeId: node.id,
        issuerId: actor.accountId,
        hash: randomUrlSafe(HASH_BYTES),
        createdAt: new Date(nowMs),
      };
      const made = await this.links.insert(fresh, options);
      if (made) return { link: made, made: true };
    }
  }

  /** A link for uploads is changed without its kind being named again: the right to it is asked all the same. */
  private async requireSameSide(actor: AccountActor, node: LocatedNode, there: Link, { rights }: LinkOptions): Promise<void> {
    if ((rights ?? there.rights) === 'upload') await this.access.require(actor, 'node.upload', [node]);
  }

  private async tell(type: 'link_created' | 'link_deleted', actor: AccountActor, node: LocatedNode, link: Link): Promise<void> {
    const { accountId: actorId } = actor;
    await this.changes.record([{ type, actorId, node, folderId: node.parentId, name: node.name, facts: { public_hash: link.hash } }]);
    // Listings show the hash, so their ETag changes.
    const shownIn = [node.parentId, node.kind === 'folder' ? node.id : null].filter((id) => id !== null);
    await this.nodes.bumpFolders(shownIn.map((folderId) => ({ folderId, files: 0, folders: 0, bytes: 0 })));
  }
}

/** True for what can be the hash of a link. */
export function isLinkHash(hash: string): boolean {
  return HASH.test(hash);
}
