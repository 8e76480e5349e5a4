import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { AccountDirectory } from '#libs/accounts';
import { AppConfig } from '#libs/config';
import { Limiter } from '#libs/limiter';
import { commentMail, Mailer } from '#libs/mail';
import { ChangeLog, type NodeView } from '#libs/nodes';

import type { Comment } from './comment.js';
import { mentionsOf } from './mentions.js';
import { type Addressee, CommentRepository } from './repositories/comment.repository.js';

/** Mails about comments that one author can cause; beyond that people learn of it by their events alone. */
const MAILS_AN_HOUR = 100;
const HOUR_MS = 3_600_000;

/** Whom one comment concerns. */
export interface Concerned {
  readonly tagged: readonly Addressee[];
  readonly assigned: readonly Addressee[];
}

/** Tells people that they were named in a comment or given a task: an event of their own, and a mail. Only people who can open the file. */
@Injectable()
export class CommentNotifier {
  constructor(
    private readonly comments: CommentRepository,
    private readonly access: AccessService,
    private readonly changes: ChangeLog,
    private readonly mailer: Mailer,
    private readonly limiter: Limiter,
    private readonly directory: AccountDirectory,
    private readonly config: AppConfig,
  ) {}

  /** Those among the accounts that can open the file and work. */
  async readers(node: NodeView, accountIds: readonly number[]): Promise<Addressee[]> {
    if (accountIds.length === 0) return [];
    const seers = new Set((await this.access.explain(node.id)).accounts.map((seer) => seer.accountId));
    return this.comments.addressees(accountIds.filter((id) => seers.has(id)));
  }

  /** People named in `taggedText` but not in `before`, the author and `besides` left out. */
  async tagged(node: NodeView, comment: Comment, before: string, besides: readonly number[]): Promise<Addressee[]> {
    const now = await this.named(comment.taggedText);
    const known = new Set([comment.authorId, ...besides, ...(before === '' ? [] : await this.named(before))]);
    return this.readers(
      node,
      now.filter((id) => !known.has(id)),
    );
  }

  /** Writes events and mails with the surrounding transaction. */
  async tell(node: NodeView, comment: Comment, { tagged, assigned }: Concerned): Promise<void> {
    if (tagged.length + assigned.length === 0) return;
    const told = { actorId: comment.authorId, nodeId: node.id, facts: { comment_id: comment.id, name: node.name } };
    await this.changes.recordForAccounts('comment_tagged', idsOf(tagged), told);
    await this.changes.recordForAccounts('comment_task_assigned', idsOf(assigned), told);
    const author = (await this.directory.find([comment.authorId])).get(comment.authorId)?.name || `userid:${comment.authorId}`;
    const link = `${this.config.http.publicUrl}/`;
    for (const [people, task] of [
      [tagged, false],
      [assigned, true],
    ] as const) {
      for (const { email, lang } of people) {
        if (email !== '') await this.mailer.send({ to: email, ...commentMail(lang, link, { author, file: node.name, comment: comment.text, task }) });
      }
    }
  }

  /** The same people, without the addresses of those for whom the author has no mail left. Outside of a transaction: slots are counted elsewhere. */
  async limited(authorId: number, people: readonly Addressee[]): Promise<Addressee[]> {
    const kept: Addressee[] = [];
    for (const person of people) {
      const slot = person.email === '' ? null : await this.limiter.take(`comment-mails:${authorId}`, MAILS_AN_HOUR, HOUR_MS);
      kept.push(slot?.granted ? person : { ...person, email: '' });
    }
    return kept;
  }

  private async named(text: string): Promise<number[]> {
    const { accountIds, emails } = mentionsOf(text);
    return [...new Set([...accountIds, ...(await this.comments.accountsOf(emails))])];
  }
}

function idsOf(people: readonly Addressee[]): number[] {
  return people.map((person) => person.accountId);
}
