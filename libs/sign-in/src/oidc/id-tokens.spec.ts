import { createHmac, generateKeyPairSync } from 'node:crypto';

import jwt from 'jsonwebtoken';
import { describe, expect, it } from 'vitest';

import { isDomainError } from '#libs/kernel';

import { keyIdOf, provenToken, signingKeys } from './id-tokens.js';

const ISSUER = 'https://accounts.example';
const CLIENT = 'ours';
const NOW_MS = Date.UTC(2026, 10, 21, 12);
const SECONDS = NOW_MS / 1_000;

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = (pair: typeof rsa, kid: string) => ({ ...pair.publicKey.export({ format: 'jwk' }), kid });
const claims = { iss: ISSUER, aud: CLIENT, sub: '1', iat: SECONDS, exp: SECONDS + 3_600 };
const signed = (change: Record<string, unknown> = {}, algorithm: jwt.Algorithm = 'RS256') => {
  const body = Object.fromEntries(Object.entries({ ...claims, ...change }).filter(([, value]) => value !== undefined));
  return jwt.sign(body, (algorithm === 'RS256' ? rsa : ec).privateKey, { algorithm, keyid: 'a', noTimestamp: !('iat' in body) });
};
const outcome = (token: string, key = jwk(rsa, 'a')): unknown => {
  try {
    return provenToken(token, key, [ISSUER, 'accounts.example'], CLIENT, NOW_MS).claims.sub;
  } catch (error) {
    if (!isDomainError(error)) throw error;
    return error.code;
  }
};

describe('provenToken', () => {
  it('takes what the provider made for us, for as long as it is good', () => {
    expect(outcome(signed())).toBe('1');
    expect(outcome(signed({}, 'ES256'), jwk(ec, 'a'))).toBe('1');
    expect(outcome(signed({ iss: 'accounts.example' }))).toBe('1');
    expect(outcome(signed({ aud: [CLIENT, 'another'], azp: CLIENT }))).toBe('1');
    const { endsMs, signed: covered } = provenToken(signed(), jwk(rsa, 'a'), [ISSUER], CLIENT, NOW_MS);
    expect(endsMs).toBe(NOW_MS + 3_660_000);
    expect(signed().startsWith(`${covered}.`)).toBe(true);
  });

  it.each<[string, string]>([
    ['of another provider', signed({ iss: 'https://evil.example' })],
    ['for another program', signed({ aud: 'theirs' })],
    ['for several programs', signed({ aud: [CLIENT, 'another'] })],
    ['for several, made for another', signed({ aud: [CLIENT, 'another'], azp: 'another' })],
    ['for nobody', signed({ aud: undefined })],
    ['of nobody', signed({ sub: undefined })],
    ['without end', signed({ exp: undefined })],
    ['without beginning', signed({ iat: undefined })],
    ['that has ended', signed({ iat: SECONDS - 4_000, exp: SECONDS - 61 })],
    ['that is to last for years', signed({ iat: SECONDS - 25 * 3_600, exp: SECONDS + 10 ** 8 })],
    ['of tomorrow', signed({ iat: SECONDS + 3_600, exp: SECONDS + 7_200 })],
    ['not valid yet', signed({ nbf: SECONDS + 3_600 })],
    ['signed with another key', signed({}, 'ES256')],
    ['that was changed', `${signed().split('.')[0]}.${signed({ sub: '2' }).split('.')[1]}.${signed().split('.')[2]}`],
    ['without a signature', jwt.sign(claims, null, { algorithm: 'none' })],
    ['that is none', 'no.token.at all'],
  ])('refuses one %s', (_name, token) => expect(outcome(token)).toBe('FORBIDDEN'));

  it('is not taken in by the public key as a secret', () => {
    const head = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'JWT', kid: 'a' })).toString('base64url');
    const body = Buffer.from(JSON.stringify(claims)).toString('base64url');
    const secret = rsa.publicKey.export({ format: 'pem', type: 'spki' });
    expect(outcome(`${head}.${body}.${createHmac('sha256', secret).update(`${head}.${body}`).digest('base64url')}`)).toBe('FORBIDDEN');
  });

  it('refuses what is no key', () => expect(outcome(signed(), { kty: 'RSA', kid: 'a' })).toBe('FORBIDDEN'));
});

describe('keys', () => {
  it('are those of the document that verify signatures', () => {
    const keys = [jwk(rsa, 'a'), { ...jwk(rsa, 'b'), use: 'sig' }, { ...jwk(rsa, 'c'), use: 'enc' }, { kty: 'oct', k: 'AAAA', kid: 'd' }, null];
    expect(signingKeys({ keys }).map(({ kid }) => kid)).toEqual(['a', 'b']);
    for (const broken of [null, undefined, 'x', {}, { keys: 'x' }]) expect(signingKeys(broken)).toEqual([]);
  });

  it('are named by the token', () => {
    expect(keyIdOf(signed())).toBe('a');
    expect(keyIdOf(jwt.sign(claims, rsa.privateKey, { algorithm: 'RS256' }))).toBeUndefined();
    for (const text of ['', 'x', 'a.b.c', 'e30.e30']) expect(() => keyIdOf(text)).toThrow();
  });
});
