import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

import { describe, expect, it } from 'vitest';

import { MAX_SEALED_BYTES, newSeal, SealingStream, unsealing } from './cipher.js';
import { requireStrong } from './passphrase.js';

const key = randomBytes(32);

async function seal(...pieces: Buffer[]): Promise<{ sealed: Buffer; nonce: Buffer; tag: Buffer }> {
  const { nonce } = newSeal();
  const stream = new SealingStream(key, nonce);
  const sealed = await buffer(Readable.from(pieces).pipe(stream));
  return { sealed, nonce, tag: stream.tag! };
}

describe('sealed bytes', () => {
  it('are as many as before, and come back from the right key only', async () => {
    for (const plain of [Buffer.alloc(0), Buffer.from('a'), randomBytes(100_003)]) {
      const { sealed, nonce, tag } = await seal(plain.subarray(0, 17), plain.subarray(17));
      expect(sealed.length).toBe(plain.length);
      if (plain.length > 0) expect(sealed.equals(plain)).toBe(false);
      const open = (withKey: Buffer, bytes = sealed) =>
        buffer(Readable.from([bytes], { objectMode: false }).pipe(unsealing(withKey, { nonce, tag })));
      expect((await open(key)).equals(plain)).toBe(true);
      await expect(open(randomBytes(32))).rejects.toThrow();
      const changed = Buffer.concat([sealed, Buffer.alloc(1)]);
      changed[0]! ^= 1;
      await expect(open(key, changed)).rejects.toThrow();
    }
  });

  it('differ each time', async () => {
    const plain = Buffer.alloc(64);
    const [one, two] = [await seal(plain), await seal(plain)];
    expect(one.sealed.equals(two.sealed)).toBe(false);
    expect(newSeal().salt.equals(newSeal().salt)).toBe(false);
  });

  it('are at most 50 MiB', async () => {
    const piece = Buffer.alloc(1024 * 1024);
    const pieces = Array.from({ length: 50 }, () => piece);
    expect((await seal(...pieces)).sealed.length).toBe(MAX_SEALED_BYTES);
    const stream = new SealingStream(key, newSeal().nonce);
    const refused = new Promise((resolve) => stream.once('error', resolve));
    Readable.from([...pieces, Buffer.alloc(1)])
      .pipe(stream)
      .resume();
    expect(await refused).toMatchObject({ code: 'TOO_LARGE', details: { maxBytes: MAX_SEALED_BYTES } });
    expect(stream.tag).toBeNull();
  });
});

describe('passphrases', () => {
  it.each(['Passw0rd!', 'ÄÄÄÄÄÄ1_', 'A1+aaaaa', `A1!${'x'.repeat(253)}`])('may be %s', (passphrase) => {
    expect(() => requireStrong(passphrase, 'passphrase')).not.toThrow();
  });

  it.each(['', 'Passw0!', 'passw0rd!', 'Password!', 'Passw0rd', 'Passw0rd?', `A1!${'x'.repeat(254)}`])('may not be %s', (passphrase) => {
    expect(() => requireStrong(passphrase, 'secret')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', details: { field: 'secret' } }));
  });
});
