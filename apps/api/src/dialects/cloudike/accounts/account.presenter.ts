import { formatLogin, type LookedUpLogin, mainLogin, type Session } from '#libs/accounts';
import type { AccountOverviewView } from '#libs/files';

import { Reply } from '../http/index.js';

const STATUS = { pending: 'waiting', active: 'active', disabled: 'inactive', deleted: 'deleted' } as const;

/** "User data": the accounts/get object. Sizes are bytes, times ms; 0 = none, not set or not limited. */
export function presentAccount(view: AccountOverviewView) {
  const { quota, trashBytes, overheadBytes } = view;
  const { account, logins } = view.profile;
  const written = (confirmed: boolean) => logins.filter((login) => (login.confirmedMs !== null) === confirmed).map(formatLogin);
  return {
    userid: account.id,
    name: account.name,
    login: mainLogin(account.id, logins),
    logins: written(true),
    unapproved_logins: written(false),
    role: account.role,
    is_company_admin: account.isCompanyAdmin,
    company_id: account.companyId ?? 0,
    company_name: account.companyName,
    status: account.isRemoving ? 'removing' : STATUS[account.state],
    type: account.companyId === null ? 'personal' : 'company',
    is_active: account.state === 'active',
    is_approved: account.confirmedMs !== null,
    is_deleted: account.state === 'deleted',
    is_trial: false,
    registration_date: account.createdMs,
    deleted_date: account.deletedMs ?? 0,
    last_login: account.lastLoginMs ?? 0,
    last_activity: account.lastActivityMs ?? 0,
    expired: account.expiresMs ?? 0,
    timezone: account.timezone,
    lang: account.lang,
    region: account.region,
    storage_size: quota.usedBytes,
    quota_size: quota.softLimitBytes ?? quota.limitBytes ?? 0,
    hard_quota_size: quota.limitBytes ?? 0,
    overhead_size: overheadBytes,
    trash_size: trashBytes,
    storage_usage: { ...quota.media },
    balance: 'n/a',
    need_password_change: account.needPasswordChange,
    extra_info: account.extraInfo,
    groups: account.groups.map(({ id, name }) => ({ group_id: String(id), name })),
    can_print: account.canPrint,
    can_download: account.canDownload,
    can_upload: account.canUpload,
    pc_can_download: account.pcCanDownload,
    use_watermarks: account.useWatermarks,
    user_mobile_restriction: account.mobileRestriction,
    ip_restriction: account.ipRestriction,
    allowed_ips: account.allowedIps,
    disable_alert: false,
    alert_email: '',
    need_tutorial: false,
    upload_photo_directory: '',
    features: [],
    family_user_id: 0,
    quota_owner_id: account.id,
    ...(view.fileTypes === null ? {} : { storage_stat: presentStatistics(view.fileTypes) }),
  };
}

/** The answer of a registration: user data, what the form had, and a token when an administrator made the account. */
export function presentSignedUp(view: AccountOverviewView, session: Session | null) {
  const { account, logins } = view.profile;
  const email = logins.find((login) => login.kind === 'email')?.value ?? '';
  const times = { created: session?.createdMs ?? account.createdMs, expires: session?.expiresMs ?? 0 };
  return { ...presentAccount(view), email, ...times, ...(session === null ? {} : { token: session.token, id: session.tokenId }) };
}

/** accounts/check: what is not there is a 404 with its own body. */
export function presentCheck(login: string, found: LookedUpLogin | null) {
  if (found === null) return Reply.json(404, { status: 'not found' });
  return { status: 'ok', companies: found.companyDomain === '' ? [] : [{ domain: found.companyDomain, login, upload_method: 'PUT' }] };
}

function presentStatistics(fileTypes: NonNullable<AccountOverviewView['fileTypes']>) {
  const entries = Object.entries(fileTypes);
  return {
    file_types_count: Object.fromEntries(entries.map(([kind, figures]) => [kind, figures.files])),
    file_types_size: Object.fromEntries(entries.map(([kind, figures]) => [kind, figures.bytes])),
  };
}
