import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Analytics, AnalyticsJobsModule, AnalyticsModule, CsvReportTask, METRICS, RollUpJob } from '#libs/analytics';
import { UnitOfWork } from '#libs/database';
import { DownloadService } from '#libs/files';
import { type AccountActor, newId, randomUrlSafe } from '#libs/kernel';
import { Purger, SpaceService } from '#libs/nodes';
import { QueueWorkerModule } from '#libs/queue';
import type { TaskContext } from '#libs/tasks';

import { countStatements } from '../support/statement-count.js';
import { type BytesHarness, codeOf, startBytes } from './bytes-harness.js';

const DAY_MS = 24 * 3_600_000;
const DAYS = 33;
const NOBODY = new AbortController().signal;

/** What was seen on a day by plain counting, while it lasted. */
interface Seen {
  readonly day: string;
  readonly states: Record<string, number>;
  readonly sums: Record<string, number>;
  readonly active: readonly { readonly id: number; readonly client: string }[];
}

interface Person {
  readonly actor: AccountActor;
  readonly region: string;
  readonly companyId: number | null;
  readonly files: string[];
}

/** Numbers that look random and are the same in every run. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

describe('analytics of a generated month', () => {
  let bytes: BytesHarness;
  let admin: AccountActor;
  let companyAdmin: AccountActor;
  let companyId: number;
  let firstMs: number;
  let person = 0;
  const people: Person[] = [];
  const seen: Seen[] = [];
  const roll = dice(20_261_121);
  const run = () => bytes.app.get(RollUpJob, { strict: false }).handle({}, { signal: NOBODY });
  const dayText = (index: number) => new Date(firstMs + index * DAY_MS).toISOString().slice(0, 10);
  /** The clock stands still at this moment. */
  const at = (index: number, ms: number) => {
    bytes.clock.nowMs = () => firstMs + index * DAY_MS + ms;
  };
  const number = async (text: string, values: unknown[] = []) => Number((await bytes.database.queryOne<{ n: number }>(text, values))!.n);

  beforeAll(async () => {
    bytes = await startBytes({}, undefined, [QueueWorkerModule, AnalyticsModule, AnalyticsJobsModule]);
    // the first Monday that is at least so many days back: the month has whole weeks in it
    firstMs = Math.floor(Date.now() / DAY_MS) * DAY_MS - (DAYS + 10) * DAY_MS;
    // the administrator of the start came after the month that is lived through here
    await bytes.database.run(`DELETE FROM accounts`);
    await bytes.database.run(`UPDATE analytics_periods SET starts_on = $1`, [dayText(-1)]);
    const company = await bytes.database.queryOne<{ id: number }>(`INSERT INTO companies (name) VALUES ('Acme') RETURNING id`);
    companyId = company!.id;
    at(0, 1_000);
    admin = await join({ role: 'admin' });
    companyAdmin = await join({ companyId, isAdmin: true });
    for (let index = 0; index < DAYS; index++) await liveThrough(index);
  }, 180_000);
  afterAll(() => bytes?.close());

  /** An account as registration makes it, at this moment. */
  async function join(options: { role?: string; companyId?: number; isAdmin?: boolean; region?: string } = {}): Promise<AccountActor> {
    const now = bytes.clock.now();
    const { role = 'user', companyId: company = null, isAdmin = false, region = '' } = options;
    const row = await bytes.database.queryOne<{ id: number }>(
      `INSERT INTO accounts (state, name, role, company_id, is_company_admin, region, created_at, confirmed_at) VALUES ('active', $1, $2, $3, $4, $5, $6, $6) RETURNING id`,
      [`Person ${++person}`, role, company, isAdmin, region, now],
    );
    const actor: AccountActor = { kind: 'account', accountId: row!.id, companyId: company, role: role as 'user', tokenId: null };
    await bytes.app.get(SpaceService).homeOf(actor.accountId);
    people.push({ actor, region, companyId: company, files: [] });
    return actor;
  }

  /** What the database says by its own date belongs to the simulated day. */
  async function relabel(index: number): Promise<void> {
    const day = dayText(index);
    await bytes.database.run('UPDATE quotas SET changed_on = $1 WHERE changed_on > $1', [day]);
    await bytes.database.run('UPDATE quota_days SET day = $1 WHERE day > $1', [day]);
    await bytes.database.run('UPDATE analytics_removals SET removed_on = $1 WHERE removed_on > $1', [day]);
  }

  async function liveThrough(index: number): Promise<void> {
    const sums: Record<string, number> = {
      users_added: index === 0 ? people.length : 0,
      users_deleted: 0,
      files: 0,
      uploads: 0,
      uploaded: 0,
      downloads: 0,
      downloaded: 0,
    };
    const active: { id: number; client: string }[] = [];
    // also in the first and in the last millisecond of the day
    const moments = [0, ...Array.from({ length: 7 }, (_, turn) => (turn + 1) * 2 * 3_600_000 + roll(3_600_000)), DAY_MS - 1];
    for (const ms of moments) {
      at(index, ms);
      await act(sums, active);
    }
    await relabel(index);
    seen.push({ day: dayText(index), states: await states(), sums, active });
    await bytes.database.run(
      `INSERT INTO account_days (day, account_id, client) SELECT $1, * FROM unnest($2::bigint[], $3::text[]) ON CONFLICT DO NOTHING`,
      [dayText(index), active.map(({ id }) => id), active.map(({ client }) => client)],
    );
  }

  async function act(sums: Record<string, number>, active: { id: number; client: string }[]): Promise<void> {
    const who = people[roll(people.length)]!;
    active.push({ id: who.actor.accountId, client: ['desktop', 'mobile', 'other'][roll(3)]! });
    const now = bytes.clock.now();
    switch (roll(10)) {
      case 0: {
        await join({ region: ['eu', 'asia', ''][roll(3)]!, ...(roll(2) === 0 ? { companyId } : {}) });
        sums['users_added']!++;
        return;
      }
      case 1: {
        const gone = people.at(-1)!;
        if (people.length < 6) return;
        people.pop();
        await bytes.database.run(`UPDATE accounts SET state = 'deleted', deleted_at = $2 WHERE id = $1`, [gone.actor.accountId, now]);
        sums['users_deleted']!++;
        return;
      }
      case 2: {
        const node = who.files.at(-1);
        if (!node) return;
        await bytes.app.get(DownloadService).link(who.actor, { node: { path: [node] }, inline: roll(3) === 0, includeRemoved: false });
        // only what is saved is a download
        const told = await number(`SELECT count(*) AS n FROM change_events WHERE type = 'file_download' AND at_ms = $1`, [now.getTime()]);
        sums['downloads']! += told;
        if (told > 0)
          sums['downloaded']! += await number(`SELECT (facts->>'size')::bigint AS n FROM change_events WHERE type = 'file_download' AND at_ms = $1`, [
            now.getTime(),
          ]);
        return;
      }
      case 3: {
        const name = who.files.pop();
        if (name === undefined) return;
        await bytes.database.run(
          `UPDATE nodes SET removal = 'purging', removed_at = $2 WHERE space_id = (SELECT id FROM spaces WHERE account_id = $1) AND name = $3`,
          [who.actor.accountId, now, name],
        );
        const { spaceId } = await bytes.app.get(SpaceService).homeOf(who.actor.accountId);
        const purger = bytes.app.get(Purger, { strict: false });
        for (let more = true; more;) more = (await bytes.app.get(UnitOfWork, { strict: false }).run(() => purger.step(spaceId))).more;
        return;
      }
      case 4: {
        await bytes.database.run(
          `INSERT INTO auth_tokens (id, account_id, secret_sha256, permanent, created_at) VALUES ($1, $2, decode(md5($1), 'hex'), true, $3)`,
          [randomUrlSafe(12), who.actor.accountId, now],
        );
        return;
      }
      case 5: {
        await bytes.database.run('DELETE FROM auth_tokens WHERE id = (SELECT min(id) FROM auth_tokens)');
        await bytes.database.run('DELETE FROM links WHERE id = (SELECT min(id::text) FROM links)::uuid');
        await bytes.database.run('DELETE FROM shares WHERE node_id = (SELECT min(node_id::text) FROM shares)::uuid');
        return;
      }
      case 6: {
        const node = await bytes.database.queryOne<{ id: string; root: string }>(
          `SELECT n.id, s.root_id AS root FROM nodes n JOIN spaces s ON s.id = n.space_id WHERE s.account_id = $1 AND n.kind = 'file' AND NOT n.linked LIMIT 1`,
          [who.actor.accountId],
        );
        if (!node) return;
        await bytes.database.run(`INSERT INTO links (id, node_id, issuer_id, hash, rights, created_at) VALUES ($1, $2, $3, $4, 'download', $5)`, [
          newId(),
          node.id,
          who.actor.accountId,
          randomUrlSafe(18),
          now,
        ]);
        await bytes.database.run(`INSERT INTO shares (node_id, hash, shared_by, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, [
          node.root,
          randomUrlSafe(18),
          who.actor.accountId,
          now,
        ]);
        return;
      }
      default: {
        const again = roll(3) === 0 ? who.files[0] : undefined;
        const name = again ?? `f${newId(now.getTime())}.${['jpg', 'mp3', 'mp4', 'txt'][roll(4)]}`;
        const body = Buffer.alloc(1 + roll(5_000), roll(256));
        body.write(newId());
        await bytes.upload(who.actor, `/${name}`, body, { overwrite: true });
        sums['uploads']!++;
        sums['uploaded']! += body.length;
        if (again === undefined) {
          sums['files']!++;
          who.files.push(name);
        }
      }
    }
  }

  /** The raw tables as they are now, counted the plain way. */
  async function states(): Promise<Record<string, number>> {
    const files = (mime: string) => number(`SELECT count(*) AS n FROM nodes WHERE kind = 'file' AND mime_type LIKE $1`, [mime]);
    return {
      uniq_users_all: await number(`SELECT count(*) AS n FROM accounts WHERE state = 'active'`),
      total_storage_size: await number(`SELECT coalesce(sum(size_bytes), 0) AS n FROM versions`),
      storage_image_size: await number(`SELECT coalesce(sum(size_bytes), 0) AS n FROM versions WHERE media = 'image'`),
      storage_audio_size: await number(`SELECT coalesce(sum(size_bytes), 0) AS n FROM versions WHERE media = 'audio'`),
      storage_video_size: await number(`SELECT coalesce(sum(size_bytes), 0) AS n FROM versions WHERE media = 'video'`),
      storage_other_size: await number(`SELECT coalesce(sum(size_bytes), 0) AS n FROM versions WHERE media = 'other'`),
      total_files_count: await files('%'),
      image_files_count: await files('image/%'),
      audio_files_count: await files('audio/%'),
      video_files_count: await files('video/%'),
      total_links_count: await number('SELECT count(*) AS n FROM links'),
      total_shares_count: await number('SELECT count(*) AS n FROM shares'),
      total_devices_count: await number('SELECT count(*) AS n FROM auth_tokens WHERE permanent'),
    };
  }

  const RANGE = () => ({ fromSeconds: firstMs / 1_000, toSeconds: (firstMs + (DAYS - 1) * DAY_MS) / 1_000 });
  const NAMES = METRICS.map(({ name }) => name);
  async function figures(actor: AccountActor, period = 'day', region = 'all'): Promise<Record<string, number[]>> {
    const found = await bytes.app.get(Analytics).readMany(actor, NAMES, RANGE(), { period, region });
    return Object.fromEntries([...found].map(([name, points]) => [name, points.map(({ value }) => Number(value))]));
  }

  /** Forgets all figures, as if the job had never run. */
  async function forgetFigures(): Promise<void> {
    await bytes.database.run(`DELETE FROM analytics_periods WHERE starts_on >= $1 OR period <> 'day'`, [dayText(0)]);
  }

  /** Runs the job at the end of the time, until all of it is closed: other tests of the same server may have transactions open. */
  async function close(): Promise<void> {
    at(DAYS, 3_600_000);
    await expect
      .poll(
        async () => {
          await run();
          return number(`SELECT count(*) AS n FROM analytics_periods WHERE period = 'day' AND closed AND starts_on BETWEEN $1 AND $2`, [
            dayText(0),
            dayText(DAYS - 1),
          ]);
        },
        { timeout: 60_000 },
      )
      .toBe(DAYS);
  }

  function expectSeen(found: Record<string, number[]>): void {
    for (const name of Object.keys(seen[0]!.states)) expect([name, found[name]]).toEqual([name, seen.map(({ states: counted }) => counted[name])]);
    const sums = (key: string) => seen.map(({ sums: counted }) => counted[key]);
    expect(found['users_added_count']).toEqual(sums('users_added'));
    expect(found['users_deleted_count']).toEqual(sums('users_deleted'));
    expect(found['files_added_count']).toEqual(sums('files'));
    expect(found['uploads_count']).toEqual(sums('uploads'));
    expect(found['uploads_size']).toEqual(sums('uploaded'));
    expect(found['downloads_count']).toEqual(sums('downloads'));
    expect(found['downloads_size']).toEqual(sums('downloaded'));
    expect(found['uniq_users']).toEqual(seen.map(({ active }) => new Set(active.map(({ id }) => id)).size));
    for (const client of ['desktop', 'mobile', 'other'])
      expect(found[`uniq_users_${client}`]).toEqual(
        seen.map(({ active }) => new Set(active.filter((one) => one.client === client).map(({ id }) => id)).size),
      );
    const users = found['uniq_users_all']!;
    expect(found['avg_storage_size_all']).toEqual(found['total_storage_size']!.map((size, index) => Math.floor(size / users[index]!)));
  }

  it('has something of everything in it', () => {
    for (const name of Object.keys(seen[0]!.states))
      expect([name, Math.max(...seen.map(({ states: counted }) => counted[name]!)) > 0]).toEqual([name, true]);
    for (const key of Object.keys(seen[0]!.sums)) expect([key, Math.max(...seen.map(({ sums }) => sums[key]!)) > 0]).toEqual([key, true]);
  });

  it('equals a recount of every day when the job comes a month late, and when it runs again', async () => {
    await close();
    const late = await figures(admin);
    expectSeen(late);
    await run();
    await Promise.all([run(), run()]);
    expect(await figures(admin)).toEqual(late);
  });

  it('makes the same figures without being closed: provisional days go on from the day before', async () => {
    const closed = await figures(admin);
    await forgetFigures();
    // ten minutes after its midnight no day is closed
    for (let index = 0; index < DAYS; index += 5) {
      at(index + 1, 600_000);
      await run();
      expect(
        await number(`SELECT count(*) AS n FROM analytics_periods WHERE NOT closed AND starts_on = $1 AND period = 'day'`, [dayText(index)]),
      ).toBe(1);
    }
    await close();
    expect(await figures(admin)).toEqual(closed);
  });

  it('weeks and months add up, tell the state of their last day, and count a person once', async () => {
    const days = await figures(admin);
    for (const period of ['week', 'month'] as const) {
      const begin = (day: string): string => {
        if (period === 'month') return `${day.slice(0, 8)}01`;
        const date = new Date(`${day}T00:00:00Z`);
        return new Date(date.getTime() - ((date.getUTCDay() + 6) % 7) * DAY_MS).toISOString().slice(0, 10);
      };
      const parts = new Map<string, number[]>();
      seen.forEach(({ day }, index) => parts.set(begin(day), [...(parts.get(begin(day)) ?? []), index]));
      const found = await figures(admin, period);
      const groups = [...parts.values()];
      // the last period goes on behind the days that were seen: what comes then are days on which nothing happened
      expect(found['uploads_size']).toEqual(groups.map((group) => group.reduce((sum, index) => sum + days['uploads_size']![index]!, 0)));
      expect(found['total_storage_size']).toEqual(groups.map((group) => days['total_storage_size']![group.at(-1)!]));
      expect(found['total_files_count']).toEqual(groups.map((group) => days['total_files_count']![group.at(-1)!]));
      const unique = (group: number[]) => new Set(group.flatMap((index) => seen[index]!.active.map(({ id }) => id))).size;
      expect(found['uniq_users']).toEqual(groups.map(unique));
    }
  });

  it('shows a region its own, a company its own, and nobody else anything', async () => {
    const inEurope = await figures(admin, 'day', 'eu');
    expect(inEurope['uniq_users_all']!.at(-1)).toBe(await number(`SELECT count(*) AS n FROM accounts WHERE state = 'active' AND region = 'eu'`));
    const ofCompany = await figures(companyAdmin);
    expect(ofCompany['uniq_users_all']!.at(-1)).toBe(
      await number(`SELECT count(*) AS n FROM accounts WHERE state = 'active' AND company_id = $1`, [companyId]),
    );
    expect(ofCompany['total_storage_size']!.at(-1)).toBe(
      await number(
        `SELECT coalesce(sum(v.size_bytes), 0) AS n FROM versions v JOIN spaces s ON s.id = v.space_id JOIN accounts a ON a.id = s.account_id WHERE a.company_id = $1`,
        [companyId],
      ),
    );
    expect((await figures(admin, 'day', 'nowhere'))['total_storage_size']!.every((value) => value === 0)).toBe(true);
    const plain = await join();
    expect(await codeOf(figures(plain))).toBe('FORBIDDEN');
    expect(await codeOf(figures({ ...admin, byPair: true }))).toBe('FORBIDDEN');
  });

  it('two statements, however long the time and however many metrics', async () => {
    const analytics = bytes.app.get(Analytics);
    expect(await countStatements(() => analytics.read(admin, 'uniq_users', { ...RANGE(), toSeconds: RANGE().fromSeconds }))).toBe(2);
    expect(await countStatements(() => figures(admin))).toBe(2);
  });

  it('waits for a transaction that began in the day before it closes it', async () => {
    const day = DAYS + 1;
    at(day, 3_600_000);
    const owner = people.find(({ actor }) => actor.accountId === admin.accountId)!.actor;
    let release!: () => void;
    const held = new Promise<void>((resolve) => (release = resolve));
    let written!: () => void;
    const wrote = new Promise<void>((resolve) => (written = resolve));
    const atMs = bytes.clock.nowMs();
    const { spaceId } = await bytes.app.get(SpaceService).homeOf(owner.accountId);
    const slow = bytes.app.get(UnitOfWork, { strict: false }).run(async () => {
      await bytes.database.run(
        `INSERT INTO change_events (scope_id, event_id, type, path, at_ms, facts) VALUES ($1, $2, 'file_download', '/late', $3, '{"size": 77}')`,
        [spaceId, newId(), atMs],
      );
      written();
      await held;
    });
    await wrote;
    at(day + 1, 3_600_000);
    await run();
    const closed = () => number(`SELECT count(*) AS n FROM analytics_periods WHERE period = 'day' AND starts_on = $1 AND closed`, [dayText(day)]);
    expect(await closed()).toBe(0);
    release();
    await slow;
    await expect
      .poll(
        async () => {
          await run();
          return closed();
        },
        { timeout: 60_000 },
      )
      .toBe(1);
    const range = { fromSeconds: (firstMs + day * DAY_MS) / 1_000, toSeconds: (firstMs + day * DAY_MS) / 1_000 };
    expect((await bytes.app.get(Analytics).read(admin, 'downloads_size', range)).points.map(({ value }) => value)).toEqual(['77']);
  });

  it('remembers what an erased account used while it was there', async () => {
    const day = DAYS + 4;
    at(day, 3_600_000);
    const gone = await join();
    await relabel(day);
    await bytes.database.run(`UPDATE quotas SET used_bytes = 500, changed_on = $2 WHERE owner_kind = 'account' AND owner_id = $1`, [
      gone.accountId,
      dayText(day),
    ]);
    await relabel(day);
    at(day + 1, 3_600_000);
    await bytes.database.run(`DELETE FROM quotas WHERE owner_kind = 'account' AND owner_id = $1`, [gone.accountId]);
    await relabel(day + 1);
    at(day + 2, 3_600_000);
    await run();
    const range = { fromSeconds: (firstMs + day * DAY_MS) / 1_000, toSeconds: (firstMs + (day + 1) * DAY_MS) / 1_000 };
    const [before, after] = (await bytes.app.get(Analytics).read(admin, 'total_storage_size', range)).points.map(({ value }) => Number(value));
    expect(before! - after!).toBe(500);
  });

  it('a list is made once, also by a second run after the mail was left', async () => {
    let checkpoint: unknown = null;
    const progress: number[] = [];
    const context = (accountId: number): TaskContext => ({
      taskId: newId(),
      accountId,
      guest: null,
      checkpoint: checkpoint as never,
      signal: NOBODY,
      saveProgress: (percent, saved) => {
        progress.push(percent);
        if (saved) checkpoint = saved;
        return Promise.resolve();
      },
      throwIfCancelled: () => Promise.resolve(),
    });
    const task = bytes.app.get(CsvReportTask, { strict: false });
    const input = { type: 'users', email: 'boss@example.org' } as const;
    const mails = () => number(`SELECT count(*) AS n FROM outbox WHERE job = 'mail.send' AND payload->'attachment'->>'storeKey' IS NOT NULL`);
    const made = await task.run(input, context(companyAdmin.accountId));
    expect(made.rows).toBe(await number(`SELECT count(*) AS n FROM accounts WHERE company_id = $1`, [companyId]));
    expect(await task.run(input, context(companyAdmin.accountId))).toEqual(made);
    expect(await mails()).toBe(1);
    expect(progress.every((percent) => percent >= 0 && percent < 100)).toBe(true);
    checkpoint = null;
    // who is no administrator any more when it runs gets nothing
    await bytes.database.run('UPDATE accounts SET is_company_admin = false WHERE id = $1', [companyAdmin.accountId]);
    expect(await codeOf(task.run(input, context(companyAdmin.accountId)))).toBe('FORBIDDEN');
    expect(await codeOf(task.run({ ...input, type: 'companies' }, context(companyAdmin.accountId)))).toBe('FORBIDDEN');
    expect(await mails()).toBe(1);
  });
});
