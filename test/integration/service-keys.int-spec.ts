import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Authenticator, Devices, SessionService } from '#libs/accounts';
import type { Client } from '#libs/kernel';
import { type NewServiceKey, type ServiceKeyKind, ServiceKeys } from '#libs/service-keys';

import { AccountsHouse, outcome } from '../support/accounts-house.js';

let house: AccountsHouse;
let other: AccountsHouse;
let count = 0;
let addresses = 0;

beforeAll(async () => {
  house = await AccountsHouse.open();
  other = await house.another();
});
afterAll(async () => {
  await other?.close();
  await house?.close();
});

const KINDS: readonly ServiceKeyKind[] = ['client', 'storage', 'developer'];
const keys = (at = house) => at.get(ServiceKeys);
const somebody = (options = {}) => house.account(`keys-${++count}@example.org`, options);
/** Each from an address of its own, so that the tries of one case are not those of another. */
const from = (): Client => ({ kind: 'other', address: `198.51.100.${++addresses}` });
const shown = ({ publicId, secret }: NewServiceKey) => ({ publicId: publicId ?? undefined, secret });
const enter = (key: NewServiceKey, at = house, client = from()) => keys(at).authenticate(key.kind, shown(key), client);

describe('a key for a program', () => {
  it.each(KINDS)('of kind %s acts as its account, manages no credentials, and is shown once', async (kind) => {
    const actor = await somebody();
    const key = await keys().create(actor, { kind, name: ' a program ', scope: kind === 'storage' ? ['one'] : null });
    expect(key.secret).toMatch(/^sk_[\w-]{43}$/);
    expect(key.publicId === null).toBe(kind !== 'client');
    const proven = await enter(key);
    expect(proven).toMatchObject({ keyId: key.id, scope: kind === 'storage' ? ['one'] : null });
    expect(proven!.actor).toMatchObject({ kind: 'account', accountId: actor.accountId, byPair: true, role: 'user' });
    expect(proven!.actor.policy).toBeDefined();
    for (const refused of [
      keys().create(proven!.actor, { kind, name: 'another' }),
      keys().list(proven!.actor, kind),
      keys().revoke(proven!.actor, kind, key.id),
    ]) {
      expect(await outcome(refused)).toBe('FORBIDDEN');
    }
    const [listed] = await keys().list(actor, kind);
    expect(listed).toMatchObject({ id: key.id, name: 'a program', hint: key.secret.slice(-4) });
    expect(JSON.stringify(listed)).not.toContain(key.secret);
    const rows = await house.sql('SELECT s.*, t.* FROM service_keys s JOIN auth_tokens t ON t.id = s.token_id WHERE s.id = $1', [key.id]);
    expect(JSON.stringify(rows)).not.toContain(key.secret.slice(3, 30));
  });

  it('is good for its own kind alone, and for no auth token', async () => {
    const actor = await somebody();
    const storage = await keys().create(actor, { kind: 'storage', name: 'x' });
    expect(await keys().authenticate('developer', { secret: storage.secret }, from())).toBeNull();
    expect(await outcome(house.get(Authenticator).byToken(storage.secret, from()))).toBe('UNAUTHENTICATED');
    const client = await keys().create(actor, { kind: 'client', name: 'x' });
    expect(await keys().authenticate('storage', { secret: client.secret }, from())).toBeNull();
    expect(await keys().authenticate('client', { secret: client.secret }, from())).toBeNull();
    const second = await keys().create(actor, { kind: 'client', name: 'y' });
    expect(await keys().authenticate('client', { publicId: client.publicId!, secret: second.secret }, from())).toBeNull();
    for (const secret of ['', 'sk_', `${storage.secret}x`, storage.secret.toUpperCase(), `sk_${'a'.repeat(43)}`, '\0'.repeat(46)]) {
      expect(await keys().authenticate('storage', { secret }, from())).toBeNull();
    }
  });

  it.each(KINDS)('of kind %s ends at once when it is revoked, and within a second in other processes', async (kind) => {
    const actor = await somebody();
    const key = await keys().create(actor, { kind, name: 'x' });
    expect(await enter(key)).not.toBeNull();
    expect(await enter(key, other)).not.toBeNull();
    await keys().revoke(actor, kind, key.id);
    expect(await enter(key)).toBeNull();
    house.clock.advance(1_001);
    expect(await enter(key, other)).toBeNull();
    expect(await keys().list(actor, kind)).toEqual([]);
    expect(await outcome(keys().revoke(actor, kind, key.id))).toBe('TOKEN_NOT_FOUND');
  });

  it('ends with what ends all tokens of the account: being switched off, and a token that is removed as a device', async () => {
    const admin = await somebody();
    await house.sql(`UPDATE accounts SET role = 'admin' WHERE id = $1`, [admin.accountId]);
    const actor = await somebody();
    const one = await keys().create(actor, { kind: 'client', name: 'x' });
    house.clock.advance(1);
    const two = await keys().create(actor, { kind: 'storage', name: 'y' });
    expect(await enter(one)).not.toBeNull();
    const devices = await house.get(Devices).list({ ...admin, role: 'admin' }, actor.accountId, { includeTemporary: false });
    expect(devices.map(({ deviceDescription }) => deviceDescription)).toEqual(['x', 'y']);
    await house.get(SessionService).remove(actor, devices[0]!.id);
    expect(await enter(one)).toBeNull();
    expect(await enter(two)).not.toBeNull();
    await house.get(Devices).endAccess([actor.accountId]);
    expect(await enter(two)).toBeNull();
    expect(await house.sql('SELECT 1 FROM service_keys WHERE account_id = $1', [actor.accountId])).toEqual([]);
  });

  it('does not let in whom the account does not let in', async () => {
    const actor = await somebody();
    const key = await keys().create(actor, { kind: 'storage', name: 'x' });
    await house.sql(`UPDATE accounts SET state = 'disabled' WHERE id = $1`, [actor.accountId]);
    expect(await enter(key)).toBeNull();
    await house.sql(`UPDATE accounts SET state = 'active', expires_at = $2 WHERE id = $1`, [actor.accountId, house.clock.now()]);
    expect(await enter(key)).toBeNull();
    await house.sql(`UPDATE accounts SET expires_at = NULL, ip_restriction = true, allowed_ips = '203.0.113.7' WHERE id = $1`, [actor.accountId]);
    house.clock.advance(1_001);
    expect(await outcome(enter(key))).toBe('FORBIDDEN');
    expect(await enter(key, house, { kind: 'other', address: '203.0.113.7' })).not.toBeNull();
  });

  it('refuses guessing: ten wrong secrets for a pair from one address, and not the one that is known to be right', async () => {
    const actor = await somebody();
    const [known, fresh] = [await keys().create(actor, { kind: 'client', name: 'x' }), await keys().create(actor, { kind: 'client', name: 'y' })];
    const client = from();
    expect(await enter(known, house, client)).not.toBeNull();
    for (const key of [known, fresh]) {
      const guess = (at: number) => keys().authenticate('client', { publicId: key.publicId!, secret: `sk_${String(at).padStart(43, 'a')}` }, client);
      for (let at = 0; at < 10; at++) expect(await guess(at)).toBeNull();
      expect(await outcome(guess(10))).toBe('RATE_LIMITED');
    }
    expect(await enter(known, house, client)).not.toBeNull();
    expect(await outcome(enter(fresh, house, client))).toBe('RATE_LIMITED');
    expect(await enter(fresh)).not.toBeNull();
  });

  it('is compared once for all who come at the same time', async () => {
    const key = await keys().create(await somebody(), { kind: 'client', name: 'x' });
    const client = from();
    const proven = await Promise.all(Array.from({ length: 40 }, () => enter(key, house, client)));
    expect(proven.every((each) => each?.keyId === key.id)).toBe(true);
  });

  it('tells when it was last used, to the minute', async () => {
    const actor = await somebody();
    const key = await keys().create(actor, { kind: 'storage', name: 'x' });
    expect((await keys().list(actor, 'storage'))[0]!.lastUsedMs).toBeNull();
    house.clock.advance(61_000);
    await enter(key);
    await expect.poll(async () => (await keys().list(actor, 'storage'))[0]!.lastUsedMs, { timeout: 5_000 }).toBe(house.clock.nowMs());
  });

  it('has a name, and there are at most 100 of a kind', async () => {
    const actor = await somebody();
    for (const name of ['', '  ', 'a\nb', 'x'.repeat(256)])
      expect(await outcome(keys().create(actor, { kind: 'storage', name }))).toBe('INVALID_ARGUMENT');
    const made = await Promise.all(Array.from({ length: 103 }, (_, at) => outcome(keys().create(actor, { kind: 'storage', name: `n${at}` }))));
    expect(made.filter((code) => code === 'ok')).toHaveLength(100);
    expect(made.filter((code) => code === 'WRONG_STATE')).toHaveLength(3);
    expect(await outcome(keys().create(actor, { kind: 'developer', name: 'x' }))).toBe('ok');
  });
});

