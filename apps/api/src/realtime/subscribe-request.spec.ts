import { describe, expect, it } from 'vitest';

import { isAllowedOrigin, readSubscribeRequest } from './subscribe-request.js';

describe('readSubscribeRequest', () => {
  const nothing = { token: null, ticket: null, cursor: null, sinceMs: null };

  it.each([
    ['/subscribe', nothing],
    ['/subscribe/', nothing],
    ['//subscribe//?', nothing],
    ['/subscribe/?token=abc&timestamp=1700000000000', { ...nothing, token: 'abc', sinceMs: 1_700_000_000_000 }],
    ['/subscribe/?timestamp=12.7&token=a&token=b', { ...nothing, token: 'b', sinceMs: 12 }],
    ['/subscribe/?ticket=t&cursor=', { ...nothing, ticket: 't', cursor: '' }],
    ['/subscribe/?cursor=1%3A1%3A', { ...nothing, cursor: '1:1:' }],
    ['/subscribe/?timestamp=', nothing],
  ])('reads %s', (target, expected) => {
    expect(readSubscribeRequest(target)).toEqual(expected);
  });

  it.each(['/', '/subscribed', '/api/1/subscribe/', '/subscribe/x', '', undefined])('leaves %s to others', (target) => {
    expect(readSubscribeRequest(target)).toBeNull();
  });

  it.each(['now', '-1', '1e9', '12345678901234567', '.'])('refuses the timestamp %s', (timestamp) => {
    expect(typeof readSubscribeRequest(`/subscribe/?timestamp=${timestamp}`)).toBe('string');
  });
});

describe('isAllowedOrigin', () => {
  const allowed = (origin: string | undefined, others: string[] = []) =>
    isAllowedOrigin(origin === undefined ? {} : { origin }, 'https://cloud.example.org/base', others);

  it('knows the own pages, the configured ones, and programs', () => {
    expect([
      allowed(undefined),
      allowed('https://cloud.example.org'),
      allowed('https://a.example', ['https://a.example']),
      allowed('null', ['*']),
    ]).toEqual([true, true, true, true]);
    expect(
      ['https://cloud.example.org.evil.example', 'http://cloud.example.org', 'https://cloud.example.org:444', 'null', ''].map((origin) =>
        allowed(origin),
      ),
    ).toEqual([false, false, false, false, false]);
  });
});
