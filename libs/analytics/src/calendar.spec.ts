import { describe, expect, it } from 'vitest';

import { dayOf, periodOf, plusDays } from './calendar.js';

describe('periods of UTC', () => {
  it('a day begins and ends at midnight in UTC', () => {
    expect(dayOf(Date.UTC(2026, 10, 21, 23, 59, 59, 999))).toBe('2026-11-21');
    expect(dayOf(Date.UTC(2026, 10, 22))).toBe('2026-11-22');
    expect(dayOf(-1)).toBe('1969-12-31');
    expect(plusDays('2028-02-28', 1)).toBe('2028-02-29');
    expect(plusDays('2026-03-01', -1)).toBe('2026-02-28');
  });

  it.each([
    ['2026-11-16', '2026-11-16', '2026-11-23'],
    ['2026-11-22', '2026-11-16', '2026-11-23'],
    ['2027-01-01', '2026-12-28', '2027-01-04'],
  ])('the week of %s', (day, startsOn, endsBefore) => {
    expect(periodOf('week', day)).toEqual({ startsOn, endsBefore });
  });

  it.each([
    ['2026-12-31', '2026-12-01', '2027-01-01'],
    ['2028-02-29', '2028-02-01', '2028-03-01'],
  ])('the month of %s', (day, startsOn, endsBefore) => {
    expect(periodOf('month', day)).toEqual({ startsOn, endsBefore });
  });
});
