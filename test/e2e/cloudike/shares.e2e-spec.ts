import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser, type WireNode } from '../../support/cloudike-user.js';
import { type FormValue, HttpSession } from '../../support/http-session.js';
import { type SharedStack, sharedStack } from '../../support/stack.js';

// The share routes as docs/contracts/cloudike.md section 10 has them, by real HTTP.

type Wire = Record<string, unknown>;
interface Collaborator {
  readonly owner: boolean;
  readonly writer: boolean;
  readonly status: string;
  readonly userid: number;
  readonly login: string;
  readonly name: string;
  readonly is_indirect: boolean;
}

const PASSWORD = 'correct horse battery';

let stack: SharedStack;
let owner: CloudikeUser;
let member: CloudikeUser;
let stranger: CloudikeUser;
let founder: CloudikeUser;
let colleague: CloudikeUser;
let rival: CloudikeUser;
let anonymous: HttpSession;

/** Founds a company; the user administrates it. */
async function found(name: string): Promise<CloudikeUser> {
  const email = `founder-${name}-${Math.random().toString(36).slice(2)}@example.org`;
  await anonymous.form('/api/1/accounts/create/', { email, password: PASSWORD, name: `Founder of ${name}`, company_name: name });
  return CloudikeUser.login(stack.baseUrl, email, PASSWORD);
}

/** A member of the administrator's company. */
async function hire(admin: CloudikeUser): Promise<CloudikeUser> {
  const email = `staff-${Math.random().toString(36).slice(2)}@example.org`;
  await admin.http.form('/api/1/accounts/create/', { email, password: PASSWORD, name: 'Staff', created_manually: true });
  return CloudikeUser.login(stack.baseUrl, email, PASSWORD);
}

beforeAll(async () => {
  stack = await sharedStack();
  anonymous = new HttpSession(stack.baseUrl);
  [owner, member, stranger] = [
    await CloudikeUser.register(stack.baseUrl),
    await CloudikeUser.register(stack.baseUrl),
    await CloudikeUser.register(stack.baseUrl),
  ];
  [founder, rival] = [await found('Acme'), await found('Rival')];
  colleague = await hire(founder);
});
afterAll(() => stack?.stop());

