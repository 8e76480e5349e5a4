import { describe, expect, it } from 'vitest';

import { isDomainError } from '#libs/kernel';

import { Turnstile } from './turnstile.js';

describe('Turnstile', () => {
  it('runs work of one key one after the other, in order, and other keys meanwhile', async () => {
    const turnstile = new Turnstile();
    const log: string[] = [];
    let open!: () => void;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const work = (name: string, wait?: Promise<void>) => async () => {
      log.push(`${name} begins`);
      await wait;
      log.push(`${name} ends`);
    };
    const first = turnstile.pass('a', work('first', gate));
    const second = turnstile.pass('a', work('second'));
    await turnstile.pass('b', work('other'));
    open();
    await Promise.all([first, second]);
    expect(log).toEqual(['first begins', 'other begins', 'other ends', 'first ends', 'second begins', 'second ends']);
  });

  it('goes on after work that failed, and tells its failure only to its caller', async () => {
    const turnstile = new Turnstile();
    const failing = turnstile.pass('a', () => Promise.reject(new Error('broken')));
    const next = turnstile.pass('a', () => Promise.resolve('fine'));
    await expect(failing).rejects.toThrow('broken');
    expect(await next).toBe('fine');
  });

  it('refuses when too many wait', async () => {
    const turnstile = new Turnstile();
    let open!: () => void;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const waiting = Array.from({ length: 1_000 }, () => turnstile.pass('a', () => gate));
    const refused = await turnstile.pass('a', () => gate).catch((error: unknown) => error);
    expect(isDomainError(refused, 'BUSY')).toBe(true);
    open();
    await Promise.all(waiting);
    expect(await turnstile.pass('a', () => Promise.resolve(1))).toBe(1);
  });
});
