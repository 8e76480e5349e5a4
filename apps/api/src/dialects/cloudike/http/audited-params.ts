import type { AuditParams } from '#libs/audit';

import type { CloudikeCall } from './route-metadata.js';

/** Ids, places and names: what a call is about. Hashes of links and shares are left out, because whoever knows one gets in by it. */
const ABOUT = [
  ...[
    'userid',
    'user_id',
    'userids',
    'user_ids',
    'euser_id',
    'account_id',
    'owner',
    'owner_id',
    'company_id',
    'group_id',
    'group_ids',
    'token_id',
    'id',
    'ids',
  ],
  ...['node_id', 'comment_id', 'migration_id', 'taskid', 'file_id', 'version', 'from_version', 'domain', 'name', 'new_name', 'newname', 'group_name'],
  ...[
    'path',
    'paths',
    'from_path',
    'to_path',
    'frompath',
    'topath',
    'names',
    'folder',
    'size',
    'method',
    'type',
    'lang',
    'expired',
    'expires',
    'expire',
  ],
];
/** What is set: kept when it is a number, a flag or one of a few words, for the same names may carry a person's own text elsewhere. */
const SET = [
  ...[
    'role',
    'permission',
    'access',
    'right',
    'rights',
    'writer',
    'enable',
    'status',
    'state',
    'permanent',
    'overwrite',
    'immediately',
    'migrate_file',
  ],
  ...[
    'remote_wipe',
    'quota_size',
    'hard_quota_size',
    'size_limit',
    'sizelimit',
    'can_print',
    'can_download',
    'can_upload',
    'pc_can_download',
    'use_watermarks',
  ],
  ...['mobile_restriction', 'ip_restriction', 'format', 'only_empty'],
];
/** A setting is told when it is a switch; what an account keeps under a key is its own. */
const SWITCH = /^(?:true|false|on|off|0|1)$/i;
const LOGINS = ['login', 'email', 'phone'];
const PLAIN = /^(?:-?\d{1,16}|true|false|on|off|[a-z_]{1,20})$/i;
const MAX_ITEMS = 20;

/** The parameters of a call that its record keeps. All others (passwords, keys, texts, contents) are left out: a list of what may be, not of what may not. */
export function auditedParams({ segments, tail, params }: Pick<CloudikeCall, 'segments' | 'tail' | 'params'>): AuditParams {
  const kept: Record<string, unknown> = {};
  for (const name of ABOUT) {
    const values = [...(name in segments ? [segments[name]] : []), ...(params?.get(name) ?? [])];
    const texts = values.filter((value) => typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean');
    if (texts.length === 0) continue;
    kept[name] = texts.length === 1 ? texts[0] : texts.slice(0, MAX_ITEMS);
    if (texts.length > MAX_ITEMS) kept[`${name}_count`] = texts.length;
  }
  for (const name of SET) {
    const [value] = params?.get(name) ?? [];
    if (typeof value === 'boolean' || typeof value === 'number' || (typeof value === 'string' && PLAIN.test(value))) kept[name] = value;
  }
  const [value] = params?.get('value') ?? [];
  if (typeof value === 'boolean' || (typeof value === 'string' && SWITCH.test(value))) kept.value = value;
  if (tail.length > 0) kept.tail = `/${tail.join('/')}`;
  const logins = LOGINS.flatMap((name) => params?.get(name) ?? []).filter((value) => typeof value === 'string' && value !== '') as string[];
  return { kept, logins: logins.slice(0, MAX_ITEMS) };
}
