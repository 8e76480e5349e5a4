import { describe, expect, it } from 'vitest';

import { csvLine } from './csv.js';

describe('csvLine', () => {
  it('quotes what would end a field or a line', () => {
    expect(csvLine(['a', 'b,c', 'say "x"', 'one\r\ntwo', 7, true, null, undefined])).toBe('a,"b,c","say ""x""","one\r\ntwo",7,true,,\r\n');
  });

  it.each(['=1+1', '+7920', '-2', '@SUM(A1)', '\t=1', '  =1', '\n=1'])('lets no spreadsheet take %j for a formula', (text) => {
    expect(csvLine([text]).replaceAll('"', '')).toMatch(/^'/);
  });

  it('numbers stay numbers', () => {
    expect(csvLine([-5, 0])).toBe('-5,0\r\n');
  });
});
