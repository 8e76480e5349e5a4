import 'reflect-metadata';

import type { Type } from '@nestjs/common';
import { MetadataScanner } from '@nestjs/core';

import { CLOUDIKE_CONTROLLERS } from '../../../apps/api/src/dialects/cloudike/cloudike.module.js';
import { ROUTE_METADATA, type RouteMetadata } from '../../../apps/api/src/dialects/cloudike/http/route-metadata.js';
import type { Call } from './client.js';
import type { House } from './house.js';
import type { Account } from './model.js';

/* What the parameters of all routes name. Routes and parameters are taken from the controllers; whoever adds a parameter says what it is. */

/** A route of the dialect with the names of its parameters, those of its URL included. */
export interface Signature {
  readonly template: string;
  readonly auth: RouteMetadata['auth'];
  readonly segments: readonly string[];
  readonly fields: readonly { readonly name: string; readonly required: boolean }[];
}

interface BodyParameter {
  readonly in: string;
  readonly type?: Type<unknown>;
}
interface FieldSchema {
  readonly name: string;
  readonly required: boolean;
}

/** Routes and parameters, as the controllers declare them for clients. */
export function signatures(): Signature[] {
  const found: Signature[] = [];
  for (const controller of CLOUDIKE_CONTROLLERS) {
    const prototype = (controller as Type<unknown>).prototype as Record<string, object>;
    for (const method of new MetadataScanner().getAllMethodNames(prototype)) {
      const route = Reflect.getMetadata(ROUTE_METADATA, prototype[method]!) as RouteMetadata | undefined;
      if (!route) continue;
      const parameters = (Reflect.getMetadata('swagger/apiParameters', prototype[method]!) ?? []) as BodyParameter[];
      const dto = parameters.find((each) => each.in === 'body')?.type?.prototype as object | undefined;
      const keys = dto ? ((Reflect.getMetadata('swagger/apiModelPropertiesArray', dto) ?? []) as string[]) : [];
      const fields = keys.map((key) => Reflect.getMetadata('swagger/apiModelProperties', dto!, key.slice(1)) as FieldSchema);
      for (const template of route.templates) {
        const segments = [...template.matchAll(/<(\w+)>/g)].map(([, name]) => name!);
        found.push({ template, auth: route.auth, segments, fields });
      }
    }
  }
  return found;
}

/** Kinds of ids: one that belongs to the owner's company, one of the same form that nobody has, and one that the caller may use. */
interface IdKind {
  readonly foreign: (house: House, who: Account) => string | number;
  readonly unknown: (house: House, who: Account) => string | number;
  readonly own: (house: House, who: Account) => string | number;
}

const other = (text: string): string => text.replace(/[0-9a-f]/g, (digit) => (digit === '0' ? '1' : '0'));
const NOBODY = 999_999_999;

