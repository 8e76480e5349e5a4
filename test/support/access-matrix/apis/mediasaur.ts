import { randomBytes } from 'node:crypto';

import { MEDIASAUR } from '../../../../apps/api/src/dialects/mediasaur/http/dialect.js';
import { MEDIASAUR_CONTROLLERS } from '../../../../apps/api/src/dialects/mediasaur/mediasaur.module.js';
import { mediaForm } from '../../mediasaur-user.js';
import { brief } from '../client.js';
import type { Case } from '../grid.js';
import type { House } from '../house.js';
import { ACCOUNTS, UNKNOWN_TO_SERVER } from '../model.js';
import { type Ask, type Belonging, belongingCases, type Keys, keysOf, type MatrixApi, otherHex, routeName } from './api.js';

const PATH = 'kept/secret.bin';
const wrong = (isWrong: boolean, what: string): string | null => (isWrong ? what : null);
const bearer = (key: string): { authorization: string } => ({ authorization: `Bearer ${key}` });

const BELONGINGS: readonly Belonging[] = [
  { name: 'bucket', route: 'GET buckets/<bucket_name>', call: ({ bucket }) => ({ method: 'GET', path: `/buckets/${bucket}` }) },
  { name: 'files of a bucket', route: 'GET files', call: ({ bucket }) => ({ method: 'GET', path: `/files?bucket=${bucket}` }) },
  { name: 'file', route: 'GET files/<file_id>', call: ({ file }) => ({ method: 'GET', path: `/files/${file}` }) },
  { name: 'signed url', route: 'GET files/<file_id>/signed_url', call: ({ file }) => ({ method: 'GET', path: `/files/${file}/signed_url` }) },
  ...(['PATCH', 'PUT'] as const).map((method): Belonging => ({
    name: `change by ${method}`,
    route: `${method} files/<file_id>`,
    changes: true,
    call: ({ file }) => ({ method, path: `/files/${file}`, json: { visibility: 'PUBLIC' } }),
  })),
  { name: 'delete', route: 'DELETE files/<file_id>', changes: true, call: ({ file }) => ({ method: 'DELETE', path: `/files/${file}` }) },
  {
    name: 'copy by path',
    route: 'POST files/copy',
    changes: true,
    call: ({ bucket, ownBucket }) => ({
      method: 'POST',
      path: '/files/copy',
      json: { source_bucket: bucket, source_path: PATH, target_bucket: ownBucket, target_path: 'loot.bin' },
    }),
  },
  {
    name: 'copy by id',
    route: 'POST files/copy',
    changes: true,
    call: ({ bucket, file }) => ({
      method: 'POST',
      path: '/files/copy',
      json: { source_bucket: bucket, file_ids: [file], target_bucket: bucket, target_path: 'loot/' },
    }),
  },
  {
    name: 'move',
    route: 'POST files/move',
    changes: true,
    call: ({ bucket, file }) => ({ method: 'POST', path: '/files/move', json: { bucket, file_ids: [file], target_path: 'elsewhere/' } }),
  },
  { name: 'token for an upload', route: 'POST token', call: ({ bucket }) => ({ method: 'POST', path: '/token', json: { bucket, path: 'new.bin' } }) },
  ...(['/upload', '/'] as const).map((path): Belonging => ({
    name: `upload at ${path}`,
    route: `POST ${path.slice(1)}`,
    changes: true,
    call: ({ bucket }) => ({ method: 'POST', path, ...mediaForm({ bucket: bucket!, path: 'brought.bin' }, 'brought.bin', Buffer.from('bytes')) }),
  })),
];

