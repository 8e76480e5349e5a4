import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser } from '../../support/cloudike-user.js';
import { HttpSession } from '../../support/http-session.js';
import { type Stack, startStack } from '../../support/stack.js';

// Settings, key values, the offer and feedback: docs/contracts/cloudike.md 7 and 13.

let stack: Stack;
let anonymous: HttpSession;
let elsewhere: HttpSession;
let system: CloudikeUser;
let user: CloudikeUser;
let boss: CloudikeUser;

beforeAll(async () => {
  stack = await startStack({ env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off' }, apis: 2 });
  anonymous = new HttpSession(stack.baseUrl);
  elsewhere = new HttpSession(stack.baseUrls[1]!);
  system = await CloudikeUser.login(stack.baseUrl, stack.admin.email, stack.admin.password);
  user = await CloudikeUser.register(stack.baseUrl, 'user@example.org');
  await anonymous.form('/api/1/accounts/create/', { email: 'boss@example.org', password: 'correct horse battery', name: 'b', company_name: 'b' });
  boss = await CloudikeUser.login(stack.baseUrl, 'boss@example.org', 'correct horse battery');
});
afterAll(async () => {
  await stack?.stop();
});

/** Status and code of a call with a JSON body. */
async function call(path: string, params: object = {}, http = system.http) {
  const reply = await http.send(`/api/1/${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(params) });
  const code = reply.body.toString().startsWith('{') ? reply.json<{ code?: string }>().code : undefined;
  return code === undefined || code === 'OK' ? { status: reply.status } : { status: reply.status, code };
}

const set = (name: string, value: boolean) => system.http.form<{ settings: Record<string, boolean> }>('/api/1/admin/settings/', { name, value });

const UNAUTHORIZED = { status: 401, code: 'Unauthorized' };
const FORBIDDEN = { status: 403, code: 'Forbidden' };
const INVALID = { status: 400, code: 'InvalidParameters' };

describe('settings', () => {
  it('are listed and changed by administrators of the system alone', async () => {
    const defaults = { registration_open: true, can_decline_offer: false, feedback_enabled: true, feedback_logs_enabled: true };
    expect(await system.http.get('/api/1/admin/settings/')).toEqual({ settings: defaults });
    expect(await set('can_decline_offer', true)).toEqual({ settings: { ...defaults, can_decline_offer: true } });
    expect(await set('can_decline_offer', false)).toEqual({ settings: defaults });
    for (const params of [{ name: 'constructor', value: true }, { name: 'registration_open' }, { name: 'registration_open', value: 'perhaps' }]) {
      expect(await call('admin/settings/', params)).toEqual(INVALID);
    }
    for (const http of [user.http, boss.http]) {
      expect(await call('admin/settings/', {}, http)).toEqual(FORBIDDEN);
      expect(await call('admin/settings/', { name: 'registration_open', value: false }, http)).toEqual(FORBIDDEN);
    }
    expect(await call('admin/settings/', {}, anonymous)).toEqual(UNAUTHORIZED);
  });

  it('close registration at once here and within a second elsewhere, but not to the invited', async () => {
    let count = 0;
    const register = (http: HttpSession, more: object = {}) =>
      call('accounts/create/', { email: `new-${++count}@example.org`, password: 'correct horse battery', name: 'n', ...more }, http);
    expect(await register(elsewhere)).toEqual({ status: 200 });
    await set('registration_open', false);
    expect(await register(anonymous)).toEqual(FORBIDDEN);
    expect(await call('accounts/create_by_phone/', { phone: '+79201234567', password: 'correct horse battery' }, anonymous)).toEqual(FORBIDDEN);
    await sleep(1_100);
    expect(await register(elsewhere)).toEqual(FORBIDDEN);
    expect(await register(boss.http, { created_manually: true })).toEqual({ status: 200 });
    await set('registration_open', true);
    expect(await register(anonymous)).toEqual({ status: 200 });
  });
});

describe('keyvalue', () => {
  const get = (key: string, http = user.http) => call(`keyvalue/${key}`, {}, http);

  it('keeps any JSON for those who may read it', async () => {
    expect(await system.http.form('/api/0/keyvalue/some_key', { value: '[1, 2, "string"]' })).toEqual({ key: 'some_key', changed: true });
    expect(await user.http.get('/api/0/keyvalue/some_key')).toEqual({ key: 'some_key', value: [1, 2, 'string'] });
    expect(await user.http.get('/api/1/keyvalue/some_key/')).toEqual({ key: 'some_key', value: [1, 2, 'string'] });
    expect(await get('some_key', anonymous)).toEqual(UNAUTHORIZED);
    expect(await call('keyvalue/some_key', { value: 'text', rights: 'admin' })).toEqual({ status: 200 });
    expect(await get('some_key')).toEqual({ status: 404, code: 'NotFound' });
    expect(await get('some_key', boss.http)).toEqual({ status: 404, code: 'NotFound' });
    expect(await call('keyvalue/some_key', { value: { deep: true } })).toEqual({ status: 200 });
    expect(await get('some_key')).toEqual({ status: 404, code: 'NotFound' });
    expect(await system.http.get('/api/1/keyvalue/some_key')).toEqual({ key: 'some_key', value: { deep: true } });
    expect(await call('keyvalue/some_key', { value: 0, rights: 'all' })).toEqual({ status: 200 });
    expect(await anonymous.get('/api/1/keyvalue/some_key')).toEqual({ key: 'some_key', value: 0 });
  });

  it('refuses strangers, unknown keys and bad values', async () => {
    expect(await get('unknown')).toEqual({ status: 404, code: 'NotFound' });
    expect(await get('unknown', anonymous)).toEqual(UNAUTHORIZED);
    expect(await call('keyvalue/mine', { value: 1 }, user.http)).toEqual(FORBIDDEN);
    expect(await call('keyvalue/mine', { value: 1 }, boss.http)).toEqual(FORBIDDEN);
    expect(await call('keyvalue/mine', { value: 1 }, anonymous)).toEqual(UNAUTHORIZED);
    expect(await call('keyvalue/mine', { value: 1, rights: 'friends' })).toEqual(INVALID);
    expect(await call('keyvalue/mine', { value: 'x'.repeat(70_000) })).toEqual(INVALID);
    expect(await call(`keyvalue/${'k'.repeat(257)}`, { value: 1 })).toEqual(INVALID);
    expect(await get('mine', system.http)).toEqual({ status: 404, code: 'NotFound' });
  });
});

describe('the offer', () => {
  it('is a page that does nothing, empty at first', async () => {
    const page = () => anonymous.send('/api/1/accounts/get_offer/?company_id=1');
    expect((await page()).body.toString()).toBe('');
    const html = '<h1>Terms</h1><script>alert(1)</script>';
    await call('keyvalue/offer', { value: html });
    const reply = await page();
    expect([reply.status, reply.headers['content-type'], reply.body.toString()]).toEqual([200, 'text/html; charset=utf-8', html]);
    expect(reply.headers['content-security-policy']).toMatch(/^sandbox; default-src 'none'/);
    await call('keyvalue/offer', { value: { no: 'text' } });
    expect((await page()).body.toString()).toBe('');
    await call('keyvalue/offer', { value: html });
  });

  it('is accepted, and declined only where the setting allows it; a login says whether it waits', async () => {
    const login = async () => {
      const session = await anonymous.form('/api/1/accounts/login/', { login: 'email:user@example.org', password: 'correct horse battery' });
      return [session['need_agreement'], session['offer_url']];
    };
    const waiting = [true, `${stack.baseUrl}/api/1/accounts/get_offer/`];
    expect(await login()).toEqual(waiting);
    expect(await user.http.form('/api/1/accounts/accept_offer/', {})).toEqual({ accepted: true });
    expect(await user.http.form('/api/1/accounts/accept_offer/', {})).toEqual({ accepted: true });
    expect(await login()).toEqual([false, '']);
    expect(await call('accounts/decline_offer/', {}, user.http)).toEqual({ status: 405, code: 'MethodNotAllowed' });
    await set('can_decline_offer', true);
    expect(await user.http.form('/api/0/accounts/decline_offer/', {})).toEqual({ accepted: false });
    expect(await login()).toEqual(waiting);
    await set('can_decline_offer', false);
    expect(await call('accounts/accept_offer/', {}, anonymous)).toEqual(UNAUTHORIZED);
    expect(await call('accounts/decline_offer/', {}, anonymous)).toEqual(UNAUTHORIZED);
  });
});

describe('feedback', () => {
  interface Entry {
    id: string;
    text: string;
    userid: number;
    email: string;
    name: string;
    created: number;
    log_url?: string;
  }
  const leave = (params: Record<string, string>, http = user.http) => http.form<{ url_upload_logs?: string }>('/api/1/accounts/feedback/', params);
  const list = (query = '') => system.http.get<{ count: number; data: Entry[] }>(`/api/1/accounts/feedback_list/?limit=0&${query}`);
  const send = async (url: string, content: string | Buffer, part = 'log') => {
    const boundary = 'a-boundary';
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${part}"; filename="a.log"\r\nContent-Type: text/plain\r\n\r\n`;
    const body = Buffer.concat([Buffer.from(head), Buffer.from(content), Buffer.from(`\r\n--${boundary}--\r\n`)]);
    const reply = await anonymous.send(url, { method: 'POST', headers: { 'content-type': `multipart/form-data; boundary=${boundary}` }, body });
    return reply.status;
  };

  it('is kept with one log, which administrators fetch', async () => {
    const { url_upload_logs: url } = await leave({ comment: 'It is slow', name: 'Somebody', email: 'else@example.org' });
    expect(await send(url!, 'the log', 'file')).toBe(400);
    expect(await send(url!, 'line one\r\nline two')).toBe(200);
    expect(await send(url!, 'again')).toBe(404);
    const { count, data } = await list();
    expect(count).toBe(data.length);
    const entry = data.find((candidate) => candidate.text === 'It is slow')!;
    expect(entry).toMatchObject({ userid: user.userId, email: 'else@example.org', name: 'Somebody', created: expect.any(Number) });
    const log = await anonymous.send(entry.log_url!);
    expect([log.status, log.body.toString()]).toEqual([200, 'line one\r\nline two']);
  });

  it('takes no log that is too large, nor one that nobody waits for; a refused one leaves the place free', async () => {
    const { url_upload_logs: url } = await leave({ comment: 'large' });
    expect(await send(url!, Buffer.alloc(20 * 1024 * 1024 + 1))).toBe(413);
    expect(await send(`${stack.baseUrl}/api/1/accounts/feedback_logs/${'a'.repeat(32)}`, 'x')).toBe(404);
    expect((await anonymous.send(url!, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' })).status).toBe(400);
    const sent = await Promise.all([send(url!, 'one'), send(url!, 'two')]);
    expect(sent.sort()).toEqual([200, 404]);
    const { data } = await list('order_field=date&order_direction=DESCENDING');
    expect(data[0]).toMatchObject({ text: 'large', email: 'user@example.org' });
  });

  it('is paged and ordered for administrators of the system alone', async () => {
    await leave({ comment: 'from the boss' }, boss.http);
    const { count, data } = await list();
    const texts = data.map((entry) => entry.text);
    expect((await list('order_direction=DESCENDING')).data.map((entry) => entry.text)).toEqual([...texts].reverse());
    expect((await system.http.get<{ data: Entry[] }>('/api/1/accounts/feedback_list/?limit=1&offset=1')).data.map((entry) => entry.text)).toEqual([
      texts[1],
    ]);
    expect((await list('order_field=userid&order_direction=desc')).data).toHaveLength(count);
    expect((await list('order_field=constructor')).data).toHaveLength(count);
    expect(await call('accounts/feedback_list/', {}, user.http)).toEqual(FORBIDDEN);
    expect(await call('accounts/feedback_list/', {}, boss.http)).toEqual(FORBIDDEN);
    expect(await call('accounts/feedback_list/', {}, anonymous)).toEqual(UNAUTHORIZED);
    expect(await call('accounts/feedback_list/', { limit: -1 })).toEqual(INVALID);
  });

  it('needs a comment and an account, can be switched off, and is limited', async () => {
    expect(await call('accounts/feedback/', {}, user.http)).toEqual(INVALID);
    expect(await call('accounts/feedback/', { comment: 'x', name: 'n'.repeat(257) }, user.http)).toEqual(INVALID);
    expect(await call('accounts/feedback/', { comment: 'x' }, anonymous)).toEqual(UNAUTHORIZED);
    await set('feedback_logs_enabled', false);
    expect(await leave({ comment: 'no log' })).toEqual({});
    await set('feedback_enabled', false);
    expect(await call('accounts/feedback/', { comment: 'x' }, user.http)).toEqual(FORBIDDEN);
    await set('feedback_enabled', true);
    const talker = await CloudikeUser.register(stack.baseUrl);
    const statuses = [];
    for (let i = 0; i < 21; i++) statuses.push((await call('accounts/feedback/', { comment: 'x' }, talker.http)).status);
    expect(statuses).toEqual([...Array<number>(20).fill(200), 429]);
  });
});
