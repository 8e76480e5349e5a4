import type { Actor, GuestActor, PassKind } from './actor.js';
import { DomainError } from './domain-error.js';
import { isUuid } from './ids.js';

/** Who a URL was made for, as it stands in the URL. It grants nothing: whoever serves the URL asks again whether the viewer may. */
export type Viewer = { readonly kind: 'account'; readonly accountId: number; readonly tokenId: string | null } | GuestActor;

const LETTERS: Readonly<Record<PassKind, string>> = { link: 'l', share: 's', key: 'k', public: 'p' };

/** An actor as a part of a URL: letters, digits, `.`, `-` and `_`. INVALID_ARGUMENT for the house itself. */
export function viewerText(actor: Actor): string {
  switch (actor.kind) {
    case 'account':
      return `a.${actor.accountId}.${actor.tokenId ?? ''}`;
    case 'guest':
      return `${LETTERS[actor.pass]}.${actor.passId}.${actor.rootId}.${actor.spaceId}.${actor.issuerId}`;
    case 'system':
      throw new DomainError('INVALID_ARGUMENT', 'No URL is made for the house itself.');
  }
}

/** What `viewerText` wrote; null for anything else. */
export function viewerFrom(text: string): Viewer | null {
  const [kind = '', first = '', second = '', spaceId = '', issuer = ''] = text.split('.');
  if (kind === 'a') return { kind: 'account', accountId: Number(first), tokenId: second === '' ? null : second };
  const pass = (Object.keys(LETTERS) as PassKind[]).find((each) => LETTERS[each] === kind);
  if (pass === undefined || !isUuid(first) || !isUuid(second)) return null;
  return { kind: 'guest', pass, passId: first, rootId: second, spaceId, issuerId: Number(issuer) };
}
