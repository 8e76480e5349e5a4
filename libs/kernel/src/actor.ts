import type { Client, Policy } from './policy.js';

export type AccountRole = 'user' | 'moderator' | 'admin';

/** A signed-in account, whichever credential proved it. */
export interface AccountActor {
  readonly kind: 'account';
  readonly accountId: number;
  readonly companyId: number | null;
  readonly role: AccountRole;
  /** Id of the auth token that carried the request; null for HTTP Basic. */
  readonly tokenId: string | null;
  /** True when a user name and password, or a key, made for one program proved it: good for files, not for managing credentials. */
  readonly byPair?: boolean;
  /** The administrator who acts as this account; absent when it acts itself. */
  readonly impersonatorId?: number;
  /** What is allowed to it, as it was read with the credential; absent where nobody asked yet: the access lib reads it when it needs it. */
  readonly policy?: Policy;
  /** Where the request comes from; absent in tasks. */
  readonly client?: Client;
}

/** What somebody without an account can hold: a public link, the hash of a share that anyone may view, the key of one file, or nothing but the name of a file that is for all. */
export type PassKind = 'link' | 'share' | 'key' | 'public';

/**
 * Someone without an account who holds a pass. It says only what was shown at the door:
 * the access lib looks up, each time, what that opens now.
 */
export interface GuestActor {
  readonly kind: 'guest';
  readonly pass: PassKind;
  /** Id of the link or key, or of the shared folder. */
  readonly passId: string;
  /** What it opens: paths of a guest begin here, and nothing above exists for him. May be a file. */
  readonly rootId: string;
  readonly spaceId: string;
  /** Who gave the pass: author of what a guest uploads. */
  readonly issuerId: number;
}

/** The house itself: jobs, reapers, migrations of data. */
export interface SystemActor {
  readonly kind: 'system';
}

export type Actor = AccountActor | GuestActor | SystemActor;

export const SYSTEM_ACTOR: SystemActor = { kind: 'system' };