describe('administrators', () => {
  it('see and end keys of their people, and of nobody else', async () => {
    const [{ id: companyId }] = (await house.sql<{ id: string }>(
      `INSERT INTO companies (name, domain) VALUES ('keys', 'keys-${++count}') RETURNING id`,
    )) as [{ id: string }];
    const admin = await somebody({ companyId: Number(companyId), isCompanyAdmin: true });
    const member = await somebody({ companyId: Number(companyId) });
    const stranger = await somebody();
    const key = await keys().create(member, { kind: 'client', name: 'x' });
    expect((await keys().list(admin, 'client', member.accountId)).map(({ id }) => id)).toEqual([key.id]);
    expect(await outcome(keys().list(stranger, 'client', member.accountId))).toBe('ACCOUNT_NOT_FOUND');
    expect(await outcome(keys().revoke(stranger, 'client', key.id, member.accountId))).toBe('ACCOUNT_NOT_FOUND');
    expect(await outcome(keys().revoke(stranger, 'client', key.id))).toBe('TOKEN_NOT_FOUND');
    expect(await outcome(keys().list(member, 'client', admin.accountId))).toBe('FORBIDDEN');
    expect(await outcome(keys().revoke(admin, 'client', key.id))).toBe('TOKEN_NOT_FOUND');
    await keys().revoke(admin, 'client', key.id, member.accountId);
    expect(await enter(key)).toBeNull();
    const made = await keys().create(admin, { kind: 'developer', name: 'for him' }, member.accountId);
    expect((await enter(made))?.actor.accountId).toBe(member.accountId);
  });
});
