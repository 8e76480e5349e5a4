import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { checkName, MAX_NAME_BYTES, nameKey, numberedName, pathSegments, restoreKey, segmentKeys } from './names.js';

const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((text) => !/[/\p{Cc}]/u.test(text));

describe('nameKey', () => {
  it('is the same for every composition and for lower and mixed case, and stays when applied again', () => {
    fc.assert(
      fc.property(name, (text) => {
        const key = nameKey(text);
        expect(nameKey(key)).toBe(key);
        expect(nameKey(text.normalize('NFD'))).toBe(key);
        expect(nameKey(text.toLowerCase())).toBe(key);
      }),
    );
  });

  it('does not depend on what surrounds a letter', () => {
    expect(nameKey('ΟΔΟΣ')).toBe(nameKey('ΟΔΟΣΑ').slice(0, -1));
    expect(nameKey('İ')).not.toBe(nameKey('i'));
    expect(nameKey('straße')).not.toBe(nameKey('strasse'));
  });
});

describe('checkName', () => {
  it('tells what is wrong', () => {
    const reason = (text: string): unknown => {
      try {
        checkName(text);
        return null;
      } catch (error) {
        return (error as { details: { reason: string } }).details.reason;
      }
    };
    expect(['', '.', '..', 'a/b', 'a\0', 'a\nb', '\x7f', '\x85', '\ud83d', 'x'.repeat(256), 'é'.repeat(128)].map(reason)).toEqual([
      'empty',
      'dots',
      'dots',
      'slash',
      'control',
      'control',
      'control',
      'control',
      'surrogate',
      'long',
      'long',
    ]);
    expect(['...', ' ', ' a. ', '%_\\', '\u202e', '👍'.repeat(63), 'x'.repeat(255), '& ◐ {}'].map(reason)).toEqual(
      Array.from({ length: 8 }, () => null),
    );
  });
});

describe('numberedName', () => {
  it('is always a legal name', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 255 }),
        fc.integer({ min: 1, max: 99_999 }),
        fc.constantFrom('file' as const, 'folder' as const),
        (text, mark, kind) => {
          fc.pre(Buffer.byteLength(text) <= MAX_NAME_BYTES && !/[/\p{Cc}]|^\.\.?$/u.test(text));
          expect(checkName(numberedName(text, mark, kind))).toContain(` (${mark})`);
        },
      ),
    );
  });
});

describe('paths', () => {
  it('are split and keyed', () => {
    expect(pathSegments('/')).toEqual([]);
    expect(pathSegments('/a/ b')).toEqual(['a', ' b']);
    expect(segmentKeys(['A', '\ud800', 'x\0'])).toEqual(['a', '', '']);
    expect(restoreKey(['A', 'B'])).toBe(restoreKey(['a', 'b']));
    expect(restoreKey(['a', 'b'])).not.toBe(restoreKey(['a']));
  });
});
