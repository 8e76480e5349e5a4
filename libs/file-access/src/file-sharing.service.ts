import { Injectable } from '@nestjs/common';

import { AccessService, GrantService, Policies, type Right } from '#libs/access';
import { AccountDirectory } from '#libs/accounts';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError, type GuestActor, isDomainError, newId, randomUrlSafe, sha256 } from '#libs/kernel';
import { Limiter } from '#libs/limiter';
import { LinkService } from '#libs/links';
import { isMailAddress, Mailer } from '#libs/mail';
import { type LocatedNode, nodeNotFound, type NodeView } from '#libs/nodes';
import { OwnTreeReader } from '#libs/own-tree';
import { requireStrong } from '#libs/sealing';

import { fileSharedMail } from './notice-mail.js';
import { FileAccessRepository, type Recipient } from './repositories/file-access.repository.js';
import { FileKeyRepository } from './repositories/file-key.repository.js';

/** Who may have a file by its id: nobody else, anybody, who knows the password, or who is on the list. */
export type AccessMode = 'private' | 'public' | 'password' | 'email';

export type ShareFile =
  | { readonly mode: 'private' | 'public' }
  | { readonly mode: 'password'; readonly password: string }
  | { readonly mode: 'email'; readonly emails: readonly string[] };

/** What a file's owner has given; to others it looks private. `recipients` is null but for `email`. */
export interface AccessFacts {
  readonly mode: AccessMode;
  readonly recipients: readonly Recipient[] | null;
}

const READER: Right = { write: false, delete: false, download: true };
const MOST_RECIPIENTS = 50;
const MAILS_AN_HOUR = 100;
const HOUR_MS = 3_600_000;
const MAX_KEY_SECONDS = 31_536_000;
const MOST_KEYS = 1_000;
const KEY_BYTES = 24;
const TRIES = 5;

/**
 * Opens files by their ids. Each mode is a right that all APIs know: `public` and `password` the owner's link to the file, `email` grants on it. What ends
 * those ends the mode.
 */
