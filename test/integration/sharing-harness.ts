import 'reflect-metadata';

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Test, type TestingModule } from '@nestjs/testing';

import { AppConfig, ConfigModule } from '#libs/config';
import { DatabaseModule } from '#libs/database';
import { GroupMembers, GroupService, GroupsModule } from '#libs/groups';
import type { AccountActor } from '#libs/kernel';
import { Logger, ObservabilityModule } from '#libs/observability';
import { type AddShare, CompanyShareService, ShareAnswers, ShareListService, ShareService, SharesModule } from '#libs/shares';

import { segments, TreeHarness } from './tree-harness.js';

/** A member of a company, or somebody without one, with an address. */
export type Member = AccountActor & { readonly email: string };

/** Trees and shares of one database. */
export class SharingHarness {
  private constructor(
    readonly tree: TreeHarness,
    readonly app: TestingModule,
    private readonly drop: () => Promise<void>,
  ) {}

  static async start(): Promise<SharingHarness> {
    const tree = await TreeHarness.start();
    const root = await mkdtemp(join(tmpdir(), 'stowage-shares-'));
    const config = new AppConfig({ DATABASE_URL: tree.url, STOWAGE_SECRET_KEY: randomBytes(32).toString('hex'), STOWAGE_DATA_DIR: root });
    const app = await Test.createTestingModule({
      imports: [
        ConfigModule.forRoot(config),
        ObservabilityModule.forRoot(Logger.create('silent')),
        DatabaseModule.forRoot({ url: tree.url, poolSize: 16, statementTimeoutMs: 60_000, applicationName: 'test' }),
        SharesModule,
        GroupsModule,
      ],
    }).compile();
    await app.init();
    return new SharingHarness(tree, app, () => rm(root, { recursive: true, force: true }));
  }

  readonly service = <T>(type: new (...args: never[]) => T): T => this.app.get<T>(type, { strict: false });

  get shares(): ShareService {
    return this.service(ShareService);
  }

  get answers(): ShareAnswers {
    return this.service(ShareAnswers);
  }

  get lists(): ShareListService {
    return this.service(ShareListService);
  }

  get offers(): CompanyShareService {
    return this.service(CompanyShareService);
  }

  async company(): Promise<number> {
    const row = await this.tree.database.queryOne<{ id: number }>(`INSERT INTO companies (name) VALUES ('Company') RETURNING id`);
    return row!.id;
  }

  async member(companyId: number | null = null, options: { readonly admin?: boolean; readonly name?: string } = {}): Promise<Member> {
    const actor = await this.tree.account();
    const email = `m${actor.accountId}@example.org`;
    const { admin = false, name = `Member ${actor.accountId}` } = options;
    await this.tree.database.run('UPDATE accounts SET company_id = $2, is_company_admin = $3, name = $4 WHERE id = $1', [
      actor.accountId,
      companyId,
      admin,
      name,
    ]);
    await this.tree.database.run(
      `INSERT INTO logins (id, account_id, kind, value, value_key, confirmed_at) VALUES (gen_random_uuid(), $1, 'email', $2, $2, now())`,
      [actor.accountId, email],
    );
    return { ...actor, companyId, email };
  }

  /** A group of a company with these members; `admin` administrates the company. */
  async group(admin: AccountActor, members: readonly AccountActor[]): Promise<number> {
    const { id } = await this.service(GroupService).create(admin, { name: `Group ${randomBytes(4).toString('hex')}` });
    await this.service(GroupMembers).add(
      admin,
      id,
      members.map((member) => member.accountId),
    );
    return id;
  }

  add(owner: AccountActor, path: string, command: Partial<AddShare> = {}): Promise<{ hash: string | null; login: string | null }> {
    return this.shares.add(owner, { path: segments(path), writer: false, message: '', ...command });
  }

  /** Shares a folder with a member who accepts; answers his path. */
  async give(owner: AccountActor, path: string, to: Member, writer = false): Promise<string> {
    const { hash } = await this.add(owner, path, { member: `email:${to.email}`, writer });
    return this.answers.accept(to, hash!);
  }

  /** Types of the events in somebody's own feed, oldest first. */
  async eventsOf(actor: AccountActor): Promise<{ type: string; path: string; facts: Record<string, unknown> }[]> {
    return this.tree.database.query(
      `SELECT e.type, e.path, e.facts FROM change_events e JOIN spaces s ON s.id = e.scope_id WHERE s.account_id = $1 ORDER BY e.seq`,
      [actor.accountId],
    );
  }

  /** Rows that contradict each other, in words. */
  async defects(): Promise<string[]> {
    const rows = await this.tree.database.query<{ defect: string }>(DEFECTS);
    return [...(await this.tree.defects()), ...rows.map((row) => row.defect)];
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.tree.close();
    await this.drop();
  }
}

const DEFECTS = `
  SELECT 'mark of ' || n.name AS defect FROM nodes n WHERE n.shared <> EXISTS (SELECT 1 FROM shares h WHERE h.node_id = n.id)
  UNION ALL SELECT 'mount without access: ' || m.name || ' of account ' || s.account_id FROM nodes m JOIN spaces s ON s.id = m.space_id
   WHERE m.mount_of IS NOT NULL AND NOT EXISTS (
     SELECT 1 FROM grants g JOIN invitations i ON i.grant_id = g.id AND i.account_id = s.account_id AND i.state = 'accepted'
      WHERE g.node_id = m.mount_of AND (g.group_id IS NULL OR EXISTS (SELECT 1 FROM group_members x WHERE x.group_id = g.group_id AND x.account_id = s.account_id)))
  UNION ALL SELECT 'access without mount: account ' || i.account_id FROM invitations i JOIN grants g ON g.id = i.grant_id JOIN spaces s ON s.account_id = i.account_id
   WHERE i.state = 'accepted' AND NOT EXISTS (SELECT 1 FROM nodes m WHERE m.mount_of = g.node_id AND m.space_id = s.id)
  UNION ALL SELECT 'mount in a shared folder: ' || m.name FROM nodes m JOIN nodes p ON p.id = m.parent_id WHERE m.mount_of IS NOT NULL AND p.shared`;
