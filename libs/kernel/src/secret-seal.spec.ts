import { describe, expect, it } from 'vitest';

import { SecretSeal } from './secret-seal.js';

describe('SecretSeal', () => {
  it('opens what it sealed for the same purpose, each time another text, and nothing else', () => {
    const seal = new SecretSeal('a key', 'tests');
    const [one, two] = [seal.seal('säcret'), seal.seal('säcret')];
    expect(one).not.toBe(two);
    expect([seal.open(one), seal.open(two)]).toEqual(['säcret', 'säcret']);
    expect(() => new SecretSeal('another key', 'tests').open(one)).toThrow();
    expect(() => new SecretSeal('a key', 'other tests').open(one)).toThrow();
    expect(() => seal.open(`${one.slice(0, -2)}AA`)).toThrow();
  });
});
