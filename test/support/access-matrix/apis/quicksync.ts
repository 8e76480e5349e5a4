import { QUICKSYNC } from '../../../../apps/api/src/dialects/quicksync/http/dialect.js';
import { QUICKSYNC_CONTROLLERS } from '../../../../apps/api/src/dialects/quicksync/quicksync.module.js';
import { QuicksyncMember } from '../../quicksync-user.js';
import { brief } from '../client.js';
import type { Case } from '../grid.js';
import type { House } from '../house.js';
import { ACCOUNTS, UNKNOWN_TO_SERVER } from '../model.js';
import { type Ask, type Belonging, belongingCases, type Keys, keysOf, type MatrixApi, otherHex, routeName } from './api.js';

const wrong = (isWrong: boolean, what: string): string | null => (isWrong ? what : null);
const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` });

const BELONGINGS: readonly Belonging[] = [
  { name: 'file', route: 'GET buckets/file/<fileId>', call: ({ file }) => ({ method: 'GET', path: `/buckets/file/${file}` }) },
  { name: 'address of a file', route: 'GET buckets/download/<fileId>', call: ({ file }) => ({ method: 'GET', path: `/buckets/download/${file}` }) },
  { name: 'delete', route: 'DELETE buckets/<fileId>', changes: true, call: ({ file }) => ({ method: 'DELETE', path: `/buckets/${file}` }) },
  {
    name: 'part',
    route: 'PUT buckets',
    changes: true,
    call: ({ open, upload }) => ({
      method: 'PUT',
      path: '/buckets',
      headers: { partNumber: '1', key: open!, uploadId: upload!, 'content-type': 'application/octet-stream' },
      body: Buffer.from('bytes'),
    }),
  },
  {
    name: 'complete',
    route: 'POST buckets/complete',
    changes: true,
    call: ({ open }) => ({ method: 'POST', path: '/buckets/complete', json: { key: open, tags: ['x'] } }),
  },
  {
    name: 'kick',
    route: 'POST session/kick',
    changes: true,
    call: ({ member }) => ({ method: 'POST', path: '/session/kick', json: { userId: member } }),
  },
];

/** A session tells its files and its people to its own people. */
function ownCases(ask: Ask): Case[] {
  const known = ACCOUNTS.filter((who) => !UNKNOWN_TO_SERVER.includes(who));
  const to = (route: string) => routeName({ dialect: QUICKSYNC }, route);
  const tells = (name: string, route: string, path: string, fact: string): Case[] =>
    known.map((who) => ({
      id: `${who}|quicksync ${name}`,
      route: to(route),
      first: true,
      changes: false,
      run: async (house: House) => {
        const answer = await ask(house, who, { method: 'GET', path });
        const isTold = answer.body.includes(keysOf(QUICKSYNC_API, house, 'owner').facts[fact]!);
        return wrong(answer.status !== 200 || isTold !== (who === 'owner'), `must ${who === 'owner' ? '' : 'not '}tell it, got ${brief(answer)}`);
      },
    }));
  return [
    ...tells('files', 'GET buckets', '/buckets', 'file'),
    ...tells('session', 'GET session/current', '/session/current', 'session'),
    ...ACCOUNTS.map((who) => ({
      id: `${who}|quicksync bytes without a signature`,
      route: to('GET buckets/content/<fileId>'),
      first: true,
      changes: false,
      run: async (house: House) => {
        const { file } = keysOf(QUICKSYNC_API, house, 'owner').facts;
        const answers = await Promise.all(
          ['', '?expires=9999999999&signature=x', '?expires=9999999999999&signature='].map((query) =>
            ask(house, who, { method: 'GET', path: `/buckets/content/${file}${query}` }),
          ),
        );
        return wrong(!answers.every(({ status }) => status >= 400 && status < 500), `must be refused, got ${answers.map(brief).join(' ')}`);
      },
    })),
  ];
}

export const QUICKSYNC_API: MatrixApi = {
  dialect: QUICKSYNC,
  controllers: QUICKSYNC_CONTROLLERS,
  prefixes: ['/quicksync/v1'],
  nothing: '00000000-0000-7000-8000-00000000dead',
  enter: async (house, who): Promise<Keys> => {
    if (who === null) return { headers: bearer('eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.'), facts: {} };
    const { developer_key: key } = await house.do<{ developer_key: string }>(who, 'accounts/developer_keys/create', { name: 'matrix' });
    const host = await QuicksyncMember.host(house.stack.baseUrl, key, who === 'owner' ? { password: 'not known to others' } : {});
    try {
      const { sessionId: session, credentials } = host.session;
      const headers = bearer(credentials.token);
      if (who !== 'owner') return { headers, facts: {} };
      const file = await host.put('a sealed name', [Buffer.from('sealed bytes')]);
      const { fileKey: open, uploadId: upload } = await host.start({ totalParts: 2, encryptedName: 'open', originalSizeInBytes: 10 });
      return { headers, facts: { session, member: credentials.id, file, open, upload } };
    } finally {
      host.close();
    }
  },
  wrong: [bearer('nothing'), bearer(`sk_${'A'.repeat(43)}`), { 'x-api-key': `sk_${'A'.repeat(43)}` }, { authorization: 'Basic eDp5' }],
  endedIsAbsent: ['GET session/current'],
  deeds: [],
  more: (ask) => [
    ...belongingCases(QUICKSYNC_API, BELONGINGS, (facts) => Object.fromEntries(Object.entries(facts).map(([name, id]) => [name, otherHex(id)]))),
    ...ownCases(ask),
  ],
  outside: {
    'GET wallet-proof/nonce': 'a text to sign, for everybody; tried by quicksync.e2e-spec.ts',
    'POST wallet-proof/verify': 'it proves who somebody is; tried by quicksync.e2e-spec.ts',
  },
};
