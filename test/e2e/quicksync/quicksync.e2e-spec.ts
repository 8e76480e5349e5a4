import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';

import { HttpTransportType, HubConnection, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { CloudikeUser } from '../../support/cloudike-user.js';
import { HttpSession } from '../../support/http-session.js';
import { developerKey, QUICKSYNC_PREFIX, QuicksyncMember, quicksyncSay, type SessionAnswer, walletToken } from '../../support/quicksync-user.js';
import { type Stack, startStack } from '../../support/stack.js';
import { Wallet } from '../../support/wallet.js';
import { SOURCE_CALLS } from './source-calls.js';

// docs/contracts/quicksync.md; source-calls.ts holds the calls of the source document.

const HOST = 'sync.example.org';
const UNKNOWN = '00000000-0000-4000-8000-000000000000';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

let stack: Stack;
let database: pg.Client;
let anonymous: HttpSession;
let developer: CloudikeUser;
let key: string;
let host: QuicksyncMember;
let anna: QuicksyncMember;
let ben: QuicksyncMember;
const members: QuicksyncMember[] = [];

const made = (member: QuicksyncMember): QuicksyncMember => {
  members.push(member);
  return member;
};
const newHost = async (rules: Record<string, unknown> = {}) => made(await QuicksyncMember.host(stack.baseUrl, key, rules));
const join = async (at: QuicksyncMember, wallet?: Wallet) => made(await QuicksyncMember.join(stack.baseUrl, at.session.sessionId, undefined, wallet));
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

beforeAll(async () => {
  stack = await startStack({ apis: 2, env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off', STOWAGE_API_HOSTS: `quicksync=${HOST}` } });
  database = new pg.Client(stack.databaseUrl);
  await database.connect();
  anonymous = new HttpSession(stack.baseUrl);
  developer = await CloudikeUser.register(stack.baseUrl);
  ({ key } = await developerKey(developer));
  host = await newHost();
  anna = await join(host);
  ben = await join(host);
});
afterAll(async () => {
  for (const member of members) member.close();
  anonymous?.close();
  developer?.http.close();
  await database?.end();
  await stack?.stop();
});

describe('proofs of wallets', () => {
  it('give a token for the signature of a message, once', async () => {
    const wallet = new Wallet();
    const { body } = await quicksyncSay<{ nonce: number; message: string }>(anonymous, 'GET', 'wallet-proof/nonce');
    expect(Object.keys(body).sort()).toEqual(['message', 'nonce']);
    expect(Number.isSafeInteger(body.nonce)).toBe(true);
    const proof = { walletAddress: wallet.address, message: body.message, signature: wallet.sign(body.message) };
    const verify = (shown: object, query = '?chain=Ethereum') => quicksyncSay(anonymous, 'POST', `wallet-proof/verify${query}`, { body: shown });
    expect((await verify(proof, '?chain=Solana')).said).toBe('400 invalid');
    expect((await verify({ ...proof, walletAddress: new Wallet().address })).said).toBe('400 invalid');
    expect((await verify({ ...proof, signature: new Wallet().sign(body.message) })).said).toBe('400 invalid');
    expect((await verify({ ...proof, message: body.message.replace('Nonce', 'nonce') })).said).toBe('400 invalid');
    for (const wrong of [{}, { ...proof, message: 7 }, { ...proof, signature: '0x12' }]) expect((await verify(wrong)).said).toBe('400 invalid');
    const answers = await Promise.all(Array.from({ length: 4 }, () => verify(proof)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400]);
    const { body: granted, reply } = answers.find(({ status }) => status === 200)!;
    expect(granted).toEqual({ token: expect.any(String) as string });
    expect(reply.headers['access-control-allow-origin']).toBe('*');
  });
});

describe('sessions', () => {
  const create = async (body: unknown, headers: Record<string, string> = {}, wallet = new Wallet()) =>
    quicksyncSay<SessionAnswer>(anonymous, 'POST', 'session', {
      headers: { ...bearer(await walletToken(anonymous, wallet)), 'x-api-key': key, ...headers },
      body,
    });

  it('are made with the members of the contract', async () => {
    const wallet = new Wallet();
    const listed = new Wallet().address;
    const rules = { userCapacity: 3, expiryDurationInSeconds: 120, password: 'p', allowOnlyWhitelistedAddresses: true, whiteListAddresses: [listed] };
    const { body, said } = await create({ identity: { name: 'Hedy', chainAddress: wallet.address.toLowerCase() }, rules }, {}, wallet);
    expect(said).toBe('200');
    expect(body).toEqual({
      sessionId: expect.stringMatching(UUID) as string,
      expiresIn: expect.any(Number) as number,
      credentials: { token: expect.any(String) as string, id: expect.stringMatching(UUID) as string, pseudonym: 'Hedy', role: 'Host' },
      rules: {
        ...{ expiry: expect.any(String) as string, maxFiles: 100, maxUsers: 3, maxTotalMegaBytes: 1024 },
        ...{ passwordProtected: true, whiteListAddresses: [listed] },
      },
    });
    expect([body.expiresIn > 100, body.expiresIn <= 120]).toEqual([true, true]);
    const claims = JSON.parse(Buffer.from(body.credentials.token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;
    expect(claims).toMatchObject({ sub: body.credentials.id, sid: body.sessionId, exp: Math.floor(Date.parse(String(body.rules['expiry'])) / 1000) });
    const current = await quicksyncSay(anonymous, 'GET', 'session/current', { headers: bearer(body.credentials.token) });
    const users = [{ id: body.credentials.id, role: 'Host', name: 'Hedy', address: wallet.address }];
    expect(current.body).toEqual({ id: body.sessionId, creatorId: body.credentials.id, ...body.rules, users });
    // the main API shows nothing of it, and the account pays for it
    expect((await developer.metadata('/')).content).toEqual([]);
  });

  it.each([
    ['a wallet of somebody else', { identity: { chainAddress: new Wallet().address } }],
    ['an identity that is a text', { identity: 'me' }],
    ['a name of 101 letters', { identity: { name: 'x'.repeat(101) } }],
    ['no places', { rules: { userCapacity: 0 } }],
    ['places by a text', { rules: { userCapacity: '5' } }],
    ['no time', { rules: { expiryDurationInSeconds: 0 } }],
    ['a time of eight days', { rules: { expiryDurationInSeconds: 8 * 86_400 } }],
    ['a password that is a number', { rules: { password: 7 } }],
    ['an address that is none', { rules: { whiteListAddresses: ['0x12'] } }],
    ['a list with a number in it', { rules: { whiteListAddresses: [7] } }],
    ['more bytes than any', { rules: { maxTotalMegaBytes: 2 ** 40 } }],
  ])('are not made with %s', async (_, body) => {
    expect((await create(body)).said).toBe('400 invalid');
  });

  it('are not made without both credentials', async () => {
    const wallet = bearer(await walletToken(anonymous, new Wallet()));
    const { id, key: other } = await developerKey(developer);
    const storage = await developer.http.form<{ api_key: string }>('/api/1/accounts/api_keys/create/', { name: 'k' }, [200, 201]);
    await developer.http.form('/api/1/accounts/developer_keys/revoke/', { id });
    const wrong: Record<string, string>[] = [
      {},
      wallet,
      { 'x-api-key': key },
      { ...wallet, 'x-api-key': other },
      { ...wallet, 'x-api-key': storage.api_key },
      { ...wallet, 'x-api-key': `sk_${'x'.repeat(43)}` },
      { ...bearer(host.session.credentials.token), 'x-api-key': key },
      { ...bearer('e30.e30.e30'), 'x-api-key': key },
    ];
    for (const headers of wrong) expect((await quicksyncSay(anonymous, 'POST', 'session', { headers, body: {} })).said).toBe('401 unauthenticated');
    const { reply } = await quicksyncSay(anonymous, 'POST', 'session', { body: {} });
    expect(reply.headers['content-type']).toBe('application/problem+json');
    expect(reply.json()).toMatchObject({ type: 'about:blank', title: 'Unauthenticated', status: 401, detail: expect.any(String) as string });
  });

  it('are joined by wallet, list, password and number', async () => {
    const listed = new Wallet();
    const at = await newHost({ userCapacity: 2, password: 'sesame', allowOnlyWhitelistedAddresses: true, whiteListAddresses: [listed.address] });
    const { sessionId } = at.session;
    const say = async (body: object, wallet = listed) =>
      quicksyncSay<SessionAnswer>(anonymous, 'POST', 'session/join', { headers: bearer(await walletToken(anonymous, wallet)), body });
    expect((await quicksyncSay(anonymous, 'POST', 'session/join', { body: { sessionId } })).said).toBe('401 unauthenticated');
    expect((await say({ sessionId: UNKNOWN })).said).toBe('404 session_not_found');
    expect((await say({ sessionId: 'x' })).said).toBe('404 session_not_found');
    expect((await say({ sessionId: 7 })).said).toBe('400 invalid');
    expect((await say({ sessionId, password: 'sesame' }, new Wallet())).said).toBe('403 forbidden');
    expect((await say({ sessionId })).said).toBe('401 invalid_credentials');
    expect((await say({ sessionId, password: 'wrong' })).said).toBe('401 invalid_credentials');
    const { body, said } = await say({ sessionId, password: 'sesame' });
    expect(said).toBe('200');
    expect(body).toMatchObject({ sessionId, credentials: { role: 'Client', pseudonym: expect.stringMatching(/^Guest /) as string } });
    expect(body.users?.map(({ role, address }) => [role, address])).toEqual([
      ['Host', at.wallet.address],
      ['Client', listed.address],
    ]);
    const open = await newHost({ userCapacity: 1 });
    expect((await say({ sessionId: open.session.sessionId })).said).toBe('409 session_full');
  });

  it('are left, closed to whom the host sends away, and ended by the host', async () => {
    const at = await newHost();
    const [one, two] = [await join(at), await join(at)];
    expect((await one.say('POST', 'session/kick', { userId: two.id })).said).toBe('403 forbidden');
    expect((await one.say('DELETE', 'session/current')).said).toBe('403 forbidden');
    for (const [body, said] of [
      [{}, '400 invalid'],
      [{ userId: at.id }, '400 invalid'],
      [{ userId: 'x' }, '404 user_not_found'],
      [{ userId: host.id }, '404 user_not_found'],
    ] as const)
      expect((await at.say('POST', 'session/kick', body)).said).toBe(said);
    expect((await at.say('POST', 'session/kick', { userId: two.id })).said).toBe('200');
    expect((await two.say('GET', 'buckets')).said).toBe('401 unauthenticated');
    await expect(join(at, two.wallet)).rejects.toThrow('403 forbidden');
    expect((await one.say('POST', 'session/disconnect')).said).toBe('200');
    expect((await one.say('GET', 'session/current')).said).toBe('401 unauthenticated');
    const again = await join(at, one.wallet);
    expect(again.id).toBe(one.id);
    expect((await at.say('DELETE', 'session/current')).said).toBe('200');
    expect((await again.say('GET', 'buckets')).said).toBe('401 unauthenticated');
    for (const member of [at, again]) expect((await member.say('GET', 'session/current')).said).toBe('404 session_not_found');
    expect((await at.say('DELETE', 'session/current')).said).toBe('401 unauthenticated');
  });

  it('let nobody in by another token, or by none', async () => {
    const [head, claims, signature] = host.session.credentials.token.split('.');
    const other = Buffer.from(JSON.stringify({ ...(JSON.parse(Buffer.from(claims!, 'base64url').toString()) as object), sub: anna.id })).toString(
      'base64url',
    );
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    const wallet = await walletToken(anonymous, host.wallet);
    const tokens = ['', 'x', `${none}.${claims}.`, `${head}.${other}.${signature}`, wallet, key, developer.token];
    const calls: [string, string][] = [
      ['GET', 'buckets'],
      ['POST', 'buckets'],
      ['PUT', 'buckets'],
      ['POST', 'buckets/complete'],
      ['DELETE', `buckets/${UNKNOWN}`],
      ['GET', `buckets/file/${UNKNOWN}`],
      ['GET', `buckets/download/${UNKNOWN}`],
      ['GET', 'session/current'],
      ['DELETE', 'session/current'],
      ['POST', 'session/kick'],
      ['POST', 'session/disconnect'],
      ['POST', 'hubs/session/negotiate'],
    ];
    for (const token of tokens) {
      for (const [method, path] of token === '' ? calls : calls.slice(0, 1)) {
        const headers = token === '' ? {} : bearer(token);
        expect((await quicksyncSay(anonymous, method, path, { headers })).said, `${method} ${path} ${token}`).toBe('401 unauthenticated');
      }
    }
    expect((await quicksyncSay(anonymous, 'GET', `buckets?access_token=${host.session.credentials.token}`)).said).toBe('401 unauthenticated');
  });
});

describe('the calls of the source document', () => {
  it('are answered bare, and below /v1, on the host of the API', async () => {
    for (const prefix of ['', '/v1']) {
      const values: Record<string, string> = { NAME: 'U2FsdGVk', APIKEY: key };
      const filled = (text: string) => text.replace(/NAME|APIKEY|UPLOADID|KEY|TAG/g, (word) => values[word] ?? word);
      for (const { title, method, path, headers = {}, body } of SOURCE_CALLS) {
        const text = body ? filled(JSON.stringify(body)) : method === 'put' ? 'part' : undefined;
        const reply = await anonymous.send(prefix + filled(path), {
          method: method.toUpperCase(),
          headers: {
            ...{ Host: HOST, Authorization: `Bearer ${anna.session.credentials.token}` },
            ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, filled(value)])),
            ...(text === undefined
              ? {}
              : { 'Content-Type': body ? 'application/json' : 'application/octet-stream', 'Content-Length': String(text.length) }),
          },
          ...(text === undefined ? {} : { body: text }),
        });
        expect(reply.status, title).toBe(200);
        if (reply.body.length === 0) continue;
        const answer = reply.json<Record<string, string>>();
        if (answer['fileKey']) values['KEY'] = answer['fileKey'];
        if (answer['uploadId']) values['UPLOADID'] = answer['uploadId'];
        if (answer['tag']) values['TAG'] = answer['tag'];
      }
    }
    expect((await anonymous.send('/buckets')).status).toBe(404);
    expect((await anonymous.send('/v1/buckets', { headers: bearer(host.session.credentials.token) })).status).toBe(404);
  });

  it('know their methods', async () => {
    const say = (method: string, path: string) => anonymous.send(`${QUICKSYNC_PREFIX}/${path}`, { method });
    expect((await say('GET', 'nothing')).json()).toMatchObject({ status: 404, code: 'route_not_found' });
    const wrong = await say('PATCH', 'buckets');
    expect([wrong.status, wrong.headers.allow]).toEqual([405, 'GET, POST, PUT, OPTIONS']);
    const options = await say('OPTIONS', 'buckets');
    expect([options.status, options.headers['access-control-allow-methods']]).toEqual([204, 'GET, POST, PUT, OPTIONS']);
    expect(options.headers['access-control-allow-headers']).toMatch(/partNumber, key, uploadId/);
  });
});

describe('buckets', () => {
  it('take a file in parts of any size, in any order, again and again', async () => {
    const name = `opaque/../🗝 ${'n'.repeat(1_000)}`;
    const { uploadId, fileKey } = await anna.start({ totalParts: 3, encryptedName: name, originalSizeInBytes: 5 });
    const started = { creatorId: anna.id, completed: false, fileKey, fileName: name, totalParts: 3, originalSizeInBytes: 5 };
    expect((await ben.list()).find((file) => file.fileKey === fileKey)).toEqual(started);
    const parts = [Buffer.from('first'), Buffer.alloc(0), randomBytes(300_000)];
    const put = (partNumber: number, bytes: Buffer) => anna.part({ key: fileKey, uploadId, partNumber }, bytes);
    await put(2, Buffer.from('to be replaced'));
    const tags: string[] = [];
    for (const no of [3, 1, 2]) tags[no - 1] = (await put(no, parts[no - 1]!)).body.tag;
    const form = `--b\r\nContent-Disposition: form-data; name="part"; filename="p"\r\n\r\n${parts[0]!.toString()}\r\n--b--\r\n`;
    const asForm = await anna.part({ key: fileKey, uploadId, partNumber: 1 }, Buffer.from(form), {
      'content-type': 'multipart/form-data; boundary=b',
    });
    expect(asForm.body).toEqual({ tag: tags[0], partNumber: 1 });
    expect((await anna.say('GET', `buckets/file/${fileKey}`)).body).toMatchObject({
      completed: false,
      uploadedParts: 3,
      storedSizeInBytes: 300_005,
      cid: null,
    });
    const complete = (body: object) => anna.say('POST', 'buckets/complete', body);
    expect((await complete({ key: fileKey, tags: tags.slice(1) })).said).toBe('400 invalid');
    expect((await complete({ key: fileKey, tags, uploadId: UNKNOWN })).said).toBe('404 upload_not_found');
    const answers = await Promise.all([1, 2, 3].map(() => complete({ key: fileKey, tags, uploadId })));
    for (const { said, body } of answers) expect([said, body]).toEqual(['200', { ...started, completed: true }]);
    expect((await complete({ key: fileKey, tags })).said).toBe('200');
    expect((await complete({ key: fileKey, tags: [] })).said).toBe('409 upload_closed');
    expect((await put(1, parts[0]!)).said).toBe('409 upload_closed');
    const whole = await ben.bytes(fileKey);
    expect(whole.body.equals(Buffer.concat(parts))).toBe(true);
    expect(whole.headers).toMatchObject({ 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes' });
    const range = await ben.bytes(fileKey, { range: 'bytes=3-6' });
    expect([range.status, range.body.equals(Buffer.concat(parts).subarray(3, 7))]).toEqual([206, true]);
    await expect
      .poll(async () => (await ben.say('GET', `buckets/file/${fileKey}`)).body['cid'], { timeout: 20_000, interval: 200 })
      .toMatch(/^Qm[1-9A-HJ-NP-Za-km-z]{44}$/);
  });

  it('go on with an upload where it was broken off', async () => {
    const { uploadId, fileKey: key } = await anna.start({ totalParts: 2 });
    const { body } = await anna.part({ key, uploadId, partNumber: 1 }, Buffer.from('one '));
    // a part that breaks off is none
    const broken = Readable.from([Buffer.from('tw')]);
    const half = anna.http.send(`${QUICKSYNC_PREFIX}/buckets`, {
      ...{ method: 'PUT', body: broken },
      headers: { key, uploadId, partNumber: '2', 'content-length': '3' },
    });
    broken.once('end', () => broken.destroy(new Error('broken off')));
    await half.catch(() => undefined);
    const again = await anna.part({ key, uploadId, partNumber: 2 }, Buffer.from('two'));
    expect((await anna.say('POST', 'buckets/complete', { key, tags: [body.tag, again.body.tag] })).said).toBe('200');
    expect((await anna.bytes(key)).body.toString()).toBe('one two');
  });

  it.each([
    ['no parts', { totalParts: 0 }],
    ['10,001 parts', { totalParts: 10_001 }],
    ['parts by a text', { totalParts: '1' }],
    ['half a part', { totalParts: 1.5 }],
    ['a size below nothing', { originalSizeInBytes: -1 }],
    ['a name of 1,025 letters', { encryptedName: 'n'.repeat(1_025) }],
    ['a name that is a number', { encryptedName: 7 }],
  ])('take no file with %s', async (_, body) => {
    expect((await anna.say('POST', 'buckets', body)).said).toBe('400 invalid');
  });

  it('take parts of their own uploads only', async () => {
    const { uploadId, fileKey: key } = await anna.start({});
    const bytes = Buffer.from('x');
    for (const missing of ['key', 'uploadId', 'partNumber'])
      expect((await anna.part({ key, uploadId, partNumber: 1, [missing]: undefined }, bytes)).said).toBe('400 invalid');
    for (const partNumber of ['0', '2', '-1', 'one', '1.5', '99999999999'])
      expect((await anna.part({ key, uploadId, partNumber }, bytes)).said, partNumber).toBe('400 invalid');
    for (const wrong of [UNKNOWN, 'x', uploadId])
      expect((await anna.part({ key: wrong, uploadId, partNumber: 1 }, bytes)).said).toBe('404 upload_not_found');
    expect((await anna.part({ key, uploadId: key, partNumber: 1 }, bytes)).said).toBe('404 upload_not_found');
    for (const other of [ben, host]) {
      expect((await other.part({ key, uploadId, partNumber: 1 }, bytes)).said).toBe('403 forbidden');
      expect((await other.say('POST', 'buckets/complete', { key, tags: [] })).said).toBe('403 forbidden');
    }
    const stranger = await newHost();
    expect((await stranger.part({ key, uploadId, partNumber: 1 }, bytes)).said).toBe('404 upload_not_found');
    expect((await stranger.say('POST', 'buckets/complete', { key, tags: [] })).said).toBe('404 upload_not_found');
    expect((await anna.say('POST', 'buckets/complete', { key, tags: [] })).said).toBe('400 upload_incomplete');
    expect((await anna.say('POST', 'buckets/complete', { tags: [] })).said).toBe('400 invalid');
    expect((await anna.say('POST', 'buckets/complete', { key, tags: 'x' })).said).toBe('400 invalid');
    expect((await anna.say('POST', 'buckets/complete', { key: 'x' })).said).toBe('404 upload_not_found');
    expect((await anna.say('GET', `buckets/download/${key}`)).said).toBe('409 not_completed');
  });

  it('keep to the rules of their session and the space of the account', async () => {
    const small = await newHost({ maxFiles: 2, maxTotalMegaBytes: 1 });
    const mib = 1024 * 1024;
    expect(small.session.rules).toMatchObject({ maxFiles: 2, maxTotalMegaBytes: 1 });
    expect((await small.say('POST', 'buckets', { originalSizeInBytes: mib + 1 })).said).toBe('413 too_large');
    const { uploadId, fileKey: key } = await small.start({ totalParts: 2 });
    expect((await small.part({ key, uploadId, partNumber: 1 }, Buffer.alloc(mib + 1))).said).toBe('413 too_large');
    expect((await small.part({ key, uploadId, partNumber: 1 }, Buffer.alloc(mib))).status).toBe(200);
    expect((await small.part({ key, uploadId, partNumber: 2 }, Buffer.alloc(1))).said).toBe('413 too_large');
    await small.start({});
    expect((await small.say('POST', 'buckets', {})).said).toBe('413 quota_exceeded');
    const poor = await CloudikeUser.register(stack.baseUrl);
    await database.query(`UPDATE quotas SET limit_bytes = 10 WHERE owner_kind = 'account' AND owner_id = $1`, [poor.userId]);
    const his = made(await QuicksyncMember.host(stack.baseUrl, (await developerKey(poor)).key));
    await database.query(`UPDATE quotas SET limit_bytes = 10 WHERE owner_kind = 'account' AND owner_id = $1`, [poor.userId]);
    const file = await his.start({ totalParts: 1 });
    expect((await his.part({ key: file.fileKey, uploadId: file.uploadId, partNumber: 1 }, Buffer.alloc(11))).said).toBe('413 quota_exceeded');
    await his.put('fits', [Buffer.alloc(10)]);
    const quota = await database.query('SELECT used_bytes::int AS used, reserved_bytes::int AS reserved FROM quotas WHERE owner_id = $1', [
      poor.userId,
    ]);
    expect(quota.rows).toEqual([{ used: 10, reserved: 0 }]);
    poor.http.close();
  });

  it('let go of files by who brought them, and by the host', async () => {
    const [one, two] = [await anna.put('one', [Buffer.from('1')]), await anna.put('two', [Buffer.from('2')])];
    expect((await ben.say('DELETE', `buckets/${one}`)).said).toBe('403 forbidden');
    for (const [member, id] of [
      [anna, one],
      [host, two],
      [anna, (await anna.start({})).fileKey],
    ] as const) {
      const { said, reply } = await member.say('DELETE', `buckets/${id}`);
      expect([said, reply.body.length]).toEqual(['200', 0]);
      for (const [method, path] of [
        ['DELETE', id],
        ['GET', `file/${id}`],
        ['GET', `download/${id}`],
      ])
        expect((await anna.say(method!, `buckets/${path!}`)).said).toBe('404 not_found');
    }
    for (const id of [UNKNOWN, 'x']) expect((await anna.say('GET', `buckets/file/${id}`)).said).toBe('404 not_found');
  });

  it('give URLs that work alone, and end with what they are for', async () => {
    const at = await newHost({ expiryDurationInSeconds: 7_200 });
    const guest = await join(at);
    const file = await at.put('a', [Buffer.from('abc')]);
    const { body } = await guest.say<{ url: string; expiresIn: number }>('GET', `buckets/download/${file}`);
    expect(body).toEqual({
      url: expect.stringContaining(`${stack.baseUrl}${QUICKSYNC_PREFIX}/buckets/content/${file}?`) as string,
      expiresIn: 3_600,
    });
    const status = async (url: string, method = 'GET') => (await anonymous.send(url, { method })).status;
    expect([await status(body.url), await status(body.url, 'HEAD')]).toEqual([200, 200]);
    const changed = (name: string, value: string) => {
      const url = new URL(body.url);
      url.searchParams.set(name, value);
      return url.href;
    };
    const urls = [
      changed('expires', '99999999999'),
      changed('expires', '1'),
      changed('member', at.id),
      changed('signature', ''),
      body.url.split('?')[0]!,
    ];
    for (const url of [...urls, body.url.replace(file, await at.put('b', [Buffer.from('b')]))]) expect(await status(url), url).toBe(403);
    await at.say('POST', 'session/kick', { userId: guest.id });
    expect(await status(body.url)).toBe(403);
    const own = (await at.say<{ url: string }>('GET', `buckets/download/${file}`)).body.url;
    await at.say('DELETE', `buckets/${file}`);
    expect(await status(own)).toBe(404);
  });

  it('end with the key and with the account', async () => {
    const owner = await CloudikeUser.register(stack.baseUrl);
    const minted = await developerKey(owner);
    const at = made(await QuicksyncMember.host(stack.baseUrl, minted.key));
    const file = await at.put('a', [Buffer.from('abc')]);
    const { url } = (await at.say<{ url: string }>('GET', `buckets/download/${file}`)).body;
    const outcome = async () => [(await at.say('GET', 'buckets')).said, (await anonymous.send(url)).status];
    expect(await outcome()).toEqual(['200', 200]);
    await database.query(`UPDATE accounts SET state = 'disabled' WHERE id = $1`, [owner.userId]);
    await expect.poll(outcome, { timeout: 2_000, interval: 100 }).toEqual(['401 unauthenticated', 403]);
    await database.query(`UPDATE accounts SET state = 'active' WHERE id = $1`, [owner.userId]);
    await expect.poll(outcome, { timeout: 2_000, interval: 100 }).toEqual(['200', 200]);
    await owner.http.form('/api/1/accounts/developer_keys/revoke/', { id: minted.id });
    expect(await outcome()).toEqual(['401 unauthenticated', 403]);
    owner.http.close();
  });
});

describe('the hub', () => {
  interface HubEvent {
    readonly sessionId: string;
    readonly eventType: string;
    readonly data: Record<string, unknown>;
  }
  const TYPES = ['UserAdded', 'UserRemoved', 'SessionExpired', 'SessionDestroyed', 'FileAdded', 'FileProgress', 'FileComplete', 'FileRemoved'];

  /** The client that applications use, at one of the processes, and what it was told. */
  async function listen(
    member: QuicksyncMember,
    at = 1,
  ): Promise<{ hub: HubConnection; events: HubEvent[]; types: () => string[]; closed: Promise<void> }> {
    const hub = new HubConnectionBuilder()
      .withUrl(`${stack.baseUrls[at]!}${QUICKSYNC_PREFIX}/hubs/session`, {
        accessTokenFactory: () => member.session.credentials.token,
        transport: HttpTransportType.WebSockets,
      })
      .configureLogging(LogLevel.None)
      .build();
    const events: HubEvent[] = [];
    for (const type of TYPES)
      hub.on(type, (event: HubEvent) => {
        expect(event.eventType).toBe(type);
        events.push(event);
      });
    const closed = new Promise<void>((resolve) => hub.onclose(() => resolve()));
    await hub.start();
    return { hub, events, types: () => events.map(({ eventType }) => eventType), closed };
  }

  it('tells the members of a session, at every process, each event once and in order', async () => {
    const at = await newHost();
    const ears = [await listen(at, 0), await listen(at, 1)];
    const outsider = await listen(host);
    const guest = await join(at);
    const file = await guest.put('name', [Buffer.from('a'), Buffer.from('bc')]);
    await at.say('DELETE', `buckets/${file}`);
    await guest.say('POST', 'session/disconnect');
    const expected = ['UserAdded', 'FileAdded', 'FileProgress', 'FileProgress', 'FileComplete', 'FileRemoved', 'UserRemoved'];
    for (const { types, events } of ears) {
      await expect.poll(types, { timeout: 5_000, interval: 20 }).toEqual(expected);
      for (const { sessionId } of events) expect(sessionId).toBe(at.session.sessionId);
      const info = { creatorId: guest.id, fileKey: file, fileName: 'name', totalParts: 2, originalSizeInBytes: 3 };
      expect(events.map(({ data }) => data)).toMatchObject([
        { id: guest.id, role: 'Client', address: guest.wallet.address },
        { ...info, completed: false, uploadedParts: 0 },
        { ...info, completed: false, uploadedParts: 1, partNumber: 1, storedSizeInBytes: 1 },
        { ...info, completed: false, uploadedParts: 2, partNumber: 2, storedSizeInBytes: 3 },
        { ...info, completed: true },
        { ...info, completed: true },
        { id: guest.id },
      ]);
    }
    expect(outsider.types()).toEqual([]);
    await expect(ears[0]!.hub.invoke('Anything')).rejects.toThrow('no such method');
    await at.say('DELETE', 'session/current');
    await Promise.all(ears.map(({ closed }) => closed));
    for (const { types } of ears) expect(types()).toEqual([...expected, 'SessionDestroyed']);
    await outsider.hub.stop();
  });

  it('lets go of who is out', async () => {
    const at = await newHost({ expiryDurationInSeconds: 3 });
    const guest = await join(at);
    const [one, other] = [await listen(guest, 0), await listen(at, 1)];
    const { reply } = await at.say('GET', 'session/current');
    expect(reply.status).toBe(200);
    await at.say('POST', 'session/kick', { userId: guest.id });
    await one.closed;
    expect(one.types()).toEqual(['UserRemoved']);
    await expect(listen(guest)).rejects.toThrow();
    await other.closed;
    expect(other.types()).toEqual(['UserRemoved', 'SessionExpired']);
    expect((await at.say('GET', 'buckets')).said).toBe('401 unauthenticated');
    expect((await at.say('GET', 'session/current')).said).toBe('404 session_not_found');
  });

  it('ends with the key, within two seconds', async () => {
    const owner = await CloudikeUser.register(stack.baseUrl);
    const minted = await developerKey(owner);
    const at = made(await QuicksyncMember.host(stack.baseUrl, minted.key));
    const { closed, types } = await listen(at);
    await owner.http.form('/api/1/accounts/developer_keys/revoke/', { id: minted.id });
    const revokedAtMs = performance.now();
    await closed;
    expect(performance.now() - revokedAtMs).toBeLessThan(2_500);
    // the sweep may come first, and says so
    expect(types().filter((type) => type !== 'SessionExpired')).toEqual([]);
    owner.http.close();
  });

  it('takes twenty websockets of one member, however many come at once', async () => {
    const at = await newHost();
    const url = `${stack.baseUrl.replace('http', 'ws')}${QUICKSYNC_PREFIX}/hubs/session?access_token=${at.session.credentials.token}`;
    const sockets = Array.from({ length: 26 }, () => new WebSocket(url));
    const outcomes = await Promise.all(
      sockets.map(
        (socket) =>
          new Promise<number>((resolve) => {
            socket.on('open', () => resolve(101));
            socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
            socket.on('error', () => undefined);
          }),
      ),
    );
    expect(outcomes.filter((status) => status === 101)).toHaveLength(20);
    expect(outcomes.filter((status) => status === 429)).toHaveLength(6);
    for (const socket of sockets) socket.terminate();
    // a place that was left is free again
    await expect
      .poll(
        () =>
          listen(at).then(
            ({ hub }) => hub.stop().then(() => 'in'),
            () => 'out',
          ),
        { timeout: 5_000 },
      )
      .toBe('in');
  });

  it('is a websocket that speaks JSON, for tokens of living sessions', async () => {
    const path = `${stack.baseUrl.replace('http', 'ws')}${QUICKSYNC_PREFIX}/hubs/session`;
    const outcome = (url: string, options: object = {}) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(url, options);
        socket.on('unexpected-response', (_, response) => resolve(String(response.statusCode)));
        socket.on('error', () => undefined);
        socket.on('open', () => socket.send('{"protocol":"messagepack","version":1}\x1e'));
        socket.on('message', (data) => resolve((data as Buffer).toString()));
      });
    const { token } = host.session.credentials;
    expect(await outcome(path)).toBe('401');
    expect(await outcome(`${path}?access_token=x`)).toBe('401');
    expect(await outcome(`${path}x?access_token=${token}`)).toBe('404');
    expect(JSON.parse((await outcome(`${path}?access_token=${token}`)).slice(0, -1))).toEqual({ error: expect.stringContaining('json') as string });
    expect(await outcome(`${path.replace(QUICKSYNC_PREFIX, '/v1')}?access_token=${token}`, { headers: { Host: HOST } })).toContain('json');
    const negotiate = (query: string) => host.say('POST', `hubs/session/negotiate${query}`);
    expect((await negotiate('?negotiateVersion=1')).body).toMatchObject({
      negotiateVersion: 1,
      connectionToken: expect.any(String) as string,
      availableTransports: [{ transport: 'WebSockets', transferFormats: ['Text'] }],
    });
    expect((await negotiate('')).body).toEqual({
      negotiateVersion: 0,
      connectionId: expect.any(String) as string,
      availableTransports: expect.any(Array) as unknown[],
    });
  });
});