@Injectable()
export class FileSharing {
  constructor(
    private readonly reader: OwnTreeReader,
    private readonly rows: FileAccessRepository,
    private readonly keys: FileKeyRepository,
    private readonly links: LinkService,
    private readonly grants: GrantService,
    private readonly access: AccessService,
    private readonly policies: Policies,
    private readonly directory: AccountDirectory,
    private readonly mailer: Mailer,
    private readonly limiter: Limiter,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Opens a file of the actor's in this way alone. NODE_NOT_FOUND, also for files of others; ACCOUNT_NOT_FOUND for an address that nobody has,
   * INVALID_ARGUMENT (for a weak password with `details.field`), FORBIDDEN (policies of the account or its company), LINK_BLOCKED, RATE_LIMITED, BUSY.
   */
  async share(actor: AccountActor, fileId: string, command: ShareFile): Promise<void> {
    const node = await this.own(actor, fileId);
    if (command.mode === 'password') requireStrong(command.password, 'password');
    switch (command.mode) {
      case 'private':
        return this.close(actor, node);
      case 'email':
        return this.openTo(actor, node, await this.recipientsOf(actor, command.emails));
      default:
        return this.openToAll(actor, node, command.mode === 'password' ? command.password : '');
    }
  }

  /** What is given of each file, by id. Two statements however many. */
  async facts(actor: AccountActor, nodes: readonly NodeView[]): Promise<Map<string, AccessFacts>> {
    const own = nodes.filter((node) => node.ownerId === actor.accountId).map((node) => node.id);
    const rows = await this.rows.find(own, this.clock.now());
    const listed = await this.rows.recipients([...rows.values()].filter((row) => row.mode === 'email').map((row) => row.nodeId));
    return new Map(
      nodes.map(({ id }) => {
        const mode = rows.get(id)?.mode ?? 'private';
        return [id, { mode, recipients: mode === 'email' ? (listed.get(id) ?? []) : null }];
      }),
    );
  }

  /**
   * A key that opens a file of the actor's to whoever has it, until `seconds` from now or until the actor may not give it any more. NODE_NOT_FOUND,
   * INVALID_ARGUMENT, FORBIDDEN, LINK_BLOCKED.
   */
  async createKey(actor: AccountActor, fileId: string, seconds: number): Promise<string> {
    if (!Number.isInteger(seconds) || seconds < 1 || seconds > MAX_KEY_SECONDS) {
      throw new DomainError('INVALID_ARGUMENT', `duration must be 1 to ${MAX_KEY_SECONDS} seconds`);
    }
    const node = await this.own(actor, fileId);
    await this.access.require(actor, 'node.link', [node]);
    const secret = randomUrlSafe(KEY_BYTES);
    await this.unitOfWork.run(async () => {
      await this.rows.lock(node.id);
      const createdAt = this.clock.now();
      if ((await this.keys.count(node.id, createdAt)) >= MOST_KEYS) {
        throw new DomainError('INVALID_ARGUMENT', `A file has at most ${MOST_KEYS} keys at once.`);
      }
      const id = newId(createdAt.getTime());
      const expiresAt = new Date(createdAt.getTime() + seconds * 1000);
      await this.keys.insert({ id, nodeId: node.id, issuerId: actor.accountId, secretSha256: sha256(secret), createdAt, expiresAt });
      const guest: GuestActor = { kind: 'guest', pass: 'key', passId: id, rootId: node.id, spaceId: node.spaceId, issuerId: actor.accountId };
      // A key that would open nothing is not given out: the company allows no links, the account no downloads, a complaint names the file.
      if (!(await this.access.allowed(guest, 'node.download', [node])).has(node.id)) {
        throw new DomainError('FORBIDDEN', 'This file cannot be given to people without an account.');
      }
    });
    return secret;
  }

  /** A file that stands in the actor's tree and is his. */
  private async own(actor: AccountActor, fileId: string): Promise<LocatedNode> {
    const node = await this.reader.get(actor, 'file', fileId);
    if (node.ownerId !== actor.accountId) throw nodeNotFound();
    return node;
  }

  private async openToAll(actor: AccountActor, node: LocatedNode, password: string): Promise<void> {
    for (let tries = 1; tries <= TRIES; tries++) {
      // Of the link alone nobody knows before the row says that the file's id opens it.
      const { link } = await this.links.create(actor, { node: { id: node.id }, ttlSeconds: 0, downloadMax: 0, password, uploadFolder: false });
      const opened = await this.unitOfWork.run(async () => {
        await this.rows.lock(node.id);
        await this.grants.revokeAll(actor, node);
        return this.rows.openByLink(node.id, link.id);
      });
      // Somebody has ended the link in this moment.
      if (opened) return;
    }
    throw new DomainError('BUSY', 'Too many changes at the same file; try again.');
  }

  private async openTo(actor: AccountActor, node: LocatedNode, accountIds: readonly number[]): Promise<void> {
    const slot = await this.limiter.take(`file-mails:${actor.accountId}`, MAILS_AN_HOUR, HOUR_MS);
    if (!slot.granted) {
      throw new DomainError('RATE_LIMITED', 'You have shared with many people; go on in an hour.', { retryAfterMs: slot.retryAfterMs });
    }
    await this.unitOfWork.run(async () => {
      await this.rows.lock(node.id);
      const before = ((await this.rows.recipients([node.id])).get(node.id) ?? []).map((recipient) => recipient.accountId);
      await this.endLink(actor, node);
      for (const accountId of before) if (!accountIds.includes(accountId)) await this.grants.revoke(actor, node, { accountId });
      for (const accountId of accountIds) await this.grants.grant(actor, { node, subject: { accountId }, right: READER, accepted: true });
      await this.rows.openToGranted(node.id);
      await this.tell(
        actor,
        node,
        accountIds.filter((accountId) => !before.includes(accountId)),
      );
    });
  }

  private async close(actor: AccountActor, node: LocatedNode): Promise<void> {
    await this.unitOfWork.run(async () => {
      await this.rows.lock(node.id);
      await this.endLink(actor, node);
      await this.grants.revokeAll(actor, node);
      await this.rows.remove(node.id);
    });
  }

  private async endLink(actor: AccountActor, node: LocatedNode): Promise<void> {
    try {
      await this.links.delete(actor, { id: node.id });
    } catch (error) {
      if (!isDomainError(error, 'LINK_NOT_FOUND')) throw error;
    }
  }

  /** Whom the addresses mean, without the actor himself. People of other companies only where the actor's company shares with them. */
  private async recipientsOf(actor: AccountActor, emails: readonly string[]): Promise<number[]> {
    const wanted = [...new Set(emails.map((email) => email.trim().toLowerCase()))];
    if (wanted.length === 0 || wanted.length > MOST_RECIPIENTS) {
      throw new DomainError('INVALID_ARGUMENT', `A file is opened to 1 to ${MOST_RECIPIENTS} addresses.`);
    }
    const found = new Set<number>();
    for (const email of wanted) {
      const account = isMailAddress(email) ? await this.directory.named(email) : null;
      if (account === null || (account.state !== 'active' && account.state !== 'pending')) {
        throw new DomainError('ACCOUNT_NOT_FOUND', 'There is no such user.');
      }
      if (account.id === actor.accountId) continue;
      if (account.companyId === null || account.companyId !== actor.companyId) await this.policies.require(actor, 'share-outside');
      found.add(account.id);
    }
    return [...found];
  }

  private async tell(actor: AccountActor, node: LocatedNode, accountIds: readonly number[]): Promise<void> {
    if (accountIds.length === 0) return;
    const people = await this.directory.find([actor.accountId, ...accountIds]);
    const from = people.get(actor.accountId)?.name ?? '';
    for (const accountId of accountIds) {
      const person = people.get(accountId);
      const to = person?.login.startsWith('email:') ? person.login.slice('email:'.length) : '';
      if (isMailAddress(to)) await this.mailer.send({ to, ...fileSharedMail(person!.lang, from, node.name) });
    }
  }
}
