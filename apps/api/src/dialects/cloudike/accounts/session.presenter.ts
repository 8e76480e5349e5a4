import type { Session, TokenRecord } from '#libs/accounts';

/** The login object. Clients decode it strictly: numbers are integers (0 = none, never null), the rest are texts. `expires` 0 = no end; `offerUrl` = an offer that has yet to be accepted. */
export function presentSession(session: Session, offerUrl = '') {
  return {
    token: session.token,
    userid: session.accountId,
    expires: session.expiresMs ?? 0,
    created: session.createdMs,
    offer_url: offerUrl,
    id: session.tokenId,
    device_description: session.deviceDescription,
    remote_wipe: false,
    user_eid: session.accountId,
    login: session.login,
    name: session.name,
    domain: session.companyDomain,
    company_id: session.companyId ?? 0,
    need_agreement: offerUrl !== '',
    need_password_change: session.needPasswordChange,
    ...(session.needSecondFactor ? { need_second_factor: true } : {}),
    previous_login_date: session.previousLoginMs ?? 0,
    previous_login_ip: session.previousLoginIp ?? '',
  };
}

/** A token in the list of its owner; its value is never shown again. */
export function presentToken(token: TokenRecord) {
  return {
    device_description: token.deviceDescription,
    id: token.id,
    created: token.createdMs,
    remote_wipe: token.remoteWipe,
    wipe_state: token.wipeState ?? '',
    permanent: token.permanent,
    expires: token.expiresMs ?? 0,
    last_action: token.lastUsedMs,
  };
}