/** Buckets of others are not told; a key that reaches one bucket reaches no other; private bytes are for the key of their owner. */
function ownCases(ask: Ask): Case[] {
  const known = ACCOUNTS.filter((who) => !UNKNOWN_TO_SERVER.includes(who));
  const to = (route: string) => routeName({ dialect: MEDIASAUR }, route);
  return [
    ...known.map((who) => ({
      id: `${who}|mediasaur buckets`,
      route: to('GET buckets'),
      first: true,
      changes: false,
      run: async (house: House) => {
        const answer = await ask(house, who, { method: 'GET', path: '/buckets' });
        const isTold = answer.body.includes(keysOf(MEDIASAUR_API, house, 'owner').facts['bucket']!);
        return wrong(
          answer.status !== 200 || isTold !== (who === 'owner'),
          `must ${who === 'owner' ? '' : 'not '}tell the bucket, got ${brief(answer)}`,
        );
      },
    })),
    ...ACCOUNTS.map((who) => ({
      id: `${who}|mediasaur private bytes`,
      route: to('GET media/<bucket_id>/<path>'),
      first: true,
      changes: false,
      run: async (house: House) => {
        const { url } = keysOf(MEDIASAUR_API, house, 'owner').facts;
        const { headers } = keysOf(MEDIASAUR_API, house, who);
        const answers = [
          await house.client.send(url!, { headers: { ...headers } }),
          await house.client.send(`${url}?token=${Object.values(headers).join().slice(7)}`),
        ];
        const [byKey, byToken] = answers;
        if (byToken!.status < 400 || byToken!.status > 499) return `a key must be no token, got ${brief(byToken!)}`;
        const isOpen = byKey!.status === 200;
        return wrong(isOpen !== (who === 'owner') || byKey!.status > 499, `must ${who === 'owner' ? '' : 'not '}be given, got ${byKey!.status}`);
      },
    })),
    ...(['GET files', 'GET buckets/<bucket_name>'] as const).map((route) => ({
      id: `owner by a key for another bucket|mediasaur reach|${route}`,
      route: to(route),
      first: true,
      changes: false,
      run: async (house: House) => {
        const { facts } = keysOf(MEDIASAUR_API, house, 'owner');
        const path = route === 'GET files' ? `/files?bucket=${facts['bucket']}` : `/buckets/${facts['bucket']}`;
        const answer = await house.client.send(`/mediasaur/v1${path}`, { headers: bearer(facts['narrowKey']!) });
        return wrong(answer.status !== 404, `must be 404, got ${brief(answer)}`);
      },
    })),
  ];
}

export const MEDIASAUR_API: MatrixApi = {
  dialect: MEDIASAUR,
  controllers: MEDIASAUR_CONTROLLERS,
  prefixes: ['/mediasaur/v1', '/mediasaur'],
  nothing: '00000000-0000-7000-8000-00000000dead',
  enter: async (house, who): Promise<Keys> => {
    if (who === null) return { headers: bearer(`sk_${'A'.repeat(43)}`), facts: {} };
    const key = async (more = {}): Promise<string> =>
      (await house.do<{ api_key: string }>(who, 'accounts/api_keys/create', { name: 'matrix', ...more })).api_key;
    if (who !== 'owner') return { headers: bearer(await key()), facts: {} };
    const [bucket, other] = [`m${randomBytes(6).toString('hex')}`, `n${randomBytes(6).toString('hex')}`];
    for (const name of [bucket, other]) await house.do(who, 'accounts/buckets/create', { name });
    const headers = bearer(await key());
    const form = mediaForm({ bucket, path: PATH, visibility: 'PRIVATE' }, 'secret.bin', randomBytes(300));
    const put = await house.client.send('/mediasaur/v1/upload', { method: 'POST', headers: { ...headers, ...form.headers }, body: form.body });
    if (put.status !== 201) throw new Error(`an upload to a bucket answered ${brief(put)}`);
    const { id: file, url } = put.json<{ id: string; url: string }>();
    return { headers, facts: { bucket, ownBucket: bucket, file, url, narrowKey: await key({ 'buckets[0]': other }) } };
  },
  wrong: [bearer('sk_nothing'), bearer(`token_${'A'.repeat(60)}`), bearer('eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.'), { authorization: 'Basic eDp5' }],
  deeds: [],
  more: (ask) => [
    ...belongingCases(MEDIASAUR_API, BELONGINGS, (facts) => ({ ...facts, bucket: `x${facts['bucket']!.slice(1)}`, file: otherHex(facts['file']!) })),
    ...ownCases(ask),
  ],
  outside: {},
};
