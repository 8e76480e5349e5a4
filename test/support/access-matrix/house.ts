import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';
import sharp from 'sharp';

import { CloudikeUser } from '../cloudike-user.js';
import type { Stack } from '../stack.js';
import type { Keys } from './apis/api.js';
import { enterApis } from './apis/index.js';
import { type Call, MatrixClient, type Params } from './client.js';
import { type Account, ACCOUNTS, NODES, PLACES, type TreeNode } from './model.js';

export const PASSWORD = 'correct horse battery';
export const LINK_PASSWORD = 'open sesame';

/** What was revoked behind the back of a process is known to it by then. */
const REVOKED_WITHIN_MS = 1_500;

export interface Content {
  readonly bytes: Buffer;
  readonly md5: string;
  /** Of a document: the version before. */
  readonly old?: Buffer;
}

/** A public link, and what there is to be known about it. */
export const LINKS = [
  'good',
  'locked',
  'expired',
  'blocked',
  'upload',
  'usedUp',
  'withdrawn',
  'trashed',
  'ofRevoked',
  'ofDisabled',
  'ofExMember',
] as const;
export type LinkName = (typeof LINKS)[number];

/** What was had in good time: of an account that may not any more, and of one that still may. */
export interface Keepsakes {
  readonly archive: string;
  readonly picture: string;
  readonly page: string;
  readonly office: { readonly token: string; readonly fileId: string };
  readonly confirmUrl: string | null;
  readonly tempPath: string | null;
  readonly comment: string;
  readonly listing: string;
}

/** Two companies and everybody who can want something of one owner's folders. */
export class House {
  readonly client: MatrixClient;
  readonly users = {} as Record<Account, CloudikeUser>;
  /** A member of the owner's company who moderates. */
  moderator!: CloudikeUser;
  readonly tokens = {} as Record<Account, string | null>;
  readonly contents = new Map<string, Content>();
  readonly links = {} as Record<LinkName, string>;
  readonly invitations: Partial<Record<Account, string>> = {};
  readonly keepsakes: Partial<Record<Account, Keepsakes>> = {};
  /** By API of the frame, what lets everybody in there. */
  readonly keys = new Map<string, ReadonlyMap<Account, Keys>>();
  /** Ids of the folder and of the file that everybody has for himself. */
  readonly inboxes = new Map<Account, string>();
  readonly seeds = new Map<Account, string>();
  shareHash = '';
  openHash = '';
  offerHash = '';
  migrationHash = '';
  groupId = 0;
  companyId = 0;
  /** Of the company of `foreigner` and `otherAdmin`. */
  otherCompanyId = 0;
  otherGroupId = 0;
  /** Id of the token by which the owner is signed in. */
  ownerTokenId = '';
  /** Keys of the owner for programs, by kind. */
  readonly ownerKeys: Record<string, string> = {};
  taskId = '';
  private nth = 0;
  private readonly ids = new Map<string, string>();
  private readonly answers = new Map<string, Promise<string>>();

  private constructor(
    readonly stack: Stack,
    readonly db: pg.Client,
  ) {
    this.client = new MatrixClient(stack.baseUrl);
  }

  static async build(stack: Stack): Promise<House> {
    const db = new pg.Client(stack.databaseUrl);
    await db.connect();
    const house = new House(stack, db);
    try {
      await house.people();
      await house.tree();
      await house.naming();
      await enterApis(house);
      await house.shares();
      await house.publicLinks();
      await house.past();
    } catch (error) {
      await house.close();
      throw error;
    }
    return house;
  }

  async close(): Promise<void> {
    this.client.close();
    for (const user of new Set([...Object.values(this.users), this.moderator])) user?.http.close();
    await this.db.end();
  }

  next(): number {
    return ++this.nth;
  }

  /** What is asked once and needed often, as what is said about something that does not exist. */
  async unknown(key: string, ask: () => Promise<string>): Promise<string> {
    let known = this.answers.get(key);
    if (!known) this.answers.set(key, (known = ask()));
    return known;
  }

  /** The answer of a call that is repeated until what it asks for has been made. */
  async finished<T>(who: Account, route: string, params: Params = {}): Promise<T> {
    for (let tries = 0; tries < 600; tries++) {
      const answer = await this.client.call({ route, params }, this.tokens[who]);
      if (answer.status === 200) return answer.json<T>();
      await sleep(50);
    }
    throw new Error(`${who}: ${route} did not end`);
  }

