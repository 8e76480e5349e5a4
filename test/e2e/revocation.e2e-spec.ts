import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser } from '../support/cloudike-user.js';
import { call, CompanyTown } from '../support/companies.js';
import { HttpSession } from '../support/http-session.js';
import { type Stack, startStack } from '../support/stack.js';
import { Subscriber } from '../support/subscriber.js';

// What is taken away on one api is gone on the other within two seconds, on every way: calls, websockets, and URLs that were given out before.

const LIMIT_MS = 2_000;
const FILE = '/plan/a.txt';
const ENDED = [401, 403, 404];

let stack: Stack;
let first: string;
let second: string;
let town: CompanyTown;
let system: CloudikeUser;
let admin: CloudikeUser;
let companyId: number;

beforeAll(async () => {
  stack = await startStack({ apis: 2, env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off' } });
  [first = '', second = ''] = stack.baseUrls;
  town = new CompanyTown(first);
  system = await CloudikeUser.login(first, stack.admin.email, stack.admin.password);
  ({ admin, companyId } = await town.found('Acme'));
});
afterAll(async () => {
  town?.close();
  await stack?.stop();
});

/** Somebody who is about to lose something; what he has is seen by the other api. */
interface Victim {
  readonly http: HttpSession;
  readonly token: string;
  /** A call that is answered as long as he has it. */
  readonly read: string;
  /** Answers a URL of the bytes. */
  readonly get: string;
}

const onSecond = (url: string) => `${second}${new URL(url).pathname}${new URL(url).search}`;
const with2 = (token: string) => new HttpSession(second, { 'mountbit-auth': token });
const as = (user: { token: string }, read = `/api/1/metadata${FILE}`, get = `/api/1/files/get${FILE}`): Victim => ({
  http: with2(user.token),
  token: user.token,
  read,
  get,
});

/** A member with a file of his own. */
async function owner(): Promise<CloudikeUser> {
  const user = await town.hire(admin, companyId);
  await user.upload(FILE, Buffer.from('secret'));
  return user;
}

/** Two members of one company and a folder that one has shared with the other. */
async function shared(how: (from: CloudikeUser, to: CloudikeUser) => Promise<void>): Promise<{ from: CloudikeUser; to: CloudikeUser }> {
  const [from, to] = [await owner(), await town.hire(admin, companyId)];
  await how(from, to);
  const invitations = await to.http.get<{ hash: string }[]>('/api/1/notices/?type=personal&behavior=interactive');
  await to.http.form('/api/1/shares/accept/', { invite_hash: invitations[0]!.hash });
  return { from, to };
}

/** What is there, and until when: resolves with the ms after which `still` answers no more. */
async function gone(still: () => Promise<number>, sinceMs: number): Promise<void> {
  for (;;) {
    const status = await still();
    const afterMs = performance.now() - sinceMs;
    if (status >= 300) {
      expect(ENDED).toContain(status);
      return;
    }
    if (afterMs > LIMIT_MS) throw new Error(`still answered ${status} after ${Math.round(afterMs)} ms`);
  }
}

/**
 * The victim has everything on the second api, the first one takes it; answers when both the call and the URL are refused there, in time. A URL that was
 * asked for before stays refused.
 */
async function revoke(victim: Victim, take: () => Promise<unknown>): Promise<void> {
  const { url } = await victim.http.get<{ url: string }>(victim.get);
  const anonymous = new HttpSession(second);
  const read = async () => (await victim.http.send(victim.read)).status;
  const bytes = async () => (await anonymous.send(onSecond(url))).status;
  expect(await read()).toBe(200);
  expect(await bytes()).toBe(200);
  await take();
  const sinceMs = performance.now();
  await Promise.all([gone(read, sinceMs), gone(bytes, sinceMs)]);
  const head = await anonymous.send(onSecond(url), { method: 'HEAD' });
  expect(ENDED).toContain(head.status);
  expect(ENDED).toContain((await anonymous.send(onSecond(url), { headers: { range: 'bytes=0-1' } })).status);
  anonymous.close();
}

/** The status with which a websocket is let in. */
async function knock(token: string): Promise<number> {
  try {
    await (await Subscriber.open(second, `token=${token}`)).close();
    return 200;
  } catch (error) {
    return Number(/refused (\d+)/.exec((error as Error).message)?.[1] ?? Number.NaN);
  }
}

/** The same, with a websocket that is closed in time. */
async function revokeAccess(victim: Victim, take: () => Promise<unknown>): Promise<void> {
  const socket = await Subscriber.listening(second, `token=${victim.token}`);
  let takenMs = 0;
  const closed = socket.until(() => socket.closed !== undefined, 20_000).then(() => performance.now());
  await revoke(victim, async () => {
    await take();
    takenMs = performance.now();
  });
  expect((await closed) - takenMs).toBeLessThan(LIMIT_MS);
  // files of an erased account may be gone before the token is: the door has its own two seconds
  await gone(() => knock(victim.token), takenMs);
}

/** The same, with a websocket that stays and hears nothing more of the folder. */
async function revokeFolder(victim: Victim, from: CloudikeUser, take: () => Promise<unknown>): Promise<void> {
  const socket = await Subscriber.listening(second, `token=${victim.token}`);
  await from.mkdir('/plan/heard');
  await socket.until(() => JSON.stringify(socket.events).includes('heard'));
  await revoke(victim, take);
  await from.mkdir('/plan/unheard');
  const own = with2(victim.token);
  await own.form('/api/1/fileops/folder_create/', { path: '/own' });
  await socket.event('folder_created', '/own');
  expect(JSON.stringify(socket.events)).not.toContain('unheard');
  await socket.close();
}

const said = async (http: HttpSession, path: string, params: Parameters<typeof call>[2]) => expect((await call(http, path, params)).said).toBe('200');

describe('within two seconds the other api refuses', () => {
  it('a disabled account', async () => {
    const user = await owner();
    await revokeAccess(as(user), () => said(system.http, 'admin/accounts_disable/', { user_id: user.userId }));
  });

  it('a deleted account, and one that is erased', async () => {
    for (const immediately of [false, true]) {
      const user = await owner();
      await revokeAccess(as(user), () => said(system.http, 'admin/accounts_delete/', { user_id: user.userId, immediately, migrate_file: false }));
    }
  });

  it('a member who is to be removed', async () => {
    const user = await owner();
    await revokeAccess(as(user), () => said(admin.http, `company/${companyId}/remove_user/`, { user_id: user.userId }));
  });

  it('a token from before the password was changed', async () => {
    const user = await owner();
    const phone = await town.device(user.email);
    await revokeAccess(as(phone), () => said(user.http, 'accounts/change_profile/', { password: 'another horse battery' }));
    expect((await call(user.http, 'accounts/get/')).said).toBe('200');
  });

  it('a token that was removed, and its own URLs alone', async () => {
    const user = await owner();
    const phone = await town.device(user.email);
    const { url } = await user.http.get<{ url: string }>(`/api/1/files/get${FILE}`);
    await revokeAccess(as(phone), () => said(user.http, 'accounts/remove_token/', { token_id: phone.id }));
    expect((await user.http.send(onSecond(url))).status).toBe(200);
  });

  it('a device that is to be wiped', async () => {
    const user = await owner();
    const phone = await town.device(user.email);
    await revokeAccess(as(phone), () => said(admin.http, 'company/user_permanent_token/remove', { token_id: phone.id, remote_wipe: true }));
  });

  it('who has lost a shared folder', async () => {
    const { from, to } = await shared((owner, member) =>
      said(owner.http, 'shares/add/', { path: '/plan', member_login: `email:${member.email}`, writer: false }),
    );
    await revokeFolder(as(to), from, () => said(from.http, 'shares/remove/', { path: '/plan', member_login: `email:${to.email}` }));
  });

  it('who has left the group that had it', async () => {
    const { group_id } = await admin.http.form<{ group_id: string }>('/api/1/groups/create/', { name: 'Team' });
    const { from, to } = await shared(async (owner, member) => {
      await said(admin.http, `groups/${group_id}/add_user/`, { user_ids: member.userId });
      await said(owner.http, 'shares/add/', { path: '/plan', group_id, writer: false });
    });
    await revokeFolder(as(to), from, () => said(admin.http, `groups/${group_id}/remove_user/`, { user_ids: to.userId }));
  });

  it('the holder of a link that was deleted', async () => {
    const user = await owner();
    const { public_hash: hash } = await user.http.form<{ public_hash: string }>('/api/1/links/create/', { path: '/plan', access_rights: 'download' });
    const guest: Victim = { http: new HttpSession(second), token: '', read: `/api/1/links/metadata/${hash}/`, get: `/api/1/links/get/${hash}/a.txt` };
    await revoke(guest, () => said(user.http, 'links/delete/', { path: '/plan' }));
  });
});
