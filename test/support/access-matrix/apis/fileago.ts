import { randomBytes } from 'node:crypto';

import { FILEAGO_CONTROLLERS } from '../../../../apps/api/src/dialects/fileago/fileago.module.js';
import { FILEAGO } from '../../../../apps/api/src/dialects/fileago/http/dialect.js';
import type { HttpAnswer } from '../../http-session.js';
import { brief } from '../client.js';
import type { Case } from '../grid.js';
import { type House, PASSWORD } from '../house.js';
import { type Account, ACCOUNTS, UNKNOWN_TO_SERVER } from '../model.js';
import { type ApiTarget, type Ask, type Deed, judgeById, type Keys, type MatrixApi, routeName } from './api.js';

const FILES = ['png', 'docx'] as const;
const ALL = ['folder', ...FILES] as const;
const NOTHING = '00000000-0000-7000-8000-00000000dead';

const base = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const wrong = (isWrong: boolean, what: string): string | null => (isWrong ? what : null);
const data = <T>(answer: HttpAnswer): T => answer.json<{ data: T }>().data;

/** Whether the owner has it where it was. */
const stands = ({ node }: ApiTarget, house: House): Promise<boolean> => house.stands(node.place.home, node.path);
const gone = async (_: HttpAnswer, target: ApiTarget, house: House) => wrong(await stands(target, house), 'it still stands where it was');
const stays = async (_: HttpAnswer, target: ApiTarget, house: House) => wrong(!(await stands(target, house)), 'it is gone');

/** Somebody of the company of who asks. */
const companionOf = (who: Account): Account => (['writer', 'foreigner', 'otherAdmin'].includes(who) ? 'foreigner' : 'colleague');

const download = (revision: string): Deed['call'] => {
  return ({ id, keys }) => ({ method: 'GET', path: `/resources/auth/download/${keys.facts['accessKey']}/${id}/${revision}/any%20name` });
};

const act = (
  name: string,
  need: Deed['need'],
  on: Deed['on'],
  body: (target: ApiTarget, house: House) => unknown,
  more: Partial<Deed> = {},
): Deed => ({
  name,
  route: 'POST api/nodes/<node>',
  on,
  need,
  call: (target, house) => ({ method: 'POST', path: `/api/nodes/${target.id}`, json: body(target, house) }),
  ...more,
});