  /** The id by which office servers know a file of the owner. */
  async fileId(path: string): Promise<string> {
    return this.unknown(`id of ${path}`, async () => {
      const { url } = await this.do<{ url: string }>('owner', 'wopi/view', { path });
      return new URL(url).searchParams.get('WOPISrc')!.split('/').at(-1)!;
    });
  }

  /** A call that must be taken. */
  async do<T = Record<string, unknown>>(who: Account, route: string, params: Params = {}): Promise<T> {
    const call: Call = { route, params };
    const answer = await this.client.call(call, this.tokens[who]);
    if (answer.status >= 300) throw new Error(`${who}: ${route} ${JSON.stringify(params)} answered ${answer.status} ${answer.body.toString()}`);
    return answer.body.length === 0 ? ({} as T) : answer.json<T>();
  }

  /** Id of a node of the tree. */
  idOf(node: TreeNode): string {
    return this.ids.get(`${node.place.home} ${node.path}`)!;
  }

  /** The node of the tree that an id means. */
  nodeOf(id: string): TreeNode | null {
    return NODES.find((node) => this.idOf(node) === id) ?? null;
  }

  /** Id of what has been made, by its name, which nothing else has. */
  async idAt({ place, path }: TreeNode): Promise<string> {
    return this.idNamed(place.home, path.slice(path.lastIndexOf('/') + 1));
  }

  private async idNamed(who: Account, name: string): Promise<string> {
    const { rows } = await this.db.query<{ id: string }>(
      `SELECT n.id FROM nodes n JOIN spaces s ON s.id = n.space_id WHERE s.account_id = $1 AND n.name = $2`,
      [this.users[who].userId, name],
    );
    if (rows.length !== 1) throw new Error(`${who} has ${rows.length} nodes named ${name}`);
    return rows[0]!.id;
  }

  private async naming(): Promise<void> {
    for (const node of NODES) this.ids.set(`${node.place.home} ${node.path}`, await this.idAt(node));
    for (const who of ACCOUNTS.filter((each) => each !== 'anonymous')) {
      this.inboxes.set(who, await this.idNamed(who, 'Inbox'));
      this.seeds.set(who, await this.idNamed(who, 'seed.txt'));
    }
  }

  contentOf(node: Pick<TreeNode, 'place' | 'kind'>): Content {
    return this.contents.get(`${node.place.name}.${node.kind}`)!;
  }

  /** A copy of a node beside it, made by who owns the place, for cases that change what they are allowed to change. Its path in the owner's home. */
  async throwAway(node: TreeNode): Promise<string> {
    const who: Account = node.place.home;
    const name = `t${this.next()}`;
    const path = `${node.place.path}/${name}`;
    if (node.kind === 'folder') {
      await this.do(who, 'fileops/folder_create', { path });
      return path;
    }
    const content = this.contentOf(node);
    const file = `${path}.${node.kind}`;
    if (content.old) await this.put(who, file, content.old);
    await this.put(who, file, content.bytes);
    return file;
  }

  /** Makes a file, or its next version; of bytes that the account has already this is one call. */
  async put(who: Account, path: string, bytes: Buffer): Promise<void> {
    const checksum = createHash('md5').update(bytes).digest('hex');
    const answer = await this.client.call(
      { route: 'files/create', params: { path, size: bytes.length, checksum, overwrite: true } },
      this.tokens[who],
    );
    if (answer.status === 201) return;
    if (answer.status !== 200) throw new Error(`${who}: files/create ${path} answered ${answer.status} ${answer.body.toString()}`);
    const ticket = answer.json<{ url: string; method: string; headers: Record<string, string>; confirm_url: string }>();
    const stored = await this.client.send(ticket.url, {
      method: ticket.method,
      headers: { ...ticket.headers, 'content-length': String(bytes.length) },
      body: bytes,
    });
    if (stored.status !== 200) throw new Error(`the store answered ${stored.status} for ${path}`);
    const confirmed = await this.client.send(ticket.confirm_url, { method: 'POST' });
    if (confirmed.status !== 200) throw new Error(`confirm of ${path} answered ${confirmed.status} ${confirmed.body.toString()}`);
  }

