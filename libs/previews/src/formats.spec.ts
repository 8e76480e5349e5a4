import { describe, expect, it } from 'vitest';

import { mimeTypeOf } from '#libs/nodes';

import { AUTOMATIC_TYPES, formatOf, pagesOf } from './formats.js';

const ofName = (name: string, sizeBytes = 1000) => formatOf(mimeTypeOf(name), sizeBytes);

describe('formatOf', () => {
  it.each([
    ['a.jpg', 'image'],
    ['a.svg', 'image'],
    ['a.heic', 'image'],
    ['a.mp4', 'video'],
    ['a.mov', 'video'],
    ['a.pdf', 'pdf'],
    ['a.docx', 'office'],
    ['a.xls', 'office'],
    ['a.odp', 'office'],
    ['a.rtf', 'office'],
    ['a.txt', 'text'],
    ['a.html', 'text'],
    ['a.json', 'text'],
    ['a.js', 'text'],
    ['a.zip', null],
    ['a.mp3', null],
    ['a.psd', null],
    ['a', null],
  ])('takes %s for %s', (name, format) => expect(ofName(name)).toBe(format));

  it('tells TypeScript sources from transport streams, which have the same ending, by their size', () => {
    expect([ofName('a.ts'), ofName('a.ts', 50_000_000)]).toEqual(['text', 'video']);
  });

  it('sees no preview in an empty file or a folder', () => expect([ofName('a.jpg', 0), formatOf(null, 5)]).toEqual([null, null]));

  it('makes nothing of texts by itself', () => expect(AUTOMATIC_TYPES.filter((type) => formatOf(type, 5) === 'text')).toEqual([]));
});

describe('pagesOf', () => {
  it('knows documents that have pages', () =>
    expect((['pdf', 'office', 'text', 'image', 'video'] as const).map(pagesOf)).toEqual(['pdf-pages', 'office-pages', 'text-pages', null, null]));
});