const KINDS = {
  account: { foreign: ({ users }) => users.owner.userId, unknown: () => NOBODY, own: ({ users }) => users.writer.userId },
  login: {
    foreign: ({ users }) => `email:${users.owner.email}`,
    unknown: ({ users }) => `email:x${users.owner.email.slice(1)}`,
    own: ({ users }) => `email:${users.writer.email}`,
  },
  company: { foreign: ({ companyId }) => companyId, unknown: () => NOBODY, own: ({ otherCompanyId }) => otherCompanyId },
  group: { foreign: ({ groupId }) => groupId, unknown: () => NOBODY, own: ({ otherGroupId }) => otherGroupId },
  token: { foreign: ({ ownerTokenId }) => ownerTokenId, unknown: ({ ownerTokenId }) => other(ownerTokenId), own: () => 'none' },
  client_key: keyKind('service_accounts'),
  storage_key: keyKind('api_keys'),
  developer_key: keyKind('developer_keys'),
  comment: {
    foreign: ({ keepsakes }) => keepsakes.owner!.comment,
    unknown: ({ keepsakes }) => other(keepsakes.owner!.comment),
    own: () => '00000000-0000-7000-8000-000000000000',
  },
  task: { foreign: ({ taskId }) => taskId, unknown: ({ taskId }) => other(taskId), own: () => 'none' },
  listing: {
    foreign: ({ keepsakes }) => keepsakes.owner!.listing,
    unknown: ({ keepsakes }) => other(keepsakes.owner!.listing),
    own: () => 'none',
  },
  archive: {
    foreign: ({ keepsakes }) => keepsakes.owner!.archive,
    unknown: ({ keepsakes }) => other(keepsakes.owner!.archive),
    own: () => 'none',
  },
  upload: {
    foreign: ({ keepsakes }) => keepsakes.owner!.tempPath!,
    unknown: ({ keepsakes }) => swapped(keepsakes.owner!.tempPath!),
    own: () => 'none',
  },
  confirmation: {
    foreign: ({ keepsakes }) => keepsakes.owner!.confirmUrl!,
    unknown: ({ keepsakes }) => keepsakes.owner!.confirmUrl!.replace(/temp_name=[^&]+/, `temp_name=${swapped(keepsakes.owner!.tempPath!)}`),
    own: () => 'none',
  },
  invitation: { foreign: ({ invitations }) => invitations.waiting!, unknown: () => 'A'.repeat(32), own: () => 'none' },
  gift: { foreign: ({ migrationHash }) => migrationHash, unknown: ({ migrationHash }) => swapped(migrationHash), own: () => 'none' },
  share: { foreign: ({ shareHash }) => shareHash, unknown: ({ shareHash }) => swapped(shareHash), own: () => 'none' },
  offer: { foreign: ({ offerHash }) => offerHash, unknown: ({ offerHash }) => swapped(offerHash), own: () => 'none' },
  issued: { foreign: ({ links }) => links.good, unknown: ({ links }) => swapped(links.good), own: () => 'none' },
  office: {
    foreign: ({ keepsakes }) => keepsakes.owner!.office.fileId,
    unknown: ({ keepsakes }) => other(keepsakes.owner!.office.fileId),
    own: () => 'none',
  },
} satisfies Record<string, IdKind>;
type Kind = keyof typeof KINDS;

/** A key for programs of one kind. */
function keyKind(kind: string): IdKind {
  return { foreign: ({ ownerKeys }) => ownerKeys[kind]!, unknown: ({ ownerKeys }) => other(ownerKeys[kind]!), own: () => 'none' };
}

/** The same form with other letters. */
function swapped(text: string): string {
  const at = text.length - 6;
  return (
    text.slice(0, at) +
    text.slice(at).replace(/\w/g, (letter) => (/[0-9]/.test(letter) ? String((Number(letter) + 5) % 10) : letter === 'a' ? 'b' : 'a'))
  );
}

/** Names that mean the same wherever they stand. */
const BY_NAME: Readonly<Record<string, Kind>> = {
  ...named('account', ['user_id', 'userid', 'euser_id', 'users_id', 'user_ids', 'owner_id', 'owner_id_in', 'member_id', 'assignees']),
  ...named('company', ['company_id', 'company_id_in']),
  ...named('group', ['group_id']),
  ...named('token', ['token_id']),
  ...named('task', ['taskid']),
  ...named('listing', ['listing_request_id']),
  ...named('archive', ['private_hash']),
  ...named('upload', ['temp_path', 'temp_name']),
  ...named('confirmation', ['confirm_urls']),
  ...named('offer', ['folder_hash']),
  ...named('share', ['invite_hash']),
  ...named('office', ['file_id']),
};

