import { describe, expect, it } from 'vitest';

import { type Client, clientKindOf, type CompanyPolicy, holdsAddress, OPEN_POLICY, type Policy, policyRefusal, type PolicyUse } from './policy.js';

const NOON = new Date('2026-11-21T12:00:00Z');
const COMPANY: CompanyPolicy = {
  expired: false,
  useMobile: true,
  useDesktop: true,
  mobileHours: null,
  makeFolders: true,
  offerFolders: true,
  limitFolders: true,
  shareOutside: true,
  secondFactor: null,
};
const from = (kind: Client['kind'], address = '10.1.2.3'): Client => ({ kind, address });
const judged = (change: Partial<Policy>, use: PolicyUse, client: Client | undefined = from('other'), now = NOON) =>
  policyRefusal({ ...OPEN_POLICY, ...change }, client, use, now);
const ofCompany = (change: Partial<CompanyPolicy>): Partial<Policy> => ({ company: { ...COMPANY, ...change } });

describe('clientKindOf', () => {
  it.each([
    ['desktop-client-windows/3.1', undefined, 'desktop'],
    ['mobile-ios/2', undefined, 'mobile'],
    [undefined, 'Mozilla/5.0 (Linux; Android 14; Pixel 8)', 'mobile'],
    [undefined, 'Mozilla/5.0 (iPad; CPU OS 17_0)', 'mobile'],
    ['web-frontend/1', 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0)', 'mobile'],
    ['desktop-client-mac/1', 'Dalvik (Android)', 'desktop'],
    [undefined, 'Mozilla/5.0 (X11; Linux x86_64) Firefox/130', 'other'],
    [undefined, 'not-a-desktop-client-', 'other'],
    [undefined, undefined, 'other'],
  ] as const)('of %s and %s is %s', (own, agent, kind) => expect(clientKindOf(own, agent)).toBe(kind));
});

describe('holdsAddress', () => {
  it.each([
    ['10.0.0.0/8', '10.1.2.3', true],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['::ffff:10.0.0.0/104', '10.1.2.3', true],
    ['10.0.0.0/8,192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['2001:db8::/32', '2001:db8::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['', '10.1.2.3', false],
    ['10.0.0.0/8', '', false],
    ['10.0.0.0/8', 'unknown', false],
  ])('%s holds %s: %s', (list, address, held) => expect(holdsAddress(list, address)).toBe(held));
});

describe('policyRefusal', () => {
  it('refuses nothing by an open policy', () => {
    for (const use of ['enter', 'download', 'upload', 'print', 'make-folder', 'offer-folder', 'limit-folder', 'share-outside'] as const) {
      for (const kind of ['desktop', 'mobile', 'other'] as const) expect(judged({}, use, from(kind))).toBeNull();
    }
  });

  it('lets an address in that is in every list', () => {
    const lists = (...addressLists: string[]) => judged({ addressLists }, 'enter');
    expect(lists('10.0.0.0/8')).toBeNull();
    expect(lists('10.0.0.0/8', '10.1.0.0/16')).toBeNull();
    expect(lists('10.0.0.0/8', '192.0.2.0/24')).toBe('ip_restriction');
    expect(lists('')).toBe('ip_restriction');
  });

  it('tells programs apart', () => {
    expect(judged({ pcCanDownload: false }, 'download', from('desktop'))).toBe('pc_can_download');
    expect(judged({ pcCanDownload: false }, 'download', from('mobile'))).toBeNull();
    expect(judged({ pcCanDownload: false }, 'upload', from('desktop'))).toBeNull();
    expect(judged({ mobileRestriction: true }, 'enter', from('mobile'))).toBe('mobile_restriction');
    expect(judged({ mobileRestriction: true }, 'enter', from('desktop'))).toBeNull();
    expect(judged(ofCompany({ useMobile: false }), 'enter', from('mobile'))).toBe('can_use_mobile');
    expect(judged(ofCompany({ useDesktop: false }), 'enter', from('desktop'))).toBe('can_use_pc_client');
    expect(judged(ofCompany({ useDesktop: false, useMobile: false }), 'enter', from('other'))).toBeNull();
  });

  it('lets nobody in who lacks the second factor that is demanded, and tells those first who may not come at all', () => {
    for (const kind of ['desktop', 'mobile', 'other'] as const) {
      expect(judged(ofCompany({ secondFactor: 'missing' }), 'enter', from(kind))).toBe('second_factor_required');
      expect(judged(ofCompany({ secondFactor: 'on' }), 'enter', from(kind))).toBeNull();
    }
    expect(judged(ofCompany({ secondFactor: 'missing', useMobile: false }), 'enter', from('mobile'))).toBe('can_use_mobile');
    expect(judged({ addressLists: [''], ...ofCompany({ secondFactor: 'missing' }) }, 'enter')).toBe('ip_restriction');
  });

  it('knows the hours of phones, in the time zone of the company and over midnight', () => {
    const at = (from_: string, until: string, timezone = 'UTC') =>
      judged(ofCompany({ mobileHours: { from: from_, until, timezone } }), 'enter', from('mobile'));
    expect(at('09:00', '18:00')).toBeNull();
    expect(at('12:00', '12:01')).toBeNull();
    expect(at('09:00', '12:00')).toBe('mobile_hours');
    expect(at('22:00', '06:00')).toBe('mobile_hours');
    expect(at('22:00', '13:00')).toBeNull();
    expect(at('', '11:00')).toBe('mobile_hours');
    expect(at('11:00', '')).toBeNull();
    expect(at('', '')).toBeNull();
    expect(at('09:00', '18:00', 'Asia/Seoul')).toBe('mobile_hours');
    expect(at('09:00', '18:00', 'No/Where')).toBeNull();
  });

  it('closes bytes, uploads and folders', () => {
    expect(judged({ canDownload: false }, 'download')).toBe('can_download');
    expect(judged({ canUpload: false }, 'upload')).toBe('can_upload');
    expect(judged({ canUpload: false, ...ofCompany({ expired: true }) }, 'upload')).toBe('company_expired');
    expect(judged({ canPrint: false }, 'print')).toBe('can_print');
    expect(judged(ofCompany({ makeFolders: false }), 'make-folder')).toBe('folder_create_admin_only');
    expect(judged(ofCompany({ offerFolders: false }), 'offer-folder')).toBe('company_folder_creation_allow');
    expect(judged(ofCompany({ limitFolders: false }), 'limit-folder')).toBe('folder_limit_creation_allow');
    expect(judged(ofCompany({ shareOutside: false }), 'share-outside')).toBe('sharing_outside_allow');
  });

  it('judges a task by what the account may, not by where it came from', () => {
    const strict = { addressLists: ['192.0.2.1'], mobileRestriction: true, pcCanDownload: false };
    expect(policyRefusal({ ...OPEN_POLICY, ...strict }, undefined, 'enter', NOON)).toBeNull();
    expect(policyRefusal({ ...OPEN_POLICY, ...strict }, undefined, 'download', NOON)).toBeNull();
    expect(policyRefusal({ ...OPEN_POLICY, canDownload: false }, undefined, 'download', NOON)).toBe('can_download');
  });
});
