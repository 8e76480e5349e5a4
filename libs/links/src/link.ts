import { DomainError } from '#libs/kernel';

/** `download`: what lies behind the link may be seen and taken. `upload`: files may be left there, and nothing more. */
export type LinkRights = 'download' | 'upload';

/** A public link as its issuer sees it. Times in ms since the epoch. */
export interface Link {
  readonly id: string;
  readonly nodeId: string;
  readonly issuerId: number;
  /** Whoever has it may use the link: 22 URL-safe characters that hold 128 random bits. */
  readonly hash: string;
  readonly rights: LinkRights;
  readonly hasPassword: boolean;
  /** Null = without end. */
  readonly expiresMs: number | null;
  /** 0 = not limited. */
  readonly downloadMax: number;
  readonly downloadCount: number;
  /** The issuer gets a mail when the link is used. */
  readonly notify: boolean;
  /** An accepted complaint names it. */
  readonly blocked: boolean;
  readonly createdMs: number;
}

/** Why a link does not open, for machines; people read the message. */
export type DeadReason = 'Unknown' | 'Expired' | 'UsedUp';

const SAID: Readonly<Record<DeadReason, string>> = {
  Unknown: 'There is no such link, or it has been withdrawn.',
  Expired: 'This link has expired.',
  UsedUp: 'This link has been used as often as it may be.',
};

/** The refusal for a link that is not there, or not any more. */
export function linkNotFound(reason: DeadReason = 'Unknown'): DomainError {
  return new DomainError('LINK_NOT_FOUND', SAID[reason], { reason });
}

/** Why the link has ended by itself at `nowMs`, or null. */
export function endOf(link: Link, nowMs: number): DeadReason | null {
  if (link.expiresMs !== null && link.expiresMs <= nowMs) return 'Expired';
  return link.rights === 'download' && link.downloadMax > 0 && link.downloadCount >= link.downloadMax ? 'UsedUp' : null;
}