  /** True when something of the owner stands at the path. */
  async stands(home: 'owner' | 'colleague', path: string): Promise<boolean> {
    return (await this.client.call({ route: `metadata${path}`, params: { listing: false } }, this.tokens[home])).status === 200;
  }

  /** Names, versions and checksums of all that must never change. */
  async picture(): Promise<Record<string, string>> {
    const shown: Record<string, string> = {};
    for (const node of NODES) {
      const deleted = node.place.trashed;
      const answer = await this.client.call({ route: `metadata${node.path}`, params: { listing: false, deleted } }, this.tokens[node.place.home]);
      const { id, path, version, checksum, shared, deleted: gone } = answer.status === 200 ? answer.json() : {};
      shown[node.path] = JSON.stringify([answer.status, id, path, version, checksum, shared, gone]);
    }
    return shown;
  }

  private async account(admin: CloudikeUser | null, name: string): Promise<CloudikeUser> {
    const email = `${name}-${randomBytes(6).toString('hex')}@example.org`;
    const http = admin
      ? await this.client.call({ route: 'accounts/create', params: { email, password: PASSWORD, name, created_manually: true } }, admin.token)
      : null;
    if (!http)
      await this.client.call({ route: 'accounts/create', params: { email, password: PASSWORD, name, company_name: `Company of ${email}` } }, null);
    else if (http.status !== 200) throw new Error(`accounts/create answered ${http.status} ${http.body.toString()}`);
    return CloudikeUser.login(this.stack.baseUrl, email, PASSWORD);
  }

  private async people(): Promise<void> {
    this.users.companyAdmin = await this.account(null, 'companyAdmin');
    this.users.otherAdmin = await this.account(null, 'otherAdmin');
    this.users.systemAdmin = await this.account(this.users.otherAdmin, 'systemAdmin');
    await this.db.query(`UPDATE accounts SET role = 'admin', company_id = NULL WHERE id = $1`, [this.users.systemAdmin.userId]);
    this.moderator = await this.account(this.users.companyAdmin, 'moderator');
    await this.db.query(`UPDATE accounts SET role = 'moderator' WHERE id = $1`, [this.moderator.userId]);
    const abroad: readonly Account[] = ['writer', 'foreigner'];
    const staff = ACCOUNTS.filter((name) => !/Admin$|anonymous/.test(name));
    await Promise.all(
      staff.map(async (name) => {
        this.users[name] = await this.account(abroad.includes(name) ? this.users.otherAdmin : this.users.companyAdmin, name);
      }),
    );
    for (const name of ACCOUNTS) this.tokens[name] = name === 'anonymous' ? null : this.users[name].token;
    this.companyId = Number(await this.textOf('SELECT company_id AS n FROM accounts WHERE id = $1', 'companyAdmin'));
    this.otherCompanyId = Number(await this.textOf('SELECT company_id AS n FROM accounts WHERE id = $1', 'otherAdmin'));
    this.ownerTokenId = await this.textOf('SELECT id AS n FROM auth_tokens WHERE account_id = $1 LIMIT 1', 'owner');
    for (const kind of ['service_accounts', 'api_keys', 'developer_keys']) {
      await this.do('owner', `accounts/${kind}/create`, { name: kind });
      this.ownerKeys[kind] = await this.textOf('SELECT id AS n FROM service_keys WHERE account_id = $1 ORDER BY created_at DESC LIMIT 1', 'owner');
    }
    // what is shared and given away in other cases is not this folder
    for (const name of ['foreigner', 'otherAdmin'] as const) await this.do(name, 'fileops/folder_create', { path: '/Quiet' });
    await Promise.all(
      ACCOUNTS.filter((name) => name !== 'anonymous').map(async (name) => {
        await this.do(name, 'fileops/folder_create', { path: '/Inbox' });
        await this.put(name, '/Inbox/seed.txt', Buffer.from(`seed of ${name} ${this.users[name].email}`));
      }),
    );
  }

  private async textOf(statement: string, who: Account): Promise<string> {
    const { rows } = await this.db.query<{ n: string }>(statement, [this.users[who].userId]);
    return rows[0]!.n;
  }

