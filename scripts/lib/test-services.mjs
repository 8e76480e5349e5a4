import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { findCeph, startCeph } from './ceph.mjs';
import { findChromium } from './chromium.mjs';
import { isDebian } from './debian-packages.mjs';
import { startEmbeddedPostgres } from './embedded-postgres.mjs';
import { setting } from './project.mjs';
import { step, warn } from './progress.mjs';
import { findPreviewPrograms } from './preview-programs.mjs';
import { findRedis, startRedis } from './redis.mjs';
import { findSlapd } from './slapd.mjs';
import { migrate } from './stowage-run.mjs';

const TEMPLATE = 'stowage_template';
const ADMIN = { STOWAGE_TEST_ADMIN_EMAIL: 'admin@stowage.test', STOWAGE_TEST_ADMIN_PASSWORD: 'Correct-horse-7-battery' };

/**
 * The services that tests use, each started when it is first asked for, on free ports, in one temporary folder.
 * `env` holds the STOWAGE_TEST_* variables of what runs; `missing` names what could not be had, with the reason.
 */
export class TestServices {
  env = { ...ADMIN };
  missing = [];
  #stops = [];
  #started = new Map();

  /** @param {{ dir: string, baseEnv: NodeJS.ProcessEnv, durable?: boolean }} options `dir` must be short and open for passing (0711); `durable`: PostgreSQL syncs its writes */
  constructor({ dir, baseEnv, durable = false }) {
    this.dir = dir;
    this.baseEnv = baseEnv;
    this.durable = durable;
  }

  /** Makes sure that the named services run: `postgres`, `redis`, `s3`; `browser`, `previews` and `ldap` are only made ready, tests start them. */
  async need(names) {
    const starters = {
      postgres: () => this.#startPostgres(),
      redis: () => this.#startRedis(),
      s3: () => this.#startS3(),
      browser: () => this.#findBrowser(),
      previews: () => this.#findPreviewPrograms(),
      ldap: () => this.#findSlapd(),
    };
    for (const name of names) {
      if (!this.#started.has(name)) this.#started.set(name, starters[name]());
      await this.#started.get(name);
    }
  }

  has(name) {
    return !this.missing.some((entry) => entry.name === name);
  }

  /** Stops everything that was started. */
  async stop() {
    await Promise.allSettled([...this.#started.values()]);
    await Promise.allSettled(this.#stops.reverse().map((stop) => stop()));
  }

  async #startPostgres() {
    const dataDir = path.join(this.dir, 'postgres');
    fs.mkdirSync(dataDir);
    fs.chmodSync(dataDir, 0o711);
    await step(`PostgreSQL for tests (${this.durable ? 'durable' : 'no fsync'})`, async () => {
      const postgres = await startEmbeddedPostgres({
        dataDir,
        logFile: path.join(this.dir, 'postgres.log'),
        durable: this.durable,
        maxConnections: 400,
      });
      this.#stops.push(() => postgres.stop());
      await makeTemplate(postgres, path.join(this.dir, 'template'), this.baseEnv);
      Object.assign(this.env, {
        STOWAGE_TEST_PG_URL: postgres.adminUrl(),
        STOWAGE_TEST_PG_APP_URL: postgres.appUrl(TEMPLATE),
        STOWAGE_TEST_TEMPLATE_DB: TEMPLATE,
      });
    });
  }

  async #startRedis() {
    const given = setting('STOWAGE_TEST_REDIS_URL');
    if (given) return void (this.env.STOWAGE_TEST_REDIS_URL = given);
    await this.#bring('redis', 'Redis for tests', setting('REDIS_URL') && { STOWAGE_TEST_REDIS_URL: setting('REDIS_URL') }, async (note) => {
      const found = await findRedis();
      if (!found) throw new Error('no redis-server or valkey-server in PATH, and no Debian packages on this system');
      const redis = await startRedis(found, { dir: path.join(this.dir, 'redis') });
      this.#stops.push(redis.stop);
      note(found.origin);
      return { STOWAGE_TEST_REDIS_URL: redis.url };
    });
  }

