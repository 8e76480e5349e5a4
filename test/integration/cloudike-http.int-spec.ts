import 'reflect-metadata';

import type { RequestListener, Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';

import { Controller, Get, type INestApplication, Module } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  Bool,
  CloudikeController,
  CloudikeCredentials,
  CloudikeHttpModule,
  CurrentActor,
  IdList,
  Int,
  Json,
  List,
  Ms,
  ok,
  OptionalActor,
  Params,
  Path,
  PathTail,
  Reply,
  Route,
  Text,
  UrlSegment,
} from '../../apps/api/src/dialects/cloudike/http/index.js';
import { createNestApp } from '../../apps/api/src/http/nest-app.js';
import { createHttpServer, drain } from '../../apps/api/src/http/server.js';
import { AuditRecorder } from '#libs/audit';
import { AppConfig, ConfigModule } from '#libs/config';
import { type AccountActor, DomainError } from '#libs/kernel';
import { Logger, Metrics, ObservabilityModule } from '#libs/observability';

const TOKEN = 'a'.repeat(32);

class KnownCredentials extends CloudikeCredentials {
  private readonly actor: AccountActor = { kind: 'account', accountId: 7, companyId: null, role: 'user', tokenId: null };

  override async byToken(token: string): Promise<AccountActor> {
    if (token !== TOKEN) throw new DomainError('UNAUTHENTICATED', 'The token is not valid.');
    return Promise.resolve(this.actor);
  }

  override byWipedToken(): Promise<AccountActor | null> {
    return Promise.resolve(null);
  }

  override signedBy(): Promise<string> {
    return Promise.reject(new DomainError('UNAUTHENTICATED', 'Nobody signs here.'));
  }

  override byTokenId(): Promise<AccountActor> {
    return Promise.resolve(this.actor);
  }

  override byWipedTokenId(): Promise<AccountActor | null> {
    return Promise.resolve(null);
  }

  override async byBasic(userPass: string): Promise<AccountActor> {
    if (userPass !== 'email:a@b.c:p:w') throw new DomainError('INVALID_CREDENTIALS', 'Wrong login or password.');
    return Promise.resolve(this.actor);
  }
}

class EchoDto {
  @Path({ required: true })
  path: string[];

  @Bool()
  flag?: boolean;

  @Int()
  size?: number;

  @Ms()
  created?: number;

  @List({ aliases: ['name'] })
  names?: string[];

  @IdList()
  userIds?: number[];

  @Json()
  extraInfo?: unknown;

  @Text()
  text?: string;
}

@CloudikeController('probe')
class ProbeController {
  @Route('probe/echo', { auth: 'account' })
  echo(@Params(EchoDto) dto: EchoDto) {
    return { dto };
  }

  @Route('probe/public', { auth: 'public' })
  open(@Params(EchoDto) dto: EchoDto) {
    return { dto };
  }

  @Route(['tree/<path>'], { auth: 'public' })
  tree(@PathTail() tail: string[]) {
    return { tail };
  }

  @Route('tree/literal/edit', { auth: 'public' })
  literal() {
    return { literal: true };
  }

  @Route(['task/<taskid>', 'task'], { auth: 'public' })
  task(@UrlSegment('taskid') id: string | undefined) {
    return { id: id ?? null };
  }

  @Route('who', { auth: 'optional' })
  who(@OptionalActor() actor: AccountActor | null) {
    return { id: actor?.accountId ?? null };
  }

  @Route('me', { auth: 'account' })
  me(@CurrentActor() actor: AccountActor) {
    return { id: actor.accountId };
  }

  @Route('done', { auth: 'public' })
  done() {
    return ok();
  }

  @Route('fails', { auth: 'public' })
  fails() {
    throw new Error('secret detail');
  }

  @Route('taken', { auth: 'public', errors: { NAME_TAKEN: [409, 'AlreadyExists'] } })
  taken() {
    throw new DomainError('NAME_TAKEN', 'It is there.');
  }

  @Route('running', { auth: 'public' })
  running() {
    throw new DomainError('TASK_RUNNING', 'Not yet.', { progress: 12, secret: 'x' });
  }

  @Route('created', { auth: 'public' })
  created() {
    return Reply.json(201, { made: true }, { ETag: '"x"' });
  }

  @Route('unchanged', { auth: 'public' })
  unchanged() {
    return Reply.notModified({ ETag: '"x"' });
  }
}

