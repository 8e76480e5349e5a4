import { describe, expect, it } from 'vitest';

import { confirmUrl, uploadOf } from './confirm-url.js';

const command = { path: ['a b', 'ü&?.txt'], overwrite: true, createParents: true, multipart: false };

describe('confirm_url', () => {
  it('carries everything that confirming needs, and nothing that was not said', () => {
    expect(confirmUrl('https://host', 'confirm', 7, command, { tempName: '7_ab' })).toBe(
      'https://host/api/1/files/confirm/a%20b/%C3%BC%26%3F.txt?user_id=7&temp_name=7_ab&overwrite=true',
    );
    const full = { ...command, expectedVersionNo: 3, sizeBytes: 0, md5: 'd4', clientCreatedMs: -1, clientModifiedMs: 2 };
    expect(new URL(confirmUrl('https://host', 'confirm', 7, full, { tempName: '7_ab' })).search).toBe(
      '?user_id=7&temp_name=7_ab&overwrite=true&version=3&size=0&checksum=d4&created=-1&modified=2',
    );
  });

  it('is read back whatever host and version it was made for', () => {
    const url = confirmUrl('https://host', 'confirm', 7, command, { tempName: '7_ab' });
    expect(uploadOf(url)).toEqual({ accountId: 7, tempName: '7_ab' });
    expect(uploadOf(url.replace('https://host/api/1', 'http://other/api/0'))).toEqual({ accountId: 7, tempName: '7_ab' });
  });

  it.each([
    '',
    'nonsense',
    'https://host/api/1/files/confirm/a',
    'https://host/api/1/files/confirm/a?user_id=7',
    'https://host/api/1/files/confirm/a?user_id=x&temp_name=y',
    'https://host/api/1/files/other/a?user_id=7&temp_name=7_ab',
    'https://host/api/1/files/confirm_from_diff/a?user_id=7&temp_name=7_ab',
  ])('is refused when it is none: %s', (text) => {
    expect(() => uploadOf(text)).toThrow('confirm_urls');
  });
});