  async #startS3() {
    const names = ['ENDPOINT', 'ACCESS_KEY_ID', 'SECRET_ACCESS_KEY'];
    const from = (prefix) => Object.fromEntries(names.map((name) => [`STOWAGE_TEST_S3_${name}`, setting(`${prefix}${name}`)]));
    const complete = (values) => Object.values(values).every(Boolean) && values;
    const given = complete(from('STOWAGE_TEST_S3_'));
    if (given) return void Object.assign(this.env, given);
    await this.#bring('s3', 'S3 server for tests (Ceph RGW)', complete(from('S3_')), async (note) => {
      const found = await findCeph();
      if (!found) throw new Error('no Ceph programs in PATH, and no Debian packages on this system');
      const ceph = await startCeph(found, { dir: path.join(this.dir, 'ceph') });
      this.#stops.push(ceph.stop);
      note(found.origin);
      return {
        STOWAGE_TEST_S3_ENDPOINT: ceph.endpoint,
        STOWAGE_TEST_S3_ACCESS_KEY_ID: ceph.accessKeyId,
        STOWAGE_TEST_S3_SECRET_ACCESS_KEY: ceph.secretAccessKey,
      };
    });
  }

  async #findBrowser() {
    const given = setting('STOWAGE_TEST_CHROMIUM');
    if (given) return void (this.env.STOWAGE_TEST_CHROMIUM = given);
    await this.#bring('browser', 'Browser for tests (Chromium)', undefined, async (note) => {
      const found = await findChromium();
      if (!found) throw new Error('no Chromium or Chrome in PATH, and no Debian packages on this system');
      note(found.origin);
      return { STOWAGE_TEST_CHROMIUM: found.program };
    });
  }

  /** Each of these programs may be missing: then the tests show what is said without it. */
  async #findPreviewPrograms() {
    const given = setting('STOWAGE_TEST_PREVIEW_PROGRAMS');
    if (given) return void (this.env.STOWAGE_TEST_PREVIEW_PROGRAMS = given);
    await this.#bring('previews', 'Programs that make previews (Poppler, FFmpeg)', undefined, async (note) => {
      const found = await findPreviewPrograms();
      note(Object.keys(found).join(', ') || 'none');
      return { STOWAGE_TEST_PREVIEW_PROGRAMS: JSON.stringify(found) };
    });
  }

  async #findSlapd() {
    await this.#bring('ldap', 'LDAP server for tests (slapd)', undefined, async (note) => {
      const found = await findSlapd();
      if (!found) throw new Error('no slapd in PATH, and no Debian packages on this system');
      note(found.origin);
      return { STOWAGE_TEST_SLAPD: JSON.stringify(found) };
    });
  }

  /** Our own service; where that is impossible the configured one; else the service is noted as missing. */
  async #bring(name, title, configured, start) {
    try {
      Object.assign(this.env, await step(title, start));
    } catch (error) {
      if (configured) {
        warn(`  ${title}: the configured one is used, because: ${error.message}`);
        Object.assign(this.env, configured);
      } else {
        this.missing.push({ name, reason: error.message, counts: isDebian() });
      }
    }
  }
}

/** A migrated database with the first administrator, of which every test database is a copy. */
async function makeTemplate(postgres, dataDir, baseEnv) {
  const { default: pg } = await import('pg');
  const admin = new pg.Client({ connectionString: postgres.adminUrl() });
  await admin.connect();
  try {
    await admin.query(`CREATE DATABASE ${TEMPLATE} OWNER stowage`);
    await migrate({
      ...baseEnv,
      DATABASE_URL: postgres.appUrl(TEMPLATE),
      STOWAGE_DATA_DIR: dataDir,
      STOWAGE_SECRET_KEY: crypto.randomBytes(32).toString('hex'),
      STOWAGE_ADMIN_EMAIL: ADMIN.STOWAGE_TEST_ADMIN_EMAIL,
      STOWAGE_ADMIN_PASSWORD: ADMIN.STOWAGE_TEST_ADMIN_PASSWORD,
      STOWAGE_LOG_LEVEL: 'warn',
    });
    await admin.query(`ALTER DATABASE ${TEMPLATE} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false`);
  } finally {
    await admin.end();
  }
}
