import { describe, expect, it } from 'vitest';

import { directoryId, fileId, fitted, flag, optionalText, requiredText, textList } from '../http/input.js';
import { durationText } from './duration.js';
import { fileKey, secretOf } from './file-key.js';
import { splitName } from './file.presenter.js';

const ID = '0199b5a2-0000-7000-8000-0000000000aa';

describe('what comes in', () => {
  it('names directories and files by UUIDs, and the top directory by a word', () => {
    expect([directoryId('root'), directoryId(''), directoryId(undefined), directoryId(ID.toUpperCase())]).toEqual([null, null, null, ID]);
    expect(fileId(ID)).toBe(ID);
    for (const text of ['abc', 'ROOT', `${ID}x`, '688344475123816c01c8529', '../etc'])
      expect(() => directoryId(text), text).toThrow('invalid directory ID format');
    for (const text of ['', 'root', 'abc']) expect(() => fileId(text), text).toThrow('invalid file ID format');
  });

  it('has flags, texts and lists', () => {
    const query = new URLSearchParams('a=TRUE&b=0&c=&d=yes');
    expect([flag(query, 'a', false), flag(query, 'b', true), flag(query, 'c', true), flag(query, 'none', false)]).toEqual([true, false, true, false]);
    expect(() => flag(query, 'd', false)).toThrow('d must be a boolean');
    expect([optionalText({ a: 'x' }, 'a'), optionalText({ a: '' }, 'a'), optionalText({ a: null }, 'a')]).toEqual(['x', undefined, undefined]);
    expect(() => optionalText({ a: 7 }, 'a')).toThrow('invalid request body');
    expect(() => requiredText({}, 'a')).toThrow('invalid request body');
    expect(textList({ a: ['x', 'y'] }, 'a')).toEqual(['x', 'y']);
    for (const a of [undefined, null, []]) expect(() => textList({ a }, 'a')).toThrow('a is required');
    for (const a of ['x', [1], {}]) expect(() => textList({ a }, 'a')).toThrow('invalid request body');
  });

  it('is cut where a name is too long, between characters and before the extension', () => {
    expect(fitted('a.txt', 'file')).toEqual({ name: 'a.txt', isTrimmed: false });
    expect(fitted(`${'ü'.repeat(200)}.txt`, 'file')).toEqual({ name: `${'ü'.repeat(125)}.txt`, isTrimmed: true });
    expect(fitted(`${'😀'.repeat(100)}.d`, 'folder')).toEqual({ name: '😀'.repeat(63), isTrimmed: true });
  });
});

describe('what goes out', () => {
  it('has times as clients read them', () => {
    expect([1, 60, 90, 3600, 90_061].map(durationText)).toEqual(['1s', '1m0s', '1m30s', '1h0m0s', '25h1m1s']);
  });

  it('has keys that belong to one file', () => {
    expect(secretOf(ID, fileKey(ID, 'a_b-C'))).toBe('a_b-C');
    expect([secretOf(ID, `${ID.replace('aa', 'ab')}_x`), secretOf(ID, 'x'), secretOf(ID, null)]).toEqual([undefined, undefined, undefined]);
  });

  it('has names in parts', () => {
    expect(['Ann', ' Ann  Lee ', 'Ann Mary Sue Lee', ''].map(splitName)).toEqual([
      { first_name: 'Ann', middle_name: '', last_name: '' },
      { first_name: 'Ann', middle_name: '', last_name: 'Lee' },
      { first_name: 'Ann', middle_name: 'Mary Sue', last_name: 'Lee' },
      { first_name: '', middle_name: '', last_name: '' },
    ]);
  });
});
