import { KONEKSI } from '../../../../apps/api/src/dialects/koneksi/http/dialect.js';
import { KONEKSI_CONTROLLERS } from '../../../../apps/api/src/dialects/koneksi/koneksi.module.js';
import { fileForm } from '../../fileago-user.js';
import type { HttpAnswer } from '../../http-session.js';
import { brief } from '../client.js';
import type { Case } from '../grid.js';
import type { House } from '../house.js';
import { type Account, ACCOUNTS, type Kind, type Need, NODES, UNKNOWN_TO_SERVER } from '../model.js';
import { type ApiTarget, type Ask, type Deed, judgeById, type Keys, keysOf, type MatrixApi, routeName } from './api.js';

const FILES = ['png', 'docx'] as const;
const NOTHING = '00000000-0000-7000-8000-00000000dead';
const KINDS = [
  { of: 'directories', id: '<directory_id>', on: ['folder'] as readonly Kind[] },
  { of: 'files', id: '<file_id>', on: FILES as readonly Kind[] },
] as const;

const base = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const wrong = (isWrong: boolean, what: string): string | null => (isWrong ? what : null);
const data = <T>(answer: HttpAnswer): T => answer.json<{ data: T }>().data;
const inboxOf = (who: Account, house: House): string => house.inboxes.get(who)!;

const stands = ({ node }: ApiTarget, house: House): Promise<boolean> => house.stands(node.place.home, node.path);
const gone = async (_: HttpAnswer, target: ApiTarget, house: House) => wrong(await stands(target, house), 'it still stands where it was');

function ofBoth(
  name: string,
  need: Need,
  method: string,
  call: (of: string, target: ApiTarget, house: House) => unknown,
  more: Partial<Deed>,
): Deed[] {
  return KINDS.map(({ of, id, on }) => ({
    name: `${name} (${of})`,
    route: `${method} ${of}/${id}`,
    on,
    need,
    call: (target, house) => ({ method, path: `/${of}/${target.id}`, json: call(of, target, house) }),
    ...more,
  }));
}

const DEEDS: readonly Deed[] = [
  {
    name: 'directory',
    route: 'GET directories/<directory_id>',
    on: ['folder'],
    need: 'see',
    call: ({ id }) => ({ method: 'GET', path: `/directories/${id}` }),
    check: (answer, { node }) => {
      const { files } = data<{ files: { name: string }[] }>(answer);
      return wrong(!files.some(({ name }) => name === `${node.place.name}.png`), 'it lacks what is there');
    },
  },
  {
    name: 'file',
    route: 'GET files/<file_id>',
    on: FILES,
    need: 'see',
    call: ({ id }) => ({ method: 'GET', path: `/files/${id}` }),
    check: (answer, { id }) => wrong(data<{ id: string }>(answer).id !== id, 'it is another file'),
  },
  {
    name: 'bytes',
    route: 'GET files/<file_id>/download',
    on: FILES,
    need: 'take',
    call: ({ id }) => ({ method: 'GET', path: `/files/${id}/download` }),
    check: (answer, { node }, house) => wrong(!answer.body.equals(house.contentOf(node).bytes), 'they are others'),
  },
  {
    name: 'part of the bytes',
    route: 'GET files/<file_id>/download',
    on: ['docx'],
    need: 'take',
    call: ({ id }) => ({ method: 'GET', path: `/files/${id}/download?stream=false`, headers: { range: 'bytes=3-9' } }),
    check: (answer, { node }, house) => wrong(!answer.body.includes(house.contentOf(node).bytes.subarray(3, 10)), 'they are others'),
  },
  {
    name: 'directory in it',
    route: 'POST directories',
    on: ['folder'],
    need: 'add',
    changes: true,
    call: ({ id }) => ({ method: 'POST', path: '/directories', json: { name: 'made', directory_id: id } }),
  },
  ...(['files', 'files/upload'] as const).map((route): Deed => ({
    name: `upload into (${route})`,
    route: `POST ${route}`,
    on: ['folder'],
    need: 'add',
    changes: true,
    call: ({ id }) => ({ method: 'POST', path: `/${route}?directory_id=${id}`, ...fileForm([{ name: 'brought.txt', bytes: Buffer.from('bytes') }]) }),
  })),
  ...ofBoth('rename', 'change', 'PUT', (_, { node }) => ({ name: `named-${base(node.path)}` }), { changes: true, notOnMounts: true, check: gone }),
  ...ofBoth('move from', 'remove', 'PUT', (_, { who }, house) => ({ directory_id: inboxOf(who, house) }), {
    changes: true,
    notOnMounts: true,
    check: gone,
  }),
  ...ofBoth('delete', 'remove', 'DELETE', () => undefined, { changes: true, notOnMounts: true, check: gone }),
  ...KINDS.map(({ of, on }): Deed => ({
    name: `move many from (${of})`,
    route: `POST ${of}/move`,
    on,
    need: 'remove',
    changes: true,
    notOnMounts: true,
    call: ({ id, who }, house) => {
      const target = of === 'files' ? 'directory_id' : 'target_directory_id';
      return { method: 'POST', path: `/${of}/move`, json: { [target]: inboxOf(who, house), [`${of === 'files' ? 'file' : 'directory'}_ids`]: [id] } };
    },
    check: gone,
  })),
  {
    name: 'move into',
    route: 'PUT files/<file_id>',
    on: ['folder'],
    need: 'add',
    onlyRefused: true,
    call: ({ id, who }, house) => ({ method: 'PUT', path: `/files/${house.seeds.get(who)!}`, json: { directory_id: id } }),
  },
  {
    name: 'move many into',
    route: 'POST files/move',
    on: ['folder'],
    need: 'add',
    onlyRefused: true,
    call: ({ id, who }, house) => ({ method: 'POST', path: '/files/move', json: { directory_id: id, file_ids: [house.seeds.get(who)!] } }),
  },
  {
    name: 'key of a link',
    route: 'POST files/<file_id>/generate-link',
    on: FILES,
    need: 'rule',
    refused: [404],
    call: ({ id }) => ({ method: 'POST', path: `/files/${id}/generate-link`, json: { duration: 60 } }),
    changes: true,
    check: async (answer, { id, node }, house) => {
      const { file_key: key } = data<{ file_key: string }>(answer);
      const { status, body } = await house.client.send(`/public/files/${id}/download?key=${encodeURIComponent(key)}`);
      if (status !== 200 || !body.equals(house.contentOf(node).bytes)) return `the key gave ${status}`;
      const other = await house.client.send(`/public/files/${house.idOf(NODES[1]!)}/download?key=${encodeURIComponent(key)}`);
      return wrong(other.status !== 404, `the key gave another file: ${other.status}`);
    },
  },
  ...(['public', 'private', 'password', 'email'] as const).map((access): Deed => ({
    name: `share as ${access}`,
    route: 'POST files/<file>/share',
    on: ['png'],
    need: 'rule',
    changes: true,
    refused: [403, 404],
    call: ({ id }, house) => ({
      method: 'POST',
      path: `/files/${id}/share?access=${access}`,
      json: { password: 'Open!Sesame1', emails: [house.users.foreigner.email] },
    }),
    check: async (_, { id }, house) => {
      const { status } = await house.client.send(`/public/files/${id}/download`);
      const wanted = { public: 200, private: 404, password: 400, email: 404 }[access];
      return wrong(status !== wanted, `the public address answers ${status}`);
    },
  })),
];

