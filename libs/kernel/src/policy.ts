import { BlockList, isIP } from 'node:net';

import { DomainError } from './domain-error.js';

/** What somebody works with: a program on a computer, one on a phone or tablet, or anything else, browsers above all. */
export type ClientKind = 'desktop' | 'mobile' | 'other';

/** Where a request comes from. */
export interface Client {
  readonly kind: ClientKind;
  /** IP address. */
  readonly address: string;
}

/** What the company of an account decides for it; what its administrators may all the same is counted in already. */
export interface CompanyPolicy {
  readonly expired: boolean;
  readonly useMobile: boolean;
  readonly useDesktop: boolean;
  /** When phones and tablets get in: times of the day `HH:MM` in a time zone, empty = no bound. Null = always. */
  readonly mobileHours: { readonly from: string; readonly until: string; readonly timezone: string } | null;
  readonly makeFolders: boolean;
  readonly offerFolders: boolean;
  readonly limitFolders: boolean;
  readonly shareOutside: boolean;
  /** Whether it demands a second factor of its people, and this one has it; null = it does not. */
  readonly secondFactor: 'on' | 'missing' | null;
}

/** What is allowed to an account wherever its rights reach: the strictest of its own rules and those of all its groups. */
export interface Policy {
  readonly canPrint: boolean;
  readonly canDownload: boolean;
  readonly canUpload: boolean;
  readonly pcCanDownload: boolean;
  readonly useWatermarks: boolean;
  readonly mobileRestriction: boolean;
  /** Comma-separated addresses and CIDR blocks: an address must be in each of the lists. */
  readonly addressLists: readonly string[];
  /** Null: of no company, or an administrator of the system. */
  readonly company: CompanyPolicy | null;
}

export const OPEN_POLICY: Policy = {
  canPrint: true,
  canDownload: true,
  canUpload: true,
  pcCanDownload: true,
  useWatermarks: false,
  mobileRestriction: false,
  addressLists: [],
  company: null,
};

/** Of an account that is not there. */
export const CLOSED_POLICY: Policy = { ...OPEN_POLICY, canPrint: false, canDownload: false, canUpload: false, useWatermarks: true };

/** What a policy is asked about. `enter` is anything at all. */
export type PolicyUse = 'enter' | 'download' | 'upload' | 'print' | 'make-folder' | 'offer-folder' | 'limit-folder' | 'share-outside';

/** The rule that says no, for clients. */
export type PolicyReason =
  | 'ip_restriction'
  | 'mobile_restriction'
  | 'can_use_mobile'
  | 'mobile_hours'
  | 'second_factor_required'
  | 'can_use_pc_client'
  | 'can_download'
  | 'pc_can_download'
  | 'can_upload'
  | 'company_expired'
  | 'can_print'
  | 'folder_create_admin_only'
  | 'company_folder_creation_allow'
  | 'folder_limit_creation_allow'
  | 'sharing_outside_allow';

const DESKTOP = /^\s*desktop-client-/i;
const MOBILE = /^\s*mobile-|\b(?:Android|iPhone|iPad)\b/i;

/** The kind of a program by what it says of itself: the first of the texts that names one (a header of the API before `User-Agent`). */
export function clientKindOf(...names: readonly (string | undefined)[]): ClientKind {
  for (const name of names) {
    if (DESKTOP.test(name ?? '')) return 'desktop';
    if (MOBILE.test(name ?? '')) return 'mobile';
  }
  return 'other';
}

/**
 * The one judgement of policies: the rule that keeps an account from something, null when none does. Without a client (a task, which was judged with
 * one when it was ordered) rules about programs and addresses do not apply.
 */
export function policyRefusal(policy: Policy, client: Client | undefined, use: PolicyUse, now: Date): PolicyReason | null {
  const { company } = policy;
  switch (use) {
    case 'enter':
      return client === undefined ? null : entryRefusal(policy, client, now);
    case 'download':
      if (!policy.canDownload) return 'can_download';
      return client?.kind === 'desktop' && !policy.pcCanDownload ? 'pc_can_download' : null;
    case 'upload':
      return policy.canUpload ? null : company?.expired ? 'company_expired' : 'can_upload';
    case 'print':
      return policy.canPrint ? null : 'can_print';
    case 'make-folder':
      return company?.makeFolders === false ? 'folder_create_admin_only' : null;
    case 'offer-folder':
      return company?.offerFolders === false ? 'company_folder_creation_allow' : null;
    case 'limit-folder':
      return company?.limitFolders === false ? 'folder_limit_creation_allow' : null;
    case 'share-outside':
      return company?.shareOutside === false ? 'sharing_outside_allow' : null;
  }
}

