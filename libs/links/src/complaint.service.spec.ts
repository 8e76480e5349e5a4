import { describe, expect, it } from 'vitest';

import { hashOf } from './complaint.service.js';

const HASH = 'Zm9v-_YmFyYmF6cXV4MTIz';

describe('hashOf', () => {
  it.each([
    [`https://x.example/public/${HASH}`, HASH],
    [` http://x.example/public/${HASH}/ `, HASH],
    [`https://x.example/public/${HASH}/folder/a file.txt?download#top`, HASH],
    [`x.example/public/${HASH}?public`, HASH],
    [HASH, HASH],
    [`https://x.example/public/`, null],
    [`https://x.example/public/short/`, null],
    [`https://x.example/public/../${HASH}!`, null],
    ['', null],
    [`https://x.example/${HASH}x${'y'.repeat(60)}`, null],
  ])('of %j is %j', (url, hash) => {
    expect(hashOf(url)).toBe(hash);
  });
});
