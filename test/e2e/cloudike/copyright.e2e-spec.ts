import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser } from '../../support/cloudike-user.js';
import { type FormValue, HttpSession } from '../../support/http-session.js';
import { type SharedStack, sharedStack } from '../../support/stack.js';

interface WireComplaint {
  readonly complaint_id: number;
  readonly status: string;
  readonly url: readonly string[];
  readonly created: string;
}

const FACTS = {
  content_type: 'Video',
  description: 'stolen movie',
  copyright_holder: 'qwerty inc(c)',
  name: 'user',
  sign: 'U. Ser',
  email: 'root@example.org',
  position: 'manager',
  phone: '+79260121212',
  fax: '+79260121213',
  address: 'lenina str',
  city: 'NN',
  region: 'NNR',
  postcode: 123456,
  country: 'Russia',
};

describe('copyright', () => {
  let stack: SharedStack;
  let anna: CloudikeUser;
  let admin: CloudikeUser;
  let anyone: HttpSession;
  let hashes: string[];

  beforeAll(async () => {
    stack = await sharedStack();
    anna = await CloudikeUser.register(stack.baseUrl);
    admin = await CloudikeUser.login(stack.baseUrl, stack.admin.email, stack.admin.password);
    anyone = new HttpSession(stack.baseUrl);
    hashes = [];
    for (const name of ['one', 'two', 'three']) {
      await anna.upload(`/${name}/f.txt`, Buffer.from(name));
      hashes.push((await anna.http.form<{ public_hash: string }>('/api/1/links/create/', { path: `/${name}` })).public_hash);
    }
  });
  afterAll(async () => {
    anyone?.close();
    await stack?.stop();
  });

  const call = async (
    route: string,
    fields: Record<string, FormValue | readonly FormValue[]>,
    session = anyone,
  ): Promise<[number, string | undefined]> => {
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries(fields)) for (const item of [value].flat()) body.append(name, String(item));
    const answer = await session.send(`/api/0/copyright/${route}/`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: body.toString(),
    });
    return [answer.status, answer.json<{ code?: string }>().code];
  };
  const complain = (url: readonly string[], facts: Record<string, FormValue> = {}) =>
    anyone.form<WireComplaint>('/api/0/copyright/make_complaint/', { ...FACTS, url, ...facts });
  const judge = (id: number, status: string) => admin.http.form<WireComplaint>('/api/0/copyright/edit_complaint/', { complaint_id: id, status });
  const statusOf = async (hash: string) => (await anyone.send(`/api/1/links/metadata/${hash}/`)).status;

  it('takes a complaint of anybody and answers it with every field but the signature', async () => {
    const url = [`${stack.baseUrl}/public/${hashes[0]}/`, `https://other.example/public/${hashes[1]}`];
    const complaint = await complain(url);
    const { sign: _sign, ...shown } = FACTS;
    expect(complaint).toEqual({ ...shown, complaint_id: expect.any(Number) as number, status: 'new', url, created: expect.any(String) as string });
    expect(complaint.created).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+$/);
    expect(await statusOf(hashes[0]!)).toBe(200);
  });

  it('refuses unknown links and missing facts', async () => {
    expect(await call('make_complaint', { ...FACTS, url: [`https://x.example/public/${'A'.repeat(22)}/`] })).toEqual([404, 'NotFound']);
    expect(await call('make_complaint', { ...FACTS, url: [hashes[0]!, 'https://x.example/'] })).toEqual([404, 'NotFound']);
    for (const name of ['content_type', 'description', 'copyright_holder', 'name', 'sign', 'email']) {
      expect(await call('make_complaint', { ...FACTS, url: hashes, [name]: '' })).toEqual([400, 'InvalidParameters']);
    }
    expect(await call('make_complaint', FACTS)).toEqual([400, 'InvalidParameters']);
    expect(await call('make_complaint', { ...FACTS, url: hashes, postcode: 'x' })).toEqual([400, 'InvalidParameters']);
  });

  it('lists complaints for system administrators by filter, order and page', async () => {
    await complain([hashes[2]!], { copyright_holder: 'Zxcvbn 100%', content_type: 'Audio', email: 'b@example.org', postcode: 7 });
    const list = (fields: Record<string, FormValue> = {}) =>
      admin.http.form<{ complaints: WireComplaint[]; count: number; limit: number; offset: number }>('/api/0/copyright/get_complaints/', fields);
    const all = await list();
    expect(all).toMatchObject({ limit: 2000, offset: 0, count: all.complaints.length });
    expect(all.count).toBeGreaterThanOrEqual(2);
    expect((await list({ copyright_holder: 'zxcvbn 100%' })).count).toBe(1);
    expect((await list({ content_type: 'audio', postcode: 7, status: 'new' })).count).toBe(1);
    expect((await list({ name: `' OR 1=1 --` })).count).toBe(0);
    expect((await list({ complaint_id: all.complaints[0]!.complaint_id })).complaints).toEqual([all.complaints[0]]);
    const ids = async (fields: Record<string, FormValue>) => (await list(fields)).complaints.map(({ complaint_id: id }) => id);
    expect(await ids({ order_field: 'complaint_id', order_direction: 'DESCENDING' })).toEqual((await ids({})).reverse());
    expect(await ids({ limit: 1, offset: 1 })).toEqual((await ids({})).slice(1, 2));
    expect(await ids({ order_field: 'constructor' })).toEqual(await ids({}));
    expect(await call('get_complaints', { status: 'odd' }, admin.http)).toEqual([400, 'InvalidParameters']);
  });

  it('blocks links at once when it is accepted, and lets them go when nothing holds them', async () => {
    const [one, two] = [await complain([hashes[0]!, hashes[1]!]), await complain([hashes[1]!])];
    expect(await judge(one.complaint_id, 'accepted')).toMatchObject({ complaint_id: one.complaint_id, status: 'accepted' });
    const began = performance.now();
    for (const route of ['metadata', 'info', 'get', 'download_as_archive', 'download_as_archive_stream']) {
      const answer = await anyone.send(`/api/1/links/${route}/${hashes[0]}/${route === 'get' ? 'f.txt' : ''}`);
      expect([route, answer.status, answer.json<{ code: string }>().code]).toEqual([route, 403, 'LinkBlocked']);
    }
    expect(performance.now() - began).toBeLessThan(5_000);
    expect((await anna.http.send(`/api/1/links/add_to_storage/${hashes[0]}/`)).status).toBe(403);
    await judge(two.complaint_id, 'accepted');
    await judge(one.complaint_id, 'declined');
    expect([await statusOf(hashes[0]!), await statusOf(hashes[1]!)]).toEqual([200, 403]);
    await judge(two.complaint_id, 'new');
    expect(await statusOf(hashes[1]!)).toBe(200);
  });

  it('does not let a blocked link come back under another hash', async () => {
    const { complaint_id: id } = await complain([hashes[2]!]);
    await judge(id, 'accepted');
    await anna.http.form('/api/1/links/delete/', { path: '/three' });
    const again = await anna.http.send('/api/1/links/create/?path=/three', { method: 'POST' });
    expect([again.status, again.json<{ code: string }>().code]).toEqual([403, 'LinkBlocked']);
    await judge(id, 'declined');
    expect((await anna.http.send('/api/1/links/create/?path=/three', { method: 'POST' })).status).toBe(200);
  });

  it('is judged by system administrators alone', async () => {
    const { complaint_id: id } = await complain([hashes[0]!]);
    for (const [route, fields] of [
      ['get_complaints', {}],
      ['edit_complaint', { complaint_id: id, status: 'accepted' }],
    ] as const) {
      expect(await call(route, fields)).toEqual([401, 'Unauthorized']);
      expect(await call(route, fields, anna.http)).toEqual([403, 'Forbidden']);
    }
    expect(await statusOf(hashes[0]!)).toBe(200);
    expect(await call('edit_complaint', { complaint_id: 999_999, status: 'accepted' }, admin.http)).toEqual([404, 'NotFound']);
    expect(await call('edit_complaint', { complaint_id: id, status: 'odd' }, admin.http)).toEqual([400, 'InvalidParameters']);
    expect(await call('edit_complaint', { status: 'new' }, admin.http)).toEqual([400, 'InvalidParameters']);
  });

  it('takes no flood from one address', async () => {
    const outcomes = await Promise.all(Array.from({ length: 40 }, () => call('make_complaint', { ...FACTS, url: [hashes[0]!] })));
    expect(outcomes.filter(([status]) => status === 429).length).toBeGreaterThanOrEqual(10);
    expect(outcomes.filter(([status]) => status === 200).length).toBeGreaterThan(0);
  });
});
