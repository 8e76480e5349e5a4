export type AccountRole = 'user' | 'moderator' | 'admin';

/** A signed-in account, whichever credential proved it. */
export interface AccountActor {
  readonly kind: 'account';
  readonly accountId: number;
  readonly companyId: number | null;
  readonly role: AccountRole;
  /** Id of the auth token that carried the request; null for HTTP Basic. */
  readonly tokenId: string | null;
  /** True when a user name and password made for one program (create_basic_auth) proved it: good for files, not for managing credentials. */
  readonly byPair?: boolean;
}

/** The house itself: jobs, reapers, migrations of data. */
export interface SystemActor {
  readonly kind: 'system';
}

export type Actor = AccountActor | SystemActor;

export const SYSTEM_ACTOR: SystemActor = { kind: 'system' };
