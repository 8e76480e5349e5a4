import { describe, expect, it } from 'vitest';
import { matchesETag, resolveRange } from './http-range.js';

describe('resolveRange', () => {
  it.each([
    ['bytes=0-0', 0, 0],
    ['bytes=0-', 0, 9],
    ['bytes=9-9', 9, 9],
    ['bytes=5-100', 5, 9],
    ['bytes=-1', 9, 9],
    ['bytes=-10', 0, 9],
    ['bytes=-99', 0, 9],
    ['BYTES = 2-3', 2, 3],
  ])('should cut %s of 10 bytes to %i-%i', (header, start, endInclusive) => {
    expect(resolveRange(header, 10)).toEqual({ start, endInclusive });
  });

  it.each([
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=a-b',
    'bytes=5-2',
    'bytes=0-1,3-4',
    'items=0-1',
    'bytes=0x1-2',
    'bytes=1.5-2',
    `bytes=${'9'.repeat(20)}-`,
  ])('should send the whole for %s', (header) => expect(resolveRange(header, 10)).toBeNull());

  it.each(['bytes=10-', 'bytes=10-20', 'bytes=-0'])('should find %s of 10 bytes unsatisfiable', (header) => {
    expect(resolveRange(header, 10)).toBe('unsatisfiable');
  });

  it('should find every range of nothing unsatisfiable', () => {
    for (const header of ['bytes=0-', 'bytes=-5', 'bytes=0-0']) expect(resolveRange(header, 0)).toBe('unsatisfiable');
  });
});

describe('matchesETag', () => {
  it('should look through a list and obey the strength asked for', () => {
    expect(matchesETag('"a", "b"', '"b"', false)).toBe(true);
    expect(matchesETag('*', '"b"', false)).toBe(true);
    expect(matchesETag('"a"', '"b"', true)).toBe(false);
    expect(matchesETag('W/"b"', '"b"', true)).toBe(true);
    expect(matchesETag('W/"b"', '"b"', false)).toBe(false);
  });
});
