import { Injectable } from '@nestjs/common';

import { Policies, type Subject } from '#libs/access';
import { AccountDirectory, emailLogin, formatLogin, RegistrationService } from '#libs/accounts';
import { type AccountActor, DomainError } from '#libs/kernel';
import { Limiter } from '#libs/limiter';

import { ShareRepository } from './repositories/share.repository.js';

/** Whom a client means: a member by a login or `userid:<id>`, or a group, which wins. */
export interface SubjectName {
  readonly member?: string | undefined;
  readonly groupId?: number | undefined;
}

/** Somebody who was named: known, or an address that nobody has yet. */
export type NamedSubject = Subject | { readonly newEmail: string };

const HOUR_MS = 60 * 60 * 1_000;
/** Addresses without an account that one person invites within an hour: each gets a mail with his words, and an account. */
const MAILS_AN_HOUR = 100;

/** Finds the people and groups that share calls are about. */
@Injectable()
export class ShareMembers {
  constructor(
    private readonly directory: AccountDirectory,
    private readonly registration: RegistrationService,
    private readonly shares: ShareRepository,
    private readonly limiter: Limiter,
    private readonly policies: Policies,
  ) {}

  /**
   * Whom `owner` may share with under this name; null when nobody is named. Addresses reach across companies; ids of users and groups only within
   * the owner's own. FORBIDDEN for people of others when the owner's company does not share with them; ACCOUNT_NOT_FOUND, GROUP_NOT_FOUND, OWN_SHARE, INVALID_ARGUMENT.
   */
  async toInvite(owner: AccountActor, { member, groupId }: SubjectName): Promise<NamedSubject | null> {
    if (groupId !== undefined) return this.group(owner, groupId);
    if (member === undefined) return null;
    // An empty name is a slip, and never "everybody".
    if (member.trim() === '') throw nobodyNamed();
    const account = await this.directory.named(member);
    if (account?.id === owner.accountId) throw new DomainError('OWN_SHARE', 'The folder is yours already.');
    const byId = member.trim().startsWith('userid:');
    const reachable = account !== null && (account.state === 'active' || account.state === 'pending');
    const isColleague = account !== null && account.companyId !== null && account.companyId === owner.companyId;
    if (account === null ? byId || !member.includes('@') : !reachable || (byId && !isColleague)) throw accountNotFound();
    if (!isColleague) await this.policies.require(owner, 'share-outside');
    if (account !== null) return { accountId: account.id };
    return { newEmail: emailLogin(member).value };
  }

  /** Whom a call about those who are in a share already means; a login that nobody has is told what an account is told that is not in it: `stranger`. GROUP_NOT_FOUND. */
  async known(owner: AccountActor, { member, groupId }: SubjectName, stranger: () => DomainError = notShared): Promise<Subject> {
    if (groupId !== undefined) return this.group(owner, groupId);
    if (member === undefined || member.trim() === '') throw nobodyNamed();
    const account = await this.directory.named(member);
    if (account === null) throw stranger();
    return { accountId: account.id };
  }

  /** Leaves room for a mail to an address that has no account, and for the account. Before the transaction. RATE_LIMITED. */
  async prepare(actor: AccountActor, subject: NamedSubject | null): Promise<void> {
    if (subject === null || !('newEmail' in subject)) return;
    const slot = await this.limiter.take(`share-mails:${actor.accountId}`, MAILS_AN_HOUR, HOUR_MS);
    if (!slot.granted) {
      throw new DomainError('RATE_LIMITED', 'You have invited many new people; go on in an hour.', { retryAfterMs: slot.retryAfterMs });
    }
    await this.registration.takeMailSlot(formatLogin(emailLogin(subject.newEmail)));
  }

  /** The subject with an account, made for an address that had none and invited by mail in `lang`. In the surrounding transaction. LOGIN_TAKEN. */
  async settle(owner: AccountActor, subject: NamedSubject, invitation: string, lang: string | undefined): Promise<Subject> {
    if (!('newEmail' in subject)) return subject;
    const inviter = (await this.directory.account(owner.accountId))?.name ?? '';
    return this.registration.invite(subject.newEmail, { inviter, invitation, ...(lang ? { lang } : {}) });
  }

  /** How a member is written, `email:a@b.c`; null for a group. */
  async loginOf(subject: Subject): Promise<string | null> {
    if ('groupId' in subject) return null;
    return (await this.directory.find([subject.accountId])).get(subject.accountId)?.login ?? null;
  }

  private async group(owner: AccountActor, groupId: number): Promise<Subject> {
    const companyId = await this.shares.companyOfGroup(groupId);
    if (companyId === null || companyId !== owner.companyId) throw new DomainError('GROUP_NOT_FOUND', 'There is no such group.');
    return { groupId };
  }
}

function nobodyNamed(): DomainError {
  return new DomainError('INVALID_ARGUMENT', 'The parameter "member_login" must name a member.');
}

/** The one answer for nobody, and for whom the owner cannot reach. */
export function accountNotFound(): DomainError {
  return new DomainError('ACCOUNT_NOT_FOUND', 'There is no such user.');
}

function notShared(): DomainError {
  return new DomainError('NOT_SHARED', 'The folder is not shared with them.');
}

/** As GrantService.withdraw says it of somebody who was not invited. */
export function notInvited(): DomainError {
  return new DomainError('INVITATION_NOT_FOUND', 'Nobody was invited so.');
}
