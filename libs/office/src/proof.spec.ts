import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { isProven, signedBytes } from './proof.js';

const NOW = Date.UTC(2026, 10, 21, 12);
const ticksOf = (ms: number): bigint => BigInt(ms) * 10_000n + 621_355_968_000_000_000n;

function keys() {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = publicKey.export({ format: 'jwk' });
  const base64 = (text: string): string => Buffer.from(text, 'base64url').toString('base64');
  return { privateKey, proofKey: { modulus: base64(jwk.n!), exponent: base64(jwk.e!) } };
}

const [current, old, foreign] = [keys(), keys(), keys()];
const request = { accessToken: 'yZhdN1qgywcOQWhyEMVpB6NE3pvBksvcLXsrFKXNtBeDTPW', url: 'https://s.example/api/1/wopi/files/1?access_token=yZ' };

function signed(by: { privateKey: KeyObject } | null, byOld: { privateKey: KeyObject } | null, ms = NOW) {
  const bytes = signedBytes(request, ticksOf(ms));
  const signature = (key: { privateKey: KeyObject } | null): string => (key ? sign('sha256', bytes, key.privateKey).toString('base64') : '');
  return { ...request, timestamp: String(ticksOf(ms)), proof: signature(by), proofOld: signature(byOld) };
}

const both = [current.proofKey, old.proofKey];

describe('the proof of an office server', () => {
  it.each([
    ['signed by both keys', signed(current, old), true],
    ['signed by the current key alone', signed(current, null), true],
    // the office server has taken a new key, and we still know the old document
    ['signed by a newer key and, as old, by the one we hold for current', signed(foreign, current), true],
    // we have the new document, the office server still signs with the key before
    ['signed by the key before', signed(old, foreign), true],
    ['signed by strangers', signed(foreign, foreign), false],
    ['whose old signature is good under the old key alone', signed(foreign, old), false],
    ['without signatures', signed(null, null), false],
    ['19 minutes old', signed(current, old, NOW - 19 * 60_000), true],
    ['21 minutes old', signed(current, old, NOW - 21 * 60_000), false],
    ['from the far future', signed(current, old, NOW + 21 * 60_000), false],
    ['for another URL', { ...signed(current, old), url: 'https://s.example/api/1/wopi/files/2?access_token=yZ' }, false],
    ['for another token', { ...signed(current, old), accessToken: 'other' }, false],
    ['with another time', { ...signed(current, old), timestamp: String(ticksOf(NOW) + 1n) }, false],
    ['with a time that is none', { ...signed(current, old), timestamp: '-1' }, false],
    ['with a time beyond all', { ...signed(current, old), timestamp: '9999999999999999999' }, false],
    ['with a signature that is no base64', { ...signed(null, null), proof: '!!!' }, false],
  ])('%s', (_, proof, good) => expect(isProven(proof, both, NOW)).toBe(good));

  it('needs keys that are keys', () => {
    expect(isProven(signed(current, old), [], NOW)).toBe(false);
    expect(isProven(signed(current, old), [{ modulus: '', exponent: '' }], NOW)).toBe(false);
  });

  it('does not mind the case of the URL', () => {
    expect(isProven({ ...signed(current, old), url: request.url.toUpperCase() }, both, NOW)).toBe(true);
  });
});
