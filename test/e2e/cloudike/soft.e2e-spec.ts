import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser } from '../../support/cloudike-user.js';
import { HttpSession } from '../../support/http-session.js';
import { type SharedStack, sharedStack } from '../../support/stack.js';

// Versions and updates of client programs: docs/contracts/cloudike.md 7.

let stack: SharedStack;
let anonymous: HttpSession;
let system: CloudikeUser;
/** Two users with ids that follow one another. */
let even: CloudikeUser;
let odd: CloudikeUser;

beforeAll(async () => {
  stack = await sharedStack();
  anonymous = new HttpSession(stack.baseUrl);
  system = await CloudikeUser.login(stack.baseUrl, stack.admin.email, stack.admin.password);
  const users = [await CloudikeUser.register(stack.baseUrl), await CloudikeUser.register(stack.baseUrl)];
  [even, odd] = users.sort((a, b) => (a.userId % 2) - (b.userId % 2)) as [CloudikeUser, CloudikeUser];
  expect([even.userId % 2, odd.userId % 2]).toEqual([0, 1]);
});
afterAll(async () => {
  await stack?.stop();
});

type Params = Record<string, string | number | boolean>;

const query = (params: Params) =>
  new URLSearchParams(Object.entries(params).map(([name, value]): [string, string] => [name, String(value)])).toString();
const soft = <T = Record<string, unknown>>(name: string, params: Params, http = system.http) => http.get<T>(`/api/0/soft/${name}/?${query(params)}`);

async function refusal(name: string, params: Params, http = system.http) {
  const reply = await http.send(`/api/1/soft/${name}/?${query(params)}`);
  return { status: reply.status, code: reply.json<{ code?: string }>().code };
}

const FORBIDDEN = { status: 403, code: 'Forbidden' };
const INVALID = { status: 400, code: 'InvalidParameters' };
const UNAUTHORIZED = { status: 401, code: 'Unauthorized' };

describe('versions', () => {
  const base = { platform: 'windows', version: '1.0', link: 'http://qwe.example/qe.exe', competition: 0 };

  it('are set, changed in place, and read by everybody', async () => {
    expect(await refusal('get_version', { platform: 'windows' }, anonymous)).toEqual(FORBIDDEN);
    const full = { ...base, description: 'New version', critical: true };
    expect(await soft('set_version', full)).toEqual(full);
    expect(await soft('set_version', { ...base, version: '1.1' })).toEqual({ ...base, version: '1.1', description: '', critical: false });
    expect(await soft('get_version', { platform: 'windows' }, anonymous)).toEqual({
      version: { link: base.link, platform: 'windows', version: '1.1', critical: false, description: '' },
    });
    await soft('set_version', { ...base, description: 'Changed' });
    expect(await soft('get_version', { platform: 'windows' }, even.http)).toMatchObject({ version: { version: '1.1' } });
    await soft('set_version', { ...base, platform: 'mac', version: '9' });
    expect((await soft<{ version: string }[]>('list_version', {})).map((entry) => entry.version)).toEqual(['9', '1.1', '1.0']);
    expect(await soft('list_version', { platform: 'windows' })).toEqual([
      expect.objectContaining({ version: '1.1' }),
      { ...base, description: 'Changed', critical: false },
    ]);
  });

  it('are tried out by their share of the users', async () => {
    await soft('set_version', { ...base, platform: 'linux', version: '2.0' });
    await soft('set_version', { ...base, platform: 'linux', version: '2.1-beta', competition: 2 });
    const seen = async (http: HttpSession) =>
      (await soft<{ version: { version: string } }>('get_version', { platform: 'linux' }, http)).version.version;
    expect([await seen(even.http), await seen(odd.http), await seen(anonymous)]).toEqual(['2.1-beta', '2.0', '2.0']);
    await soft('set_version', { ...base, platform: 'ios', version: '3', competition: 2 });
    expect(await refusal('get_version', { platform: 'ios' }, anonymous)).toEqual(FORBIDDEN);
  });

  it('refuse strangers, unknown platforms and bad values', async () => {
    expect(await refusal('get_version', { platform: 'amiga' }, anonymous)).toEqual(FORBIDDEN);
    expect(await refusal('get_version', { platform: 'constructor' }, anonymous)).toEqual(FORBIDDEN);
    expect(await refusal('get_version', {}, anonymous)).toEqual(INVALID);
    expect(await refusal('set_version', { ...base, platform: 'amiga' })).toEqual(FORBIDDEN);
    expect(await refusal('list_version', { platform: 'amiga' })).toEqual(FORBIDDEN);
    const { competition: _, ...without } = base;
    expect(await refusal('set_version', without)).toEqual(INVALID);
    for (const wrong of [
      { link: 'javascript:alert(1)' },
      { link: 'a.exe' },
      { link: '' },
      { version: 'a b' },
      { competition: -1 },
      { critical: 'x' },
    ]) {
      expect(await refusal('set_version', { ...base, ...wrong } as Params)).toEqual(INVALID);
    }
    for (const [name, params] of [
      ['set_version', base],
      ['list_version', {}],
    ] as [string, Params][]) {
      expect(await refusal(name, params, even.http)).toEqual(FORBIDDEN);
      expect(await refusal(name, params, anonymous)).toEqual(UNAUTHORIZED);
    }
  });
});

