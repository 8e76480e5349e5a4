import { request as httpRequest } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { extract } from '../../libs/archives/test/zip-samples.js';
import { multipartBody } from '../support/api-client.js';
import { openPage } from '../support/browser.js';
import { CloudikeUser } from '../support/cloudike-user.js';
import { type FormValue, HttpSession } from '../support/http-session.js';
import { available } from '../support/services.js';
import { type SharedStack, sharedStack } from '../support/stack.js';

const HOSTILE = `<img src=x onerror=alert(1)> & "q' \u202egnp.txt`;

describe('the page of a public link', () => {
  let stack: SharedStack;
  let anna: CloudikeUser;
  let anyone: HttpSession;
  let db: pg.Client;
  let open: string;
  let guarded: string;
  let box: string;

  const link = async (path: string, options: Record<string, FormValue> = {}) =>
    (await anna.http.form<{ public_hash: string }>('/api/1/links/create/', { path, ...options })).public_hash;

  beforeAll(async () => {
    stack = await sharedStack();
    anna = await CloudikeUser.register(stack.baseUrl);
    anyone = new HttpSession(stack.baseUrl);
    db = new pg.Client(stack.databaseUrl);
    await db.connect();
    await anna.upload('/docs/a & b.txt', Buffer.from('hello'));
    await anna.upload(`/docs/sub/${HOSTILE}`, Buffer.from('world!'));
    await anna.upload('/guarded/g.txt', Buffer.from('guarded'));
    await anna.upload('/box/there.txt', Buffer.from('there'));
    open = await link('/docs');
    guarded = await link('/guarded', { password: 'open sesame' });
    box = await link('/box', { upload_folder: true });
  });
  afterAll(async () => {
    await db?.end();
    anyone?.close();
    await stack?.stop();
  });

  const get = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await anyone.send(`/public/${path}`, { headers });
    return { status: answer.status, headers: answer.headers, text: answer.body.toString() };
  };
  const post = (path: string, type: string, body: string | Buffer, headers: Record<string, string> = {}) =>
    anyone.send(`/public/${path}`, {
      method: 'POST',
      headers: { 'content-type': type, 'content-length': String(Buffer.byteLength(body)), ...headers },
      body,
    });
  const drop = (hash: string, files: readonly { name: string; bytes: string }[]) => {
    const { body, type } = multipartBody(
      files.map(({ name, bytes }) => ({ field: 'file', value: Buffer.from(bytes), fileName: name, type: 'text/plain' })),
    );
    return post(`${hash}/`, type, body);
  };

  it('lists a folder, leads into folders, and gives the bytes', async () => {
    const page = await get(`${open}/`);
    expect(page.status).toBe(200);
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
    );
    expect(page.headers).toMatchObject({
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
    expect(page.text).toContain('<h1>docs</h1>');
    expect(page.text).toContain('a &amp; b.txt');
    expect(page.text).toContain(`href="/public/${open}/sub"`);
    expect((await get(open)).headers.location).toBe(`/public/${open}/`);
    const file = await get(`${open}/${encodeURIComponent('a & b.txt')}?download`);
    expect(file.status).toBe(302);
    const bytes = await anyone.send(file.headers.location!);
    expect([bytes.body.toString(), bytes.headers['content-disposition']]).toEqual(['hello', expect.stringMatching(/^attachment/)]);
    const archive = await get(`${open}/?archive`);
    expect((await extract((await anyone.send(archive.headers.location!)).body)).map(({ path }) => path)).toContain('a & b.txt');
    const docs = await link('/docs/sub');
    const ended = (await get(`${docs}/?archive`)).headers.location!;
    await anna.http.form('/api/1/links/delete/', { path: '/docs/sub' });
    expect((await anyone.send(ended)).status).toBe(404);
    const head = await anyone.send(`/public/${open}/${encodeURIComponent('a & b.txt')}?download`, { method: 'HEAD' });
    expect(head.status).toBe(405);
    const { rows } = await db.query<{ download_count: string }>('SELECT download_count FROM links WHERE hash = $1', [open]);
    expect(Number(rows[0]!.download_count)).toBe(2);
  });

  it('writes hostile names as text', async () => {
    const { text } = await get(`${open}/sub`);
    expect(text).toContain('&lt;img src=x onerror=alert(1)&gt; &amp; &quot;q&#39; gnp.txt');
    expect(text).not.toMatch(/<img|<script|\u202e/);
    expect((await get(`${open}/sub/${encodeURIComponent(HOSTILE)}`)).status).toBe(200);
    const odd = await get(`${encodeURIComponent('"><script>alert(1)</script>')}/`);
    expect([odd.status, odd.text.includes('<script')]).toEqual([404, false]);
  });

  it('shows nothing outside of the link', async () => {
    const raw = (path: string) =>
      new Promise<number>((resolve, reject) => {
        httpRequest({ port: new URL(stack.baseUrl).port, path, headers: { connection: 'close' } }, (answer) => {
          answer.resume();
          resolve(answer.statusCode!);
        })
          .once('error', reject)
          .end();
      });
    for (const way of ['../guarded/', '%2e%2e/guarded/', '..%2fguarded', 'sub/../../guarded', '%00', '%ff', 'docs']) {
      expect([way, await raw(`/public/${open}/${way}`)]).toEqual([way, 404]);
      expect([way, await raw(`/public/${open}/${way}?download`)]).toEqual([way, 404]);
    }
    for (const path of ['/public/', '/public//', `/public/${'A'.repeat(22)}/`, `/public/${'A'.repeat(5000)}/`])
      expect([path, await raw(path)]).toEqual([path, 404]);
    expect((await anyone.send(`/public/${open}/`, { method: 'DELETE' })).status).toBe(405);
  });

  it('asks for the password, remembers it for this link only, and stops guessers', async () => {
    const asked = await get(`${guarded}/`);
    expect([asked.status, asked.text.includes('type="password"'), asked.text.includes('g.txt')]).toEqual([200, true, false]);
    expect((await get(`${guarded}/g.txt?download`)).status).toBe(200);
    const form = 'application/x-www-form-urlencoded';
    const wrong = await post(`${guarded}/`, form, 'password=wrong');
    expect([wrong.status, wrong.headers['set-cookie']]).toEqual([403, undefined]);
    expect(wrong.body.toString()).toContain('This is not the password');
    const right = await post(`${guarded}/`, form, 'password=open+sesame');
    expect([right.status, right.headers.location]).toEqual([303, `/public/${guarded}/`]);
    const [cookie = ''] = right.headers['set-cookie'] ?? [];
    expect(cookie).toMatch(new RegExp(`; Path=/public/${guarded}/; Max-Age=3600; HttpOnly; SameSite=Strict$`));
    expect(cookie).not.toContain('sesame');
    const ticket = cookie.split(';')[0]!;
    expect((await get(`${guarded}/`, { cookie: ticket })).text).toContain('g.txt');
    expect((await get(`${guarded}/g.txt?download`, { cookie: `other=1; ${ticket}` })).status).toBe(302);
    const second = await link('/guarded/g.txt', { password: 'open sesame' });
    expect((await get(`${second}/`, { cookie: ticket.replace(guarded, second) })).text).toContain('type="password"');
    expect((await get(`${guarded}/`, { cookie: `${ticket}x` })).text).toContain('type="password"');
    await link('/guarded', { password: 'changed' });
    expect((await get(`${guarded}/`, { cookie: ticket })).text).toContain('type="password"');
    const guesses = await Promise.all(Array.from({ length: 14 }, (_, guess) => post(`${guarded}/`, form, `password=guess${guess}`)));
    expect(guesses.map(({ status }) => status).filter((status) => status === 429).length).toBeGreaterThanOrEqual(4);
    expect((await post(`${guarded}/`, form, `password=${'x'.repeat(20_000)}`)).status).toBe(413);
  });

  it('takes files without a script, under free names, and shows nothing of the folder', async () => {
    const page = await get(`${box}/`);
    expect([page.status, page.text.includes('type="file"'), page.text.includes('there.txt')]).toEqual([200, true, false]);
    expect((await get(`${box}/there.txt`)).status).toBe(404);
    const sent = await drop(box, [
      { name: 'there.txt', bytes: 'new' },
      { name: HOSTILE.replaceAll('"', ''), bytes: 'hostile' },
      { name: '../../up.txt', bytes: 'up' },
    ]);
    expect(sent.status).toBe(200);
    expect(sent.body.toString()).toContain('there.txt was received as there (1).txt');
    expect(sent.body.toString()).not.toMatch(/<img/);
    expect((await anna.metadata('/box')).content!.map(({ path }) => path).sort()).toEqual(
      ['/box/there.txt', '/box/there (1).txt', `/box/${HOSTILE.replaceAll('"', '')}`, '/box/up.txt'].sort(),
    );
    expect((await anna.download('/box/there (1).txt')).toString()).toBe('new');
    expect((await drop(box, [])).status).toBe(400);
    expect((await drop(open, [{ name: 'x.txt', bytes: 'x' }])).status).toBe(403);
    expect((await post(`${box}/`, 'multipart/form-data', 'x')).status).toBe(400);
    await db.query(`UPDATE quotas SET limit_bytes = 20 WHERE owner_kind = 'account' AND owner_id = $1`, [anna.userId]);
    const full = await drop(box, [{ name: 'big.txt', bytes: 'x'.repeat(100_000) }]);
    expect([full.status, full.body.toString().includes('was not received')]).toEqual([400, true]);
    await db.query(`UPDATE quotas SET limit_bytes = NULL WHERE owner_kind = 'account' AND owner_id = $1`, [anna.userId]);
  });

  it('says so when a form brings more files than it takes', async () => {
    await anna.mkdir('/many');
    const sent = await drop(
      await link('/many', { upload_folder: true }),
      Array.from({ length: 102 }, (_, nth) => ({ name: `${nth}.txt`, bytes: 'x' })),
    );
    expect([sent.status, sent.body.toString().match(/ was received/g)?.length]).toEqual([400, 100]);
    expect(sent.body.toString()).toContain('What came behind was not received: A form brings 100 files at most.');
  });

  it('says what is wrong with a link that does not open', async () => {
    await anna.upload('/end.txt', Buffer.from('end'));
    const hash = await link('/end.txt', { download_max: 1 });
    await db.query(`UPDATE links SET expires_at = now() - interval '1 minute' WHERE hash = $1`, [hash]);
    const expired = await get(`${hash}/`);
    expect([expired.status, expired.text.includes('has expired')]).toEqual([404, true]);
    await db.query('UPDATE links SET expires_at = NULL WHERE hash = $1', [hash]);
    expect((await get(`${hash}/?download`)).status).toBe(302);
    const used = await get(`${hash}/`);
    expect([used.status, used.text.includes('as often as it may be')]).toEqual([404, true]);
    await db.query('UPDATE links SET download_count = 0, blocked_at = now() WHERE hash = $1', [hash]);
    const blocked = await get(`${hash}/`);
    expect([blocked.status, blocked.text.includes('complaint')]).toEqual([403, true]);
    await anna.http.form('/api/1/links/delete/', { path: '/end.txt' });
    expect((await get(`${hash}/`)).status).toBe(404);
  });

  describe.runIf(available.browser)('in a browser', () => {
    it('works for people: looking around, the password, leaving files', async () => {
      const { page, problems, close } = await openPage(stack.baseUrl);
      const dir = await mkdtemp(join(tmpdir(), 'stowage-page-'));
      try {
        await page.goto(`/public/${open}/`);
        await page.getByRole('link', { name: 'sub/' }).click();
        await page.getByRole('link', { name: /onerror/ }).click();
        expect(await page.getByRole('heading').textContent()).toContain('onerror=alert(1)');
        await page.getByRole('link', { name: 'docs' }).click();
        const download = page.waitForEvent('download');
        await page.getByRole('link', { name: 'Download', exact: true }).first().click();
        expect((await download).suggestedFilename()).toBe('a & b.txt');
        const secret = await link('/guarded/g.txt', { password: 'pw' });
        await page.goto(`/public/${secret}/`);
        await page.getByLabel('Password').fill('pw');
        await page.getByRole('button', { name: 'Open' }).click();
        await page.getByRole('heading', { name: 'g.txt' }).waitFor();
        await writeFile(join(dir, 'from browser.txt'), 'sent by a person');
        await page.goto(`/public/${box}/`);
        await page.getByLabel('Files').setInputFiles(join(dir, 'from browser.txt'));
        await page.getByRole('button', { name: 'Send' }).click();
        await page.getByText('from browser.txt was received.').waitFor();
        expect((await anna.download('/box/from browser.txt')).toString()).toBe('sent by a person');
        // The bytes come from the store itself, where that is an S3.
        expect(problems.filter((problem) => !problem.startsWith(`foreign: ${stack.env['S3_ENDPOINT']}/`))).toEqual([]);
      } finally {
        await close();
        await rm(dir, { recursive: true, force: true });
      }
    });
  });
});
