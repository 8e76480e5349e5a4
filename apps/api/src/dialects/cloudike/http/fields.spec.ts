import { IsIn } from 'class-validator';
import { describe, expect, it } from 'vitest';

import { bind, Bool, IdList, Int, Json, List, Md5, Ms, Path, PathList, Text } from './fields.js';
import { ParamBag } from './param-bag.js';

class Everything {
  @Path()
  path?: string[];

  @PathList({ aliases: ['path_list'] })
  paths?: string[][];

  @Text({ maxBytes: 4 })
  short?: string;

  @Int({ min: 1, max: 10 })
  partNum?: number;

  @Ms()
  created?: number;

  @Bool()
  flag?: boolean;

  @List({ name: 'confirm_urls' })
  urls?: string[];

  @IdList()
  userIds?: number[];

  @Md5()
  checksum?: string;

  @Json()
  extra?: unknown;

  @Text()
  @IsIn(['a', 'b'], { message: 'The parameter "choice" must be a or b.' })
  choice?: string = 'a';
}

const bagOf = (...pairs: [string, unknown][]): ParamBag => {
  const bag = new ParamBag();
  for (const [name, value] of pairs) bag.add(name, value);
  return bag;
};
const read = (...pairs: [string, unknown][]) => bind(Everything, bagOf(...pairs));

describe('bind', () => {
  it.each([
    ['true', true],
    ['True', true],
    ['1', true],
    [1, true],
    [true, true],
    ['false', false],
    ['False', false],
    ['0', false],
    [0, false],
    ['', false],
    [false, false],
  ])('reads the boolean %j', (value, expected) => {
    expect(read(['flag', value]).flag).toBe(expected);
  });

  it.each([
    ['/a/b', ['a', 'b']],
    ['a/b', ['a', 'b']],
    ['//a//b/', ['a', 'b']],
    ['/', []],
    ['', []],
    ['/a\\b & ◐{}', ['a\\b & ◐{}']],
    ['/ lead/trail ', [' lead', 'trail ']],
  ])('reads the path %j', (value, expected) => {
    expect(read(['path', value]).path).toEqual(expected);
  });

  it.each([
    ['1385719238000', 1385719238000],
    [-62135596800000, -62135596800000],
    ['8640000000000000', 8.64e15],
    ['1385719238000.0', 1385719238000],
    ['', undefined],
  ])('reads the time %j', (value, expected) => {
    expect(read(['created', value]).created).toBe(expected);
  });

  it('reads lists in every spelling, and aliases', () => {
    expect(read(['confirm_urls[1]', 'b'], ['confirm_urls[0]', 'a']).urls).toEqual(['a', 'b']);
    expect(read(['path_list', '/a'], ['path_list', '/b/c']).paths).toEqual([['a'], ['b', 'c']]);
    expect(read(['user_ids', '[1,2]']).userIds).toEqual([1, 2]);
    expect(read(['user_ids', '3, 4']).userIds).toEqual([3, 4]);
    expect(read(['user_ids', 5], ['user_ids', '6']).userIds).toEqual([5, 6]);
  });

  it('takes the last of repeated single values', () => {
    expect(read(['short', 'a'], ['short', 'b']).short).toBe('b');
  });

  it('reads JSON as a value or as a text', () => {
    expect(read(['extra', '{"a":[1]}']).extra).toEqual({ a: [1] });
    expect(read(['extra', { a: 1 }]).extra).toEqual({ a: 1 });
    expect(read(['extra', 'plain']).extra).toBe('plain');
  });

  it('keeps defaults and leaves out what was not given', () => {
    expect({ ...read(['unknown', 'x']) }).toEqual({ choice: 'a' });
  });

  it.each<[string, unknown, RegExp]>([
    ['flag', 'maybe', /"flag" must be true or false/],
    ['part_num', '0', /"part_num" must be from 1 to 10/],
    ['part_num', '1e3', /whole number/],
    ['part_num', '99999999999999999999', /whole number/],
    ['created', '8640000000000001', /must be from/],
    ['created', '12.5', /whole number/],
    ['short', 'äää', /not be longer than 4 bytes/],
    ['short', 'a\0b', /NUL/],
    ['short', { a: 1 }, /single value/],
    ['checksum', 'xyz', /MD5/],
    ['user_ids', '1,x', /whole number/],
    ['choice', 'c', /must be a or b/],
  ])('refuses %s = %j', (name, value, message) => {
    expect(() => read([name, value])).toThrow(message);
  });
});
