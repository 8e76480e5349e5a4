import type { AccountProfile } from '#libs/accounts';
import type { TreeUsage } from '#libs/own-tree';

import { splitName } from '../files/file.presenter.js';

/** Settings of features that only clients have, or that this service has none of. */
const DEFAULTS = {
  backup_cycle: 'daily',
  backup_custom_day: 1,
  notifications_frequency: 'immediately',
  recovery_priority_order: 'default',
  recovery_custom_order: 'general',
  is_realtime_backup_enabled: false,
  is_email_notification_enabled: false,
  is_sms_notification_enabled: false,
  is_version_history_enabled: false,
};

const ROLES = { user: 'system_user', moderator: 'system_moderator', admin: 'system_admin' } as const;

/** The caller (contract K1). A limit of 0 means that there is none. */
export function presentProfile({ account, logins }: AccountProfile, publicId: string, hasSecondFactor: boolean, { limitBytes, bytes }: TreeUsage) {
  const { first_name, middle_name, last_name } = splitName(account.name);
  return {
    user: { id: publicId, email: logins.find((login) => login.kind === 'email')?.value ?? '', is_verified: account.confirmedMs !== null },
    profile: { first_name, last_name: [middle_name, last_name].filter((name) => name !== '').join(' ') },
    settings: { ...DEFAULTS, is_mfa_enabled: hasSecondFactor },
    role: { id: account.role, name: ROLES[account.role] },
    limit: { limit: limitBytes ?? 0, used: bytes },
  };
}
