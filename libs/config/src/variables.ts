/**
 * Every environment variable that Stowage reads, once: parsing, documentation and `.env.example` come from this table.
 * A parser returns the typed value or throws an Error whose message completes "NAME ...".
 */
export interface Variable<T> {
  readonly description: string;
  /** Text used when the variable is unset or empty; undefined = no default. */
  readonly fallback?: string;
  /** What the documentation says when there is no literal default. */
  readonly fallbackText?: string;
  readonly secret?: boolean;
  readonly parse: (text: string) => T;
}

const text = (value: string): string => value;

function integer(min: number, max: number) {
  return (value: string): number => {
    const number = Number(value);
    if (!/^-?\d+$/.test(value) || number < min || number > max) throw new Error(`must be a whole number from ${min} to ${max}`);
    return number;
  };
}

function url(...protocols: string[]) {
  return (value: string): string => {
    const wanted = `must be a URL that starts with ${protocols.map((p) => `${p}//`).join(' or ')}`;
    let parsed: URL;
    try {
      parsed = new URL(value);
    } catch {
      throw new Error(wanted);
    }
    if (!protocols.includes(parsed.protocol)) throw new Error(wanted);
    return value.replace(/\/+$/, '');
  };
}

function oneOf<const T extends string>(...values: T[]) {
  return (value: string): T => {
    const found = values.find((candidate) => candidate === value);
    if (found === undefined) throw new Error(`must be one of ${values.join(', ')}`);
    return found;
  };
}

function boolean(value: string): boolean {
  if (/^(true|1|yes|on)$/i.test(value)) return true;
  if (/^(false|0|no|off)$/i.test(value)) return false;
  throw new Error('must be true or false');
}

/** `name=host` pairs by name. */
function hosts(value: string): Readonly<Record<string, string>> {
  const pairs = value.split(',').map((pair) => /^\s*([a-z][a-z0-9-]*)\s*=\s*([a-z0-9.-]+)\s*$/i.exec(pair));
  if (pairs.some((pair) => pair === null)) throw new Error('must be name=host, separated by commas');
  return Object.fromEntries(pairs.map((pair) => [pair![1]!.toLowerCase(), pair![2]!.toLowerCase()]));
}

/** `key:secret` pairs; a Map, so that no key can reach a prototype. */
function consumers(value: string): ReadonlyMap<string, string> {
  const pairs = value.split(',').map((pair) => /^\s*([\w.-]{1,64}):([^\s,]{16,256})\s*$/.exec(pair));
  if (pairs.some((pair) => pair === null))
    throw new Error(
      'must be key:secret, separated by commas; keys are letters, digits and "._-", secrets 16 characters or more without spaces and commas',
    );
  const map = new Map(pairs.map((pair) => [pair![1]!, pair![2]!]));
  if (map.size < pairs.length) throw new Error('must not name a key twice');
  return map;
}

function secretKey(value: string): string {
  if (value.length < 32) throw new Error('must have at least 32 characters');
  return value;
}

function email(value: string): string {
  if (!/^[^\s@]+@[^\s@]+$/.test(value)) throw new Error('must be an e-mail address');
  return value;
}

function origins(value: string): readonly string[] {
  const items = value.split(',').map((item) => item.trim());
  return items.filter((item) => item !== '').map((item) => (item === '*' ? item : new URL(url('http:', 'https:')(item)).origin));
}

function hostList(value: string): readonly string[] {
  return value
    .split(',')
    .map((item) => item.trim().toLowerCase())
    .filter((item) => item !== '');
}

