import { resolve } from 'node:path';

import { VARIABLES, type Variable, type VariableName } from './variables.js';

/** The whole configuration, validated once at the start. Injected as a value; nothing else reads the environment. */
export class AppConfig {
  readonly http: { readonly host: string; readonly port: number; readonly publicUrl: string };
  /** Host names that serve one API alone, by the name of that API. */
  readonly apiHosts: Readonly<Record<string, string>>;
  readonly dataDir: string;
  readonly secretKey: string;
  readonly admin: { readonly email: string; readonly password: string | undefined };
  readonly accounts: {
    readonly confirmation: 'mail' | 'off';
    readonly companyApproval: 'off' | 'manual';
    readonly defaultQuotaBytes: number;
    /** How long a deleted account can be restored; 0 = for ever. */
    readonly deletedDays: number;
  };
  readonly files: { readonly trashRetentionDays: number; readonly uploadTtlSeconds: number; readonly blobGraceSeconds: number };
  readonly events: { readonly retentionDays: number };
  readonly audit: { readonly retentionDays: number };
  /** `allowedOrigins`: beside that of the public URL. */
  readonly realtime: { readonly allowedOrigins: readonly string[]; readonly maxSockets: number; readonly maxSocketsPerAccount: number };
  readonly database: { readonly url: string; readonly poolSize: number };
  /** Redis, or undefined: then PostgreSQL carries queue and limiter. */
  readonly redis: { readonly url: string } | undefined;
  readonly storage:
    | { readonly driver: 'filesystem'; readonly root: string }
    | {
        readonly driver: 's3';
        readonly endpoint: string | undefined;
        readonly publicEndpoint: string | undefined;
        readonly bucket: string;
        readonly region: string;
        readonly accessKeyId: string;
        readonly secretAccessKey: string;
        readonly forcePathStyle: boolean;
      };
  /** SMTP, or undefined: then mails become files in `outboxDir`. */
  readonly mail: { readonly smtpUrl: string | undefined; readonly from: string; readonly outboxDir: string };
  /** Discovery document of the office server, or undefined: then there is none. */
  readonly office: { readonly discoveryUrl: string | undefined };
  /** Providers and directories of companies. `privateHosts`: those that may be in private networks; `*` = all. */
  readonly signIn: {
    readonly privateHosts: readonly string[];
    readonly caFile: string | undefined;
    readonly ldapPlaintext: boolean;
    /** Undefined: there is no sign-in at Google. */
    readonly google: { readonly issuer: string; readonly clientId: string; readonly clientSecret: string } | undefined;
    /** Secrets of the OAuth 1.0 consumers by their keys; empty: there is no OAuth 1.0. */
    readonly oauthConsumers: ReadonlyMap<string, string>;
  };
  readonly log: { readonly level: string };
  readonly worker: { readonly httpPort: number };
  readonly previews: {
    readonly programs: { readonly pdftoppm: string; readonly ffmpeg: string; readonly ffprobe: string; readonly soffice: string };
    readonly memoryBytes: number;
    readonly timeoutMs: number;
    /** Folders of programs, as in PATH. */
    readonly searchPath: string;
  };