  private async tree(): Promise<void> {
    for (const [index, place] of PLACES.entries()) {
      await this.do(place.home, 'fileops/folder_create', { path: place.path }).catch(() => undefined);
      const background = { r: (index * 29) % 256, g: (index * 71) % 256, b: randomBytes(1)[0]! };
      const picture = await sharp({ create: { width: 40 + index, height: 30, channels: 3, background } })
        .png()
        .toBuffer();
      const old = Buffer.from(`${place.name} first version ${randomBytes(400).toString('hex')}`);
      const document = Buffer.from(`${old.toString()} and the second ${randomBytes(30).toString('hex')}`);
      const secret = randomBytes(700);
      this.keep(place.name, 'png', picture);
      this.keep(place.name, 'docx', document, old);
      this.keep(place.name, 'secret', secret);
      await this.put(place.home, `${place.path}/${place.name}.png`, picture);
      await this.put(place.home, `${place.path}/${place.name}.docx`, old);
      await this.put(place.home, `${place.path}/${place.name}.docx`, document);
      await this.put(place.home, `${place.path}/${place.name}.secret`, secret);
    }
  }

  private keep(place: string, kind: string, bytes: Buffer, old?: Buffer): void {
    this.contents.set(`${place}.${kind}`, { bytes, md5: createHash('md5').update(bytes).digest('hex'), ...(old ? { old } : {}) });
  }

  private async shares(): Promise<void> {
    const team = '/Area/Team';
    const invite = async (name: Account, path: string, writer: boolean, accept: boolean): Promise<void> => {
      const { hash } = await this.do<{ hash: string }>('owner', 'shares/add', { path, member_login: `email:${this.users[name].email}`, writer });
      this.invitations[name] = hash;
      if (accept) await this.do(name, 'shares/accept', { hash });
    };
    for (const [name, writer] of [
      ['reader', false],
      ['writer', true],
      ['revoked', true],
      ['disabled', true],
      ['tokenless', true],
    ] as const) {
      await invite(name, team, writer, true);
    }
    await invite('indirect', '/Area', true, true);
    await invite('waiting', team, true, false);
    await invite('declined', team, true, false);
    await this.do('declined', 'shares/decline', { hash: this.invitations.declined! });
    const { group_id: id } = await this.do<{ group_id: string }>('companyAdmin', 'groups/create', { name: `group ${this.next()}` });
    this.groupId = Number(id);
    this.otherGroupId = Number((await this.do<{ group_id: string }>('otherAdmin', 'groups/create', { name: `group ${this.next()}` })).group_id);
    await this.do('companyAdmin', `groups/${id}/add_user`, { user_ids: [String(this.users.groupMember.userId), String(this.users.exMember.userId)] });
    await this.do('owner', 'shares/add', { path: team, group_id: this.groupId });
    for (const name of ['groupMember', 'exMember'] as const) {
      const [invitation] = await this.do<{ hash: string }[]>(name, 'shares/invites');
      this.invitations[name] = invitation!.hash;
      await this.do(name, 'shares/accept', { hash: invitation!.hash });
    }
    await this.do('owner', 'shares/add', { path: '/Open', public_view: true });
    this.shareHash = (await this.do<{ shared_hash: string }>('owner', `metadata${team}`)).shared_hash;
    this.openHash = (await this.do<{ shared_hash: string }>('owner', 'metadata/Open')).shared_hash;
    await this.do('owner', 'fileops/folder_create', { path: '/Offer' });
    this.offerHash = (await this.do<{ folder_hash: string }>('owner', 'shares/company/add', { path: '/Offer' })).folder_hash;
  }

