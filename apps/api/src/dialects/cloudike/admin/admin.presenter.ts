import { type AccountProfile, type BlockedLogin, mainLogin } from '#libs/accounts';

/** A login that is locked; `userid` 0 = nobody has it. */
export function presentBlockedLogin({ login, accountId, attempts, untilMs }: BlockedLogin) {
  return { login, userid: accountId ?? 0, attempts, blocked_until: untilMs };
}

export function presentModerator({ account, logins }: AccountProfile) {
  return { userid: account.id, name: account.name, login: mainLogin(account.id, logins) };
}