describe('updates', () => {
  const base = { platform: 'windows', link_base: 'http://aaa.example/', version_base: '1', competition: 0 };
  const trial = { ...base, version_base: '2', competition: 2, link_exp: 'http://bbb.example/', version_exp: '2.5' };

  it('answer the base pair, and the other one to its share of the users', async () => {
    expect(await refusal('get_update', { platform: 'windows' }, anonymous)).toEqual(FORBIDDEN);
    expect(await soft('set_update', base)).toEqual({ ...base, link_exp: '', version_exp: '' });
    for (const http of [even.http, odd.http, anonymous])
      expect(await soft('get_update', { platform: 'windows' }, http)).toEqual({ '1': base.link_base });
    expect(await soft('set_update', trial)).toEqual(trial);
    expect(await soft('get_update', { platform: 'windows' }, even.http)).toEqual({ '2.5': trial.link_exp });
    expect(await soft('get_update', { platform: 'windows' }, odd.http)).toEqual({ '2': base.link_base });
    expect(await soft('get_update', { platform: 'windows' }, anonymous)).toEqual({ '2': base.link_base });
    await soft('set_update', { ...base, link_base: 'http://ccc.example/' });
    expect((await soft<{ version_base: string }[]>('list_updates', { platform: 'windows' })).map((entry) => entry.version_base)).toEqual(['2', '1']);
    expect(await soft('list_updates', {})).toHaveLength(2);
    expect(await soft('list_updates', { platform: 'mac' })).toEqual([]);
  });

  it('refuse strangers, unknown platforms and bad values', async () => {
    expect(await refusal('get_update', { platform: 'amiga' }, anonymous)).toEqual(FORBIDDEN);
    expect(await refusal('set_update', { ...base, platform: 'amiga' })).toEqual(FORBIDDEN);
    expect(await refusal('list_updates', { platform: 'amiga' })).toEqual(FORBIDDEN);
    for (const wrong of [
      { competition: 3 },
      { link_base: 'ftp://x.example/' },
      { version_base: '' },
      { link_exp: 'http://x.example/' },
    ] as Params[]) {
      expect(await refusal('set_update', { ...base, ...wrong })).toEqual(INVALID);
    }
    for (const [name, params] of [
      ['set_update', base],
      ['list_updates', {}],
    ] as [string, Params][]) {
      expect(await refusal(name, params, even.http)).toEqual(FORBIDDEN);
      expect(await refusal(name, params, anonymous)).toEqual(UNAUTHORIZED);
    }
  });
});
