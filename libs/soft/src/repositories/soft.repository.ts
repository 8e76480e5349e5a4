import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** A version of a client program. `competition` n > 0: only for accounts whose id is a multiple of n; 0: for everybody. */
export interface SoftVersion {
  readonly platform: string;
  readonly version: string;
  readonly link: string;
  readonly description: string;
  readonly critical: boolean;
  readonly competition: number;
}

/** An update of a client program: the base pair, and another one to try out; empty texts = none. */
export interface SoftUpdate {
  readonly platform: string;
  readonly versionBase: string;
  readonly linkBase: string;
  readonly versionExp: string;
  readonly linkExp: string;
  readonly competition: number;
}

const VERSION = 'platform, version, link, description, critical, competition';
const UPDATE = `platform, version_base AS "versionBase", link_base AS "linkBase", version_exp AS "versionExp", link_exp AS "linkExp", competition`;

/** Versions and updates of client programs. */
@Injectable()
export class SoftRepository {
  constructor(private readonly database: Database) {}

  /** Adds a version, or changes the one of that name and leaves its place in the order. */
  async putVersion({ platform, version, link, description, critical, competition }: SoftVersion, now: Date): Promise<void> {
    await this.database.run(
      `INSERT INTO soft_versions (${VERSION}, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (platform, version) DO UPDATE
          SET link = excluded.link, description = excluded.description, critical = excluded.critical, competition = excluded.competition`,
      [platform, version, link, description, critical, competition, now],
    );
  }

  /** The newest version that is meant for this account; null = nobody has signed in. */
  newestVersion(platform: string, accountId: number | null): Promise<SoftVersion | null> {
    return this.database.queryOne<SoftVersion & Record<string, unknown>>(
      `SELECT ${VERSION} FROM soft_versions WHERE platform = $1 AND (competition = 0 OR $2::bigint % nullif(competition, 0) = 0)
        ORDER BY created_at DESC, version DESC LIMIT 1`,
      [platform, accountId],
    );
  }

  /** Newest first; null = of all platforms. */
  listVersions(platform: string | null, limit: number): Promise<SoftVersion[]> {
    return this.database.query<SoftVersion & Record<string, unknown>>(
      `SELECT ${VERSION} FROM soft_versions WHERE coalesce(platform = $1, true) ORDER BY created_at DESC, platform, version DESC LIMIT $2`,
      [platform, limit],
    );
  }

  /** Adds an update, or changes the one of that base version and leaves its place in the order. */
  async putUpdate({ platform, versionBase, linkBase, versionExp, linkExp, competition }: SoftUpdate, now: Date): Promise<void> {
    await this.database.run(
      `INSERT INTO soft_updates (platform, version_base, link_base, version_exp, link_exp, competition, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (platform, version_base) DO UPDATE
          SET link_base = excluded.link_base, version_exp = excluded.version_exp, link_exp = excluded.link_exp, competition = excluded.competition`,
      [platform, versionBase, linkBase, versionExp, linkExp, competition, now],
    );
  }

  newestUpdate(platform: string): Promise<SoftUpdate | null> {
    return this.database.queryOne<SoftUpdate & Record<string, unknown>>(
      `SELECT ${UPDATE} FROM soft_updates WHERE platform = $1 ORDER BY created_at DESC, version_base DESC LIMIT 1`,
      [platform],
    );
  }

  /** Newest first; null = of all platforms. */
  listUpdates(platform: string | null, limit: number): Promise<SoftUpdate[]> {
    return this.database.query<SoftUpdate & Record<string, unknown>>(
      `SELECT ${UPDATE} FROM soft_updates WHERE coalesce(platform = $1, true) ORDER BY created_at DESC, platform, version_base DESC LIMIT $2`,
      [platform, limit],
    );
  }
}
