import { describe, expect, it } from 'vitest';

import { AppConfig } from '#libs/config';

import { isPrivateAddress, OutboundHosts } from './outbound-hosts.js';

const hosts = (listed = '') =>
  new OutboundHosts(new AppConfig({ DATABASE_URL: 'postgres://x/y', STOWAGE_SECRET_KEY: 'x'.repeat(32), STOWAGE_SIGN_IN_PRIVATE_HOSTS: listed }));

describe('isPrivateAddress', () => {
  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '::1',
    '::',
    '::ffff:10.0.0.1',
    'fe80::1',
    'fd00::1',
    '64:ff9b::a00:1',
    '2002:a00:1::',
  ])('knows %s', (address) => expect(isPrivateAddress(address)).toBe(true));

  it.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700::1111'])('lets %s be', (address) => expect(isPrivateAddress(address)).toBe(false));
});

describe('OutboundHosts', () => {
  it.each(['127.0.0.1', '[::1]', 'localhost', '169.254.169.254', 'LOCALHOST'])('refuses %s unless the operator has listed it', async (host) => {
    await expect(hosts().addressOf(host)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
    await expect(hosts(`other.example, ${host.replace(/[[\]]/g, '')}`).addressOf(host)).resolves.toEqual(expect.any(String));
    await expect(hosts('*').addressOf(host)).resolves.toEqual(expect.any(String));
  });

  it('does not let a listed name stand for its address', async () => {
    await expect(hosts('localhost').addressOf('127.0.0.1')).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
  });
});
