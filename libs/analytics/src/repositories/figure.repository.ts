import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import type { Period } from '../calendar.js';
import { expressionOf, METRICS } from '../metrics.js';

/** Whose figures: null = of all. */
export interface FigureScope {
  readonly companyId: number | null;
  readonly region: string | null;
}

/** One period with the values of all metrics, in the order of METRICS; whole numbers. */
export interface FigureRow {
  /** Seconds since the epoch at its first midnight in UTC. */
  readonly timeSeconds: number;
  readonly values: readonly string[];
}

/** A bit more than ten years of days. */
const MAX_ROWS = 4_000;
const VALUES = METRICS.map(({ name }) => `coalesce(floor(${expressionOf(name)}), 0)::text`).join(', ');

/** Figures that were made. */
@Injectable()
export class FigureRepository {
  constructor(private readonly database: Database) {}

  /** Periods from the one that begins on `firstDay` to the one that `lastDay` lies in, oldest first, 4,000 at most. One statement. */
  read(period: Period, range: { readonly firstDay: string; readonly lastDay: string }, scope: FigureScope): Promise<FigureRow[]> {
    return this.database.query<FigureRow & Record<string, unknown>>(
      `SELECT extract(epoch FROM p.starts_on)::float8 AS "timeSeconds", ARRAY[${VALUES}] AS values
         FROM (SELECT starts_on FROM analytics_periods WHERE period = $1 AND made_at IS NOT NULL AND starts_on BETWEEN $2::date AND $3::date
                ORDER BY starts_on LIMIT ${MAX_ROWS}) p
         LEFT JOIN analytics_figures f ON f.period = $1 AND f.starts_on = p.starts_on AND ($4::bigint IS NULL OR f.company_id = $4) AND ($5::text IS NULL OR f.region = $5)
        GROUP BY p.starts_on ORDER BY p.starts_on`,
      [period, range.firstDay, range.lastDay, scope.companyId, scope.region],
    );
  }
}
