import { describe, expect, it } from 'vitest';

import { isDomainError } from '#libs/kernel';

import { basicCandidates, parseLogin, splitBasic } from './login-name.js';

describe('parseLogin', () => {
  it.each([
    ['email:Ivan@Example.ORG', 'email', 'ivan@example.org'],
    [' ivan@example.org ', 'email', 'ivan@example.org'],
    ['email:cafe\u0301@example.org', 'email', 'caf\u00e9@example.org'],
    ['msisdn:+7 (920) 123-45-67', 'msisdn', '79201234567'],
    ['79201234567', 'msisdn', '79201234567'],
    ['basic:WebDAV', 'basic', 'webdav'],
  ])('reads %s', (text, kind, valueKey) => {
    expect(parseLogin(text)).toMatchObject({ kind, valueKey });
  });

  it.each([
    '',
    'email:',
    'email:a',
    'email:a@',
    'a@b@c',
    'a b@c',
    'a@b\u0000',
    'msisdn:12',
    'msisdn:1234567890123456',
    'msisdn:12345x',
    'basic:a:b',
    'userid:11',
    'word',
  ])('refuses %j', (text) => {
    let thrown: unknown;
    try {
      parseLogin(text);
    } catch (error) {
      thrown = error;
    }
    expect(isDomainError(thrown, 'INVALID_ARGUMENT')).toBe(true);
  });
});

describe('splitBasic', () => {
  it.each([
    ['user:password', 'user', 'password'],
    ['user:', 'user', ''],
    ['a@b.c:p:q', 'a@b.c', 'p:q'],
    ['email:a@b.c:p:q', 'email:a@b.c', 'p:q'],
    ['msisdn:7920:', 'msisdn:7920', ''],
    ['email:secret', 'email', 'secret'],
  ])('splits %s', (text, user, password) => {
    expect(splitBasic(text)).toEqual({ user, password });
  });

  it('has nothing to split without a colon', () => {
    expect(splitBasic('user')).toBeNull();
  });
});

describe('basicCandidates', () => {
  it('takes a number, in any spelling, for nothing but a phone number', () => {
    for (const user of ['79201234567', '+7 (920) 123-45-67', '7 920 1234567'])
      expect(basicCandidates(user)).toEqual([{ kind: 'msisdn', value: '79201234567', valueKey: '79201234567' }]);
    expect(basicCandidates('dav-7').map((login) => login.kind)).toEqual(['basic']);
    expect(basicCandidates('a@b.c').map((login) => login.kind)).toEqual(['email']);
    expect(basicCandidates('email:')).toEqual([]);
  });
});