const DEEDS: readonly Deed[] = [
  {
    name: 'details',
    route: 'GET api/nodes/<node>',
    on: ALL,
    need: 'see',
    trash: true,
    call: ({ id }) => ({ method: 'GET', path: `/api/nodes/${id}` }),
    check: (answer, { id }) => wrong(data<{ uuid: string }>(answer).uuid !== id, 'it is another node'),
  },
  {
    name: 'listing',
    route: 'GET api/nodes/<node>/dirlist',
    on: ['folder'],
    need: 'see',
    trash: true,
    call: ({ id }) => ({ method: 'GET', path: `/api/nodes/${id}/dirlist` }),
    check: (answer, { node }) =>
      wrong(!data<{ name: string }[]>(answer).some(({ name }) => name === `${node.place.name}.png`), 'the listing lacks what is there'),
  },
  {
    name: 'way',
    route: 'GET api/nodes/<node>/path',
    on: ALL,
    need: 'see',
    trash: true,
    call: ({ id }) => ({ method: 'GET', path: `/api/nodes/${id}/path` }),
  },
  {
    name: 'rights',
    route: 'GET api/nodes/<node>/myaccess',
    on: ALL,
    need: 'see',
    trash: true,
    call: ({ id }) => ({ method: 'GET', path: `/api/nodes/${id}/myaccess` }),
    check: (answer, { who, node }) => {
      const may = data<string[]>(answer);
      const isWriter = ['owner', 'writer', 'indirect', 'colleague'].includes(who);
      return wrong(!node.place.trashed && may.includes('write') !== isWriter, `they are ${may.join(' ')}`);
    },
  },
  {
    name: 'bytes',
    route: 'GET resources/auth/download/<access_key>/<node>/<revision>/<path>',
    on: FILES,
    need: 'take',
    trash: true,
    call: download('latest'),
    check: (answer, { node }, house) => wrong(!answer.body.equals(house.contentOf(node).bytes), 'they are others'),
  },
  {
    name: 'bytes of a revision',
    route: 'GET resources/auth/download/<access_key>/<node>/<revision>/<path>',
    on: ['docx'],
    need: 'take',
    trash: true,
    call: download('1'),
    check: (answer, { node }, house) => wrong(!answer.body.equals(house.contentOf(node).old!), 'they are others'),
  },
  {
    name: 'part of the bytes',
    route: 'GET resources/auth/download/<access_key>/<node>/<revision>/<path>',
    on: ['png'],
    need: 'take',
    trash: true,
    call: (target, house) => ({ ...download('latest')(target, house), headers: { range: 'bytes=3-9' } }),
    check: (answer, { node }, house) =>
      wrong(answer.status !== 206 || !answer.body.equals(house.contentOf(node).bytes.subarray(3, 10)), 'they are others'),
  },
  {
    name: 'token for an upload into',
    route: 'GET api/nodes/<node>/upload',
    on: ['folder'],
    need: 'add',
    call: ({ id }) => ({ method: 'GET', path: `/api/nodes/${id}/upload` }),
  },
  {
    name: 'token for an upload over',
    route: 'GET api/nodes/<node>/upload',
    on: FILES,
    need: 'change',
    call: ({ id }) => ({ method: 'GET', path: `/api/nodes/${id}/upload` }),
  },
  act('folder in it', 'add', ['folder'], () => ({ new_dir: 'made' }), { changes: true }),
  act('rename', 'change', ALL, ({ node }) => ({ new_name: `named-${base(node.path)}` }), { changes: true, notOnMounts: true, check: gone }),
  act('favourite', 'see', ALL, () => ({ starred: true })),
  act('copy from', 'take', ALL, ({ who }, house) => ({ copy_to: house.inboxes.get(who) ?? 'home' }), { notOnMounts: true, check: stays }),
  act('move from', 'remove', ALL, ({ who }, house) => ({ move_to: house.inboxes.get(who) ?? 'home' }), {
    changes: true,
    notOnMounts: true,
    notInTrash: true,
    check: gone,
  }),
  act('to the trash by moving', 'remove', ALL, () => ({ move_to: 'trash' }), { changes: true, notOnMounts: true, notInTrash: true, check: gone }),
  act('send a copy', 'take', FILES, ({ who }, house) => ({ share_copy_with: [house.keys.get('fileago')!.get(companionOf(who))!.facts['uuid']] })),
  {
    name: 'delete',
    route: 'DELETE api/nodes/<node>',
    on: ALL,
    need: 'remove',
    changes: true,
    notOnMounts: true,
    notInTrash: true,
    call: ({ id }) => ({ method: 'DELETE', path: `/api/nodes/${id}` }),
    check: gone,
  },
];

/** Nodes of others as the target of what the account may do with a node of its own. */
const INTO: readonly Deed[] = (['copy_to', 'move_to'] as const).map((action) => ({
  name: `${action === 'copy_to' ? 'copy' : 'move'} into`,
  route: 'POST api/nodes/<node>',
  on: ['folder'],
  need: 'add',
  onlyRefused: true,
  call: ({ id, who }, house) => ({ method: 'POST', path: `/api/nodes/${house.seeds.get(who) ?? NOTHING}`, json: { [action]: id } }),
}));

const PLACES = ['home', 'incoming', 'trash', 'favorites', 'shared_with_you', 'private_shares', 'public_shares'] as const;

