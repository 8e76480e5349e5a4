import { crc32 } from 'node:zlib';

import type { HttpAnswer } from '../http-session.js';
import type { Call, Params } from './client.js';
import type { House } from './house.js';
import { type Account, find, judge, type Kind, type Need, type TreeNode } from './model.js';

/** One node as one account asks for it. */
export interface Target {
  readonly who: Account;
  readonly node: TreeNode;
  /** In the home of `who`. */
  readonly path: string;
}

/** One way of looking at a node, or of changing it. */
export interface Representation {
  readonly name: string;
  /** Template of the route, as its controller declares it. */
  readonly route: string;
  readonly on: readonly Kind[];
  readonly need: Need;
  /** It looks into the trash as well. */
  readonly trash?: boolean;
  /** It changes what it is allowed to change: then it gets a node of its own. */
  readonly changes?: boolean;
  /** Not for a shared folder as it stands in the home of its receiver: there it is about his own home. */
  readonly notOnMounts?: boolean;
  /** It makes missing folders, so that a path that leads nowhere is as good as any other. */
  readonly makesWay?: boolean;
  /** It makes a missing file, so that a path in one's own root is as good as any other. */
  readonly makesFile?: boolean;
  /** Not tried where it is allowed, because another spec shows what it does. */
  readonly onlyRefused?: boolean;
  /** Status of a refusal to who may see; default 403. */
  readonly refused?: readonly number[];
  readonly call: (target: Target, house: House) => Call;
  /** What is wrong with an answer that was allowed; null when nothing is. */
  readonly check?: (answer: HttpAnswer, target: Target, house: House) => Promise<string | null> | string | null;
}

const FILES: readonly Kind[] = ['png', 'docx'];
const ALL: readonly Kind[] = ['folder', 'png', 'docx'];

const base = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const wrong = (isWrong: boolean, what: string): string | null => (isWrong ? what : null);
const ownerPath = ({ who, path }: Target): string => find(who, path)?.path ?? path;

const samePath = (answer: HttpAnswer, { path }: Target): string | null => {
  const told = answer.json<{ path: string }>().path;
  return wrong(told !== path, `the path is ${told}`);
};

/** Follows a URL whole and in part, and compares the bytes. */
async function bytesAt(house: House, url: string, wanted: Buffer): Promise<string | null> {
  const whole = await house.client.send(url);
  if (whole.status !== 200 || !whole.body.equals(wanted)) return `the URL gave ${whole.status} and ${whole.body.length} bytes`;
  const part = await house.client.send(url, { headers: { range: 'bytes=3-9' } });
  return wrong(part.status !== 206 || !part.body.equals(wanted.subarray(3, 10)), `the range gave ${part.status} and ${part.body.length} bytes`);
}

const bytesOf =
  (version?: 1) =>
  async (answer: HttpAnswer, { node }: Target, house: House) => {
    const content = house.contentOf(node);
    return bytesAt(house, answer.json<{ url: string }>().url, version ? content.old! : content.bytes);
  };

async function archived(answer: HttpAnswer, { node }: Target, house: House): Promise<string | null> {
  const { hash } = answer.json<{ hash: string }>();
  const zip = await house.client.call({ route: `files/download_as_archive_stream/${hash}`, method: 'GET' }, null);
  const name = node.kind === 'folder' ? `${node.place.name}.png` : base(node.path);
  return wrong(zip.status !== 200 || !zip.body.includes(name), `the stream gave ${zip.status} without ${name}`);
}

const gone = async (_: HttpAnswer, target: Target, house: House) =>
  wrong(await house.stands(target.node.place.home, ownerPath(target)), 'it still stands where it was');
const stays = async (_: HttpAnswer, target: Target, house: House) =>
  wrong(!(await house.stands(target.node.place.home, ownerPath(target))), 'it is gone');

