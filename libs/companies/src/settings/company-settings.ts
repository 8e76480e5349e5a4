import { checkedLanguage } from '#libs/accounts';
import { DomainError } from '#libs/kernel';
import { isMailAddress } from '#libs/mail';

/** What a company decides for its people. Times of the day are `HH:MM`, empty = not set; 0 = not limited. */
export interface CompanySettings {
  readonly publicLinksAllow: boolean;
  readonly sharingOutsideAllow: boolean;
  readonly folderCreateAdminOnly: boolean;
  readonly folderLimitCreationAllow: boolean;
  readonly companyFolderCreationAllow: boolean;
  readonly payByBank: boolean;
  readonly restrictMobileUsing: boolean;
  readonly mobileUsingStartAt: string;
  readonly mobileUsingEndAt: string;
  readonly canUseMobile: boolean;
  readonly canUsePcClient: boolean;
  readonly wizardState: string;
  readonly phoneNumber: string;
  readonly useCustomAgreement: boolean;
  readonly customAgreementShown: boolean;
  readonly customAgreement: string;
  readonly passwordLifetime: number;
  readonly passwordReuseAllow: boolean;
  /** Members get in only with a second factor. */
  readonly secondFactorRequired: boolean;
  readonly notificationEmail: string;
  readonly lang: string;
  readonly logoutTimeout: number;
  readonly logoutTimeoutEnable: boolean;
  readonly ldapIsEnabled: boolean;
  readonly ldapAddress: string;
  readonly ldapPort: number;
  readonly ldapBasedn: string;
  readonly ldapUserAttribute: string;
  readonly ldapUserAgentDn: string;
  /** Sealed with the key of the installation; empty = none. */
  readonly ldapUserAgentPassword: string;
}

export const DEFAULT_SETTINGS: CompanySettings = {
  publicLinksAllow: true,
  sharingOutsideAllow: true,
  folderCreateAdminOnly: false,
  folderLimitCreationAllow: true,
  companyFolderCreationAllow: true,
  payByBank: false,
  restrictMobileUsing: false,
  mobileUsingStartAt: '',
  mobileUsingEndAt: '',
  canUseMobile: true,
  canUsePcClient: true,
  wizardState: '',
  phoneNumber: '',
  useCustomAgreement: false,
  customAgreementShown: false,
  customAgreement: '',
  passwordLifetime: 0,
  passwordReuseAllow: true,
  secondFactorRequired: false,
  notificationEmail: '',
  lang: 'en',
  logoutTimeout: 0,
  logoutTimeoutEnable: false,
  ldapIsEnabled: false,
  ldapAddress: '',
  ldapPort: 389,
  ldapBasedn: '',
  ldapUserAttribute: 'uid',
  ldapUserAgentDn: '',
  ldapUserAgentPassword: '',
};

export type SettingsChange = { readonly [K in keyof CompanySettings]?: CompanySettings[K] | undefined };

const MAX_TEXT_BYTES = 1_024;
const MAX_AGREEMENT_BYTES = 65_536;
/** In days and minutes: ten years. */
const MAX_NUMBER: Readonly<Record<string, number>> = { passwordLifetime: 3_650, logoutTimeout: 5_256_000, ldapPort: 65_535 };
const TIME = /^(([01]\d|2[0-3]):[0-5]\d)?$/;
const PHONE = /^(\+?[\d\s().-]{5,40})?$/;
const CHECKS: Readonly<Record<string, (value: string) => boolean>> = {
  mobileUsingStartAt: (value) => TIME.test(value),
  mobileUsingEndAt: (value) => TIME.test(value),
  phoneNumber: (value) => PHONE.test(value),
  notificationEmail: (value) => value === '' || isMailAddress(value),
  ldapAddress: (value) => value === '' || isDirectoryAddress(value),
};

/** What is given, each value checked; absent ones stay as they are. INVALID_ARGUMENT that names the setting. */
export function checkedSettings(change: SettingsChange): Partial<CompanySettings> {
  const given = Object.entries(change).filter(([name, value]) => value !== undefined && name in DEFAULT_SETTINGS);
  return Object.fromEntries(given.map(([name, value]) => [name, checkedSetting(name, value)]));
}

function checkedSetting(name: string, value: string | number | boolean): string | number | boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value) && value >= 0 && value <= (MAX_NUMBER[name] ?? 0)) return value;
    throw refusal(name);
  }
  if (name === 'lang') return checkedLanguage(value);
  const text = value.trim();
  const most = name === 'customAgreement' ? MAX_AGREEMENT_BYTES : MAX_TEXT_BYTES;
  // line breaks are for agreements alone; what PostgreSQL cannot keep for none
  const illegal = name === 'customAgreement' ? /\0|\p{Cs}/u : /\p{Cc}|\p{Cs}/u;
  if (Buffer.byteLength(text) > most || illegal.test(text) || CHECKS[name]?.(text) === false) throw refusal(name);
  return text;
}

/** A host, with or without `ldap://` or `ldaps://` and a port. */
function isDirectoryAddress(text: string): boolean {
  const url = URL.parse(/^ldaps?:\/\//.test(text) ? text : `ldap://${text}`);
  return url !== null && url.hostname !== '' && url.username === '' && url.password === '' && /^\/?$/.test(url.pathname) && url.search === '';
}

function refusal(name: string): DomainError {
  const wire = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return new DomainError('INVALID_ARGUMENT', `"${wire}" has a value that it cannot have.`);
}
