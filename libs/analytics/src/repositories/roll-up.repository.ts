import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import { type Period, plusDays, startOf } from '../calendar.js';
import { DAY_FIGURES, LONG_FIGURES } from './roll-up-sql.js';

const KEPT_DAYS = 62;

/** Makes the figures of periods. */
@Injectable()
export class RollUpRepository {
  constructor(private readonly database: Database) {}

  /** Lets no other run make figures until the transaction ends. */
  lock(): Promise<void> {
    return this.database.lock('analytics:roll-up');
  }

  /** The days up to `today` whose figures may still change, oldest first. */
  async openDays(today: string): Promise<string[]> {
    const rows = await this.database.query<{ day: string }>(
      `SELECT d::date::text AS day
         FROM (SELECT min(starts_on) AS first FROM analytics_periods WHERE period = 'day') p, generate_series(p.first::timestamp, $1::date::timestamp, '1 day') d
        WHERE NOT EXISTS (SELECT 1 FROM analytics_periods c WHERE c.period = 'day' AND c.starts_on = d::date AND c.closed) ORDER BY d`,
      [today],
    );
    return rows.map(({ day }) => day);
  }

  /** Whether a day has figures, and whether they are the last. */
  async state(day: string): Promise<{ readonly made: boolean; readonly closed: boolean }> {
    const row = await this.database.queryOne<{ made: boolean; closed: boolean }>(
      `SELECT made_at IS NOT NULL AS made, closed FROM analytics_periods WHERE period = 'day' AND starts_on = $1`,
      [day],
    );
    return row ?? { made: false, closed: false };
  }

  /**
   * True when every transaction that could have facts of a past day has ended. The first call notes which may be running; statements after one
   * that answers true see all of them.
   */
  async settled(day: string): Promise<boolean> {
    const row = await this.database.queryOne<{ settled: boolean }>(
      `INSERT INTO analytics_periods AS p (period, starts_on, horizon) VALUES ('day', $1, pg_current_xact_id())
       ON CONFLICT (period, starts_on) DO UPDATE SET horizon = coalesce(p.horizon, excluded.horizon)
       RETURNING horizon <= pg_snapshot_xmin(pg_current_snapshot()) AS settled`,
      [day],
    );
    return row!.settled;
  }

  /** Makes the figures of a day anew; `base` as in DAY_FIGURES. */
  async makeDay(day: string, { closed, base, now }: { readonly closed: boolean; readonly base: string | null; readonly now: Date }): Promise<void> {
    await this.begin('day', day, closed, now);
    const [from, to] = [startOf(day), startOf(plusDays(day, 1))];
    await this.database.run(DAY_FIGURES, [day, from, to, firstIdOf(from), firstIdOf(to), base]);
  }

  /** Makes the figures of a week or a month anew from those of its days. */
  async makeLong(period: Exclude<Period, 'day'>, startsOn: string, endsBefore: string, now: Date): Promise<void> {
    await this.begin(period, startsOn, false, now);
    await this.database.run(LONG_FIGURES, [period, startsOn, endsBefore]);
  }

  /** Forgets what figures were made from, two months after the last of them was closed. */
  async forget(firstOpenDay: string): Promise<void> {
    const before = plusDays(firstOpenDay, -KEPT_DAYS);
    await this.database.run('DELETE FROM account_days WHERE day < $1', [before]);
    await this.database.run('DELETE FROM analytics_removals WHERE removed_on < $1', [before]);
    // the newest row of an account before that day still tells what it used then
    await this.database.run(
      `DELETE FROM quota_days h WHERE h.day < $1::date
          AND (EXISTS (SELECT 1 FROM quota_days n WHERE n.account_id = h.account_id AND n.day > h.day AND n.day < $1::date)
            OR EXISTS (SELECT 1 FROM quotas q WHERE q.owner_kind = 'account' AND q.owner_id = h.account_id AND q.changed_on < $1::date))`,
      [before],
    );
  }

  private async begin(period: Period, startsOn: string, closed: boolean, now: Date): Promise<void> {
    await this.database.run(
      `INSERT INTO analytics_periods (period, starts_on, closed, made_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT (period, starts_on) DO UPDATE SET closed = excluded.closed, made_at = excluded.made_at`,
      [period, startsOn, closed, now],
    );
    await this.database.run('DELETE FROM analytics_figures WHERE period = $1 AND starts_on = $2', [period, startsOn]);
  }
}

/** The smallest UUID v7 of a moment. */
function firstIdOf(ms: number): string {
  const hex = ms.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