/** Everything that is asked about one node by its path. */
export const REPRESENTATIONS: readonly Representation[] = [
  {
    name: 'metadata',
    route: 'metadata/<path>',
    on: ALL,
    need: 'see',
    call: ({ path }) => ({ route: `metadata${path}`, params: { listing: false } }),
    check: samePath,
  },
  {
    name: 'listing',
    route: 'metadata/<path>',
    on: ['folder'],
    need: 'see',
    call: ({ path }) => ({ route: `metadata${path}`, params: { listing: true, order_by: 'name' } }),
    check: (answer, { node, path, who }) => {
      const told = answer.json<{ content: { path: string }[] }>().content.map((each) => each.path);
      const strange = told.filter((each) => /\.(png|docx)$/.test(each) && !/\/t\d+/.test(each) && judge(who, each, 'see') !== 'allowed');
      return wrong(!told.includes(`${path}/${node.place.name}.png`) || strange.length > 0, `the listing holds ${told.join(' ')}`);
    },
  },
  {
    name: 'metadata in the trash',
    route: 'metadata/<path>',
    on: ALL,
    need: 'see',
    trash: true,
    call: ({ path }) => ({ route: `metadata${path}`, params: { listing: false, deleted: true } }),
    check: samePath,
  },
  {
    name: 'metadata of a version',
    route: 'metadata/<path>',
    on: ['docx'],
    need: 'see',
    call: ({ path }) => ({ route: `metadata${path}`, params: { version: 1 } }),
    check: (answer) => wrong(answer.json<{ version: number }>().version !== 1, 'it is another version'),
  },
  {
    name: 'folder size',
    route: 'fileops/folder_info',
    on: ['folder'],
    need: 'see',
    call: ({ path }) => ({ route: 'fileops/folder_info', params: { path } }),
    check: (answer) => wrong(!(answer.json<{ files_count: number }>().files_count >= 2), 'it counts no files'),
  },
  {
    name: 'precheck',
    route: 'fileops/precheck',
    on: ['folder'],
    need: 'see',
    call: ({ path }) => ({ route: 'fileops/precheck', params: { to_path: path, name: 'x.txt', type: 'create' } }),
  },
  { name: 'versions', route: 'files/versions/<path>', on: FILES, need: 'see', call: ({ path }) => ({ route: `files/versions${path}` }) },
  {
    name: 'versions to update',
    route: 'files/versions_to_update',
    on: ['docx'],
    need: 'see',
    call: ({ path }) => ({ route: 'files/versions_to_update', params: { path, version: 1 } }),
  },
  {
    name: 'content',
    route: 'files/get/<path>',
    on: FILES,
    need: 'take',
    call: ({ path }) => ({ route: `files/get${path}`, params: { for_view: true } }),
    check: bytesOf(),
  },
  {
    name: 'content of a version',
    route: 'files/get/<path>',
    on: ['docx'],
    need: 'take',
    call: ({ path }) => ({ route: `files/get${path}`, params: { version: 1 } }),
    check: bytesOf(1),
  },
  {
    name: 'content in the trash',
    route: 'files/get/<path>',
    on: FILES,
    need: 'take',
    trash: true,
    call: ({ path }) => ({ route: `files/get${path}`, params: { deleted: true, for_view: true } }),
    check: bytesOf(),
  },
  {
    name: 'diff',
    route: 'files/get_diff/<path>',
    on: ['docx'],
    need: 'take',
    call: ({ path }) => ({ route: `files/get_diff${path}`, params: { version: 1 } }),
    check: async (answer, _, house) => {
      const { status } = await house.client.send(answer.json<{ url: string }>().url);
      return wrong(status !== 200, `the URL gave ${status}`);
    },
  },
  {
    name: 'archive link',
    route: 'files/create_link_of_archive',
    on: ALL,
    need: 'take',
    call: ({ path }) => ({ route: 'files/create_link_of_archive', params: { path: [path] } }),
    check: archived,
  },
  {
    name: 'archive stream, asked for by POST',
    route: 'files/download_as_archive_stream',
    on: ['folder', 'docx'],
    need: 'take',
    call: ({ path }) => ({ route: 'files/download_as_archive_stream', params: { path: [path] }, method: 'POST' }),
    check: archived,
  },
  {
    name: 'archive stream, asked for by GET',
    route: 'files/download_as_archive_stream',
    on: ['folder', 'png'],
    need: 'take',
    call: ({ path }) => ({ route: 'files/download_as_archive_stream', params: { path: [path] }, method: 'GET' }),
    check: (answer, { node }) => wrong(!answer.body.includes(`${node.place.name}.png`), 'the archive does not hold the file'),
  },
  {
    name: 'archive task',
    route: 'files/download_as_archive',
    on: ALL,
    need: 'take',
    call: ({ path }) => ({ route: 'files/download_as_archive', params: { path: [path] } }),
  },
  {
    name: 'preview',
    route: 'files/get_preview',
    on: ['png'],
    need: 'see',
    call: ({ path }) => ({ route: 'files/get_preview', params: { path } }),
    check: (answer) => wrong(answer.headers['content-type'] !== 'image/jpeg', `it is ${answer.headers['content-type']}`),
  },
  {
    name: 'preview to be made',
    route: 'files/create_extra',
    on: ['png'],
    need: 'see',
    call: ({ path }) => ({ route: 'files/create_extra', params: { path } }),
  },
  {
    name: 'extradata link',
    route: 'metadata/<path>',
    on: ['png'],
    need: 'see',
    call: ({ path }) => ({ route: `metadata${path}` }),
    check: async (answer, _, house) => {
      const { thumbnails } = answer.json<{ extradata: { thumbnails?: { small?: { link: string } } } }>().extradata;
      if (!thumbnails?.small) return null;
      const { status } = await house.client.send(thumbnails.small.link);
      return wrong(status !== 200, `its link gave ${status}`);
    },
  },
  {
    name: 'document page',
    route: 'kukudocs/view',
    on: ['png'],
    need: 'see',
    call: ({ path }) => ({ route: 'kukudocs/view', params: { path } }),
    check: async (answer, _, house) => {
      const { status } = await house.client.send(answer.json<{ url: string }>().url);
      return wrong(status !== 200, `the page gave ${status}`);
    },
  },
  {
    name: 'office view',
    route: 'wopi/view',
    on: ['docx'],
    need: 'take',
    call: ({ path }) => ({ route: 'wopi/view', params: { path } }),
    check: async (answer, { node }, house) => {
      const { url, access_token: token } = answer.json<{ url: string; access_token: string }>();
      const source = new URL(url).searchParams.get('WOPISrc')!;
      const contents = await house.client.send(`${source}/contents?access_token=${token}`);
      if (contents.status !== 200 || !contents.body.equals(house.contentOf(node).bytes)) return `GetFile gave ${contents.status}`;
      const put = await house.client.send(`${source}/contents?access_token=${token}`, {
        method: 'POST',
        headers: { 'x-wopi-override': 'PUT', 'content-length': '1' },
        body: 'x',
      });
      return wrong(put.status < 400, `PutFile of a view gave ${put.status}`);
    },
  },
  {
    name: 'office view of a version',
    route: 'wopi/view',
    on: ['docx'],
    need: 'take',
    call: ({ path }) => ({ route: 'wopi/view', params: { path, version: 1 } }),
  },
  {
    name: 'office edit',
    route: 'wopi/edit',
    on: ['docx'],
    need: 'change',
    call: ({ path }) => ({ route: 'wopi/edit', params: { path } }),
  },
  { name: 'comments', route: 'workflow/comments/<path>', on: FILES, need: 'see', call: ({ path }) => ({ route: `workflow/comments${path}` }) },
  {
    name: 'comment',
    route: 'workflow/comment/<path>',
    on: ['png'],
    need: 'see',
    call: ({ path, who }) => ({ route: `workflow/comment${path}`, params: { text: `a word of ${who}` } }),
  },
  {
    name: 'favourite',
    route: 'fileops/set_favorite',
    on: ALL,
    need: 'see',
    call: ({ path }) => ({ route: 'fileops/set_favorite', params: { path, favorite: true } }),
    check: samePath,
  },
  {
    name: 'collaborators',
    route: 'shares/collaborators',
    on: ['folder'],
    need: 'see',
    call: ({ path }) => ({ route: 'shares/collaborators', params: { path } }),
  },
  {
    name: 'search below',
    route: 'files/search',
    on: ['folder'],
    need: 'see',
    call: ({ path, node }) => ({ route: 'files/search', params: { path, query: node.place.name } }),
  },
  {
    name: 'copy from',
    route: 'fileops/copy',
    on: ALL,
    need: 'take',
    call: ({ path }) => ({ route: 'fileops/copy', params: { from_path: path, to_path: '/Inbox' } }),
    notOnMounts: true,
  },
  {
    name: 'move from',
    route: 'fileops/move',
    on: ALL,
    need: 'remove',
    changes: true,
    notOnMounts: true,
    call: ({ path }) => ({ route: 'fileops/move', params: { from_path: path, to_path: '/Inbox' } }),
    check: gone,
  },
  {
    name: 'copy into',
    route: 'fileops/copy',
    on: ['folder'],
    need: 'add',
    changes: true,
    call: ({ path }) => ({ route: 'fileops/copy', params: { from_path: '/Inbox/seed.txt', to_path: path } }),
    check: (answer, { path }) => wrong(answer.json<{ path: string }>().path !== `${path}/seed.txt`, 'the copy is elsewhere'),
  },
  {
    name: 'move into',
    route: 'fileops/move',
    on: ['folder'],
    need: 'add',
    onlyRefused: true,
    call: ({ path }) => ({ route: 'fileops/move', params: { from_path: '/Inbox/seed.txt', to_path: path, overwrite: false } }),
  },
  {
    name: 'folder in it',
    route: 'fileops/folder_create',
    on: ['folder'],
    need: 'add',
    changes: true,
    makesWay: true,
    call: ({ path }) => ({ route: 'fileops/folder_create', params: { path: `${path}/made` } }),
  },
  {
    name: 'upload into',
    route: 'files/create',
    on: ['folder'],
    need: 'add',
    call: ({ path }, house) => ({ route: 'files/create', params: { path: `${path}/up${house.next()}.txt`, size: 5, create_dirs: false } }),
  },
  {
    name: 'upload over',
    route: 'files/create',
    on: FILES,
    need: 'change',
    makesFile: true,
    call: ({ path }) => ({ route: 'files/create', params: { path, size: 5, create_dirs: false, overwrite: true } }),
  },
  {
    name: 'delta upload',
    route: 'files/create_from_diff',
    on: ['docx'],
    need: 'change',
    call: ({ path, node }, house) => ({
      route: 'files/create_from_diff',
      params: { path, version: 2, checksum: crc32(house.contentOf(node).bytes).toString(16).padStart(8, '0') },
    }),
  },
  {
    name: 'rename',
    route: 'fileops/rename',
    on: ALL,
    need: 'change',
    changes: true,
    notOnMounts: true,
    call: ({ path }) => ({ route: 'fileops/rename', params: { path, newname: `named-${base(path)}` } }),
    check: gone,
  },
  {
    name: 'restore a version',
    route: 'files/restore',
    on: ['docx'],
    need: 'change',
    changes: true,
    call: ({ path }) => ({ route: 'files/restore', params: { path, version: 1 } }),
    check: (answer) => wrong(answer.json<{ version: number }>().version !== 3, 'there is no new version'),
  },
  {
    name: 'delete',
    route: 'fileops/delete',
    on: ALL,
    need: 'remove',
    changes: true,
    notOnMounts: true,
    call: ({ path }) => ({ route: 'fileops/delete', params: { path } }),
    check: gone,
  },
  {
    name: 'delete for good',
    route: 'fileops/delete',
    on: ALL,
    need: 'rule',
    changes: true,
    notOnMounts: true,
    call: ({ path }) => ({ route: 'fileops/delete', params: { path, without_trash: true } }),
    check: gone,
  },
  {
    name: 'trash of the share',
    route: 'trash/from_shared/<path>',
    on: ['folder'],
    need: 'restore',
    refused: [400, 403],
    onlyRefused: true,
    call: ({ path }) => ({ route: `trash/from_shared${path}` }),
  },
  {
    name: 'restore from the trash of the share',
    route: 'trash/restore/<name>/from_shared/<path>',
    on: ['folder'],
    need: 'restore',
    refused: [400, 403],
    onlyRefused: true,
    call: ({ path }) => ({ route: `trash/restore/Gone/from_shared${path}`, params: { overwrite: false } }),
  },
  {
    name: 'public link',
    route: 'links/create',
    on: ALL,
    need: 'publish',
    trash: true,
    changes: true,
    call: ({ path }) => ({ route: 'links/create', params: { path } }),
    check: async (answer, target, house) => {
      const { public_hash: hash } = answer.json<{ public_hash: string }>();
      const { status } = await house.client.call({ route: `links/metadata/${hash}` }, null);
      return wrong(status !== 200, `the link opens with ${status}`) ?? stays(answer, target, house);
    },
  },
  {
    name: 'drop box',
    route: 'links/create',
    on: ['folder'],
    need: 'add',
    trash: true,
    changes: true,
    call: ({ path }) => ({ route: 'links/create', params: { path, upload_folder: true } }),
  },
  {
    name: 'withdraw a link',
    route: 'links/delete',
    on: ['png'],
    need: 'rule',
    trash: true,
    onlyRefused: true,
    refused: [404],
    call: ({ path }) => ({ route: 'links/delete', params: { path } }),
  },
  {
    name: 'share',
    route: 'shares/add',
    on: ['folder'],
    need: 'rule',
    changes: true,
    refused: [403, 412],
    call: ({ path }, house) => ({ route: 'shares/add', params: { path, member_login: `email:${house.users.foreigner.email}`, writer: true } }),
  },
  {
    name: 'share with everybody',
    route: 'shares/add',
    on: ['folder'],
    need: 'rule',
    changes: true,
    refused: [403, 412],
    call: ({ path }) => ({ route: 'shares/add', params: { path, public_view: true } }),
  },
  ...(
    [
      ['end a share', 'shares/unshare', {}],
      ['remove a member', 'shares/remove', { member: 'reader' }],
      ['take an invitation back', 'shares/uninvite', { member: 'waiting' }],
      ['make a reader a writer', 'shares/update_collaborator', { member: 'reader', writer: true }],
      ['limit', 'shares/sizelimit', { size_limit: 100_000_000, enable: true }],
      ['offer to the company', 'shares/company/add', {}],
      ['hide from the company', 'shares/company/hide', {}],
      ['hand over', 'fileops/handover', { receiver: 'foreigner' }],
      ['give away', 'migration_contents/add', { member: 'foreigner' }],
    ] as const
  ).map(([name, route, params]): Representation => ({
    name,
    route,
    on: ['folder'],
    need: 'rule',
    onlyRefused: true,
    refused: [403, 404, 412],
    call: ({ path }, house) => {
      const { member, receiver, ...rest } = params as { member?: Account; receiver?: Account };
      const whom: Params = member
        ? { member_login: `email:${house.users[member].email}` }
        : receiver
          ? { member_id: house.users[receiver].userId }
          : {};
      return { route, params: { path, ...rest, ...whom } };
    },
  })),
];