/** Places of the caller hold nothing that he may not see, and those of others are not there. */
function placeCases(ask: Ask): Case[] {
  const route = routeName({ dialect: FILEAGO }, 'GET api/nodes/<node>/dirlist');
  return ACCOUNTS.flatMap((who, turn) => [
    ...PLACES.map((place) => ({
      id: `${who}|fileago place|${place}`,
      route,
      first: true,
      changes: false,
      run: async (house: House) => {
        const answer = await ask(house, who, { method: 'GET', path: `/api/nodes/${place}/dirlist` }, turn);
        if (UNKNOWN_TO_SERVER.includes(who)) return wrong(answer.status !== 401, `must be 401, got ${brief(answer)}`);
        if (answer.status !== 200) return `must be taken, got ${brief(answer)}`;
        const told = data<{ name: string; uuid: string }[]>(answer).filter(({ uuid }) => house.nodeOf(uuid) !== null);
        const strange = told.filter(({ uuid }) => {
          const node = house.nodeOf(uuid)!;
          return judgeById(who, node, 'see', true).verdict !== 'allowed';
        });
        return wrong(strange.length > 0, `must not tell ${strange.map(({ name }) => name).join(' ')}`);
      },
    })),
    ...PLACES.map((place) => ({
      id: `${who}|fileago place of another|${place}`,
      route,
      first: true,
      changes: false,
      run: async (house: House) => {
        const at = async (uuid: string) => {
          const answer = await ask(house, who, { method: 'GET', path: `/api/nodes/${place}%3A${uuid}/dirlist` }, turn);
          return `${answer.status} ${answer.body.toString().replaceAll(uuid, '<uuid>')}`;
        };
        if (who === 'owner') return null;
        const [of, none] = [await at(house.keys.get('fileago')!.get('owner')!.facts['uuid']!), await at(NOTHING)];
        const isRefused = /^(401|404) /.test(of);
        return wrong(of !== none || !isRefused, `must be as of nobody (${none}), got ${of}`);
      },
    })),
  ]);
}

/** The groups of an account are its own business, and the workspace of a group that of its people. */
function groupCases(ask: Ask): Case[] {
  return ACCOUNTS.map((who, turn) => ({
    id: `${who}|fileago groups`,
    route: routeName({ dialect: FILEAGO }, 'GET api/groups'),
    first: true,
    changes: false,
    run: async (house: House) => {
      const answer = await ask(house, who, { method: 'GET', path: '/api/groups' }, turn);
      if (UNKNOWN_TO_SERVER.includes(who)) return wrong(answer.status !== 401, `must be 401, got ${brief(answer)}`);
      const groups = data<{ group_uuid: string }[]>(answer);
      if (groups.length !== (who === 'groupMember' ? 1 : 0)) return `they are ${groups.length}`;
      const [group] = data<{ group_uuid: string }[]>(await ask(house, 'groupMember', { method: 'GET', path: '/api/groups' }, turn));
      const home = await ask(house, who, { method: 'GET', path: `/api/nodes/home:${group!.group_uuid}/dirlist` }, turn);
      return wrong(home.status !== (who === 'groupMember' ? 200 : 404), `the workspace of the group: ${brief(home)}`);
    },
  }));
}

/** A token of an upload is a secret: what is none opens nothing, whoever says it. */
function tokenCases(ask: Ask): Case[] {
  return (['anonymous', 'owner', 'foreigner'] as const).flatMap((who, turn) =>
    [`${randomBytes(16).toString('hex')}`, NOTHING, `${NOTHING}-${NOTHING}`].map((token) => ({
      id: `${who}|fileago upload by a token of nobody|${token.length}`,
      route: routeName({ dialect: FILEAGO }, 'POST upload/<upload_token>'),
      first: true,
      changes: true,
      run: async (house: House) => {
        const answer = await ask(house, who, { method: 'POST', path: `/upload/${token}` }, turn);
        return wrong(answer.status !== 404, `must be 404, got ${brief(answer)}`);
      },
    })),
  );
}

export const FILEAGO_API: MatrixApi = {
  dialect: FILEAGO,
  controllers: FILEAGO_CONTROLLERS,
  prefixes: ['', '/fileago'],
  nothing: NOTHING,
  enter: async (house, who): Promise<Keys> => {
    if (who === null) return { headers: {}, facts: { accessKey: `${NOTHING}-${NOTHING}`, uuid: NOTHING } };
    const { email } = house.users[who];
    const answer = await house.client.send('/auth', { method: 'POST', body: JSON.stringify({ username: email, password: PASSWORD }) });
    const { uuid, token, fileaccesskey } = answer.json<{ uuid: string; token: string; fileaccesskey: string }>();
    return { headers: { authorization: `Bearer ${token}` }, facts: { accessKey: fileaccesskey, uuid } };
  },
  wrong: [{ authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.' }, { authorization: `Bearer ${NOTHING}` }, { authorization: 'Basic eDp5' }],
  deeds: [...DEEDS, ...INTO],
  more: (ask) => [...placeCases(ask), ...groupCases(ask), ...tokenCases(ask)],
  outside: { 'POST auth': 'it signs in; tried by fileago.e2e-spec.ts', 'GET images/default_avatar.png': 'one picture for all' },
};
