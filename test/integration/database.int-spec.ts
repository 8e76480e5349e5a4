import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Database, UnitOfWork } from '#libs/database';

import { AccountsHouse, outcome } from '../support/accounts-house.js';

describe('work on entities', () => {
  let house: AccountsHouse;
  let database: Database;
  let unitOfWork: UnitOfWork;
  let accountId: number;

  beforeAll(async () => {
    house = await AccountsHouse.open();
    database = house.get(Database);
    unitOfWork = house.get(UnitOfWork);
    ({ accountId } = await house.account('taken@example.org'));
  });
  afterAll(() => house?.close());

  const insertLogin = (name: string, owner = accountId) => {
    const row = { id: randomUUID(), accountId: owner, kind: 'email', value: name, valueKey: name, createdAt: house.clock.now() };
    return database.entities((manager) => manager.insert('logins', row));
  };

  it('tells of a violated constraint as SQL does, in a transaction and outside', async () => {
    expect(await outcome(insertLogin('taken@example.org'))).toBe('LOGIN_TAKEN');
    expect(await outcome(unitOfWork.run(() => insertLogin('taken@example.org')))).toBe('LOGIN_TAKEN');
  });

  it('leaves the parameters out of an error that nobody can act on', async () => {
    const error: unknown = await insertLogin('nobody@example.org', -1).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: '23503', constraint: 'fk_logins_account' });
    expect(error).not.toHaveProperty('parameters');
  });

  it('belongs to the surrounding transaction', async () => {
    const rolledBack = unitOfWork.run(async () => {
      await insertLogin('gone@example.org');
      expect(await database.query('SELECT 1 FROM logins WHERE value = $1', ['gone@example.org'])).toHaveLength(1);
      throw new Error('stop');
    });
    await expect(rolledBack).rejects.toThrow('stop');
    expect(await database.query('SELECT 1 FROM logins WHERE value = $1', ['gone@example.org'])).toEqual([]);
  });
});

describe('statements and transactions that block each other', () => {
  let house: AccountsHouse;

  beforeAll(async () => {
    house = await AccountsHouse.open();
  });
  afterAll(() => house?.close());

  it('run again, also when the loser is a single statement', async () => {
    const database = house.get(Database);
    const a = await house.account('a@example.org');
    const b = await house.account('b@example.org');
    const touch = (id: number) => database.run('UPDATE accounts SET name = name WHERE id = $1', [id]);
    let holdsA = (): void => undefined;
    const aIsHeld = new Promise<void>((resolve) => (holdsA = resolve));
    const transaction = house.get(UnitOfWork).run(async () => {
      await touch(a.accountId);
      holdsA();
      await new Promise((resolve) => setTimeout(resolve, 300));
      return touch(b.accountId);
    });
    await aIsHeld;
    // Holds b and waits for a, longer than the transaction waits for b: so it is the one that PostgreSQL ends.
    const statement = database.run(
      'WITH first AS (UPDATE accounts SET name = name WHERE id = $1 RETURNING id) UPDATE accounts SET name = name WHERE id = $2 AND EXISTS (SELECT 1 FROM first)',
      [b.accountId, a.accountId],
    );
    expect(await transaction).toBe(1);
    expect(await statement).toBe(1);
  });
});
