import { describe, expect, it } from 'vitest';

import { checkedIps } from './allowed-ips.js';

describe('a list of allowed addresses', () => {
  it.each([
    ['', ''],
    ['10.0.0.1', '10.0.0.1'],
    ['10.0.0.0/8; 192.168.0.1\n2001:db8::/32', '10.0.0.0/8,192.168.0.1,2001:db8::/32'],
    [' ::1/128 ,,', '::1/128'],
  ])('%j is kept as %j', (text, kept) => expect(checkedIps(text)).toBe(kept));

  it.each([
    'localhost',
    '10.0.0',
    '10.0.0.1/33',
    '10.0.0.1/',
    '10.0.0.1/8/8',
    '::1/129',
    'fe80::1%eth0',
    '10.0.0.1/-1',
    Array(501).fill('::1').join(','),
  ])('%.30s is refused', (text) => expect(() => checkedIps(text)).toThrow(/allowed_ips/));
});