/** Deleting many tells of each whether it is gone: what the caller may not remove stays, and what he may not see is as unknown. */
function bulkCases(ask: Ask): Case[] {
  return NODES.flatMap((node) =>
    ACCOUNTS.filter((who) => !UNKNOWN_TO_SERVER.includes(who)).flatMap((who, turn) => {
      const { verdict, isMount } = judgeById(who, node, 'remove', false);
      if (verdict === 'allowed' || isMount) return [];
      const of = node.kind === 'folder' ? 'directory' : 'file';
      const route = `${of === 'file' ? 'files' : 'directories'}/delete`;
      return [
        {
          id: `${who}|koneksi delete many|${node.place.name}.${node.kind}`,
          route: routeName({ dialect: KONEKSI }, `DELETE ${route}`),
          first: true,
          changes: true,
          verdict,
          run: async (house: House) => {
            const ids = [house.idOf(node), NOTHING];
            const answer = await ask(house, who, { method: 'DELETE', path: `/${route}`, json: { [`${of}_ids`]: ids } }, turn);
            if (answer.status !== 200) return `must be answered, got ${brief(answer)}`;
            const { deleted_ids: deleted, failed } = data<{ deleted_ids: string[]; failed: { id: string; reason: string }[] }>(answer);
            const reason = (id: string) => failed.find((each) => each.id === id)?.reason;
            if (deleted.length > 0) return `must remove nothing, got ${brief(answer)}`;
            return wrong(
              (reason(ids[0]!) === reason(NOTHING)) !== (verdict === 'absent'),
              `must ${verdict === 'absent' ? '' : 'not '}be as unknown, got ${brief(answer)}`,
            );
          },
        },
      ];
    }),
  );
}

