import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { CloudikeUser } from '../../support/cloudike-user.js';
import { type HttpAnswer, HttpSession } from '../../support/http-session.js';
import { OfficeDocument, OfficeServer } from '../../support/office-client.js';
import { type Stack, startStack } from '../../support/stack.js';

// Documents in the browser: docs/contracts/cloudike.md 7 (MSOFFICE) and the WOPI protocol, spoken by an office server of our own.

const QUOTA_BYTES = 80 * 1024 * 1024;
const MB = 1024 * 1024;

let office: OfficeServer;
let stack: Stack;
let anonymous: HttpSession;
let owner: CloudikeUser;
let writer: CloudikeUser;
let reader: CloudikeUser;
let stranger: CloudikeUser;

interface Opened {
  url: string;
  access_token: string;
  access_token_ttl: number;
}

beforeAll(async () => {
  office = await OfficeServer.start();
  stack = await startStack({
    env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off', STOWAGE_WOPI_DISCOVERY_URL: office.discoveryUrl, STOWAGE_DEFAULT_QUOTA_BYTES: String(QUOTA_BYTES) },
  });
  anonymous = new HttpSession(stack.baseUrl);
  [writer, reader, stranger] = [
    await CloudikeUser.register(stack.baseUrl),
    await CloudikeUser.register(stack.baseUrl),
    await CloudikeUser.register(stack.baseUrl),
  ];
});
afterAll(async () => {
  await stack?.stop();
  await office?.stop();
});

/** Name of the shared folder of this test: everybody has it in his root. */
let team: string;
let turn = 0;

beforeEach(async () => {
  team = `team${++turn}`;
  owner = await CloudikeUser.register(stack.baseUrl);
  await owner.upload(`/${team}/plan.docx`, Buffer.from('first'));
  await share(writer, true);
  await share(reader, false);
});

async function share(user: CloudikeUser, canWrite: boolean): Promise<void> {
  const { hash } = await owner.http.form<{ hash: string }>('/api/1/shares/add/', {
    path: `/${team}`,
    member_login: `email:${user.email}`,
    writer: canWrite,
  });
  await user.http.form('/api/1/shares/accept/', { hash });
}

async function edit(user: CloudikeUser, name = 'plan.docx'): Promise<OfficeDocument> {
  const { url } = await user.http.form<Opened>('/api/1/wopi/edit/', { path: `/${team}/${name}` });
  return new OfficeDocument(url, office);
}

async function view(user: CloudikeUser, more: Record<string, string | number> = {}): Promise<OfficeDocument> {
  const { url } = await user.http.form<Opened>('/api/1/wopi/view/', { path: `/${team}/plan.docx`, ...more });
  return new OfficeDocument(url, office);
}

