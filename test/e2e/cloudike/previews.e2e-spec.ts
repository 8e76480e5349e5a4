import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser, type WireNode } from '../../support/cloudike-user.js';
import { type FormValue, type HttpAnswer, HttpSession } from '../../support/http-session.js';
import { previewPrograms } from '../../support/services.js';
import { type Stack, startStack } from '../../support/stack.js';
import { pdfOf, picture } from '../../integration/previews-harness.js';

// The preview and kukudocs routes as docs/contracts/cloudike.md sections 6 and 7 have them, by real HTTP.

interface WithPictures extends WireNode {
  readonly thumbnail: string | false;
  readonly extradata: { readonly thumbnails?: { readonly status: string; readonly small?: { link: string }; readonly middle?: { link: string } } };
}

const API = '/api/1';
const PASSWORD = 'correct horse battery';
let stack: Stack;
let anna: CloudikeUser;
let ben: CloudikeUser;
let anyone: HttpSession;
let db: pg.Client;

beforeAll(async () => {
  const programs = Object.entries(previewPrograms).map(([name, file]) => [`STOWAGE_PREVIEW_${name.toUpperCase()}`, file]);
  stack = await startStack({ env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off', ...(Object.fromEntries(programs) as Record<string, string>) } });
  [anna, ben] = [await CloudikeUser.register(stack.baseUrl), await CloudikeUser.register(stack.baseUrl)];
  anyone = new HttpSession(stack.baseUrl);
  db = new pg.Client(stack.databaseUrl);
  await db.connect();
});
afterAll(async () => {
  await db?.end();
  anyone?.close();
  await stack?.stop();
});

function post(route: string, fields: Record<string, FormValue>, session: HttpSession): Promise<HttpAnswer> {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return session.send(`${API}/${route}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString(),
  });
}

/** `status code` of a refusal, or the status alone. */
async function said(answer: Promise<HttpAnswer>): Promise<string> {
  const { status, body } = await answer;
  return status < 400 ? String(status) : `${status} ${(JSON.parse(body.toString()) as { code: string }).code}`;
}

const preview = (fields: Record<string, FormValue>, session = anna.http, of = 'files') => post(`${of}/get_preview`, fields, session);
const sizeOf = async ({ status, body }: HttpAnswer): Promise<unknown> => {
  expect(status, body.toString().slice(0, 300)).toBe(200);
  const { width, height } = await sharp(body).metadata();
  return [width, height];
};
const metadata = (user: CloudikeUser, path: string) => user.metadata(path) as Promise<WithPictures>;

/** The metadata of a file once its pictures are there. */
async function withPictures(user: CloudikeUser, path: string): Promise<WithPictures> {
  for (const until = Date.now() + 60_000; ;) {
    const node = await metadata(user, path);
    if (node.extradata.thumbnails?.status === 'ready') return node;
    if (Date.now() > until) throw new Error(`no pictures: ${JSON.stringify(node)}`);
    await sleep(200);
  }
}

describe('files/get_preview and files/create_extra', () => {
  it('give pictures of three sizes, made when they are first asked for', async () => {
    await anna.upload('/p/one.jpg', await picture(1600, 800));
    const first = await preview({ path: '/p/one.jpg' });
    expect(await sizeOf(first)).toEqual([128, 64]);
    expect(first.headers).toMatchObject({
      'content-type': 'image/jpeg',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "sandbox; default-src 'none'",
      'cache-control': 'private, no-cache',
    });
    expect(await sizeOf(await preview({ path: '/p/one.jpg', size: 'middle' }))).toEqual([512, 256]);
    expect(await sizeOf(await preview({ path: '/p/one.jpg', type: 'preview', version: 1 }))).toEqual([1280, 640]);
    expect(await sizeOf(await anna.http.send(`/api/0/files/get_preview/?path=/p/one.jpg&size=small`))).toEqual([128, 64]);
    const again = await anna.http.send(`${API}/files/get_preview?path=/p/one.jpg`, { headers: { 'if-none-match': first.headers.etag! } });
    expect([again.status, again.body.length]).toEqual([304, 0]);
  });

  it('start the making, also for two who ask at once, and not anew at every call', async () => {
    await anna.upload('/p/two.png', await picture(40, 40, 'png'));
    const both = await Promise.all([1, 2].map(() => post('files/create_extra/', { path: '/p/two.png' }, anna.http)));
    expect(both.map((answer) => [answer.status, answer.json()])).toEqual([
      [200, { started: true }],
      [200, { started: true }],
    ]);
    await withPictures(anna, '/p/two.png');
    expect((await post('files/create_extra', { path: '/p/two.png' }, anna.http)).json()).toEqual({ started: false });
    await anna.upload('/p/none.zip', Buffer.from('no picture'));
    expect((await post('files/create_extra', { path: '/p/none.zip' }, anna.http)).json()).toEqual({ started: false });
  });

  it.each(['get_preview', 'create_extra'])('files/%s refuses what is not there or not asked well', async (route) => {
    const call = (fields: Record<string, FormValue>, session = anna.http) => said(post(`files/${route}`, fields, session));
    const file = `/p/${route}.png`;
    await anna.upload(file, await picture(40, 40, 'png'));
    expect(await call({ path: file }, anyone)).toBe('401 Unauthorized');
    expect(await call({ path: file }, ben.http)).toBe('404 NotFound');
    expect(await call({ path: '/p/nothing.png' })).toBe('404 NotFound');
    expect(await call({ path: '/p' })).toBe('404 FileNotFound');
    expect(await call({ path: file, version: 7 })).toBe('404 NotFound');
    expect(await call({ path: file, version: 'x' })).toBe('400 InvalidParameters');
    expect(await call({})).toBe('400 InvalidParameters');
  });

  it('has no preview of an unknown kind, a broken content, or an unknown size', async () => {
    await anna.upload('/p/bad.png', Buffer.from('89504e470d0a1a0a00', 'hex'));
    expect(await said(preview({ path: '/p/bad.png' }))).toBe('404 NoPreview');
    expect((await preview({ path: '/p/bad.png' })).json()).toMatchObject({ reason: expect.stringMatching(/error|unsupported/) as string });
    await anna.upload('/p/none.bin', Buffer.from('no picture'));
    expect((await preview({ path: '/p/none.bin' })).json()).toMatchObject({ code: 'NoPreview', reason: 'unsupported' });
    await anna.upload('/p/ok.png', await picture(40, 40, 'png'));
    for (const size of ['huge', 'page-1', '../small', 'view']) expect(await said(preview({ path: '/p/ok.png', size }))).toBe('400 InvalidParameters');
  });
});

describe('extradata', () => {
  it('appears by itself after an upload; its links need no header, and tell when nothing is new', async () => {
    await anna.upload('/auto/a.jpg', await picture(300, 200));
    const node = await withPictures(anna, '/auto/a.jpg');
    const { small, middle } = node.extradata.thumbnails!;
    expect(node.thumbnail).toBe(small!.link);
    expect(node.extradata).toMatchObject({ metainfo: { status: 'ready', width: 300, height: 200 } });
    const answer = await anyone.send(middle!.link);
    expect(await sizeOf(answer)).toEqual([300, 200]);
    expect(answer.headers['content-security-policy']).toBe("sandbox; default-src 'none'");
    const kept = await anyone.send(middle!.link, { headers: { 'if-none-match': answer.headers.etag! } });
    expect(kept.status).toBe(304);
    expect((await anyone.send(middle!.link, { method: 'HEAD' })).body.length).toBe(0);
    expect(await said(anyone.send(middle!.link, { method: 'POST' }))).toBe('403 Forbidden');
    const listing = await anna.metadata('/auto');
    expect(listing.content).toMatchObject([{ extradata: { thumbnails: { status: 'ready' } } }]);
    expect(((await anna.metadata('/auto', { extra: false })).content![0] as object) ?? {}).not.toHaveProperty('extradata');
  });

  it('ends with the session that got the link, with the account, and with the file', async () => {
    await anna.upload('/auto/b.jpg', await picture(300, 200));
    await withPictures(anna, '/auto/b.jpg');
    const other = await CloudikeUser.login(stack.baseUrl, anna.email, PASSWORD);
    const { link } = (await metadata(other, '/auto/b.jpg')).extradata.thumbnails!.small!;
    expect((await anyone.send(link)).status).toBe(200);
    for (const changed of [
      link.replace(/sig=.{4}/, 'sig=AAAA'),
      link.replace(/by=a\.\d+/, `by=a.${ben.userId}`),
      link.replace('/1/small', '/2/small'),
    ]) {
      expect(await said(anyone.send(changed))).toBe('403 Forbidden');
    }
    await db.query('DELETE FROM auth_tokens WHERE id = $1', [new URL(link).searchParams.get('by')!.split('.')[2]]);
    await expect.poll(() => said(anyone.send(link)), { timeout: 10_000 }).toBe('401 Unauthenticated');
    const own = (await metadata(anna, '/auto/b.jpg')).extradata.thumbnails!.small!.link;
    await anna.http.form(`${API}/fileops/delete/`, { path: '/auto/b.jpg', without_trash: true });
    // the purge, which runs by itself, takes the versions before the file
    expect(await said(anyone.send(own))).toMatch(/^404 (Node|Version)NotFound$/);
  });
});

describe('links', () => {
  it('show previews of what they publish, until they end', async () => {
    await anna.upload('/l/inside.png', await picture(200, 100, 'png'));
    await anna.upload('/beside.png', await picture(200, 100, 'png'));
    const { public_hash: hash } = await anna.http.form<{ public_hash: string }>(`${API}/links/create/`, { path: '/l', password: 'open sesame' });
    const call = (route: string, fields: Record<string, FormValue>) => post(`links/${route}`, { hash, password: 'open sesame', ...fields }, anyone);
    expect((await call('create_extra', { path: '/inside.png' })).json()).toEqual({ started: true });
    expect(await sizeOf(await call('get_preview', { path: '/inside.png' }))).toEqual([128, 64]);
    for (const route of ['create_extra', 'get_preview']) {
      expect(await said(call(route, { path: '/nothing.png' }))).toBe('404 NotFound');
      expect(await said(call(route, { path: '/../beside.png' }))).not.toBe('200');
      expect(await said(call(route, { path: '/inside.png', version: 9 }))).toBe('404 NotFound');
      expect(await said(call(route, {}))).toBe('404 FileNotFound');
      expect(await said(call(route, { path: '/inside.png', password: 'wrong' }))).toBe('403 WrongPassword');
      expect(await said(call(route, { path: '/inside.png', hash: 'A'.repeat(22) }))).toBe('404 NotFound');
      expect(await said(post(`links/${route}`, { path: '/inside.png' }, anyone))).toBe('400 InvalidParameters');
    }
    await anna.http.form(`${API}/links/delete/`, { path: '/l' });
    for (const route of ['create_extra', 'get_preview']) expect(await said(call(route, { path: '/inside.png' }))).toBe('404 NotFound');
  });

  it('of one file need no path, and what their holder was given ends with them', async () => {
    await anna.upload('/l/single.jpg', await picture(200, 100));
    const { public_hash: hash } = await anna.http.form<{ public_hash: string }>(`${API}/links/create/`, { path: '/l/single.jpg' });
    expect(await sizeOf(await preview({ hash, size: 'middle' }, anyone, 'links'))).toEqual([200, 100]);
    const node = await anyone.get<WithPictures>(`${API}/links/metadata/${hash}/`);
    const { link } = node.extradata.thumbnails!.small!;
    expect((await anyone.send(link)).status).toBe(200);
    await anna.http.form(`${API}/links/delete/`, { path: '/l/single.jpg' });
    expect(await said(anyone.send(link))).toBe('404 NodeNotFound');
  });
});

describe('shares', () => {
  it('show previews to members, and to anyone while the folder may be viewed by its hash', async () => {
    await anna.upload('/s/pic.png', await picture(200, 100, 'png'));
    const { hash } = await anna.http.form<{ hash: string }>(`${API}/shares/add/`, { path: '/s', member_login: `email:${ben.email}` });
    const stranger = await CloudikeUser.register(stack.baseUrl);
    const call = (route: string, session: HttpSession, path = '/pic.png') => post(`shares/${route}`, { invite_hash: hash, path }, session);
    for (const route of ['create_extra', 'get_preview']) {
      expect(await said(call(route, anyone))).toBe('404 NotFound');
      expect(await said(call(route, stranger.http))).toBe('404 NotFound');
      expect(await said(post(`shares/${route}`, { invite_hash: 'B'.repeat(22), path: '/pic.png' }, anna.http))).toBe('404 NotFound');
    }
    await ben.http.form(`${API}/shares/accept/`, { hash, invite_hash: hash });
    expect((await call('create_extra', ben.http)).json()).toEqual({ started: true });
    expect(await sizeOf(await call('get_preview', ben.http))).toEqual([128, 64]);
    expect(await said(call('get_preview', ben.http, '/nothing.png'))).toBe('404 NotFound');
    const { link } = (await metadata(ben, '/s/pic.png')).extradata.thumbnails!.small!;
    expect((await anyone.send(link)).status).toBe(200);
    await db.query(`UPDATE grants SET can_download = false WHERE account_id = $1`, [ben.userId]);
    const plain = await call('get_preview', anna.http);
    expect((await call('get_preview', ben.http)).body.equals(plain.body)).toBe(false);

    await db.query(`UPDATE shares SET public_view = true WHERE hash = $1 OR node_id IN (SELECT node_id FROM grants WHERE account_id = $2)`, [
      hash,
      ben.userId,
    ]);
    expect(await sizeOf(await call('get_preview', anyone))).toEqual([128, 64]);
    expect((await call('create_extra', anyone)).json()).toEqual({ started: false });

    await anna.http.form(`${API}/shares/unshare/`, { path: '/s' });
    expect(await said(call('get_preview', ben.http))).toMatch(/^40[34]/);
    expect(await said(anyone.send(link))).toBe('404 NodeNotFound');
  });
});

describe('kukudocs', () => {
  it('give a page of ours that shows a document as pictures, runs nothing, and asks for the right each time', async () => {
    const name = `<script>alert(1)</script>"'.pdf`;
    await anna.upload(`/k/${name}`, pdfOf(2));
    const answer = await post('kukudocs/view', { path: `/k/${name}` }, anna.http);
    if (!previewPrograms.pdftoppm) {
      expect([answer.status, answer.json()]).toMatchObject([404, { code: 'NoPreview', reason: 'unsupported' }]);
      return;
    }
    const { url } = answer.json<{ url: string }>();
    let page = await anyone.send(url);
    for (let turn = 0; turn < 20 && page.body.includes('being prepared'); turn++) page = await anyone.send(url);
    expect(page.status).toBe(200);
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    const html = page.body.toString();
    expect(html).not.toContain('<script');
    const pictures = [...html.matchAll(/<img src="([^"]+)"/g)].map((match) => new URL(match[1]!.replaceAll('&amp;', '&'), url));
    expect(pictures).toHaveLength(2);
    for (const { href } of pictures) expect((await anyone.send(href)).headers['content-type']).toBe('image/jpeg');
    await anna.http.form(`${API}/fileops/delete/`, { path: `/k/${name}`, without_trash: true });
    expect((await anyone.send(url)).status).toBe(404);
    expect(await said(anyone.send(pictures[0]!.href))).toBe('404 NodeNotFound');
  });

  it('show texts without any program', async () => {
    await anna.upload('/k/notes.txt', Buffer.from('one\ntwo\n'));
    const { url } = (await post('kukudocs/view', { path: '/k/notes.txt' }, anna.http)).json<{ url: string }>();
    expect((await anyone.send(url)).body.toString()).toContain('<img src="');
  });

  it('show what a link publishes', async () => {
    await anna.upload('/k/public.txt', Buffer.from('for all'));
    const { public_hash: hash } = await anna.http.form<{ public_hash: string }>(`${API}/links/create/`, { path: '/k/public.txt' });
    const { url } = (await post('kukudocs/link/view', { hash }, anyone)).json<{ url: string }>();
    expect((await anyone.send(url)).status).toBe(200);
    expect(await said(post('kukudocs/link/view', { hash: 'C'.repeat(22) }, anyone))).toBe('404 FileNotFound');
    await anna.http.form(`${API}/links/delete/`, { path: '/k/public.txt' });
    expect(await said(post('kukudocs/link/view', { hash }, anyone))).toBe('404 FileNotFound');
    expect((await anyone.send(url)).status).toBe(404);
  });

  it('refuse what cannot be shown, and whoever may not see it', async () => {
    await anna.upload('/k/some.zip', Buffer.from('zip'));
    const call = (fields: Record<string, FormValue>, session = anna.http) => said(post('kukudocs/view', fields, session));
    expect(await call({ path: '/k/some.zip' })).toBe('404 NoPreview');
    expect(await call({ path: '/k' })).toBe('404 FileNotFound');
    expect(await call({ path: '/k/nothing.pdf' })).toBe('404 FileNotFound');
    expect(await call({ path: '/k/some.zip', version: 5 })).toBe('404 FileNotFound');
    expect(await call({ path: '/k/some.zip' }, ben.http)).toBe('404 FileNotFound');
    expect(await call({ path: '/k/some.zip' }, anyone)).toBe('401 Unauthorized');
    expect(await call({})).toBe('400 InvalidParameters');
  });
});