/** Names that mean different things on different routes. */
const BY_ROUTE: readonly (readonly [route: RegExp, name: string, kind: Kind])[] = [
  [/^workflow\//, 'id', 'comment'],
  [/\bservice_accounts\//, 'id', 'client_key'],
  [/\bapi_keys\//, 'id', 'storage_key'],
  [/\bdeveloper_keys\//, 'id', 'developer_key'],
  [/^shares\/(accept|decline)$/, 'hash', 'invitation'],
  [/^migration_contents\//, 'hash', 'gift'],
  [/^(shares|get)\//, 'hash', 'share'],
  [/^files\/progress_download_streams/, 'hash', 'archive'],
  [/^links$/, 'hash', 'issued'],
  [/^(admin|moderators)\//, 'login', 'login'],
  [/^(shares|(accounts\/)?company\/admin\/shares)\//, 'member_login', 'login'],
  [/\/remove_user$/, 'transfer_login', 'login'],
  [/(admin|company)\/audit$/, 'account', 'account'],
  [/^admin\//, 'migrate_login', 'login'],
];

/** What names something and is not compared, and why. */
const ELSEWHERE: readonly (readonly [route: RegExp, name: RegExp, why: string])[] = [
  [/./, /^(path|paths|from_path|to_path|target_path|parent_folder|name)$/, 'a place in the own tree: asked node by node in the grid'],
  [/^(links|kukudocs\/link|wopi\/link)/, /^hash$/, 'a public link is for whoever has it: asked as a door'],
  [/^files\/download_as_archive_stream/, /^hash$/, 'a capability: asked as a keepsake'],
  [/^accounts\/(approve|getinvited)$/, /^hash$/, 'a secret of a mail'],
  [/^accounts\/create$/, /^(invite_hash)$/, 'a secret of a mail'],
  [/^(metadata|trash)/, /^hash$/, 'the state of a listing that the caller has'],
  [/company\/domain/, /^domain$/, 'public by the contract: the page of the sign-in asks it'],
  [/company\/logo\//, /^logo_id$/, 'public by the contract: a picture'],
  [/^keyvalue\//, /^key_name$/, 'names of programs, not of people'],
  [/^accounts\/feedback_logs/, /^ticket$/, 'a capability for one upload'],
  [/^accounts\/|^company\/|^oauth\/authorize$|create_user$/, /^login$/, 'the login to sign in with, or to be made'],
  [/^admin\/set_effective_userid$|google_confirm$/, /^token$/, 'a secret'],
  [/^migration_contents\/add$/, /^member_login$/, 'must have an account by the contract; accounts/check tells everybody which login has one'],
  [/\bapi_keys\/create$/, /^buckets$/, 'names of buckets of the account that the key is for'],
  [/^copyright\//, /^complaint_id$/, 'of administrators of the system, who see all'],
];

/** Names of parameters that name nothing that is anybody's. */
const NOT_IDS = new Set(
  (
    'address agreement allowed_ips behavior block_date can_download can_print can_upload can_use_mobile can_use_pc_client checksum city cleanup ' +
    'client_id comment company_domain company_folder_creation_allow company_name company_plan competition content_type copyright_holder country ' +
    'create_dirs created created_manually critical cursor custom_agreement custom_agreement_shown deleted deleted_date description ' +
    'device_description device_id device_reference dirs_only domain domain_in download_max due_date email employees_count enable expired extra ' +
    'extra_info favorite fax folder_create_admin_only folder_limit folder_limit_creation_allow for_view from_timestamp hard_quota_size has_region ' +
    'immediately include_not_permanent include_users invitation ip_restriction is_active is_deleted is_win key lang last_login_from last_login_to ' +
    'ldap_address ldap_basedn ldap_is_enabled ldap_port ldap_user_agent_dn ldap_user_agent_password ldap_user_attribute limit link link_base ' +
    'link_exp listing logout_timeout logout_timeout_enable marketing_agreement method migrate_file mobile_using_end_at mobile_using_start_at ' +
    'modified multipart name_in new_password newname not_include_storage_info notification_email notify oauth_callback oauth_token oauth_verifier ' +
    'offset only_empty order_by order_direction order_field overwrite part_num password password_lifetime password_reuse_allow pay_by_bank ' +
    'pc_can_download period permanent_auth permission person phone phone_number plan platform position postcode public_links_allow public_name ' +
    'public_view query quota_employees_count quota_size reason reference_email region registration_date registration_date_from ' +
    'registration_date_to remote_wipe request_token restrict_mobile_using rights role scope sharing_outside_allow show show_all sign size ' +
    'size_limit skip status storage_size storage_size_from storage_size_to storage_stat taggedText text timezone to_timestamp ttl type ' +
    'upload_folder url use_custom_agreement use_folder_limit use_watermarks user_agreement user_mobile_restriction value version version_base ' +
    'version_exp viewed whose whoose without_trash wizard_state writer ' +
    // signing in by other means, figures, records
    'otp state code iss error error_description issuer client_secret domains auto_create date_from date_to metric metrics from to action outcome format ' +
    'need_wipe transfer_file auto_remove second_factor_required force'
  ).split(' '),
);

function named(kind: Kind, names: readonly string[]): Record<string, Kind> {
  return Object.fromEntries(names.map((name) => [name, kind]));
}

/** What a parameter of a route names; null: nobody has said so yet. */
function kindOf(template: string, name: string): Kind | 'elsewhere' | 'none' | null {
  const byRoute = BY_ROUTE.find(([route, each]) => each === name && route.test(template))?.[2];
  if (byRoute) return byRoute;
  if (BY_NAME[name]) return BY_NAME[name];
  if (ELSEWHERE.some(([route, names]) => route.test(template) && names.test(name))) return 'elsewhere';
  return NOT_IDS.has(name) ? 'none' : null;
}

/** Parameters that nobody has classed yet: each must be a kind of id, or be none. */
export function unclassed(): string[] {
  return signatures().flatMap(({ template, segments, fields }) =>
    [...segments, ...fields.map(({ name }) => name)].filter((name) => kindOf(template, name) === null).map((name) => `${template}: ${name}`),
  );
}

/** What the other parameters are, so that it is the id that matters. */
const FILLED: Readonly<Record<string, string | number | boolean>> = {
  value: true,
  expired: 1,
  date_from: 1_790_000_000,
  date_to: 1_790_100_000,
  metric: 'users',
  metrics: 'users',
  method: 'card',
  platform: 'windows',
  version: '1.0',
  version_base: '1.0',
  link: 'https://example.org/program',
  link_base: 'https://example.org/program',
  competition: 100,
  writer: false,
  text: 'isolated',
  status: 'done',
  role: 'user',
  immediately: false,
  migrate_file: false,
  new_password: 'another horse battery',
  password: 'another horse battery',
  quota_size: 1_000_000,
  ip_restriction: false,
  part_num: 1,
  reference_email: 'reference@example.org',
  size: 5,
  size_limit: 1_000_000,
  enable: false,
  limit: 50,
};

/** Paths that a route needs; else a folder of the caller's own that is shared with nobody. */
const PATHS: readonly (readonly [RegExp, string])[] = [
  [/^files\/confirm/, '/Inbox/isolated.bin'],
  [/^shares\/(create_extra|get_preview)$/, '/pic.png'],
  [/^(accounts\/)?company\/admin\//, '/Area/Team'],
  [/^(shares|migration_contents)\/add$/, '/Inbox'],
];

/** Names of the parameters that name something of somebody. */
export function idsOf({ template, segments, fields }: Signature): string[] {
  const names = [...new Set([...segments, ...fields.map(({ name }) => name)])];
  return names.filter((name) => !['elsewhere', 'none', null].includes(kindOf(template, name)));
}

export type Whose = 'foreign' | 'unknown' | 'own';

/** A call of a route whose ids belong to whom `whose` says; of the other parameters those that it needs. */
export function callOf(house: House, { template, segments, fields }: Signature, who: Account, whose: (id: string) => Whose): Call {
  const valueOf = (name: string): string | number | boolean | undefined => {
    const kind = kindOf(template, name);
    if (kind !== null && kind !== 'none' && kind !== 'elsewhere') return KINDS[kind][whose(name)](house, who);
    if (name === 'path' || name === 'paths') return PATHS.find(([route]) => route.test(template))?.[1] ?? '/Quiet';
    if (['name', 'login', 'email'].includes(name))
      return `${name === 'login' ? 'email:' : ''}isolated${house.next()}${name === 'name' ? '' : '@example.org'}`;
    return FILLED[name];
  };
  const route = segments.reduce((path, name) => path.replace(`<${name}>`, String(valueOf(name) ?? '1').replace(/^\//, '')), template);
  const params: Record<string, string | number | boolean> = {};
  for (const { name, required } of fields) {
    const value = valueOf(name);
    const isMeant = idsOf({ template, segments, fields, auth: 'account' }).includes(name) && whose(name) !== 'own';
    if (value !== undefined && (isMeant || required)) params[name] = name === 'confirm_urls' ? JSON.stringify([value]) : value;
  }
  return { route, params };
}

/** The value that `callOf` gives an id. */
export function idOf(house: House, { template }: Signature, who: Account, name: string, whose: Whose): string {
  return String(KINDS[kindOf(template, name) as Kind][whose](house, who));
}
