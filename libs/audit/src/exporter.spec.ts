import { describe, expect, it } from 'vitest';

import { csvField } from './exporter.js';

describe('csvField', () => {
  it.each([
    [null, ''],
    [-5, '-5'],
    ['plain', 'plain'],
    ['=HYPERLINK("x")', `"'=HYPERLINK(""x"")"`],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@sum', "'@sum"],
    ['\t=1', "'\t=1"],
    ['a,b', '"a,b"'],
    ['a\nb', '"a\nb"'],
  ])('writes %j as %s', (value, text) => expect(csvField(value)).toBe(text));
});
