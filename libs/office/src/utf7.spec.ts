import { describe, expect, it } from 'vitest';

import { decodeUtf7, encodeUtf7 } from './utf7.js';

describe('UTF-7', () => {
  // the first two are the examples of RFC 2152
  it.each([
    ['A+ImIDkQ.', 'A≢Α.'],
    ['Hi Mom -+Jjo--!', 'Hi Mom -☺-!'],
    ['report.docx', 'report.docx'],
    ['1 +- 1 +AD0- 2', '1 + 1 = 2'],
    ['+ZeVnLIqe-', '日本語'],
    ['+2D3eAA-.docx', '😀.docx'],
    ['+BB8EQAQ4BDIENQRC-.xlsx', 'Привет.xlsx'],
  ])('%s is %s', (encoded, text) => expect(decodeUtf7(encoded)).toBe(text));

  it.each(['+', 'a+!', '+2D0-', 'caf\u00e9', 'a\tb', '+A-'])('%j is refused', (encoded) => expect(decodeUtf7(encoded)).toBeNull());

  it.each(['', 'plain name.docx', 'a+b', 'ä', '日本語 ☺ mixed + text.odt', '😀😀', '=&~\\', 'e\u0301', '+++'])('%j goes there and back', (text) => {
    expect(encodeUtf7(text)).toMatch(/^[\x20-\x7e]*$/);
    expect(decodeUtf7(encodeUtf7(text))).toBe(text);
  });
});