describe('whose account asks for a mark', () => {
  it('sees his name on every picture, and gets no document', async () => {
    const carl = await CloudikeUser.register(stack.baseUrl);
    await carl.upload('/big.png', await picture(1400, 1000, 'png'));
    await carl.upload('/words.txt', Buffer.from('secret words'));
    const plain = await preview({ path: '/big.png', size: 'preview' }, carl.http);
    expect((await preview({ path: '/words.txt', size: 'pdf' }, carl.http)).headers['content-type']).toBe('application/pdf');
    await db.query('UPDATE accounts SET use_watermarks = true WHERE id = $1', [carl.userId]);
    // what was read with the credential is trusted for a second
    const etagNow = async () => (await preview({ path: '/big.png', size: 'preview' }, carl.http)).headers.etag;
    await expect.poll(etagNow, { timeout: 10_000 }).not.toBe(plain.headers.etag);
    const marked = await preview({ path: '/big.png', size: 'preview' }, carl.http);
    expect(await sizeOf(marked)).toEqual(await sizeOf(plain));
    expect(marked.body.equals(plain.body)).toBe(false);
    expect(await said(preview({ path: '/words.txt', size: 'pdf' }, carl.http))).toBe('403 Forbidden');
    expect((await preview({ path: '/words.txt' }, carl.http)).status).toBe(200);
  });
});
