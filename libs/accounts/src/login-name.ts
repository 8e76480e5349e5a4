import { DomainError, isDomainError } from '#libs/kernel';
import { isMailAddress } from '#libs/mail';

export const LOGIN_KINDS = ['email', 'msisdn', 'basic', 'contacts_sync', 'ldap'] as const;
export type LoginKind = (typeof LOGIN_KINDS)[number];

/** A login as it is stored: `value` as typed, `valueKey` what is compared. */
export interface LoginName {
  readonly kind: LoginKind;
  readonly value: string;
  readonly valueKey: string;
}

const PREFIX = /^(email|msisdn|basic|contacts_sync|ldap):/;
const PHONE = /^\+?[\d\s().-]{5,40}$/;
const MAX_VALUE_BYTES = 256;

/** The login of an e-mail address, with or without `email:`: compared in NFC and lower case. INVALID_ARGUMENT. */
export function emailLogin(text: string): LoginName {
  const value = text.trim().replace(/^email:/, '');
  if (!isMailAddress(value)) throw new DomainError('INVALID_ARGUMENT', 'This is not an e-mail address.');
  return { kind: 'email', value, valueKey: value.normalize('NFC').toLowerCase() };
}

/** The login of a phone number: compared by its digits, of which there are 5 to 15 (E.164). INVALID_ARGUMENT. */
export function phoneLogin(text: string): LoginName {
  const digits = text.replace(/\D/g, '');
  if (!PHONE.test(text.trim()) || digits.length < 5 || digits.length > 15) throw new DomainError('INVALID_ARGUMENT', 'This is not a phone number.');
  return { kind: 'msisdn', value: digits, valueKey: digits };
}

/** True for the kinds of logins that carry a secret of their own, made for one program. */
export function isPair(kind: LoginKind): boolean {
  return kind === 'basic' || kind === 'contacts_sync';
}

/**
 * The login of a pair for HTTP Basic: no colon and no control characters, compared in NFC and lower case. It cannot look like a phone number: then it
 * would stand before the owner of that number. INVALID_ARGUMENT.
 */
export function basicLogin(text: string): LoginName {
  const value = text.trim();
  const isPlain = value !== '' && Buffer.byteLength(value) <= MAX_VALUE_BYTES && !/[\p{C}:@]/u.test(value) && !PREFIX.test(`${value}:`);
  if (!isPlain || /^[+\d\s().-]+$/.test(value)) {
    throw new DomainError(
      'INVALID_ARGUMENT',
      'A user name has 1 to 256 bytes, something that is not in a phone number, and no colon, @ or control character.',
    );
  }
  return { kind: 'basic', value, valueKey: value.normalize('NFC').toLowerCase() };
}

/** Reads `kind:value` as clients write logins, or a bare address or phone number. INVALID_ARGUMENT. */
export function parseLogin(text: string): LoginName {
  const prefix = PREFIX.exec(text);
  const value = prefix ? text.slice(prefix[0].length) : text;
  switch (prefix?.[1] as LoginKind | undefined) {
    case 'email':
      return emailLogin(value);
    case 'msisdn':
      return phoneLogin(value);
    case 'basic':
      return basicLogin(value);
    case 'contacts_sync':
    case 'ldap':
      return { ...basicLogin(value), kind: prefix![1] as LoginKind };
    case undefined:
      return value.includes('@') ? emailLogin(value) : phoneLogin(value);
  }
}

/** The login that `text` names; null for what is no login. */
export function readOrNull(text: string): LoginName | null {
  try {
    return parseLogin(text);
  } catch (error) {
    if (isDomainError(error)) return null;
    throw error;
  }
}

/** `kind:value` as clients write it. */
export function formatLogin(login: { readonly kind: string; readonly value: string }): string {
  return `${login.kind}:${login.value}`;
}

/**
 * User name and password of HTTP Basic. A prefixed login holds a colon itself, so it ends at the second one; addresses, phone numbers and
 * user names hold none. Null when there is no colon.
 */
export function splitBasic(userPass: string): { readonly user: string; readonly password: string } | null {
  const prefix = PREFIX.exec(userPass)?.[0].length ?? 0;
  const second = prefix === 0 ? -1 : userPass.indexOf(':', prefix);
  const end = second === -1 ? userPass.indexOf(':') : second;
  return end === -1 ? null : { user: userPass.slice(0, end), password: userPass.slice(end + 1) };
}

/** The logins a user name of HTTP Basic may stand for, most likely first. */
export function basicCandidates(user: string): LoginName[] {
  const readers = PREFIX.test(user) ? [parseLogin] : user.includes('@') ? [emailLogin] : [basicLogin, phoneLogin];
  return readers.flatMap((read) => {
    try {
      return [read(user)];
    } catch {
      return [];
    }
  });
}