export const VARIABLES = {
  STOWAGE_HTTP_PORT: { description: 'Port of the HTTP API.', fallback: '8080', parse: integer(0, 65535) },
  STOWAGE_HTTP_HOST: { description: 'Address the HTTP API listens on.', fallback: '127.0.0.1', parse: text },
  STOWAGE_PUBLIC_URL: {
    description: 'Base URL that clients reach; part of every link that Stowage hands out.',
    fallbackText: 'http://localhost:<STOWAGE_HTTP_PORT>',
    parse: url('http:', 'https:'),
  },
  STOWAGE_DATA_DIR: { description: 'Folder of everything that the embedded services keep.', fallback: './.stowage', parse: text },
  STOWAGE_SECRET_KEY: {
    description: 'Key that signs URLs; the same for all api and worker processes. `npm start` makes one and keeps it in the data folder.',
    fallbackText: 'made by npm start',
    secret: true,
    parse: secretKey,
  },
  STOWAGE_ADMIN_EMAIL: { description: 'E-mail address of the first system admin.', fallback: 'admin@localhost', parse: email },
  STOWAGE_ADMIN_PASSWORD: {
    description: 'Password of the first system admin; generated and printed once when unset.',
    fallbackText: 'generated',
    secret: true,
    parse: text,
  },
  STOWAGE_ACCOUNT_CONFIRMATION: {
    description: '`mail`: a new account is confirmed by a mail token. `off`: it works at once.',
    fallback: 'mail',
    parse: oneOf('mail', 'off'),
  },
  STOWAGE_COMPANY_APPROVAL: {
    description: '`off`: a new company works at once. `manual`: it waits for an administrator of the system, and takes no members until then.',
    fallback: 'off',
    parse: oneOf('off', 'manual'),
  },
  STOWAGE_DEFAULT_QUOTA_BYTES: {
    description: 'Quota of a new account in bytes; 0 = not limited.',
    fallback: '0',
    parse: integer(0, Number.MAX_SAFE_INTEGER),
  },
  STOWAGE_DELETED_ACCOUNT_DAYS: {
    description: 'Days after which the data of a deleted account are erased, and it cannot be restored any more; 0 = never by itself.',
    fallback: '30',
    parse: integer(0, 36500),
  },
  STOWAGE_TRASH_RETENTION_DAYS: { description: 'Days after which a trashed node is purged; 0 = never.', fallback: '0', parse: integer(0, 36500) },
  STOWAGE_UPLOAD_TTL_SECONDS: {
    description: 'Seconds after which an unconfirmed upload is abandoned.',
    fallback: '86400',
    parse: integer(1, 2_592_000),
  },
  STOWAGE_BLOB_GRACE_SECONDS: {
    description: 'Seconds between the last use of an object and its deletion from the store.',
    fallback: '3600',
    parse: integer(0, 2_592_000),
  },
  STOWAGE_EVENT_RETENTION_DAYS: {
    description: 'Days after which events and notices are removed; 0 = never.',
    fallback: '180',
    parse: integer(0, 36500),
  },
  STOWAGE_AUDIT_RETENTION_DAYS: {
    description: 'Days after which audit records are removed from the beginning of their chain; 0 = never.',
    fallback: '0',
    parse: integer(0, 36500),
  },
  STOWAGE_ALLOWED_ORIGINS: {
    description: 'Origins of web pages, beside that of STOWAGE_PUBLIC_URL, which may open websockets, with commas between them; `*` = all.',
    fallbackText: 'none',
    parse: origins,
  },
  STOWAGE_MAX_WEBSOCKETS: { description: 'Websockets that one api process keeps open.', fallback: '10000', parse: integer(1, 1_000_000) },
  STOWAGE_MAX_WEBSOCKETS_PER_ACCOUNT: {
    description: 'Websockets of one account that one api process keeps open.',
    fallback: '50',
    parse: integer(1, 1_000_000),
  },
  DATABASE_URL: {
    description: 'PostgreSQL connection. Unset: `npm start` runs an embedded PostgreSQL.',
    fallbackText: 'embedded PostgreSQL',
    secret: true,
    parse: url('postgres:', 'postgresql:'),
  },
  STOWAGE_DATABASE_POOL_SIZE: {
    description: 'Connections of one process to PostgreSQL (without those of the queue).',
    fallback: '10',
    parse: integer(2, 200),
  },
  REDIS_URL: {
    description: 'Redis for the job queue and the rate limiter. Unset: PostgreSQL serves both.',
    fallbackText: 'PostgreSQL',
    secret: true,
    parse: url('redis:', 'rediss:'),
  },
  S3_ENDPOINT: { description: 'Endpoint of the S3 store; unset with a bucket: AWS.', fallbackText: 'AWS', parse: url('http:', 'https:') },
  S3_PUBLIC_ENDPOINT: {
    description: 'Endpoint in the signed URLs that clients get, when they reach the store under another address than api and worker.',
    fallbackText: 'S3_ENDPOINT',
    parse: url('http:', 'https:'),
  },
  S3_BUCKET: { description: 'Bucket of all objects. Unset: files under STOWAGE_DATA_DIR/blobs.', fallbackText: 'filesystem', parse: text },
  S3_REGION: { description: 'Region of the S3 store.', fallback: 'us-east-1', parse: text },
  S3_ACCESS_KEY_ID: { description: 'Access key of the S3 store.', secret: true, parse: text },
  S3_SECRET_ACCESS_KEY: { description: 'Secret key of the S3 store.', secret: true, parse: text },
  S3_FORCE_PATH_STYLE: { description: 'Bucket name in the path instead of the host name.', fallback: 'true', parse: boolean },
  SMTP_URL: {
    description: 'SMTP server for mail. Unset: mails are written to STOWAGE_DATA_DIR/outbox.',
    fallbackText: 'file outbox',
    secret: true,
    parse: url('smtp:', 'smtps:'),
  },
  STOWAGE_MAIL_FROM: { description: 'Sender of all mail.', fallback: 'Stowage <no-reply@localhost>', parse: text },
  STOWAGE_WOPI_DISCOVERY_URL: {
    description:
      'Discovery document of an office server that speaks WOPI (Collabora, OnlyOffice, Office Online Server). Unset: documents are not edited in the browser.',
    fallbackText: 'no office server',
    parse: url('http:', 'https:'),
  },
  STOWAGE_API_HOSTS: {
    description:
      'Host names that serve one API alone, under the bare paths of its own document: name=host, separated by commas (name as in the address of its documentation). Needed only for programs that cannot be given a path.',
    fallbackText: 'none: every API is served under its own prefix',
    parse: hosts,
  },
  STOWAGE_SIGN_IN_PRIVATE_HOSTS: {
    description:
      'Identity providers and directories of companies that may be in private networks, or be reached by plain http: host names and addresses, with commas between them; `*` = all. Companies name any host that has a public address without this.',
    fallbackText: 'none',
    parse: hostList,
  },
  STOWAGE_SIGN_IN_CA_FILE: {
    description: 'PEM file of certificate authorities that identity providers and directories may have beside the well-known ones.',
    fallbackText: 'none',
    parse: text,
  },
  STOWAGE_LDAP_PLAINTEXT: {
    description: '`true`: directories named without `ldaps://` are asked without encryption. Else they must know StartTLS.',
    fallback: 'false',
    parse: boolean,
  },
  STOWAGE_GOOGLE_CLIENT_ID: {
    description: 'Client id of the sign-in at Google. Unset: there is none.',
    fallbackText: 'no sign-in at Google',
    parse: text,
  },
  STOWAGE_GOOGLE_CLIENT_SECRET: { description: 'Client secret of the sign-in at Google.', secret: true, parse: text },
  STOWAGE_GOOGLE_ISSUER: { description: 'Issuer of the sign-in at Google.', fallback: 'https://accounts.google.com', parse: url('http:', 'https:') },
  STOWAGE_OAUTH_CONSUMERS: {
    description:
      'Programs that may ask people for access by OAuth 1.0: key:secret, separated by commas. Their requests are signed for the address in STOWAGE_PUBLIC_URL.',
    fallbackText: 'no OAuth 1.0',
    secret: true,
    parse: consumers,
  },
  STOWAGE_LOG_LEVEL: {
    description: 'Least severe level that is logged.',
    fallback: 'info',
    parse: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
  },
  STOWAGE_PREVIEW_PDFTOPPM: {
    description: 'Program that draws pages of PDF documents (Poppler); absent: no previews of documents.',
    fallback: 'pdftoppm',
    parse: text,
  },
  STOWAGE_PREVIEW_SOFFICE: {
    description: 'LibreOffice, which turns office documents into PDF; absent: no previews of those.',
    fallback: 'soffice',
    parse: text,
  },
  STOWAGE_PREVIEW_FFMPEG: { description: 'Program that takes a frame of videos; absent: no previews of videos.', fallback: 'ffmpeg', parse: text },
  STOWAGE_PREVIEW_FFPROBE: { description: 'Program that tells facts of videos; needed with the one before.', fallback: 'ffprobe', parse: text },
  STOWAGE_PREVIEW_MEMORY_MB: {
    description: 'Megabytes that one process of a preview may allocate.',
    fallback: '1024',
    parse: integer(256, 65_536),
  },
  STOWAGE_PREVIEW_TIMEOUT_SECONDS: {
    description: 'Seconds after which a step of a preview is ended; an office document has three times as many.',
    fallback: '30',
    parse: integer(1, 3600),
  },
  STOWAGE_WORKER_HTTP_PORT: {
    description: 'Port on which the worker serves /health and /metrics; 0 = any free port.',
    fallback: '0',
    parse: integer(0, 65535),
  },
} as const satisfies Record<string, Variable<unknown>>;

export type VariableName = keyof typeof VARIABLES;
