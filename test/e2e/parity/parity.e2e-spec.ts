import { createHash, randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser } from '../../support/cloudike-user.js';
import { type Stack, startStack } from '../../support/stack.js';
import { CLOUDIKE_DRIVER } from './cloudike.driver.js';
import type { ParityDriver, ParitySession, Person } from './driver.js';
import { FILEAGO_DRIVER } from './fileago.driver.js';
import { SCENARIOS } from './scenarios.js';

// Every API over one core: the same scenarios through all of them, and one file through several.

const DRIVERS: readonly ParityDriver[] = [CLOUDIKE_DRIVER, FILEAGO_DRIVER];
const PASSWORD = 'correct horse battery';

let stack: Stack;
let admin: CloudikeUser;

beforeAll(async () => {
  stack = await startStack({ env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off' } });
  admin = await CloudikeUser.login(stack.baseUrl, stack.admin.email, stack.admin.password);
});
afterAll(async () => {
  await stack?.stop();
});

/** A new person; `user` is signed in by the main API, for what only that can do. */
async function newPerson(): Promise<Person & { readonly user: CloudikeUser }> {
  const user = await CloudikeUser.register(stack.baseUrl, undefined, PASSWORD);
  return { email: user.email, password: PASSWORD, user };
}

/** Ends every session of a person but the oldest, which asks for it. */
async function endSessions(user: CloudikeUser): Promise<void> {
  const [, ...others] = await user.http.get<{ id: string }[]>('/api/1/accounts/tokens/?include_not_permanent=true');
  expect(others).not.toEqual([]);
  for (const { id } of others) await user.http.form('/api/1/accounts/remove_token/', { token_id: id });
}

describe.each(DRIVERS)('$name', (driver) => {
  let session: ParitySession;

  beforeAll(async () => {
    session = await driver.signIn(stack.baseUrl, await newPerson());
  });
  afterAll(() => session?.close());

  it.each(SCENARIOS)('$title', async ({ title, play }) => {
    await play({
      driver,
      session,
      folder: await session.mkdir(session.home, title.replaceAll('/', ' ')),
      stranger: async () => driver.signIn(stack.baseUrl, await newPerson()),
      withSpace: async (bytes) => {
        const person = await newPerson();
        await admin.http.form('/api/1/admin/edit_user/', { user_id: person.user.userId, hard_quota_size: bytes });
        return driver.signIn(stack.baseUrl, person);
      },
      revocable: async () => {
        const person = await newPerson();
        return { session: await driver.signIn(stack.baseUrl, person), revoke: () => endSessions(person.user) };
      },
    });
  });
});

describe('one file through several APIs', () => {
  it('is uploaded by one, renamed by the next, trashed and restored by others, with the same bytes everywhere and one event each', async () => {
    const person = await newPerson();
    const sessions = await Promise.all(DRIVERS.map((driver) => driver.signIn(stack.baseUrl, person)));
    const at = (turn: number) => sessions[turn % sessions.length]!;
    const bytes = randomBytes(70_000);
    const digest = createHash('sha256').update(bytes).digest('hex');
    for (let first = 0; first < sessions.length; first++) {
      const name = `by ${DRIVERS[first]!.name}.bin`;
      const renamed = `renamed ${name}`;
      await at(first).put(at(first).home, name, bytes);
      await at(first + 1).rename(await at(first + 1).find(at(first + 1).home, name), renamed);
      const remover = at(first + 2);
      const restorer = at(first + 3);
      const restorable = await restorer.find(restorer.home, renamed);
      await remover.remove(await remover.find(remover.home, renamed));
      for (const session of sessions) expect((await session.list(session.home)).map((item) => item.name)).not.toContain(renamed);
      await restorer.restore(restorable, restorer.home);
      for (const session of sessions) {
        const got = await session.get(await session.find(session.home, renamed));
        expect(createHash('sha256').update(got).digest('hex')).toBe(digest);
      }
    }
    const events = await person.user.http.get<{ type: string }[]>('/api/1/events/?limit=100');
    const count = (type: RegExp) => events.filter((event) => type.test(event.type)).length;
    expect([count(/created/), count(/renamed/), count(/(?<!un)deleted/), count(/undeleted/)]).toEqual([2, 2, 2, 2]);
    for (const session of sessions) session.close();
  });
});