/** Status and code of a call; the body when it was taken. */
async function call(who: CloudikeUser | null, route: string, params: Record<string, FormValue | readonly FormValue[]> = {}): Promise<string> {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) for (const item of [value].flat()) if (item !== undefined) body.append(name, String(item));
  const http = who?.http ?? anonymous;
  const reply = await http.send(`/api/1/${route}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: body.toString(),
  });
  const code = reply.body.length === 0 ? '(empty)' : (reply.json<{ code?: string }>().code ?? '');
  return `${reply.status} ${code}`.trim();
}

const add = (who: CloudikeUser, params: Record<string, FormValue>) => who.http.form<{ hash: string; login: string }>('/api/1/shares/add/', params);

/** Shares a folder with somebody who accepts. */
async function give(from: CloudikeUser, path: string, to: CloudikeUser, writer = false): Promise<string> {
  await from.http.form('/api/1/fileops/folder_create/', { path }, [200, 403]);
  const { hash } = await add(from, { path, member_login: `email:${to.email}`, writer });
  await to.http.form('/api/1/shares/accept/', { hash });
  return hash;
}

/** The mail that was written to an address. */
async function mailTo(email: string): Promise<string> {
  const folder = join(stack.dataDir, 'outbox');
  const find = async () => {
    const files = await readdir(folder).catch(() => []);
    const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
    return texts.find((text) => text.includes(`\r\nTo: ${email}\r\n`)) ?? null;
  };
  await expect.poll(find, { timeout: 20_000 }).not.toBeNull();
  return (await find())!;
}

const paths = (nodes: readonly WireNode[]) => nodes.map((node) => node.path);
const statusOf = async (who: CloudikeUser, path: string) => (await who.http.send(`/api/1/metadata${path}`)).status;

describe('shares/add, accept and decline', () => {
  it('invite a user, who finds the folder in the root, with what is in it', async () => {
    await owner.mkdir('/Plans');
    await owner.upload('/Plans/a.txt', Buffer.from('abc'));
    const added = await add(owner, { path: '/Plans', member_login: `email:${member.email}`, invitation: 'Look', lang: 'ru' });
    expect(added).toEqual({ hash: expect.stringMatching(/^[\w-]{32}$/), login: `email:${member.email}` });
    const [invite] = await member.http.get<Wire[]>('/api/1/shares/invites/');
    expect(invite).toEqual({
      hash: added.hash,
      writer: false,
      directory_name: 'Plans',
      owner_name: owner.email.split('@')[0],
      owner_id: owner.userId,
      invitation: 'Look',
    });
    expect(await statusOf(member, '/Plans')).toBe(404);
    expect(await call(stranger, 'shares/accept/', { hash: added.hash })).toBe('403 InvitationNotFound');
    expect(await member.http.form('/api/1/shares/accept/', { hash: added.hash })).toEqual({ code: 'OK', description: expect.any(String) });
    expect(await call(member, 'shares/accept/', { hash: added.hash })).toBe('200 OK');
    expect((await member.download('/Plans/a.txt')).toString()).toBe('abc');
    const [mine, theirs] = [await owner.metadata('/Plans'), await member.metadata('/Plans')] as unknown as Wire[];
    expect(mine).toMatchObject({ shared: true, shared_hash: expect.stringMatching(/^[\w-]{32}$/), role: 'owner' });
    expect(theirs).toMatchObject({ path: '/Plans', shared: true, role: 'collaborator', owner: owner.userId });
    expect(await member.http.get('/api/1/shares/invites/')).toEqual([]);
  });

  it('take every spelling of the member, GET and POST, and /api/0', async () => {
    for (const [name, value] of [
      ['member_email', member.email],
      ['login', `email:${member.email}`],
      ['member_login', member.email.toUpperCase()],
    ] as const) {
      const path = `/by-${name}`;
      await owner.mkdir(path);
      const { hash } = await owner.http.get<{ hash: string }>(
        `/api/0/shares/add?${new URLSearchParams({ path, [name]: value, invitataion: 'x' }).toString()}`,
      );
      await member.http.get(`/api/1/shares/decline?hash=${hash}`);
      expect(await call(member, 'shares/accept/', { hash })).toBe('403 InvitationAnswered');
    }
  });

  it('answer 200 with an empty body when it is shared with the member already', async () => {
    await owner.mkdir('/Twice');
    await add(owner, { path: '/Twice', member_login: member.email });
    expect(await call(owner, 'shares/add/', { path: '/Twice', member_login: member.email })).toBe('200 (empty)');
  });

  it('refuse with the documented numbers', async () => {
    await owner.mkdir('/No');
    await owner.upload('/No/file.txt', Buffer.from('x'));
    const to = { member_login: member.email };
    expect(await call(null, 'shares/add/', { path: '/No', ...to })).toBe('401 Unauthorized');
    expect(await call(owner, 'shares/add/', {})).toBe('400 InvalidParameters');
    expect(await call(owner, 'shares/add/', { path: '/No', member_login: '' })).toBe('400 InvalidParameters');
    expect(await call(owner, 'shares/add/', { path: '/', ...to })).toBe('403 Forbidden');
    expect(await call(owner, 'shares/add/', { path: '/No/file.txt', ...to })).toBe('403 NotAFolder');
    expect(await call(owner, 'shares/add/', { path: '/Nowhere', ...to })).toBe('404 NotFound');
    expect(await call(owner, 'shares/add/', { path: '/No', member_login: owner.email })).toBe('409 OwnFolder');
    expect(await call(owner, 'shares/add/', { path: '/No', member_login: 'userid:1' })).toBe('404 UserNotFound');
    expect(await call(owner, 'shares/add/', { path: '/No', group_id: 424_242 })).toBe('404 GroupNotFound');
    expect(await call(owner, 'shares/add/', { path: '/No', ...to, use_folder_limit: true })).toBe('400 InvalidParameters');
    expect(await call(member, 'shares/accept/', { hash: 'nothing' })).toBe('403 InvitationNotFound');
    expect(await call(member, 'shares/decline/', { hash: 'nothing' })).toBe('403 InvitationNotFound');
    expect(await call(member, 'shares/accept/', {})).toBe('400 InvalidParameters');
    expect(await call(null, 'shares/accept/', { hash: 'x' })).toBe('401 Unauthorized');
  });

  it('refuse a mount point (412), a folder below it (403), and a folder that holds one (424)', async () => {
    await give(owner, '/Theirs/sub', member, true);
    await member.mkdir('/Holder');
    expect(await call(member, 'shares/add/', { path: '/sub', member_login: stranger.email })).toBe('412 MountPoint');
    await owner.mkdir('/Theirs/sub/deep');
    expect(await call(member, 'shares/add/', { path: '/sub/deep', member_login: stranger.email })).toBe('403 Forbidden');
    await member.http.form('/api/1/fileops/move/', { from_path: '/sub', to_path: '/Holder' });
    expect(await call(member, 'shares/add/', { path: '/Holder', member_login: stranger.email })).toBe('424 ContainsShare');
  });

  it('number the name that is taken', async () => {
    await member.mkdir('/Clash');
    await give(owner, '/Clash', member);
    expect(await statusOf(member, '/Clash%20(1)')).toBe(200);
  });

  it('let whoever has the hash accept, when nobody is named', async () => {
    await owner.mkdir('/Open');
    const { hash } = await add(owner, { path: '/Open', writer: true });
    expect((await add(owner, { path: '/Open', writer: true })).hash).toBe(hash);
    expect(((await owner.metadata('/Open')) as unknown as Wire)['shared_hash']).toBe(hash);
    await Promise.all([1, 2, 3].map(() => stranger.http.form('/api/1/shares/accept/', { hash })));
    await stranger.upload('/Open/new.txt', Buffer.from('from a stranger'));
    expect((await owner.download('/Open/new.txt')).toString()).toBe('from a stranger');
    const told = async () => ((await stranger.metadata('/Open')) as unknown as Wire)['shared_hash'];
    expect(await told()).toBeNull();
    await add(owner, { path: '/Open', writer: false });
    expect(await told()).toBe(hash);
    expect(await call(owner, 'shares/accept/', { hash })).toBe('403 InvitationNotFound');
    expect(await call(owner, 'shares/uninvite/', { path: '/Open' })).toBe('200 OK');
    expect(await call(member, 'shares/accept/', { hash })).toBe('403 InvitationNotFound');
    expect(await call(owner, 'shares/uninvite/', { path: '/Open' })).toBe('403 InvitationNotFound');
  });

  it('invite an unknown address by mail, whose owner registers with it and has the folder', async () => {
    const email = 'never-seen-before@example.org';
    await owner.mkdir('/Mailed');
    const { hash, login } = await add(owner, { path: '/Mailed', member_login: `email:${email}`, invitation: 'Please join', lang: 'de' });
    expect(login).toBe(`email:${email}`);
    const text = await mailTo(email);
    expect(text).toContain('Please join');
    const inviteHash = /[0-9a-f]{64}/.exec(text)![0];
    expect(await anonymous.get(`/api/1/accounts/getinvited/?hash=${inviteHash}`)).toEqual({ login });
    await anonymous.form('/api/1/accounts/create/', { email, password: PASSWORD, name: 'New', invite_hash: inviteHash });
    const fresh = await CloudikeUser.login(stack.baseUrl, email, PASSWORD);
    expect(await fresh.http.get<Wire[]>('/api/1/shares/invites/')).toEqual([]);
    expect(await statusOf(fresh, '/Mailed')).toBe(200);
    expect(await call(fresh, 'shares/accept/', { hash })).toBe('200 OK');
  });

  it('charge the owner, and hold members to their rights', async () => {
    await give(owner, '/Read', member);
    await owner.upload('/Read/a.txt', Buffer.from('abc'));
    expect(await call(member, 'files/create/', { path: '/Read/b.txt', size: 3 })).toBe('403 Forbidden');
    expect(await call(member, 'fileops/folder_create/', { path: '/Read/x' })).toBe('403 Forbidden');
    expect(await call(member, 'fileops/rename/', { path: '/Read/a.txt', newname: 'b.txt' })).toBe('403 Forbidden');
    const used = async (who: CloudikeUser) => (await who.http.get<{ storage_size: number }>('/api/1/accounts/get/')).storage_size;
    await owner.http.form('/api/1/shares/update_collaborator/', { path: '/Read', member_login: member.email, writer: true });
    const before = [await used(owner), await used(member)];
    await member.upload('/Read/b.txt', Buffer.from('12345'));
    expect([await used(owner), await used(member)]).toEqual([before[0]! + 5, before[1]]);
  });
});

describe('shares/collaborators, update_collaborator, remove, uninvite and unshare', () => {
  const collaborators = (who: CloudikeUser, path: string) => who.http.form<Collaborator[]>('/api/1/shares/collaborators/', { path });

  it('list everybody with the shape of the document, direct and indirect', async () => {
    await give(owner, '/Team/Inner', member, true);
    await add(owner, { path: '/Team', member_login: stranger.email });
    const direct = await collaborators(owner, '/Team/Inner');
    const name = (user: CloudikeUser) => user.email.split('@')[0];
    expect(direct).toEqual([
      { owner: true, writer: true, status: 'accepted', userid: owner.userId, login: `email:${owner.email}`, name: name(owner), is_indirect: false },
      {
        owner: false,
        writer: true,
        status: 'accepted',
        userid: member.userId,
        login: `email:${member.email}`,
        name: name(member),
        is_indirect: false,
      },
      {
        owner: false,
        writer: false,
        status: 'waiting',
        userid: stranger.userId,
        login: `email:${stranger.email}`,
        name: name(stranger),
        is_indirect: true,
      },
    ]);
    expect(await collaborators(member, '/Inner')).toEqual(direct);
    expect(await call(stranger, 'shares/collaborators/', { path: '/Team' })).toBe('404 NotFound');
    expect(await call(owner, 'shares/collaborators/', { path: '/Nowhere' })).toBe('404 NotFound');
    expect(await call(null, 'shares/collaborators/', { path: '/Team' })).toBe('401 Unauthorized');
  });

  it('refuse what is not shared, and members who are no owners', async () => {
    await give(owner, '/Rules', member);
    await owner.mkdir('/Plain');
    const named = { member_login: member.email };
    expect(await call(owner, 'shares/update_collaborator/', { path: '/Plain', ...named, writer: true })).toBe('403 NotShared');
    expect(await call(owner, 'shares/update_collaborator/', { path: '/Rules', ...named })).toBe('400 InvalidParameters');
    expect(await call(owner, 'shares/update_collaborator/', { path: '/Nowhere', ...named, writer: true })).toBe('404 NotFound');
    expect(await call(member, 'shares/update_collaborator/', { path: '/Rules', ...named, writer: true })).toBe('403 Forbidden');
    expect(await call(owner, 'shares/remove/', { path: '/Rules', member_login: stranger.email })).toBe('403 NotShared');
    expect(await call(owner, 'shares/remove/', { path: '/Rules' })).toBe('400 InvalidParameters');
    expect(await call(owner, 'shares/remove/', { path: '/Nowhere', ...named })).toBe('404 NotFound');
    expect(await call(stranger, 'shares/remove/', { path: '/Rules', ...named })).toBe('404 NotFound');
    expect(await call(member, 'shares/unshare/', { path: '/Rules' })).toBe('403 Forbidden');
    expect(await call(owner, 'shares/unshare/', { path: '/Plain' })).toBe('404 NotFound');
    expect(await call(owner, 'shares/uninvite/', { path: '/Rules', ...named })).toBe('403 InvitationAnswered');
    for (const route of ['remove', 'unshare', 'uninvite', 'update_collaborator', 'decline', 'sizelimit']) {
      expect(await call(null, `shares/${route}/`, { path: '/Rules', writer: true, hash: 'x' }), route).toBe('401 Unauthorized');
    }
  });

  it('take the folder away at once', async () => {
    await give(owner, '/Gone', member);
    await give(owner, '/Gone', stranger);
    await owner.http.form('/api/1/shares/remove/', { path: '/Gone', login: `userid:${member.userId}` });
    expect([await statusOf(member, '/Gone'), await statusOf(stranger, '/Gone')]).toEqual([404, 200]);
    await owner.http.form('/api/1/shares/unshare/', { path: '/Gone' });
    expect(await statusOf(stranger, '/Gone')).toBe(404);
    expect((await owner.metadata('/Gone')) as unknown as Wire).toMatchObject({ shared: false, shared_hash: null });
    const { hash } = await add(owner, { path: '/Gone', member_login: member.email });
    await owner.http.form('/api/1/shares/uninvite/', { path: '/Gone', member_login: member.email });
    expect(await call(member, 'shares/accept/', { hash })).toBe('403 InvitationNotFound');
  });

  it('leave the owner’s folder alone when a member deletes or renames the mount', async () => {
    await give(owner, '/Stay', member, true);
    await owner.upload('/Stay/a.txt', Buffer.from('x'));
    await member.http.form('/api/1/fileops/rename/', { path: '/Stay', newname: 'Renamed' });
    await member.http.form('/api/1/fileops/delete/', { path: '/Renamed' });
    expect(await statusOf(member, '/Renamed')).toBe(404);
    expect((await owner.download('/Stay/a.txt')).toString()).toBe('x');
    expect(await collaborators(owner, '/Stay')).toHaveLength(1);
  });
});

describe('shares, shares/sizelimit and groups', () => {
  it('list folders of mine, of others and of the company', async () => {
    const fresh = await CloudikeUser.register(stack.baseUrl);
    await give(fresh, '/Mine', member);
    await give(owner, '/ForFresh', fresh);
    const list = (query = '') => fresh.http.get<WireNode[]>(`/api/1/shares/${query}`);
    expect(paths(await list())).toEqual(['/Mine', '/ForFresh']);
    expect(paths(await list('?whose=my'))).toEqual(['/Mine']);
    expect(paths(await list('?whoose=others'))).toEqual(['/ForFresh']);
    expect(await list('?whose=company')).toEqual([]);
    expect((await list())[1]).toMatchObject({ icon: 'folder', folder: true, role: 'collaborator', shared: true });
    expect(await call(null, 'shares/')).toBe('401 Unauthorized');
  });

  it('limit what a folder holds', async () => {
    await owner.mkdir('/Limited');
    await owner.upload('/Limited/a.txt', Buffer.alloc(10));
    expect(await call(owner, 'shares/sizelimit/', { path: '/Limited', size_limit: 9, enable: true })).toBe('400 InvalidParameters');
    expect(await call(owner, 'shares/sizelimit/', { path: '/Limited', enable: true })).toBe('400 InvalidParameters');
    expect(await call(owner, 'shares/sizelimit/', { path: '/Limited', size_limit: 12, enable: true })).toBe('200 OK');
    expect(await call(owner, 'files/create/', { path: '/Limited/b.txt', size: 3 })).toBe('402 QuotaExceeded');
    expect(await call(owner, 'shares/sizelimit/', { path: '/Limited', enable: false })).toBe('200 OK');
    await owner.upload('/Limited/b.txt', Buffer.alloc(3));
    await give(owner, '/LimitedShare', member, true);
    expect(await call(member, 'shares/sizelimit/', { path: '/LimitedShare', size_limit: 100 })).toBe('403 Forbidden');
  });

  it('invite the members of a group, and follow them', async () => {
    const late = await hire(founder);
    const { group_id: groupId } = await founder.http.form<{ group_id: string }>('/api/1/groups/create/', { name: 'Sales' });
    await founder.http.form(`/api/1/groups/${groupId}/add_user/`, { user_ids: colleague.userId });
    await founder.mkdir('/Sales');
    const { hash } = await add(founder, { path: '/Sales', group_id: groupId, member_login: 'ignored@example.org', writer: true });
    expect(hash).toMatch(/^[\w-]{32}$/);
    const [invite] = await colleague.http.get<{ hash: string }[]>('/api/1/shares/invites/');
    await colleague.http.form('/api/1/shares/accept/', { hash: invite!.hash });
    await founder.http.form(`/api/1/groups/${groupId}/add_user/`, { user_ids: late.userId });
    expect(await late.http.get<Wire[]>('/api/1/shares/invites/')).toHaveLength(1);
    await founder.http.form('/api/1/shares/update_collaborator/', { path: '/Sales', group_id: groupId, writer: false });
    expect(await call(colleague, 'fileops/folder_create/', { path: '/Sales/x' })).toBe('403 Forbidden');
    expect(await call(founder, 'shares/uninvite/', { path: '/Sales', group_id: groupId })).toBe('403 InvitationAnswered');
    await founder.http.form(`/api/1/groups/${groupId}/remove_user/`, { user_ids: colleague.userId });
    expect(await statusOf(colleague, '/Sales')).toBe(404);
    await rival.mkdir('/Foreign');
    expect(await call(rival, 'shares/add/', { path: '/Foreign', group_id: groupId })).toBe('404 GroupNotFound');
    expect(await call(rival, 'shares/add/', { path: '/Foreign', member_login: `userid:${colleague.userId}` })).toBe('404 UserNotFound');
    expect(await call(rival, 'shares/add/', { path: '/Foreign', member_login: colleague.email })).toBe('200');
  });
});

describe('shares by hash', () => {
  const get = async (path: string, who: CloudikeUser | null = null) => {
    const reply = await (who?.http ?? anonymous).send(`/api/1/${path}`);
    return { status: reply.status, body: reply.json<Wire>() };
  };

  it('show and give a folder to whoever may view it, and to nobody else', async () => {
    await owner.mkdir('/View/in');
    await owner.upload('/View/in/a.txt', Buffer.from('seen'));
    const { hash } = await add(owner, { path: '/View', public_view: true });
    const root = await get(`shares/metadata/${hash}/`);
    expect(root.body).toMatchObject({ path: '/', folder: true, content: [{ path: '/in' }] });
    expect((await get(`shares/metadata/${hash}/in/a.txt`)).body).toMatchObject({ path: '/in/a.txt', bytes: 4 });
    for (const route of ['shares/get', 'get']) {
      const { body } = await get(`${route}/${hash}/in/a.txt?for_view=true`);
      expect(body).toMatchObject({ path: '/in/a.txt', size: 4, method: 'GET' });
      expect((await anonymous.send(String(body['url']))).body.toString()).toBe('seen');
    }
    expect((await get(`shares/get/${hash}/in`)).status).toBe(404);
    expect((await get(`shares/get/${hash}/in/none.txt`)).status).toBe(404);
    expect((await get('shares/metadata/unknown/')).status).toBe(404);
    await member.http.form('/api/1/shares/accept/', { hash });
    expect((await get(`shares/metadata/${hash}/in`, member)).body).toMatchObject({ path: '/in', content: [{ path: '/in/a.txt' }] });
    await owner.http.form('/api/1/shares/uninvite/', { path: '/View' });
    expect((await get(`shares/metadata/${hash}/`)).status).toBe(404);
  });

  it('are shown at shares/invites too, and links there as well', async () => {
    await owner.mkdir('/Both/in');
    await owner.upload('/Both/in/a.txt', Buffer.from('a'));
    const { hash } = await add(owner, { path: '/Both', public_view: true });
    const { public_hash: link } = await owner.http.form<{ public_hash: string }>('/api/1/links/create/', { path: '/Both', password: 'pw' });
    const invites = async (query: string, who: HttpSession = anonymous) => {
      const reply = await who.send(`/api/1/shares/invites/?${query}`);
      return { status: reply.status, body: reply.json<Wire & { content?: Wire[] }>() };
    };
    for (const [query, same] of [
      [`hash=${hash}`, `shares/metadata/${hash}/`],
      [`hash=${hash}&path=/in&order_by=-name`, `shares/metadata/${hash}/in`],
      [`hash=${hash}&path=in/a.txt`, `shares/metadata/${hash}/in/a.txt`],
      [`hash=${link}`, `links/info/${link}/`],
    ] as const) {
      for (const who of [anonymous, stranger.http, owner.http])
        expect((await invites(query, who)).body, query).toEqual((await who.send(`/api/1/${same}`)).json());
    }
    expect((await invites(`hash=${hash}&path=/in`)).body.content!.map(({ path }) => path)).toEqual(['/in/a.txt']);
    expect((await invites(`hash=${link}`)).body).toMatchObject({ access_rights: 'download', password: true });
    // one that opens nothing tells nothing
    for (const none of ['x', 'y'.repeat(32), 'z'.repeat(22), hash.slice(1)]) expect((await invites(`hash=${none}`)).status, none).toBe(404);
    expect((await invites(`hash=${hash}&path=/nothing`)).status).toBe(404);
    expect((await invites('')).status).toBe(401);
    expect((await invites('hash=')).status).toBe(401);
    expect((await invites('hash=', stranger.http)).body).toEqual(await stranger.http.get('/api/1/shares/invites/'));
    await add(owner, { path: '/Both', public_view: false });
    expect((await invites(`hash=${hash}`)).status).toBe(404);
    expect((await invites(`hash=${hash}`, owner.http)).body).toMatchObject({ folder: true });
  });

  it('keep a share that is not open to view to its members', async () => {
    const hash = await give(owner, '/Closed', member);
    expect((await get(`shares/metadata/${hash}/`)).status).toBe(404);
    expect((await get(`shares/metadata/${hash}/`, stranger)).status).toBe(404);
    expect((await get(`shares/metadata/${hash}/`, member)).status).toBe(200);
    await owner.http.form('/api/1/shares/remove/', { path: '/Closed', member_login: member.email });
    expect((await get(`shares/metadata/${hash}/`, member)).status).toBe(404);
  });
});

describe('folders of the company', () => {
  it('are offered, asked for, given and hidden', async () => {
    await founder.mkdir('/Dir/Offer');
    const offered = await founder.http.form<{ folder_hash: string }>('/api/1/shares/company/add/', {
      path: '/Dir/Offer',
      public_name: 'Open to all',
    });
    const hash = offered.folder_hash;
    expect(offered).toEqual({ owner_id: founder.userId, public_name: 'Open to all', folder_hash: expect.stringMatching(/^[\w-]{32}$/) });
    expect((await founder.metadata('/Dir/Offer')) as unknown as Wire).toMatchObject({ company_published: true, shared: true });
    const [entry] = await colleague.http.get<Wire[]>('/api/1/shares/company/get/?limit=10');
    expect(entry).toEqual({
      owner_id: founder.userId,
      owner_name: 'Founder of Acme',
      public_name: 'Open to all',
      folder_hash: hash,
      collaborators_count: 0,
      creation_date: expect.any(Number),
      modification_time: expect.any(Number),
      status: 'waiting',
      path: '',
      company_published: true,
      shared: true,
      folder: true,
      icon: 'folder',
    });
    expect(await colleague.http.get(`/api/1/shares/company/get/${hash}/`)).toEqual(entry);
    expect(await colleague.http.get(`/api/1/shares/company/get/one/${hash}`)).toEqual(entry);
    expect(await colleague.http.get(`/api/1/shares/company/get/one/?folder_hash=${hash}`)).toEqual(entry);
    expect(await rival.http.get('/api/1/shares/company/get/')).toEqual([]);
    expect(await call(rival, `shares/company/get/${hash}/`)).toBe('404 NotFound');
    expect(await call(colleague, 'shares/company/get/', { show_all: true })).toBe('403 Forbidden');
    expect(await founder.http.get<Wire[]>('/api/1/shares/company/get/?show_all=true')).toMatchObject([{ path: '/Dir/Offer' }]);

    expect(await call(founder, 'shares/company/request/', { folder_hash: hash })).toBe('409 OwnFolder');
    expect(await call(rival, 'shares/company/request/', { folder_hash: hash })).toBe('404 NotFound');
    expect(await call(colleague, 'shares/company/request/', {})).toBe('400 InvalidParameters');
    expect(await call(colleague, 'shares/company/request/', { folder_hash: hash, invitataion: 'please' })).toBe('200 OK');
    expect(await call(colleague, 'shares/company/request/', { folder_hash: hash })).toBe('409 AlreadyRequested');
    const [request] = await founder.http.get<Wire[]>('/api/1/shares/company/requests/');
    expect(request).toMatchObject({
      owner_id: founder.userId,
      owner_name: 'Founder of Acme',
      directory_name: 'Offer',
      writer: false,
      user_id: colleague.userId,
      invitation: 'please',
    });
    const accept = { folder_hash: String(request!['hash']), writer: true };
    expect(await call(colleague, 'shares/company/accept/', accept)).toBe('404 NotFound');
    expect(await call(founder, 'shares/company/accept/', accept)).toBe('200 OK');
    expect(await call(founder, 'shares/company/accept/', accept)).toBe('404 NotFound');
    expect(await colleague.http.get(`/api/1/shares/company/get/${hash}/`)).toMatchObject({
      status: 'accepted',
      path: '/Offer',
      collaborators_count: 1,
    });
    expect(await call(colleague, 'shares/company/request/', { folder_hash: hash })).toBe('403 Forbidden');
    expect(paths(await colleague.http.get<WireNode[]>('/api/1/shares/?whose=company'))).toEqual(['/Offer']);

    expect(await call(colleague, 'shares/company/hide/', { folder_hash: hash })).toBe('404 NotFound');
    expect(await call(founder, 'shares/company/hide/', {})).toBe('400 InvalidParameters');
    expect(await call(founder, 'shares/company/hide/', { folder_hash: hash })).toBe('200 OK');
    expect(await call(founder, 'shares/company/hide/', { path: '/Dir/Offer' })).toBe('404 NotFound');
    expect(await call(colleague, `shares/company/get/${hash}/`)).toBe('404 NotFound');
    expect(await statusOf(colleague, '/Offer')).toBe(200);
    expect(await call(stranger, 'shares/company/add/', { path: '/x' })).toBe('403 Forbidden');
    for (const route of ['add', 'hide', 'get', 'shared', 'request', 'accept', 'requests']) {
      expect(await call(null, `shares/company/${route}/`, { path: '/x', folder_hash: 'x' }), route).toBe('401 Unauthorized');
    }
  });

  it('tell administrators what leaves the house', async () => {
    await give(colleague, '/Out', stranger);
    await colleague.http.form('/api/1/links/create/', { path: '/Out' });
    const rows = await founder.http.get<Wire[]>('/api/1/shares/company/shared/?name=Staff');
    expect(rows).toContainEqual({
      bytes: 0,
      creation_time: expect.any(Number),
      modification_time: expect.any(Number),
      owner_id: colleague.userId,
      owner_name: 'Staff',
      shared_outside: true,
      src_path: '/Out',
      type: 'share',
    });
    expect(rows.filter((row) => row['src_path'] === '/Out').map((row) => row['type'])).toEqual(['share', 'link']);
    expect(await call(colleague, 'shares/company/shared/')).toBe('403 Forbidden');
    expect((await rival.http.get<Wire[]>('/api/1/shares/company/shared/')).map((row) => row['owner_id'])).not.toContain(colleague.userId);
  });

  it('let administrators of the company act for its people, and nobody else', async () => {
    await give(colleague, '/Admin', stranger);
    const name = { userid: colleague.userId, path: '/Admin' };
    const listed = await founder.http.form<Collaborator[]>('/api/1/company/admin/shares/collaborators/', name);
    expect(listed.map((row) => row.userid)).toEqual([colleague.userId, stranger.userId]);
    expect(await founder.http.form('/api/1/shares/collaborators/', name)).toEqual(listed);
    for (const route of ['company/admin/shares/collaborators/', 'company/admin/shares/unshare/', 'shares/unshare/', 'company/admin/shares/remove/']) {
      expect(await call(rival, route, { ...name, member_login: stranger.email }), route).toBe('404 UserNotFound');
      expect(await call(stranger, route, { ...name, member_login: stranger.email }), route).toBe('403 Forbidden');
      expect(await call(null, route, name), route).toBe('401 Unauthorized');
    }
    expect(await call(founder, 'company/admin/shares/collaborators/', { path: '/Admin' })).toBe('400 InvalidParameters');
    expect(await call(founder, 'company/admin/shares/collaborators/', { ...name, path: '/Nowhere' })).toBe('404 NotFound');
    expect(await call(founder, 'company/admin/shares/remove/', { ...name, member_login: member.email })).toBe('403 NotShared');
    expect(await call(founder, 'company/admin/shares/remove/', { ...name, member_login: stranger.email })).toBe('200 OK');
    expect(await statusOf(stranger, '/Admin')).toBe(404);
    const admin = await CloudikeUser.login(stack.baseUrl, stack.admin.email, stack.admin.password);
    expect(await call(admin, 'company/admin/shares/unshare/', name)).toBe('200 OK');
    expect(await call(admin, 'company/admin/shares/unshare/', name)).toBe('404 NotFound');
  });
});
