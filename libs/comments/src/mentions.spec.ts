import { describe, expect, it } from 'vitest';

import { mentionsOf } from './mentions.js';

describe('people named in a text', () => {
  it.each([
    ['', [], []],
    ['nobody here, a@b.org is an address', [], []],
    ['@[Ann Lee](12) and @userid:13, please', [12, 13], []],
    ['@[Ann](userid:12) @[Ann](12)', [12], []],
    ['look, @Ann@Example.org! and (@email:bob@example.org)', [], ['ann@example.org', 'bob@example.org']],
    ['@[unclosed](12 @userid: @userid:x @[a\nb](5)', [], []],
    ['@userid:99999999999999999999', [], []],
  ])('of %j', (text, accountIds, emails) => expect(mentionsOf(text)).toEqual({ accountIds, emails }));

  it('are 50 at most', () => {
    const text = Array.from({ length: 80 }, (_, index) => `@userid:${index + 1} @u${index}@example.org`).join(' ');
    const { accountIds, emails } = mentionsOf(text);
    expect([accountIds.length, emails.length]).toEqual([50, 50]);
  });

  it('are found in a long hostile text in a moment', () => {
    const started = performance.now();
    for (const piece of ['@[', '@userid:', ' @a', '@[a](', ' @email:', 'a@']) mentionsOf(piece.repeat(8_000));
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