  /** Throws ConfigError with one line for the first wrong or missing variable. */
  constructor(env: Readonly<Record<string, string | undefined>>) {
    const read = <N extends VariableName>(name: N) => readVariable<ReturnType<(typeof VARIABLES)[N]['parse']>>(env, name);
    const required = <N extends VariableName>(name: N, why: string): ReturnType<(typeof VARIABLES)[N]['parse']> => {
      const value = read(name);
      if (value === undefined) throw new ConfigError(`${name} is required: ${why}`);
      return value;
    };
    const defaulted = <N extends VariableName>(name: N) => required(name, 'it has no default');

    const port = defaulted('STOWAGE_HTTP_PORT');
    this.http = { host: defaulted('STOWAGE_HTTP_HOST'), port, publicUrl: read('STOWAGE_PUBLIC_URL') ?? `http://localhost:${port}` };
    this.apiHosts = read('STOWAGE_API_HOSTS') ?? {};
    this.dataDir = resolve(defaulted('STOWAGE_DATA_DIR'));
    this.secretKey = required('STOWAGE_SECRET_KEY', 'a random text of 32 characters or more that signs URLs (npm start makes one)');
    this.admin = { email: defaulted('STOWAGE_ADMIN_EMAIL'), password: read('STOWAGE_ADMIN_PASSWORD') };
    this.accounts = {
      confirmation: defaulted('STOWAGE_ACCOUNT_CONFIRMATION'),
      companyApproval: defaulted('STOWAGE_COMPANY_APPROVAL'),
      defaultQuotaBytes: defaulted('STOWAGE_DEFAULT_QUOTA_BYTES'),
      deletedDays: defaulted('STOWAGE_DELETED_ACCOUNT_DAYS'),
    };
    this.files = {
      trashRetentionDays: defaulted('STOWAGE_TRASH_RETENTION_DAYS'),
      uploadTtlSeconds: defaulted('STOWAGE_UPLOAD_TTL_SECONDS'),
      blobGraceSeconds: defaulted('STOWAGE_BLOB_GRACE_SECONDS'),
    };
    this.events = { retentionDays: defaulted('STOWAGE_EVENT_RETENTION_DAYS') };
    this.audit = { retentionDays: defaulted('STOWAGE_AUDIT_RETENTION_DAYS') };
    this.realtime = {
      allowedOrigins: read('STOWAGE_ALLOWED_ORIGINS') ?? [],
      maxSockets: defaulted('STOWAGE_MAX_WEBSOCKETS'),
      maxSocketsPerAccount: defaulted('STOWAGE_MAX_WEBSOCKETS_PER_ACCOUNT'),
    };
    this.database = {
      url: required('DATABASE_URL', 'a PostgreSQL connection (npm start brings one)'),
      poolSize: defaulted('STOWAGE_DATABASE_POOL_SIZE'),
    };
    const redisUrl = read('REDIS_URL');
    this.redis = redisUrl === undefined ? undefined : { url: redisUrl };
    const bucket = read('S3_BUCKET');
    if (bucket === undefined) {
      const stray = (['S3_ENDPOINT', 'S3_PUBLIC_ENDPOINT', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'] as const).find(
        (name) => read(name) !== undefined,
      );
      if (stray !== undefined) throw new ConfigError(`S3_BUCKET is required when ${stray} is set`);
      this.storage = { driver: 'filesystem', root: resolve(this.dataDir, 'blobs') };
    } else {
      this.storage = {
        driver: 's3',
        endpoint: read('S3_ENDPOINT'),
        publicEndpoint: read('S3_PUBLIC_ENDPOINT'),
        bucket,
        region: defaulted('S3_REGION'),
        accessKeyId: required('S3_ACCESS_KEY_ID', 'S3_BUCKET is set'),
        secretAccessKey: required('S3_SECRET_ACCESS_KEY', 'S3_BUCKET is set'),
        forcePathStyle: defaulted('S3_FORCE_PATH_STYLE'),
      };
    }
    this.mail = { smtpUrl: read('SMTP_URL'), from: defaulted('STOWAGE_MAIL_FROM'), outboxDir: resolve(this.dataDir, 'outbox') };
    this.office = { discoveryUrl: read('STOWAGE_WOPI_DISCOVERY_URL') };
    const googleId = read('STOWAGE_GOOGLE_CLIENT_ID');
    this.signIn = {
      privateHosts: read('STOWAGE_SIGN_IN_PRIVATE_HOSTS') ?? [],
      caFile: read('STOWAGE_SIGN_IN_CA_FILE'),
      ldapPlaintext: defaulted('STOWAGE_LDAP_PLAINTEXT'),
      google:
        googleId === undefined
          ? undefined
          : {
              issuer: defaulted('STOWAGE_GOOGLE_ISSUER'),
              clientId: googleId,
              clientSecret: required('STOWAGE_GOOGLE_CLIENT_SECRET', 'STOWAGE_GOOGLE_CLIENT_ID is set'),
            },
      oauthConsumers: read('STOWAGE_OAUTH_CONSUMERS') ?? new Map<string, string>(),
    };
    this.log = { level: defaulted('STOWAGE_LOG_LEVEL') };
    this.worker = { httpPort: defaulted('STOWAGE_WORKER_HTTP_PORT') };
    this.previews = {
      programs: {
        pdftoppm: defaulted('STOWAGE_PREVIEW_PDFTOPPM'),
        ffmpeg: defaulted('STOWAGE_PREVIEW_FFMPEG'),
        ffprobe: defaulted('STOWAGE_PREVIEW_FFPROBE'),
        soffice: defaulted('STOWAGE_PREVIEW_SOFFICE'),
      },
      memoryBytes: defaulted('STOWAGE_PREVIEW_MEMORY_MB') * 2 ** 20,
      timeoutMs: defaulted('STOWAGE_PREVIEW_TIMEOUT_SECONDS') * 1000,
      searchPath: env['PATH'] || '/usr/local/bin:/usr/bin:/bin',
    };
  }

  /** The configuration of this process. Throws ConfigError. */
  static fromEnvironment(): AppConfig {
    return new AppConfig(process.env);
  }
}

/** A wrong setting; its message is one line that names the variable and says what it must be. */
export class ConfigError extends Error {}

function readVariable<T>(env: Readonly<Record<string, string | undefined>>, name: VariableName): T | undefined {
  const variable: Variable<unknown> = VARIABLES[name];
  const text = env[name] || variable.fallback;
  if (text === undefined) return undefined;
  try {
    return variable.parse(text) as T;
  } catch (error) {
    const shown = variable.secret ? '' : ` (it is "${text}")`;
    throw new ConfigError(`${name} ${(error as Error).message}${shown}`);
  }
}