  private async publicLinks(): Promise<void> {
    const { bytes } = this.contents.get('team.png')!;
    const document = this.contents.get('team.docx')!.bytes;
    const folder = async (name: LinkName, options: Params = {}): Promise<void> => {
      const path = `/Links/${name}`;
      await this.put('owner', `${path}/pic.png`, bytes);
      await this.put('owner', `${path}/plan.docx`, document);
      await this.put('owner', `${path}/sub/pic.png`, bytes);
      this.links[name] = (await this.do<{ public_hash: string }>('owner', 'links/create', { path, ...options })).public_hash;
    };
    await folder('good');
    await folder('locked', { password: LINK_PASSWORD });
    await folder('expired', { ttl: 3600 });
    await folder('blocked');
    await folder('upload', { upload_folder: true });
    await folder('usedUp', { download_max: 1 });
    await folder('withdrawn');
    await folder('trashed');
    await this.do('owner', 'links/delete', { path: '/Links/withdrawn' });
    await this.do('owner', 'fileops/delete', { path: '/Links/trashed' });
    const get = await this.client.call({ route: `links/get/${this.links.usedUp}/pic.png` }, null);
    if (get.status !== 200) throw new Error(`links/get answered ${get.status} ${get.body.toString()}`);
    for (const [link, who] of [
      ['ofRevoked', 'revoked'],
      ['ofDisabled', 'disabled'],
      ['ofExMember', 'exMember'],
    ] as const) {
      this.links[link] = (await this.do<{ public_hash: string }>(who, 'links/create', { path: '/Team' })).public_hash;
    }
    await this.db.query(`UPDATE links SET expires_at = now() - interval '1 hour' WHERE hash = $1`, [this.links.expired]);
    await this.db.query('UPDATE links SET blocked_at = now() WHERE hash = $1', [this.links.blocked]);
  }

  /** Everybody takes what he can; then some lose what they have, and one folder goes to the trash. */
  private async past(): Promise<void> {
    for (const name of ['owner', 'reader', 'writer', 'indirect', 'groupMember', 'exMember', 'revoked', 'disabled', 'tokenless'] as const) {
      this.keepsakes[name] = await this.keepsakesOf(name);
    }
    await this.do('owner', 'fileops/folder_create', { path: '/Gift' });
    const gift = { member_login: `email:${this.users.waiting.email}`, path: '/Gift' };
    this.migrationHash = (await this.do<{ hash: string }>('owner', 'migration_contents/add', gift)).hash;
    this.taskId = (await this.do<{ taskid: string }>('owner', 'files/download_as_archive', { path: '/Area/Team/team.png' })).taskid;
    await this.do('owner', 'fileops/delete', { path: '/Area/Team/Gone' });
    await this.do('owner', 'shares/remove', { path: '/Area/Team', member_login: `email:${this.users.revoked.email}` });
    await this.do('companyAdmin', `groups/${this.groupId}/remove_user`, { user_ids: [String(this.users.exMember.userId)] });
    await this.db.query(`UPDATE accounts SET state = 'disabled' WHERE id = $1`, [this.users.disabled.userId]);
    await this.db.query('DELETE FROM auth_tokens WHERE account_id = $1', [this.users.tokenless.userId]);
    await sleep(REVOKED_WITHIN_MS);
  }

  private async keepsakesOf(name: Account): Promise<Keepsakes> {
    const at = name === 'owner' || name === 'indirect' ? '/Area/Team' : '/Team';
    const [picture, document] = [`${at}/team.png`, `${at}/team.docx`];
    const mayWrite = !['reader', 'groupMember', 'exMember'].includes(name);
    await this.do(name, 'fileops/set_favorite', { path: document, favorite: true });
    const { hash } = await this.do<{ hash: string }>(name, 'files/create_link_of_archive', { path: [picture] });
    await this.client.call({ route: 'files/get_preview', params: { path: picture } }, this.tokens[name]);
    const node = await this.do<{ extradata: { thumbnails?: { small?: { link?: string } | string } } }>(name, `metadata${picture}`);
    const small = node.extradata.thumbnails?.small;
    const { url } = await this.do<{ url: string }>(name, 'kukudocs/view', { path: picture });
    const office = await this.do<{ url: string; access_token: string }>(name, 'wopi/view', { path: document });
    const source = new URL(office.url).searchParams.get('WOPISrc') ?? '';
    const ticket = mayWrite
      ? await this.do<{ confirm_url: string; temp_path: string }>(name, 'files/create', { path: `${at}/late-${name}.bin`, size: 5, multipart: true })
      : null;
    const comment = await this.do<{ id: string }>(name, `workflow/comment${document}`, { text: `by ${name}` });
    const { listing_request_id: listing } = await this.do<{ listing_request_id: string }>(name, 'metadata_full_listing');
    return {
      archive: hash,
      picture: (typeof small === 'object' ? small.link : small) ?? '',
      page: url,
      office: { token: office.access_token, fileId: source.split('/').at(-1) ?? '' },
      confirmUrl: ticket?.confirm_url ?? null,
      tempPath: ticket?.temp_path ?? null,
      comment: comment.id,
      listing,
    };
  }
}
