import { createHash, randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser } from '../../support/cloudike-user.js';
import { CompanyTown, PASSWORD } from '../../support/companies.js';
import { type SharedStack, sharedStack } from '../../support/stack.js';
import { ABILITIES, type Ability, NoCall, type ParityDriver, type ParitySession, type Person } from './driver.js';
import { DRIVERS } from './drivers.js';
import { plays, SCENARIOS } from './scenarios.js';

// Every API over one core: the same scenarios through all of them, and one file through several.

/** What each API lacks, said a second time: nothing is left out because somebody wrote a line more into a driver. */
const LACKING: Readonly<Record<string, readonly Ability[]>> = {
  cloudike: [],
  fileago: [],
  koneksi: ['clash', 'copy', 'restore'],
  mediasaur: ['folders', 'places', 'restore'],
  quicksync: ['folders', 'places', 'clash', 'rename', 'move', 'copy', 'restore'],
};

let stack: SharedStack;
let admin: CloudikeUser;
let town: CompanyTown;

beforeAll(async () => {
  stack = await sharedStack();
  town = new CompanyTown(stack.baseUrl);
  admin = await CloudikeUser.login(stack.baseUrl, stack.admin.email, stack.admin.password);
});
afterAll(async () => {
  admin?.http.close();
  town?.close();
  await stack?.stop();
});

/** A new person. */
async function newPerson(): Promise<Person> {
  const user = await CloudikeUser.register(stack.baseUrl, undefined, PASSWORD);
  return { email: user.email, password: PASSWORD, user };
}

describe.each(DRIVERS)('$name', (driver) => {
  let session: ParitySession;

  beforeAll(async () => {
    session = await driver.signIn(stack.baseUrl, await newPerson());
  });
  afterAll(() => session?.close());

  it('lacks what is known, and says why', async () => {
    expect(Object.keys(driver.lacks).sort()).toEqual([...(LACKING[driver.name] ?? [])].sort());
    for (const [ability, why] of Object.entries(driver.lacks)) expect(why.length, `${ability}: ${ABILITIES[ability as Ability]}`).toBeGreaterThan(20);
    const calls: readonly (readonly [Ability, () => Promise<unknown>])[] = [
      ['folders', () => session.mkdir(session.home, 'tried by the suite')],
      ['rename', () => session.rename(driver.nothing, 'x')],
      ['move', () => session.move(driver.nothing, driver.nothing)],
      ['copy', () => session.copy(driver.nothing, driver.nothing)],
      ['restore', () => session.restore(driver.nothing, session.home)],
    ];
    for (const [ability, call] of calls) {
      const thrown: unknown = await call().then(
        () => null,
        (error: unknown) => error,
      );
      expect(thrown instanceof NoCall, ability).toBe(driver.lacks[ability] !== undefined);
    }
  });

  const played = SCENARIOS.filter((scenario) => plays(driver, scenario));

  it.each(played)('$title', async ({ title, play }) => {
    await play({
      driver,
      session,
      folder: await session.area(title.replaceAll('/', ' ')),
      stranger: async () => driver.signIn(stack.baseUrl, await newPerson()),
      withSpace: async (bytes) => {
        const person = await newPerson();
        await admin.http.form('/api/1/admin/edit_user/', { user_id: person.user.userId, hard_quota_size: bytes });
        return driver.signIn(stack.baseUrl, person);
      },
      revocable: async () => {
        const person = await newPerson();
        return { session: await driver.signIn(stack.baseUrl, person), revoke: () => driver.revoke(person) };
      },
      restrictable: async () => {
        const { admin: user } = await town.found(`Company at ${driver.name}`);
        return {
          session: await driver.signIn(stack.baseUrl, { email: user.email, password: PASSWORD, user }),
          forbid: async (rule) => {
            await admin.http.form(`/api/1/accounts/company/change_user_${rule}/`, { user_id: user.userId, value: false });
          },
        };
      },
    });
  });
});

describe('the suite', () => {
  it('has every API, and plays every scenario through one of them at least', () => {
    expect(DRIVERS.map(({ name }) => name).sort()).toEqual(Object.keys(LACKING).sort());
    expect(SCENARIOS.filter((scenario) => !DRIVERS.some((driver) => plays(driver, scenario))).map(({ title }) => title)).toEqual(
      ['putting again is another file', 'putting again is refused'].filter((title) =>
        DRIVERS.every(({ again }) => again !== (title.endsWith('refused') ? 'refused' : 'another')),
      ),
    );
  });
});

describe('one file through several APIs', () => {
  const TREE = DRIVERS.filter(({ inTree }) => inTree);
  const can = (driver: ParityDriver, ability: Ability): boolean => driver.lacks[ability] === undefined;
  /** The driver whose turn it is, of those that can. */
  const turn = (nth: number, ability?: Ability): number => {
    const able = TREE.filter((driver) => ability === undefined || can(driver, ability));
    return TREE.indexOf(able[nth % able.length]!);
  };

  it('is uploaded by one, renamed by the next, trashed and restored by others, with the same bytes everywhere and one event each', async () => {
    const person = await newPerson();
    const sessions = await Promise.all(TREE.map((driver) => driver.signIn(stack.baseUrl, person)));
    const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
    for (const [first, uploader] of sessions.entries()) {
      const bytes = randomBytes(70_000);
      const name = `by ${TREE[first]!.name}.bin`;
      const renamed = `renamed ${name}`;
      await uploader.put(uploader.home, name, bytes);
      const renamer = sessions[turn(first + 1, 'rename')]!;
      await renamer.rename(await renamer.find(renamer.home, name), renamed);
      const remover = sessions[turn(first + 2)]!;
      const restorer = sessions[turn(first + 3, 'restore')]!;
      const restorable = await restorer.find(restorer.home, renamed);
      await remover.remove(await remover.find(remover.home, renamed));
      for (const session of sessions) expect((await session.list(session.home)).map((item) => item.name)).not.toContain(renamed);
      await restorer.restore(restorable, restorer.home);
      for (const session of sessions) expect(digestOf(await session.get(await session.find(session.home, renamed)))).toBe(digestOf(bytes));
    }
    const events = await person.user.http.get<{ type: string }[]>('/api/1/events/?limit=100');
    const count = (type: RegExp) => events.filter((event) => type.test(event.type)).length;
    const each = TREE.length;
    expect([count(/created/), count(/renamed/), count(/(?<!un)deleted/), count(/undeleted/)]).toEqual([each, each, each, each]);
    for (const session of sessions) session.close();
  });

  it('takes its bytes from one quota, whichever API brings it', async () => {
    const person = await newPerson();
    const used = async (): Promise<number> => (await person.user.http.get<{ storage_size: number }>('/api/1/accounts/get/')).storage_size;
    const before = await used();
    for (const [nth, driver] of DRIVERS.entries()) {
      const session = await driver.signIn(stack.baseUrl, person);
      await session.put(session.home, `weighed by ${driver.name}.bin`, randomBytes(1_000));
      expect((await used()) - before, driver.name).toBe((nth + 1) * 1_000);
      session.close();
    }
  });
});