async function call(path: string, params: Record<string, string | number>, http = owner.http): Promise<{ status: number; code?: string }> {
  const reply = await http.send(`/api/1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(params),
  });
  const { code } = reply.json<{ code?: string }>();
  return { status: reply.status, ...(code === undefined ? {} : { code }) };
}

const lock = (document: OfficeDocument, id: string, more: Record<string, string> = {}) => document.do('LOCK', { 'x-wopi-lock': id, ...more });
const lockOf = (answer: HttpAnswer) => ({ status: answer.status, lock: answer.headers['x-wopi-lock'] });
const holds = async (name = 'plan.docx') => (await owner.download(`/${team}/${name}`)).toString();

describe('an editing session', () => {
  it('is opened, locked, saved and closed, and leaves a version like any other', async () => {
    const opened = await owner.http.form<Opened>('/api/1/wopi/edit/', { path: `/${team}/plan.docx` });
    expect(opened.url).toMatch(/^http:\/\/office\.test\/edit\/docx\?ui=en-US&WOPISrc=http/);
    expect(opened.url).toContain(`access_token=${opened.access_token}&access_token_ttl=${opened.access_token_ttl}`);
    expect(opened.url).not.toContain('dchat');
    expect(opened.access_token_ttl - Date.now()).toBeLessThanOrEqual(10 * 3_600_000);
    const document = new OfficeDocument(opened.url, office);
    expect(await document.info()).toMatchObject({
      BaseFileName: 'plan.docx',
      FileExtension: '.docx',
      OwnerId: String(owner.userId),
      UserId: String(owner.userId),
      IsAnonymousUser: false,
      Size: 5,
      Version: '1',
      SHA256: createHash('sha256').update('first').digest('base64'),
      ReadOnly: false,
      UserCanWrite: true,
      UserCanRename: true,
      UserCanNotWriteRelative: false,
      SupportsLocks: true,
      SupportsGetLock: true,
      SupportsUpdate: true,
      SupportsRename: true,
      SupportsDeleteFile: true,
      SupportsExtendedLockLength: true,
      LastModifiedTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      CloseUrl: expect.stringContaining(stack.baseUrl),
      BreadcrumbFolderName: team,
    });
    const content = await document.get();
    expect([content.status, content.body.toString(), content.headers['x-wopi-itemversion']]).toEqual([200, 'first', '1']);
    expect(content.headers['content-disposition']).toContain('attachment');
    expect((await lock(document, 'L')).status).toBe(200);
    const saved = await document.put('second', 'L');
    expect([saved.status, saved.headers['x-wopi-itemversion']]).toEqual([200, '2']);
    expect(saved.json()).toEqual({ LastModifiedTime: (await document.info())['LastModifiedTime'] });
    expect((await document.do('UNLOCK', { 'x-wopi-lock': 'L' })).status).toBe(200);
    expect(await owner.metadata(`/${team}/plan.docx`)).toMatchObject({ version: 2, bytes: 6 });
    expect(await owner.http.get(`/api/1/files/versions/${team}/plan.docx`)).toHaveLength(2);
  });

  it('gives ranges, and nothing larger than is expected', async () => {
    const document = await view(reader);
    const part = await document.get({ range: 'bytes=1-3' });
    expect([part.status, part.body.toString(), part.headers['content-range']]).toEqual([206, 'irs', 'bytes 1-3/5']);
    expect((await document.get({ range: 'bytes=9-' })).status).toBe(416);
    expect((await document.get({ 'x-wopi-maxexpectedsize': '4' })).status).toBe(412);
    expect((await document.get({ 'x-wopi-maxexpectedsize': '5' })).status).toBe(200);
  });

  it('of two editors: one lock, whoever set it, and versions of both', async () => {
    const [one, two] = [await edit(owner), await edit(writer)];
    expect((await lock(one, 'S')).status).toBe(200);
    expect((await lock(two, 'S')).status).toBe(200);
    expect(lockOf(await lock(two, 'other'))).toEqual({ status: 409, lock: 'S' });
    expect((await one.put('by one', 'S')).status).toBe(200);
    expect((await two.put('by two', 'S')).status).toBe(200);
    expect(await holds()).toBe('by two');
    expect((await owner.metadata(`/${team}/plan.docx`)).version).toBe(3);
    expect(await two.info()).toMatchObject({ UserId: String(writer.userId), OwnerId: String(owner.userId) });
  });
});

describe('locks', () => {
  it('are judged by each operation', async () => {
    const document = await edit(owner);
    const headers = { 'x-wopi-lock': 'A' };
    expect(lockOf(await document.do('GET_LOCK'))).toEqual({ status: 200, lock: '' });
    for (const operation of ['UNLOCK', 'REFRESH_LOCK']) expect(lockOf(await document.do(operation, headers))).toEqual({ status: 409, lock: '' });
    expect(lockOf(await lock(document, 'B', { 'x-wopi-oldlock': 'A' }))).toEqual({ status: 409, lock: '' });
    expect(lockOf(await document.put('x', 'A'))).toEqual({ status: 409, lock: '' });

    expect((await lock(document, 'A')).headers['x-wopi-itemversion']).toBe('1');
    expect(lockOf(await document.do('GET_LOCK'))).toEqual({ status: 200, lock: 'A' });
    expect((await lock(document, 'A')).status).toBe(200);
    const other = { 'x-wopi-lock': 'B' };
    for (const operation of ['LOCK', 'UNLOCK', 'REFRESH_LOCK']) {
      const answer = await document.do(operation, other);
      expect(lockOf(answer)).toEqual({ status: 409, lock: 'A' });
      expect(answer.headers['x-wopi-lockfailurereason']).toBeTruthy();
    }
    for (const given of ['B', undefined]) expect(lockOf(await document.put('x', given))).toEqual({ status: 409, lock: 'A' });
    expect(lockOf(await lock(document, 'C', { 'x-wopi-oldlock': 'B' }))).toEqual({ status: 409, lock: 'A' });
    expect((await lock(document, 'B', { 'x-wopi-oldlock': 'A' })).status).toBe(200);
    expect((await document.do('REFRESH_LOCK', other)).status).toBe(200);
    expect((await document.do('UNLOCK', other)).status).toBe(200);
    expect(lockOf(await document.do('GET_LOCK'))).toEqual({ status: 200, lock: '' });
    expect(await holds()).toBe('first');
  });

  it.each([
    ['LOCK', {}, 400],
    ['LOCK', { 'x-wopi-lock': '' }, 400],
    ['LOCK', { 'x-wopi-lock': 'x'.repeat(1025) }, 400],
    ['UNLOCK', {}, 400],
    ['REFRESH_LOCK', {}, 400],
    ['PUT_RELATIVE', {}, 400],
    ['PUT_RELATIVE', { 'x-wopi-suggestedtarget': 'a.docx', 'x-wopi-relativetarget': 'a.docx' }, 400],
    ['RENAME_FILE', {}, 400],
    ['RENAME_FILE', { 'x-wopi-requestedname': '+' }, 400],
    ['GET_SHARE_URL', {}, 501],
    ['', {}, 501],
    ['PUT', {}, 501],
  ])('%s with %.60j is %i', async (operation, headers, status) => {
    expect((await (await edit(owner)).do(operation, headers as Record<string, string>)).status).toBe(status);
  });

  it('bind office servers alone: an upload in between is a version, and the session goes on', async () => {
    const document = await edit(owner);
    await lock(document, 'A');
    const seen = String((await document.info())['LastModifiedTime']);
    await writer.upload(`/${team}/plan.docx`, Buffer.from('uploaded'), { overwrite: true });
    const warned = await document.put('from the editor', 'A', { 'x-cool-wopi-timestamp': seen });
    expect([warned.status, warned.json()['COOLStatusCode']]).toEqual([409, 1010]);
    expect((await document.put('from the editor', 'A')).headers['x-wopi-itemversion']).toBe('3');
  });

  it('a new empty file is filled without one', async () => {
    await owner.upload(`/${team}/new.docx`, Buffer.alloc(0));
    const document = await edit(owner, 'new.docx');
    expect((await document.put('filled')).status).toBe(200);
    expect((await document.put('again')).status).toBe(409);
    expect(await holds('new.docx')).toBe('filled');
  });
});

describe('bodies', () => {
  it('of any size come in as a stream, announced or not', async () => {
    const document = await edit(owner);
    await lock(document, 'A');
    const chunk = randomBytes(MB);
    const [count, hash] = [24, createHash('md5')];
    for (let index = 0; index < count; index++) hash.update(chunk);
    const stream = () => Readable.from(Array.from({ length: count }, () => chunk));
    expect((await document.put(stream(), 'A')).status).toBe(200);
    expect(await owner.metadata(`/${team}/plan.docx`)).toMatchObject({ bytes: count * MB, checksum: hash.digest('hex') });
    expect((await document.put(stream(), 'A', { 'content-length': String(count * MB) })).status).toBe(200);
    expect((await document.get()).body.length).toBe(count * MB);
  });

  it('end at the quota of the owner of the space', async () => {
    const document = await edit(writer);
    await lock(document, 'A');
    expect((await document.put(Buffer.alloc(QUOTA_BYTES), 'A')).status).toBe(413);
    expect((await document.put(Readable.from(Array.from({ length: 90 }, () => Buffer.alloc(MB))), 'A').catch(() => ({ status: 413 }))).status).toBe(
      413,
    );
    expect(await holds()).toBe('first');
    expect((await document.put('small', 'A')).status).toBe(200);
  });

  it('that are refused before they are read still get their answer', async () => {
    const document = await edit(owner);
    await lock(document, 'A');
    expect(lockOf(await document.put(Buffer.alloc(8 * MB), 'B'))).toEqual({ status: 409, lock: 'A' });
  });
});

describe('saving beside, renaming, removing', () => {
  // UTF-7 of "Übersicht ☺.docx"
  const UTF7 = '+ANw-bersicht +Jjo-.docx';

  it('takes names in UTF-7', async () => {
    const document = await edit(writer);
    const suggested = await document.do('PUT_RELATIVE', { 'x-wopi-suggestedtarget': UTF7 }, 'copy');
    const { Name, Url } = suggested.json<{ Name: string; Url: string }>();
    expect([suggested.status, Name]).toEqual([200, 'Übersicht ☺.docx']);
    expect(await holds('Übersicht ☺.docx')).toBe('copy');
    const copy = new OfficeDocument(Url, office);
    expect(await copy.info()).toMatchObject({ BaseFileName: 'Übersicht ☺.docx', UserCanWrite: true });
    expect((await document.do('PUT_RELATIVE', { 'x-wopi-suggestedtarget': UTF7 }, 'x')).json()['Name']).toBe('Übersicht ☺ (1).docx');
    expect((await document.do('PUT_RELATIVE', { 'x-wopi-suggestedtarget': '.txt' }, 'x')).json()['Name']).toBe('plan.txt');

    const taken = await document.do('PUT_RELATIVE', { 'x-wopi-relativetarget': UTF7 }, 'x');
    expect([taken.status, taken.headers['x-wopi-validrelativetarget']]).toEqual([409, '+ANw-bersicht +Jjo (2).docx'.replace('+Jjo ', '+Jjo- ')]);
    const over = { 'x-wopi-relativetarget': UTF7, 'x-wopi-overwriterelativetarget': 'true' };
    expect((await document.do('PUT_RELATIVE', over, 'over')).status).toBe(200);
    expect(await holds('Übersicht ☺.docx')).toBe('over');
    await lock(copy, 'busy');
    expect(lockOf(await document.do('PUT_RELATIVE', over, 'over'))).toEqual({ status: 409, lock: 'busy' });
    const illegal = await document.do('PUT_RELATIVE', { 'x-wopi-relativetarget': 'a/b.docx' }, 'x');
    expect([illegal.status, illegal.headers['x-wopi-validrelativetarget']]).toEqual([400, 'a+AF8-b.docx']);
    expect(illegal.headers['x-wopi-invalidfilenameerror']).toBeTruthy();
  });

  it('renames under the lock and keeps the extension', async () => {
    const document = await edit(writer);
    await lock(document, 'A');
    expect(lockOf(await document.do('RENAME_FILE', { 'x-wopi-requestedname': 'b', 'x-wopi-lock': 'B' }))).toEqual({ status: 409, lock: 'A' });
    const renamed = await document.do('RENAME_FILE', { 'x-wopi-requestedname': '+ANw-ber', 'x-wopi-lock': 'A' });
    expect([renamed.status, renamed.json()]).toEqual([200, { Name: 'Über' }]);
    expect(await document.info()).toMatchObject({ BaseFileName: 'Über.docx' });
    expect((await document.put('still mine', 'A')).status).toBe(200);
    expect(await holds('Über.docx')).toBe('still mine');
    const bad = await document.do('RENAME_FILE', { 'x-wopi-requestedname': 'a/b', 'x-wopi-lock': 'A' });
    expect([bad.status, Boolean(bad.headers['x-wopi-invalidfilenameerror'])]).toEqual([400, true]);
  });

  it('puts the file into the trash unless it is locked', async () => {
    const document = await edit(owner);
    await lock(document, 'A');
    expect(lockOf(await document.do('DELETE'))).toEqual({ status: 409, lock: 'A' });
    await document.do('UNLOCK', { 'x-wopi-lock': 'A' });
    expect((await document.do('DELETE')).status).toBe(200);
    expect((await document.call()).status).toBe(404);
    expect((await owner.metadata(`/${team}`, { deleted: true })).content!.map((node) => node.deleted)).toEqual([true]);
  });
});

describe('who may not', () => {
  it.each([
    ['wopi/view', { path: '/nowhere.docx' }, { status: 404, code: 'NotFound' }],
    ['wopi/view', {}, { status: 400, code: 'InvalidParameters' }],
    ['wopi/view', { path: '/TEAM' }, { status: 404, code: 'FileNotFound' }],
    ['wopi/view', { path: '/TEAM/plan.docx', version: 9 }, { status: 404, code: 'NotFound' }],
    ['wopi/view', { path: '/TEAM/plan.docx', version: -1 }, { status: 400, code: 'InvalidParameters' }],
    ['wopi/edit', { path: '/' }, { status: 404, code: 'FileNotFound' }],
    ['wopi/link/view', { hash: 'x' }, { status: 404, code: 'NotFound' }],
    ['wopi/link/view', {}, { status: 400, code: 'InvalidParameters' }],
  ])('%s with %j', async (path, params, refusal) => {
    const filled = Object.fromEntries(
      Object.entries(params).map(([name, value]) => [name, typeof value === 'string' ? value.replace('TEAM', team) : value]),
    );
    expect(await call(path, filled as Record<string, string>)).toEqual(refusal);
  });

  it('gets no URL: nobody, strangers, readers who want to edit, files that the office server does not open', async () => {
    const path = `/${team}/plan.docx`;
    for (const route of ['wopi/view', 'wopi/edit']) {
      expect((await call(route, { path }, anonymous)).status).toBe(401);
      expect((await call(route, { path }, stranger.http)).status).toBe(404);
    }
    expect(await call('wopi/edit', { path }, reader.http)).toEqual({ status: 403, code: 'Forbidden' });
    await owner.upload(`/${team}/paper.pdf`, Buffer.from('%PDF'));
    expect(await call('wopi/edit', { path: `/${team}/paper.pdf` })).toEqual({ status: 404, code: 'NoPreview' });
    expect((await call('wopi/view', { path: `/${team}/paper.pdf` })).status).toBe(200);
    await owner.upload(`/${team}/x.unknown`, Buffer.from('x'));
    expect(await call('wopi/view', { path: `/${team}/x.unknown` })).toEqual({ status: 404, code: 'NoPreview' });
  });

  it('is told by the status of the protocol: no token, another file, reading only', async () => {
    const document = await view(reader);
    expect(await document.info()).toMatchObject({ ReadOnly: true, UserCanWrite: false, UserCanNotWriteRelative: true, SupportsDeleteFile: false });
    for (const operation of ['LOCK', 'UNLOCK', 'REFRESH_LOCK']) expect((await document.do(operation, { 'x-wopi-lock': 'A' })).status).toBe(404);
    for (const [operation, name] of [
      ['PUT_RELATIVE', 'x-wopi-suggestedtarget'],
      ['RENAME_FILE', 'x-wopi-requestedname'],
      ['DELETE', 'x-wopi-lock'],
    ] as const)
      expect((await document.do(operation, { [name]: 'a' })).status).toBe(404);
    expect((await document.put('x')).status).toBe(404);
    // a URL for viewing gives no more, whoever asked for it
    expect((await (await view(owner)).put('x')).status).toBe(404);
    for (const query of ['', '?access_token=', '?access_token=x', `?access_token=${'a'.repeat(43)}`])
      expect((await anonymous.send(`${document.source}${query}`)).status).toBe(401);
    const other = await edit(owner);
    expect((await anonymous.send(`${stack.baseUrl}/api/1/wopi/files/none?access_token=${other.token}`)).status).toBe(401);
    expect((await anonymous.send(`${document.source}_1?access_token=${other.token}`)).status).toBe(401);
    expect((await other.call({ method: 'PUT', suffix: '/contents', body: 'x' })).status).toBe(405);
  });

  it('is found out at once: right taken, share ended, file trashed, login ended', async () => {
    const [theirs, readers] = [await edit(writer), await view(reader)];
    await lock(theirs, 'A');
    expect((await theirs.put('in time', 'A')).status).toBe(200);
    await owner.http.form('/api/1/shares/update_collaborator/', { path: `/${team}`, member_login: `email:${writer.email}`, writer: false });
    expect((await theirs.put('too late', 'A')).status).toBe(404);
    expect(await theirs.info()).toMatchObject({ UserCanWrite: false });
    await owner.http.form('/api/1/shares/remove/', { path: `/${team}`, member_login: `email:${reader.email}` });
    expect((await readers.call()).status).toBe(404);
    expect((await readers.get()).status).toBe(404);

    const mine = await edit(owner);
    const path = `/${team}/plan.docx`;
    await owner.http.form('/api/1/fileops/delete/', { path });
    expect((await mine.get()).status).toBe(404);
    await owner.http.form('/api/1/fileops/undelete/', { path });
    expect((await mine.get()).status).toBe(200);
    await owner.http.form('/api/1/accounts/logout/', {});
    expect((await mine.get()).status).toBe(401);
    expect(await holds2(writer)).toBe('in time');
  });

  const holds2 = async (user: CloudikeUser) => (await user.download(`/${team}/plan.docx`)).toString();
});

describe('public links', () => {
  async function linked(parameters: Record<string, string | number> = {}, path = `/${team}/plan.docx`): Promise<string> {
    return (await owner.http.form<{ public_hash: string }>('/api/1/links/create/', { path, ...parameters })).public_hash;
  }
  const open = async (params: Record<string, string>): Promise<OfficeDocument> =>
    new OfficeDocument((await anonymous.form<Opened>('/api/1/wopi/link/view/', params)).url, office);

  it('show a document to anybody, for reading, and for as long as they are there', async () => {
    const hash = await linked();
    const document = await open({ hash });
    expect(await document.info()).toMatchObject({
      IsAnonymousUser: true,
      UserCanWrite: false,
      UserFriendlyName: 'Guest',
      OwnerId: String(owner.userId),
    });
    expect((await document.get()).body.toString()).toBe('first');
    expect((await document.put('x')).status).toBe(404);
    expect((await lock(document, 'A')).status).toBe(404);
    await owner.http.form('/api/1/links/delete/', { path: `/${team}/plan.docx` });
    expect((await document.get()).status).toBe(404);
    expect((await call('wopi/link/view', { hash }, anonymous)).status).toBe(404);
  });

  it('to a folder show a file in it, and nothing beside it', async () => {
    await owner.upload('/secret.docx', Buffer.from('secret'));
    const hash = await linked({}, `/${team}`);
    expect((await (await open({ hash, path: '/plan.docx' })).get()).body.toString()).toBe('first');
    for (const path of ['/secret.docx', '/../secret.docx', '/nowhere.docx', '/'])
      expect((await call('wopi/link/view', { hash, path }, anonymous)).status).toBe(404);
  });

  it('ask for their password and count each view as one download', async () => {
    const hash = await linked({ password: 'open sesame', download_max: 2 });
    expect((await call('wopi/link/view', { hash }, anonymous)).status).toBe(403);
    expect((await call('wopi/link/view', { hash, password: 'wrong' }, anonymous)).status).toBe(403);
    const document = await open({ hash, password: 'open sesame' });
    for (let turn = 0; turn < 3; turn++) expect((await document.get()).status).toBe(200);
    const last = await open({ hash, password: 'open sesame' });
    expect((await call('wopi/link/view', { hash, password: 'open sesame' }, anonymous)).status).toBe(404);
    expect((await last.get()).status).toBe(200);
  });

  it('for uploads show nothing', async () => {
    const hash = await linked({ upload_folder: 'true' }, `/${team}`);
    expect((await call('wopi/link/view', { hash, path: '/plan.docx' }, anonymous)).status).toBe(403);
  });
});

describe('an older version', () => {
  it('is shown as a file of its own and never written', async () => {
    await owner.upload(`/${team}/plan.docx`, Buffer.from('second'), { overwrite: true });
    const old = await view(reader, { version: 1 });
    expect(await old.info()).toMatchObject({ Version: '1', Size: 5, ReadOnly: true });
    expect((await old.get()).body.toString()).toBe('first');
    expect(old.source).not.toBe((await view(reader)).source);
    expect((await (await view(owner, { version: 1 })).put('x')).status).toBe(404);
  });
});

describe('the office server', () => {
  it('must have signed every call, with its present key or the one before', async () => {
    const document = await edit(owner);
    const url = `${document.source}?access_token=${document.token}`;
    const status = async (headers: Record<string, string>) => (await anonymous.send(url, { headers })).status;
    const signed = office.proof(document.token, url);
    expect(await status({})).toBe(500);
    expect(await status(signed)).toBe(200);
    expect(await status({ ...signed, 'x-wopi-proof': '' })).toBe(500);
    expect(await status({ ...signed, 'x-wopi-timestamp': `${BigInt(signed['x-wopi-timestamp']!) + 1n}` })).toBe(500);
    expect(await status(office.proof(document.token, `${url}&x=1`))).toBe(500);
    expect(await status(office.proof('another token', url))).toBe(500);
    expect(await status(office.proof(document.token, url, Date.now() - 21 * 60_000))).toBe(500);
    expect(await status(office.proof(document.token, url, Date.now() - 19 * 60_000))).toBe(200);
    // a new key that the document does not show yet: the signature with the old one counts
    office.changeKeys();
    expect(await status(office.proof(document.token, url))).toBe(200);
    // and a second new key makes the host read the document again
    office.show();
    office.changeKeys();
    office.show();
    const reads = office.reads;
    await expect.poll(() => status(office.proof(document.token, url)), { timeout: 45_000, interval: 1_000 }).toBe(200);
    expect(office.reads).toBe(reads + 1);
  });
});

describe('without an office server', () => {
  it('the URL still has source and token, says so, and the protocol works', async () => {
    const bare = await startStack({ env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off' } });
    try {
      const user = await CloudikeUser.register(bare.baseUrl);
      await user.upload('/a.whatever', Buffer.from('abc'));
      const opened = await user.http.form<Opened & { configured: boolean; description: string }>('/api/1/wopi/edit/', { path: '/a.whatever' });
      expect(opened).toMatchObject({ configured: false, description: expect.stringContaining('No office server') });
      const document = new OfficeDocument(opened.url, null);
      expect(document.source).toMatch(new RegExp(`^${bare.baseUrl}/api/1/wopi/files/`));
      expect((await document.get()).body.toString()).toBe('abc');
      expect((await lock(document, 'A')).status).toBe(200);
      expect((await document.put('abcd', 'A')).status).toBe(200);
      const page = await user.http.send(opened.url);
      expect([page.status, page.json()['code']]).toEqual([404, 'NoPreview']);
    } finally {
      await bare.stop();
    }
  });

  it('that answers, nothing is opened and nothing is let in', async () => {
    const down = await OfficeServer.start();
    down.isDown = true;
    const lost = await startStack({ env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off', STOWAGE_WOPI_DISCOVERY_URL: down.discoveryUrl } });
    try {
      const user = await CloudikeUser.register(lost.baseUrl);
      await user.upload('/a.docx', Buffer.from('abc'));
      expect(await call('wopi/edit', { path: '/a.docx' }, user.http)).toEqual({ status: 503, code: 'Busy' });
      down.isDown = false;
      await expect.poll(async () => (await call('wopi/edit', { path: '/a.docx' }, user.http)).status, { timeout: 10_000 }).toBe(200);
    } finally {
      await lost.stop();
      await down.stop();
    }
  });
});
