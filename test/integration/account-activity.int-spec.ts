import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { AddressLimit, Authenticator, LoginService, OauthService } from '#libs/accounts';
import { SignUpService } from '#libs/companies';
import { Database } from '#libs/database';
import { type Client, type ClientKind, sha256 } from '#libs/kernel';

import { AccountsHouse, CLIENT, MINUTE, outcome, PASSWORD } from '../support/accounts-house.js';
import { countStatements } from '../support/statement-count.js';

let house: AccountsHouse;

beforeAll(async () => {
  house = await AccountsHouse.open();
});
afterAll(() => house?.close());

describe('who was active on which day', () => {
  const client = (kind: ClientKind): Client => ({ kind, address: '192.0.2.1' });
  const days = () => house.sql<{ day: string; client: string }>(`SELECT day::text, client FROM account_days ORDER BY day, client`);

  it('is noted once a day and kind of client, beside the requests', async () => {
    const actor = await house.account('ada@example.org');
    const { token } = await house.get(LoginService).byPassword({ email: 'ada@example.org', password: PASSWORD, permanent: true }, CLIENT);
    const authenticator = house.get(Authenticator);
    await authenticator.byToken(token, client('desktop'));
    expect(await countStatements(async () => authenticator.byToken(token, client('mobile')))).toBe(0);
    await authenticator.byToken(token, client('mobile'));
    await expect.poll(days, { timeout: 10_000 }).toEqual([
      { day: '2026-11-21', client: 'desktop' },
      { day: '2026-11-21', client: 'mobile' },
    ]);
    // the last and the first millisecond of two days in UTC
    house.clock.advance(12 * 60 * MINUTE - 1);
    await authenticator.byToken(token, client('mobile'));
    house.clock.advance(1);
    await authenticator.byToken(token, client('mobile'));
    await expect.poll(async () => (await days()).at(-1), { timeout: 10_000 }).toEqual({ day: '2026-11-22', client: 'mobile' });
    expect(await days()).toHaveLength(3);
    expect((await house.sql(`SELECT DISTINCT account_id AS id FROM account_days`)).map(({ id }) => id)).toEqual([actor.accountId]);
  });

  it('is noted again by the next request when it could not be written, and by another process without harm', async () => {
    const before = (await days()).length;
    const actor = await house.account('bob@example.org');
    const { token } = await house.get(LoginService).byPassword({ email: 'bob@example.org', password: PASSWORD, permanent: true }, CLIENT);
    // writing fails, and a sequence, which no rollback takes back, tells that it was tried
    await house.sql('CREATE SEQUENCE tried');
    await house.sql(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('tried'); RAISE EXCEPTION 'away'; END $$`);
    await house.sql('CREATE TRIGGER fail BEFORE INSERT ON account_days FOR EACH STATEMENT EXECUTE FUNCTION fail()');
    await house.get(Authenticator).byToken(token, client('other'));
    const second = await house.another();
    try {
      await expect.poll(async () => (await house.sql('SELECT is_called FROM tried'))[0], { timeout: 10_000 }).toEqual({ is_called: true });
      await house.sql('DROP TRIGGER fail ON account_days');
      await second.get(Authenticator).byToken(token, client('other'));
      const mine = () => second.get(Database).query(`SELECT 1 AS one FROM account_days WHERE account_id = $1`, [actor.accountId]);
      const asked = async () => {
        await house.get(Authenticator).byToken(token, client('other'));
        return (await mine()).length;
      };
      await expect.poll(asked, { timeout: 10_000 }).toBe(1);
      expect((await days()).length).toBe(before + 1);
    } finally {
      await second.close();
    }
  });
});

describe('what strangers may have done from one address', () => {
  const person = (email: string) => ({ email, name: 'Ada', password: PASSWORD });
  const fill = (bucket: string, count: number) =>
    house.sql(
      `INSERT INTO limiter_slots (bucket, window_start, taken, expires_at)
       SELECT $1, $3::timestamptz - n * interval '1 ms', 1, $3::timestamptz + interval '1 hour' FROM generate_series(1, $2::int) n`,
      [sha256(bucket).toString('hex'), count, house.clock.now()],
    );

  it('600 registrations an hour, but for administrators; other addresses go on', async () => {
    await fill(`sign-up:${CLIENT.ip}`, 600);
    const signUps = house.get(SignUpService);
    expect(await outcome(signUps.signUp(null, person('c@example.org'), CLIENT))).toBe('RATE_LIMITED');
    expect(await outcome(signUps.signUp(null, person('c@example.org'), { ...CLIENT, ip: '192.0.2.2' }))).toBe('ok');
    const admin = await house.account('admin@example.org');
    await house.sql(`UPDATE accounts SET role = 'admin' WHERE id = $1`, [admin.accountId]);
    expect(await outcome(signUps.signUp(admin, { ...person('d@example.org'), createdManually: true }, CLIENT))).toBe('ok');
    house.clock.advance(61 * MINUTE);
    expect(await outcome(signUps.signUp(null, person('e@example.org'), CLIENT))).toBe('ok');
  });

  it('so many requests to sign in by redirect; nothing is kept of the others', async () => {
    const limits = house.get(AddressLimit);
    const oauth = house.get(OauthService);
    await fill(`oauth-request:${CLIENT.ip}`, 1_000);
    const requests = () => house.sql(`SELECT 1 AS one FROM account_secrets WHERE purpose = 'oauth_request'`);
    const before = (await requests()).length;
    const wish = { callback: 'https://client.example.org/', permanent: false };
    expect(await outcome(oauth.request({ ...wish, ip: CLIENT.ip }))).toBe('RATE_LIMITED');
    expect(await requests()).toHaveLength(before);
    expect(await outcome(oauth.request({ ...wish, ip: '192.0.2.2' }))).toBe('ok');
    expect(await outcome(limits.take('sign-up', '192.0.2.3'))).toBe('ok');
  });
});
