import { describe, expect, it } from 'vitest';

import { checkedSettings, DEFAULT_SETTINGS } from './company-settings.js';

describe('checkedSettings', () => {
  it('takes its own defaults and leaves out what is not given or unknown', () => {
    expect(checkedSettings(DEFAULT_SETTINGS)).toEqual(DEFAULT_SETTINGS);
    expect(checkedSettings({ lang: undefined, canUseMobile: false, ...({ status: 'active' } as object) })).toEqual({ canUseMobile: false });
  });

  it.each([
    { mobileUsingEndAt: '24:00' },
    { phoneNumber: 'none' },
    { ldapAddress: 'ldap://user:secret@host' },
    { ldapAddress: 'host/path' },
    { passwordLifetime: 1.5 },
    { logoutTimeout: -1 },
    { customAgreement: 'x'.repeat(70_000) },
    { customAgreement: 'a\0b' },
    { ldapBasedn: 'a\nb' },
    { lang: 'tlh' },
  ])('refuses %j', (change) => {
    expect(() => checkedSettings(change)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