const TEXTS: Readonly<Record<PolicyReason, string>> = {
  ip_restriction: 'Your account may not be used from this address.',
  mobile_restriction: 'Your account may not be used on phones and tablets.',
  can_use_mobile: 'Your company does not allow phones and tablets.',
  mobile_hours: 'Your company does not allow phones and tablets at this time of the day.',
  second_factor_required: 'Your company demands a second factor: set one up before anything else.',
  can_use_pc_client: 'Your company does not allow programs on computers.',
  can_download: 'Your account may look at files, but not have them.',
  pc_can_download: 'Your account may not have files with programs on computers.',
  can_upload: 'Your account may not bring files.',
  company_expired: 'The time of your company is over: it takes no more files.',
  can_print: 'Your account may not print.',
  folder_create_admin_only: 'In your company only administrators make folders.',
  company_folder_creation_allow: 'In your company only administrators offer folders.',
  folder_limit_creation_allow: 'In your company only administrators limit folders.',
  sharing_outside_allow: 'Your company does not allow sharing with others.',
};

/** The refusal by a rule, for people to read; `details.reason` is the rule. */
export function forbiddenBy(reason: PolicyReason): DomainError {
  return new DomainError('FORBIDDEN', TEXTS[reason], { reason });
}

function entryRefusal({ addressLists, mobileRestriction, company }: Policy, { kind, address }: Client, now: Date): PolicyReason | null {
  if (!addressLists.every((list) => holdsAddress(list, address))) return 'ip_restriction';
  if (kind === 'desktop' && company?.useDesktop === false) return 'can_use_pc_client';
  if (kind === 'mobile' && mobileRestriction) return 'mobile_restriction';
  if (kind === 'mobile' && company?.useMobile === false) return 'can_use_mobile';
  if (kind === 'mobile' && company?.mobileHours && !isWithin(company.mobileHours, now)) return 'mobile_hours';
  // last: whoever comes from where he may not cannot set one up either
  return company?.secondFactor === 'missing' ? 'second_factor_required' : null;
}

/** Whether an address is in a comma-separated list of addresses and CIDR blocks; an empty list holds none. IPv4 in IPv6 (`::ffff:`) is IPv4. */
export function holdsAddress(list: string, address: string): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  const family = isIP(plain);
  if (family === 0) return false;
  return blockListOf(list).check(plain, family === 4 ? 'ipv4' : 'ipv6');
}

const MAX_LISTS = 500;
const blockLists = new Map<string, BlockList>();

function blockListOf(list: string): BlockList {
  const known = blockLists.get(list);
  if (known) return known;
  const made = new BlockList();
  for (const entry of list.split(',').filter((each) => each !== '')) {
    const [net = '', prefix] = entry.split('/');
    const mapped = /^::ffff:(\d+\..*)$/i.exec(net)?.[1];
    const address = mapped ?? net;
    const family = isIP(address);
    if (family === 0) continue;
    const bits = prefix === undefined ? (family === 4 ? 32 : 128) : Number(prefix) - (mapped !== undefined ? 96 : 0);
    made.addSubnet(address, Math.max(0, bits), family === 4 ? 'ipv4' : 'ipv6');
  }
  if (blockLists.size >= MAX_LISTS) blockLists.clear();
  blockLists.set(list, made);
  return made;
}

/** From `from` on and before `until`, over midnight when that is earlier. */
function isWithin({ from, until, timezone }: NonNullable<CompanyPolicy['mobileHours']>, now: Date): boolean {
  const time = timeOfDay(now, timezone);
  const [start, end] = [from || '00:00', until || '24:00'];
  if (start === end) return true;
  return start < end ? time >= start && time < end : time >= start || time < end;
}

/** `HH:MM` in a time zone, in UTC when there is no such zone. */
function timeOfDay(now: Date, timezone: string): string {
  const format = (timeZone: string): string =>
    new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone }).format(now);
  try {
    return format(timezone || 'UTC');
  } catch {
    return format('UTC');
  }
}