/** What nobody has opened is closed at the public address, whoever asks and with whatever key. */
function publicCases(ask: Ask): Case[] {
  return NODES.flatMap((node) =>
    (['anonymous', 'owner', 'foreigner', 'reader'] as const).flatMap((who, turn) =>
      (['', '?key=', `?key=${NOTHING}_${'A'.repeat(32)}`, '?stream=false'] as const).map((query) => ({
        id: `${who}|koneksi public bytes|${node.place.name}.${node.kind}|${query}`,
        route: routeName({ dialect: KONEKSI }, 'GET public/files/<file>/download'),
        first: true,
        changes: false,
        verdict: 'absent' as const,
        run: async (house: House) => {
          const answer = await ask(house, who, { method: 'GET', path: `/public/files/${house.idOf(node)}/download${query}` }, turn);
          return wrong(answer.status !== 404, `must be 404, got ${brief(answer)}`);
        },
      })),
    ),
  );
}

/** How a file is open is told to anybody by its id; of folders, and of what is in the trash, nothing is. */
function factCases(ask: Ask): Case[] {
  return NODES.flatMap((node, turn) =>
    (['anonymous', 'foreigner'] as const).map((who) => ({
      id: `${who}|koneksi public facts|${node.place.name}.${node.kind}`,
      route: routeName({ dialect: KONEKSI }, 'GET public/files/<file>/read'),
      first: true,
      changes: false,
      run: async (house: House) => {
        const answer = await ask(house, who, { method: 'GET', path: `/public/files/${house.idOf(node)}/read` }, turn);
        if (node.kind === 'folder' || node.place.trashed) return wrong(answer.status !== 404, `must be 404, got ${brief(answer)}`);
        const told = Object.keys(answer.status === 200 ? data<Record<string, unknown>>(answer) : {}).sort();
        return wrong(told.join() !== 'access,id,is_encrypted,size', `tells ${told.join()}: ${brief(answer)}`);
      },
    })),
  );
}

/** Everybody's own figures: they are of him, and nothing of others counts in them. */
function ownCases(ask: Ask): Case[] {
  return ACCOUNTS.filter((who) => !UNKNOWN_TO_SERVER.includes(who)).flatMap((who, turn) => [
    {
      id: `${who}|koneksi profile`,
      route: routeName({ dialect: KONEKSI }, 'GET profile/me'),
      first: true,
      changes: false,
      run: async (house: House) => {
        const answer = await ask(house, who, { method: 'GET', path: '/profile/me' }, turn);
        return wrong(!answer.body.includes(house.users[who].email), `must be his own, got ${brief(answer)}`);
      },
    },
    {
      id: `${who}|koneksi figures`,
      route: routeName({ dialect: KONEKSI }, 'GET dashboard/collect-metrics'),
      first: true,
      changes: false,
      run: async (house: House) => {
        const answer = await ask(house, who, { method: 'GET', path: '/dashboard/collect-metrics' }, turn);
        // of whom nobody else in these cases makes keys
        const isKnown = ['reader', 'groupMember', 'indirect', 'colleague'].includes(who);
        const { service_account_count: count } = data<{ service_account_count: number }>(answer);
        return wrong(isKnown ? count !== 1 : !(count >= 1), `must be his own, got ${brief(answer)}`);
      },
    },
  ]);
}

export const KONEKSI_API: MatrixApi = {
  dialect: KONEKSI,
  controllers: KONEKSI_CONTROLLERS,
  prefixes: ['/clients/v1', '/api/clients/v1'],
  nothing: NOTHING,
  enter: async (house, who): Promise<Keys> => {
    if (who === null) return { headers: { 'client-id': 'id_nobody', 'client-secret': 'sk_nothing' }, facts: {} };
    const made = await house.do<{ client_id: string; client_secret: string }>(who, 'accounts/service_accounts/create', { name: 'matrix' });
    return { headers: { 'client-id': made.client_id, 'client-secret': made.client_secret }, facts: {} };
  },
  wrong: [
    { 'client-id': 'id_nobody' },
    { 'client-secret': 'sk_nothing' },
    { 'client-id': '', 'client-secret': '' },
    { 'client-id': 'sk_x', 'client-secret': 'id_x' },
  ],
  deeds: DEEDS,
  more: (ask) => [...bulkCases(ask), ...publicCases(ask), ...factCases(ask), ...ownCases(ask), ...mixedPairs(ask)],
  outside: { 'GET check-health': 'says that the process answers' },
};

/** The name of one pair with the secret of another is no pair. */
function mixedPairs(ask: Ask): Case[] {
  return (['foreigner', 'reader', 'systemAdmin'] as const).map((who) => ({
    id: `${who}|koneksi mixed pair`,
    route: routeName({ dialect: KONEKSI }, 'GET profile/me'),
    first: true,
    changes: false,
    verdict: 'unauthenticated' as const,
    run: async (house: House) => {
      const headers = { ...keysOf(KONEKSI_API, house, who).headers, 'client-id': keysOf(KONEKSI_API, house, 'owner').headers['client-id']! };
      const answer = await ask(house, who, { method: 'GET', path: '/profile/me', headers });
      return wrong(answer.status !== 401, `must be 401, got ${brief(answer)}`);
    },
  }));
}