const lines: string[] = [];
const logger = Logger.create('info', {}, { write: (line: string) => void lines.push(line) });
const config = new AppConfig({ DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none', STOWAGE_SECRET_KEY: 'k'.repeat(40) });
const PROVIDERS = [
  { provide: CloudikeCredentials, useClass: KnownCredentials },
  // what is recorded is tried where there is a database
  {
    provide: AuditRecorder,
    useValue: { run: (_facts: unknown, _options: unknown, work: () => unknown) => work(), refused: () => Promise.resolve() },
  },
];
const FRAME = [ConfigModule.forRoot(config), ObservabilityModule.forRoot(logger)];

@Module({
  imports: [...FRAME, CloudikeHttpModule],
  controllers: [ProbeController],
  providers: PROVIDERS,
})
class ProbeModule {}

@Controller('silent')
class SilentController {
  @Get()
  silent() {
    return {};
  }
}

@Module({ imports: [...FRAME, CloudikeHttpModule], controllers: [SilentController] })
class SilentModule {}

@CloudikeController('twice')
class TwiceController {
  @Route('done', { auth: 'public' })
  again() {
    return ok();
  }
}

@Module({
  imports: [...FRAME, CloudikeHttpModule],
  controllers: [ProbeController, TwiceController],
  providers: PROVIDERS,
})
class TwiceModule {}

describe('the Cloudike framework', () => {
  let app: INestApplication;
  let server: Server;
  let base: string;

  beforeAll(async () => {
    app = await createNestApp(ProbeModule, logger);
    server = createHttpServer({
      raw: [],
      rest: app.getHttpAdapter().getInstance() as RequestListener,
      logger,
      metrics: app.get(Metrics),
      secure: false,
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(async () => {
    await drain(server, 0);
    await app.close();
  });

  const call = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${base}${path}`, { redirect: 'manual', ...init });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: (text === '' ? undefined : JSON.parse(text)) as Record<string, unknown>,
    };
  };
  const post = (path: string, body: RequestInit['body'], type?: string) =>
    call(path, { method: 'POST', body, headers: type ? { 'content-type': type } : {} });
  const EXPECTED = { path: ['a b', 'ü'], flag: false, size: 5, created: -1500, names: ['x', 'y'], userIds: [1, 2], extraInfo: { k: 1 }, text: '+&' };

  it('takes the same parameters from query, form, multipart and JSON', async () => {
    const query = `path=${encodeURIComponent('/a b//ü/')}&flag=False&size=5&created=-1500&names=x&names=y&user_ids=1,2&extra_info=${encodeURIComponent('{"k":1}')}&text=%2B%26`;
    const form = new FormData();
    for (const [name, value] of new URLSearchParams(query)) form.append(name, value);
    const json = { path: '/a b//ü/', flag: false, size: 5, created: -1500, names: ['x', 'y'], user_ids: [1, 2], extra_info: { k: 1 }, text: '+&' };
    const answers = [
      await call(`/api/1/probe/public?${query}`),
      await post(`/api/1/probe/public/?${query}`, ''),
      await post(`/api/0/probe/public?${query}`, '', 'application/json'),
      await post(`/api/1/probe/public?${query}`, '{}', 'application/json'),
      await post('/api/1/probe/public', query, 'application/x-www-form-urlencoded'),
      await post('/api/1/probe/public', form),
      await post('/api/1/probe/public', JSON.stringify(json), 'application/json'),
      await post('/api/1/probe/public', JSON.stringify(json), 'application/x-www-form-urlencoded'),
      await post('/api/1/probe/public', JSON.stringify(json), 'text/plain'),
    ];
    for (const answer of answers) expect(answer).toMatchObject({ status: 200, body: { dto: EXPECTED } });
  });

  it.each(['names=x&names=y', 'names[]=x&names[]=y', 'names[1]=y&names[0]=x', 'name=x&name=y'])('reads the list %s', async (query) => {
    expect((await call(`/api/1/probe/public?path=/&${query}`)).body).toMatchObject({ dto: { path: [], names: ['x', 'y'] } });
  });

  it('lets the body win over the query', async () => {
    const { body } = await post('/api/1/probe/public?path=/q&names=a&names=b', 'path=/b&names=c', 'application/x-www-form-urlencoded');
    expect(body).toEqual({ dto: { path: ['b'], names: ['c'] } });
  });

  it('is not polluted by names of a prototype', async () => {
    const { status, body } = await post(
      '/api/1/probe/public',
      '{"path":"/a","__proto__":{"flag":true},"constructor":{"prototype":{"flag":true}}}',
      'application/json',
    );
    expect({ status, body }).toEqual({ status: 200, body: { dto: { path: ['a'] } } });
    expect(({} as { flag?: boolean }).flag).toBeUndefined();
    expect((await call('/api/1/probe/public?path=/a&__proto__[flag]=1&__proto__=1')).body).toEqual({ dto: { path: ['a'] } });
  });

  it.each([
    ['a missing required parameter', '/api/1/probe/public', undefined, undefined],
    ['a number that is none', '/api/1/probe/public?path=/a&size=1x', undefined, undefined],
    ['a number beyond exact integers', '/api/1/probe/public?path=/a&size=9007199254740993', undefined, undefined],
    ['a boolean that is none', '/api/1/probe/public?path=/a&flag=maybe', undefined, undefined],
    ['a NUL', '/api/1/probe/public?path=/a%00b', undefined, undefined],
    ['a broken encoding in the query', '/api/1/probe/public?path=/%E0%A4', undefined, undefined],
    ['a broken encoding in the path', '/api/1/tree/%E0%A4/x', undefined, undefined],
    ['a NUL in the path', '/api/1/tree/%00', undefined, undefined],
    ['broken JSON', '/api/1/probe/public', '{"path":', 'application/json'],
    ['a JSON list', '/api/1/probe/public', '["/a"]', 'application/json'],
    ['an object for a text', '/api/1/probe/public', '{"path":{"a":1}}', 'application/json'],
    ['a multipart body without boundary', '/api/1/probe/public', 'x', 'multipart/form-data'],
    [
      'a multipart body that is cut',
      '/api/1/probe/public',
      '--b\r\nContent-Disposition: form-data; name="path"\r\n\r\n/a',
      'multipart/form-data; boundary=b',
    ],
  ])('answers 400 InvalidParameters to %s', async (_, path, body, type) => {
    const answer = body === undefined ? await call(path) : await post(path, body, type);
    expect(answer).toMatchObject({ status: 400, body: { code: 'InvalidParameters' } });
    expect(typeof answer.body['description']).toBe('string');
  });

  it('answers 413 to a body that is too large, announced or not', async () => {
    const big = `path=/a&text=${'x'.repeat(300_000)}`;
    expect(await post('/api/1/probe/public', big, 'application/x-www-form-urlencoded')).toMatchObject({ status: 413, body: { code: 'TooLarge' } });
    const stream = new Blob([big]).stream();
    const answer = await call('/api/1/probe/public', {
      method: 'POST',
      body: stream,
      duplex: 'half',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(answer.status).toBe(413);
  });

  it('finds routes whatever their slashes, version and method', async () => {
    for (const path of ['/api/1/task/x1', '/api/1/task/x1/', '/api/0//task//x1//']) expect((await call(path)).body).toEqual({ id: 'x1' });
    expect((await call('/api/1/task/')).body).toEqual({ id: null });
    expect(await post('/api/1/task/x1/', '{}', 'application/json')).toMatchObject({ status: 200, body: { id: 'x1' } });
    expect((await call('/api/1/tree')).body).toEqual({ tail: [] });
    expect((await call('/api/1/tree//dir/f%20%C3%BC.txt/?for_view=true')).body).toEqual({ tail: ['dir', 'f ü.txt'] });
    expect((await call('/api/1/tree/a%2Fb')).body).toEqual({ tail: ['a', 'b'] });
    expect((await call('/api/1/tree/literal/edit/')).body).toEqual({ literal: true });
    expect((await call('/api/1/tree/literal/other')).body).toEqual({ tail: ['literal', 'other'] });
  });

  it('answers RouteNotFound with CORS to a path that no route serves', async () => {
    for (const path of [
      '/api/1/nothing/here',
      '/api/2/task/1',
      '/api',
      '/~cloudike/ProbeController.open',
      '/~CLOUDIKE/ProbeController.done',
      '/somewhere',
      '/api/1/task/a/b',
    ]) {
      expect(await call(path)).toMatchObject({ status: 404, body: { code: 'RouteNotFound' } });
    }
    expect((await call('/api/1/nothing')).headers.get('access-control-allow-origin')).toBe('*');
    expect(await call('/api/1/done', { method: 'DELETE' })).toMatchObject({ status: 405, body: { code: 'MethodNotAllowed' } });
  });

  it('takes the absolute form of a request line, and does not let it around the entry', async () => {
    const ask = async (target: string): Promise<string> => {
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
      socket.end(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      return Buffer.concat(await socket.toArray()).toString();
    };
    expect(await ask('http://x/api/1/task/x1')).toMatch(/^HTTP\/1.1 200 [^]*\{"id":"x1"\}$/);
    expect(await ask('http://x/~cloudike/ProbeController.done')).toMatch(/^HTTP\/1.1 404 [^]*RouteNotFound/);
  });

  it('answers OPTIONS with 204 and the documented CORS headers', async () => {
    const { status, headers } = await call('/api/1/probe/echo', { method: 'OPTIONS' });
    expect(status).toBe(204);
    expect(headers.get('access-control-max-age')).toBe('1728000');
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    expect(headers.get('access-control-allow-methods')).toContain('PUT');
    for (const name of ['Mountbit-Auth', 'X-Mx-ReqToken', 'Authorization', 'If-None-Match'])
      expect(headers.get('access-control-allow-headers')).toContain(name);
  });

  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });

  it('takes a credential in every documented form', async () => {
    for (const headers of [{ 'mountbit-auth': TOKEN }, { 'MOUNTBIT-AUTH': TOKEN }, { authorization: TOKEN }, basic('email:a@b.c:p:w')]) {
      expect(await call('/api/1/me', { headers: headers as Record<string, string> })).toMatchObject({ status: 200, body: { id: 7 } });
      expect((await call('/api/1/who', { headers: headers as Record<string, string> })).body).toEqual({ id: 7 });
    }
    expect((await call('/api/1/who')).body).toEqual({ id: null });
    expect((await call('/api/1/done', { headers: { 'mountbit-auth': 'wrong' } })).status).toBe(200);
  });

  it('answers 401 Unauthorized without a valid credential, with CORS', async () => {
    for (const headers of [{}, { 'mountbit-auth': 'b'.repeat(32) }, { authorization: 'Basic !!!' }, basic('a@b.c:wrong')]) {
      const answer = await call('/api/1/me', { headers: headers as Record<string, string> });
      expect(answer).toMatchObject({ status: 401, body: { code: 'Unauthorized' } });
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    }
    // where nothing is needed, a token that has ended is none, but a wrong password is refused
    expect((await call('/api/1/who', { headers: { 'mountbit-auth': 'wrong' } })).body).toEqual({ id: null });
    expect((await call('/api/1/who', { headers: basic('a@b.c:wrong') as Record<string, string> })).status).toBe(401);
  });

  it('says refusals with the numbers of the table, of the route, and with allowed details only', async () => {
    expect(await call('/api/1/taken')).toMatchObject({ status: 409, body: { code: 'AlreadyExists', description: 'It is there.' } });
    expect((await call('/api/1/running')).body).toEqual({ code: 'TaskRunning', description: 'Not yet.', progress: 12 });
  });

  it('hides what went wrong inside, but logs it with the request id', async () => {
    const answer = await call('/api/1/fails', { headers: { 'mountbit-request-id': 'req-1' } });
    expect(answer).toMatchObject({ status: 500, body: { code: 'InternalError' } });
    expect(answer.text).not.toContain('secret detail');
    expect(answer.body['description']).toContain('req-1');
    expect(answer.headers.get('x-request-id')).toBe('req-1');
    expect(lines.some((line) => line.includes('secret detail') && line.includes('req-1'))).toBe(true);
  });

  it('answers with status and headers of a Reply, and without headers that tell about the server', async () => {
    const created = await call('/api/1/created');
    expect(created).toMatchObject({ status: 201, body: { made: true } });
    expect(created.headers.get('etag')).toBe('"x"');
    expect(created.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(created.headers.get('x-powered-by')).toBeNull();
    expect(created.headers.get('x-content-type-options')).toBe('nosniff');
    const unchanged = await call('/api/1/unchanged');
    expect({ status: unchanged.status, text: unchanged.text }).toEqual({ status: 304, text: '' });
    expect((await call('/api/1/done')).body).toEqual({ code: 'OK', description: 'Done' });
  });

  it('counts requests by route template', async () => {
    await call('/api/1/task/counted');
    const text = await app.get(Metrics).registry.metrics();
    expect(text).toMatch(/stowage_http_request_duration_seconds_count\{[^}]*route="\/api\/1\/task\/<taskid>"[^}]*\} \d+/);
    expect(text).not.toContain('counted');
  });

  it('does not start with a route that says nothing about access', async () => {
    await expect(createNestApp(SilentModule, logger)).rejects.toThrow(/SilentController.silent/);
  });

  it('does not start when two routes claim the same path', async () => {
    await expect(createNestApp(TwiceModule, logger)).rejects.toThrow(/both claim done/);
  });
});
