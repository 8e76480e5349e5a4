export const PERIODS = ['day', 'week', 'month'] as const;

/** Periods of UTC: weeks begin on Monday. */
export type Period = (typeof PERIODS)[number];

export const DAY_MS = 24 * 3_600_000;
/** The first day of the epoch is a Thursday. */
const MONDAY_OFFSET = 3;

/** The day of a moment, as `YYYY-MM-DD` in UTC. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** The first moment of a day, in ms since the epoch. */
export function startOf(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}

/** The day `count` days after `day`, or before it. */
export function plusDays(day: string, count: number): string {
  return dayOf(startOf(day) + count * DAY_MS);
}

/** First day of the period that `day` lies in, and the first day after it. */
export function periodOf(period: Period, day: string): { readonly startsOn: string; readonly endsBefore: string } {
  if (period === 'day') return { startsOn: day, endsBefore: plusDays(day, 1) };
  if (period === 'week') {
    const sinceMonday = (Math.floor(startOf(day) / DAY_MS) + MONDAY_OFFSET) % 7;
    const startsOn = plusDays(day, -sinceMonday);
    return { startsOn, endsBefore: plusDays(startsOn, 7) };
  }
  const [year, month] = day.split('-').map(Number) as [number, number];
  return { startsOn: `${day.slice(0, 8)}01`, endsBefore: dayOf(Date.UTC(year, month, 1)) };
}
