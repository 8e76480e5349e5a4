import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Authenticator, Devices, SessionService } from '#libs/accounts';
import { CompanyMembers, CompanySearch, MemberDoor, MemberRules } from '#libs/companies';
import type { AccountActor } from '#libs/kernel';

import { AccountsHouse, CLIENT, outcome } from '../support/accounts-house.js';
import { countStatements } from '../support/statement-count.js';

let house: AccountsHouse;
let companyId: number;
let admin: AccountActor;
let system: AccountActor;
const people: AccountActor[] = [];

beforeAll(async () => {
  house = await AccountsHouse.open();
  companyId = (await house.sql<{ id: number }>(`INSERT INTO companies (name) VALUES ('Acme') RETURNING id`))[0]!.id;
  admin = await house.account('admin@example.com', { companyId, isCompanyAdmin: true });
  for (let nth = 0; nth < 30; nth++) people.push(await house.account(`member-${nth}@example.com`, { companyId }));
  system = await house.account('system@example.com');
  await house.sql(`UPDATE accounts SET role = 'admin' WHERE id = $1`, [system.accountId]);
});
afterAll(() => house?.close());

describe('lists', () => {
  it('need as many statements for many as for few', async () => {
    const list = (limit: number) => () => house.get(CompanyMembers).list(admin, companyId, { text: '', orderBy: 'userid', offset: 0, limit });
    expect(await countStatements(list(30))).toBe(await countStatements(list(1)));
    const find = (limit: number) => () =>
      house.get(CompanySearch).find(system, { filter: {}, orderBy: 'storage_size', descending: true, offset: 0, limit });
    await house.sql(`INSERT INTO companies (name) SELECT 'c' || n FROM generate_series(1, 20) n`);
    expect(await countStatements(find(20))).toBe(await countStatements(find(1)));
    const off = (count: number) => () =>
      house.get(MemberDoor).disable(
        admin,
        companyId,
        people.slice(0, count).map(({ accountId }) => accountId),
        { reason: '', wipe: true },
      );
    expect(await countStatements(off(20))).toBe(await countStatements(off(2)));
    await house.get(MemberDoor).enable(
      admin,
      companyId,
      people.map(({ accountId }) => accountId),
    );
  });
});

describe('the last administrator', () => {
  it('stays, whoever of two takes the right of the other first', async () => {
    const second = people[0]!;
    for (let round = 0; round < 5; round++) {
      await house.sql('UPDATE accounts SET is_company_admin = true WHERE id = ANY($1)', [[admin.accountId, second.accountId]]);
      const take = (from: AccountActor, of: AccountActor) => outcome(house.get(MemberRules).setAdmin(from, { accountId: of.accountId }, false));
      const said = await Promise.all([take(admin, second), take(second, admin), take(admin, admin), take(second, second)]);
      expect(said).toContain('FORBIDDEN');
      const left = await house.sql('SELECT id FROM accounts WHERE company_id = $1 AND is_company_admin', [companyId]);
      expect(left).toHaveLength(1);
    }
    await house.sql('UPDATE accounts SET is_company_admin = (id = $2) WHERE company_id = $1', [companyId, admin.accountId]);
  });
});

describe('a device that is to be wiped', () => {
  it('loses its token, its signed URLs and its connections with the order, in every process', async () => {
    const person = people[1]!;
    const { token, tokenId } = await house.get(SessionService).open(person.accountId, { permanent: true }, CLIENT);
    const other = await house.another();
    const here = house.get(Authenticator);
    const there = other.get(Authenticator);
    await Promise.all([here.byToken(token), there.byToken(token), there.byUrl(person.accountId, tokenId)]);
    await house.get(Devices).remove(admin, tokenId, { wipe: true });
    expect(await outcome(here.byToken(token))).toBe('UNAUTHENTICATED');
    house.clock.advance(1_001);
    expect(await outcome(there.byToken(token))).toBe('UNAUTHENTICATED');
    expect(await outcome(there.byUrl(person.accountId, tokenId))).toBe('UNAUTHENTICATED');
    expect(await there.stillIn([{ tokenId, accountId: person.accountId }])).toEqual(new Set());
    expect(await there.byWipedToken(token)).toMatchObject({ accountId: person.accountId, tokenId, role: 'user' });
    await house.get(Devices).cancelWipe(admin, tokenId);
    expect(await there.byWipedToken(token)).toBeNull();
    expect(await there.stillIn([{ tokenId, accountId: person.accountId }])).toEqual(new Set([tokenId]));
    await other.close();
  });
});

describe('a closed company', () => {
  it('keeps its people out by tokens, URLs and connections, but not administrators of the system', async () => {
    const person = people[2]!;
    const { token, tokenId } = await house.get(SessionService).open(person.accountId, { permanent: false }, CLIENT);
    await house.sql(`UPDATE companies SET status = 'inactive' WHERE id = $1`, [companyId]);
    const authenticator = house.get(Authenticator);
    expect(await outcome(authenticator.byToken(token))).toBe('UNAUTHENTICATED');
    expect(await outcome(authenticator.byUrl(person.accountId, null))).toBe('UNAUTHENTICATED');
    expect(await authenticator.stillIn([{ tokenId, accountId: person.accountId }])).toEqual(new Set());
    expect(await outcome(house.get(SessionService).open(person.accountId, { permanent: false }, CLIENT))).toBe('ACCOUNT_DISABLED');
    await house.sql(`UPDATE accounts SET role = 'admin' WHERE id = $1`, [person.accountId]);
    expect((await authenticator.byToken(token)).accountId).toBe(person.accountId);
    await house.sql(`UPDATE companies SET status = 'active' WHERE id = $1`, [companyId]);
  });
});
