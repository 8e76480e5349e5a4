import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { AccessService } from '#libs/access';
import { BrowseService, CopyService, DownloadService, FilesModule, FolderService } from '#libs/files';
import { type AccountActor, type GuestActor, newId } from '#libs/kernel';
import {
  type AddResult,
  AddToStorageService,
  AddToStorageTask,
  ComplaintService,
  LinkDoor,
  LinkJobsModule,
  LinkService,
  LinksModule,
  LinkUsage,
} from '#libs/links';
import { NodeResolver, QuotaLedger } from '#libs/nodes';
import type { TaskContext } from '#libs/tasks';
import { TrashService } from '#libs/trash';

import { type BytesHarness, codeOf, segments, startBytes } from './bytes-harness.js';

const IP = '192.0.2.1';
const YEAR_S = 31_536_000;

let h: BytesHarness;
let links: LinkService;
let door: LinkDoor;
let usage: LinkUsage;
let browse: BrowseService;
let downloads: DownloadService;
let owner: AccountActor;

const service = <T>(type: new (...args: never[]) => T): T => h.app.get<T>(type, { strict: false });
const at = (path: string) => ({ path: segments(path) });

beforeAll(async () => {
  h = await startBytes({}, undefined, [FilesModule, LinksModule, LinkJobsModule]);
  links = service(LinkService);
  door = service(LinkDoor);
  usage = service(LinkUsage);
  browse = service(BrowseService);
  downloads = service(DownloadService);
});
afterAll(() => h?.close());

beforeEach(async () => {
  h.clock.offsetMs = 0;
  owner = await h.account();
  await h.upload(owner, '/docs/a.txt', 'hello');
  await h.upload(owner, '/docs/deep/b.txt', 'world!');
  await h.upload(owner, '/other.txt', 'secret');
});

const create = async (path: string, options: Partial<Parameters<LinkService['create']>[1]> = {}) =>
  (await links.create(owner, { node: at(path), ...options })).link;
const open = (hash: string, password?: string, ip = IP) => door.open(hash, { password, ip });
const take = async (hash: string, path: string) => {
  const opened = await door.open(hash, { ip: IP, rights: 'download' });
  return usage.counted(opened, () => downloads.link(opened.guest, { node: at(path), inline: false, includeRemoved: false }));
};
const linked = async (path: string) => (await browse.get(owner, { node: at(path) })).linked;
const listed = async (hash: string, path = '/') => {
  const { guest } = await open(hash);
  const page = { dirsOnly: false, includeRemoved: false, orderBy: 'name', descending: false, offset: 0, limit: 0 } as const;
  return (await browse.list(guest, { node: at(path), ...page })).entries.map(({ name }) => name);
};

describe('links of an account', () => {
  it('have 128 random bits, are found by their hash, and mark their node for as long as they are', async () => {
    const link = await create('/docs');
    expect(link.hash).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(link).toMatchObject({
      rights: 'download',
      hasPassword: false,
      expiresMs: null,
      downloadMax: 0,
      downloadCount: 0,
      notify: false,
      blocked: false,
    });
    expect(await linked('/docs')).toBe(true);
    expect((await links.list(owner)).map(({ link: { hash }, node }) => [hash, node.path])).toEqual([[link.hash, '/docs']]);
    expect(await links.list(owner, 'A'.repeat(22))).toEqual([]);
    expect(await links.list(await h.account())).toEqual([]);
    expect(await links.delete(owner, at('/docs'))).toMatchObject({ path: '/docs', linked: false });
    expect(await codeOf(links.delete(owner, at('/docs')))).toBe('LINK_NOT_FOUND');
    expect(await codeOf(open(link.hash))).toBe('LINK_NOT_FOUND');
  });

  it('are changed by a second create in what it gives, and only that', async () => {
    const first = await create('/docs', { password: 'pw', downloadMax: 3, ttlSeconds: 60, notify: true });
    expect(first).toMatchObject({ hasPassword: true, downloadMax: 3, notify: true });
    const second = await create('/docs', { downloadMax: 5 });
    expect(second).toEqual({ ...first, downloadMax: 5 });
    expect(await create('/docs', { password: '', ttlSeconds: 0, uploadFolder: true })).toMatchObject({
      hash: first.hash,
      hasPassword: false,
      expiresMs: null,
      rights: 'upload',
    });
  });

  it('are one, and one event, when many create the same at once', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, () => create('/docs')));
    expect(new Set(made.map(({ hash }) => hash)).size).toBe(1);
    const events = await h.database.query(`SELECT 1 FROM change_events WHERE type = 'link_created' AND actor_id = $1`, [owner.accountId]);
    expect(events).toHaveLength(1);
    await links.delete(owner, at('/docs'));
    const { facts } = (await h.database.queryOne<{ facts: object }>(`SELECT facts FROM change_events WHERE type = 'link_deleted' AND actor_id = $1`, [
      owner.accountId,
    ]))!;
    expect(facts).toMatchObject({ public_hash: made[0]!.hash });
  });

  it('change the ETag of the folder that shows them', async () => {
    const before = (await browse.get(owner, { node: at('/docs') })).revision;
    await create('/docs/a.txt');
    expect((await browse.get(owner, { node: at('/docs') })).revision).toBeGreaterThan(before);
  });

  it('are refused for bad lifetimes, files that should take files, strangers, the trash, and where the company forbids them', async () => {
    for (const ttlSeconds of [-1, YEAR_S + 1, 0.5]) expect(await codeOf(create('/docs', { ttlSeconds }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(create('/docs/a.txt', { uploadFolder: true }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(create('/docs', { downloadMax: -1 }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(create('/none'))).toBe('NODE_NOT_FOUND');
    const { id } = await browse.get(owner, { node: at('/docs') });
    expect(await codeOf(links.create(await h.account(), { node: { id } }))).toBe('NODE_NOT_FOUND');
    await service(TrashService).trash(owner, { nodes: [at('/docs/a.txt')], onlyEmpty: false, permanent: false });
    expect(await codeOf(create('/docs/a.txt'))).toBe('FORBIDDEN');
    const member = await h.account({ companyLimitBytes: null });
    await h.upload(member, '/x.txt', 'x');
    await h.database.run('UPDATE companies SET public_links_allow = false WHERE id = $1', [member.companyId]);
    expect(await codeOf(links.create(member, { node: at('/x.txt') }))).toBe('FORBIDDEN');
    await h.database.run('UPDATE accounts SET can_download = false WHERE id = $1', [owner.accountId]);
    expect(await codeOf(create('/docs'))).toBe('FORBIDDEN');
  });

  it('leave no mark behind when two who linked one node let go at once', async () => {
    const other = await h.account();
    const node = await browse.get(owner, { node: at('/docs') });
    for (let round = 0; round < 10; round++) {
      await create('/docs');
      await h.database.run(`INSERT INTO links (id, node_id, issuer_id, hash, rights) VALUES ($1, $2, $3, $4, 'download')`, [
        newId(),
        node.id,
        other.accountId,
        newId(),
      ]);
      expect(await linked('/docs')).toBe(true);
      await Promise.all([
        h.database.run('DELETE FROM links WHERE node_id = $1 AND issuer_id = $2', [node.id, owner.accountId]),
        h.database.run('DELETE FROM links WHERE node_id = $1 AND issuer_id = $2', [node.id, other.accountId]),
      ]);
      expect(await linked('/docs')).toBe(false);
    }
  });
});

describe('the door', () => {
  it('shows what is below the link with paths of its own, and nothing above or beside it', async () => {
    const { hash } = await create('/docs');
    const { guest, root } = await open(hash);
    expect(root).toMatchObject({ name: 'docs', path: '/', kind: 'folder' });
    expect(await listed(hash)).toEqual(['a.txt', 'deep']);
    expect(await listed(hash, '/deep')).toEqual(['b.txt']);
    expect((await browse.get(guest, { node: at('/deep/b.txt') })).path).toBe('/deep/b.txt');
    const outside = await browse.get(owner, { node: at('/other.txt') });
    for (const node of [
      at('/other.txt'),
      at('/docs'),
      at('/../other.txt'),
      at('/deep/../../other.txt'),
      { id: outside.id },
      { id: outside.parentId! },
    ]) {
      expect(await codeOf(browse.get(guest, { node }))).toBe('NODE_NOT_FOUND');
      expect(await codeOf(downloads.link(guest, { node, inline: false, includeRemoved: false }))).toBe('NODE_NOT_FOUND');
    }
    expect(await codeOf(service(FolderService).create(guest, { path: ['new'], createParents: true }))).toBe('FORBIDDEN');
  });

  it('opens a link to a single file', async () => {
    const { hash } = await create('/docs/a.txt');
    expect((await open(hash)).root).toMatchObject({ name: 'a.txt', path: '/', kind: 'file' });
    expect((await take(hash, '/')).node.name).toBe('a.txt');
    expect(await codeOf(take(hash, '/a.txt'))).toBe('NODE_NOT_FOUND');
  });

  it('closes by the clock, and a new link takes the place of the one that has ended', async () => {
    const { hash } = await create('/docs', { ttlSeconds: 60 });
    h.clock.offsetMs = 59_000;
    expect(await listed(hash)).toHaveLength(2);
    h.clock.offsetMs = 61_000;
    await expect(open(hash)).rejects.toMatchObject({ code: 'LINK_NOT_FOUND', details: { reason: 'Expired' } });
    const again = await create('/docs');
    expect(again.hash).not.toBe(hash);
    expect(again.expiresMs).toBeNull();
  });

  it('closes with its issuer and with what it leads to, and opens again with them', async () => {
    const { hash } = await create('/docs');
    const { guest } = await open(hash);
    const closes = async (close: () => Promise<unknown>, reopen: () => Promise<unknown>) => {
      await close();
      expect(await codeOf(open(hash))).toBe('LINK_NOT_FOUND');
      await reopen();
      expect(await listed(hash)).toHaveLength(2);
    };
    const account = (set: string) => () => h.database.run(`UPDATE accounts SET ${set} WHERE id = $1`, [owner.accountId]);
    await closes(account(`state = 'disabled'`), account(`state = 'active'`));
    await closes(account('can_download = false'), account('can_download = true'));
    await closes(account(`expires_at = now() - interval '1 hour'`), account('expires_at = NULL'));
    const trash = service(TrashService);
    await closes(
      () => trash.trash(owner, { nodes: [at('/docs')], onlyEmpty: false, permanent: false }),
      () =>
        h.database.run(
          `UPDATE nodes SET removal = NULL, removed_at = NULL, trash_name = NULL, restore_path = NULL, restore_key = NULL WHERE id = $1`,
          [guest.rootId],
        ),
    );
    await links.delete(owner, at('/docs'));
    expect(await codeOf(browse.get(guest, { node: at('/') }))).toBe('NODE_NOT_FOUND');
    expect((await service(AccessService).allowed(guest, 'node.download', [await browse.get(owner, { node: at('/docs') })])).size).toBe(0);
  });

  it('asks for the password each time, and stops a guesser after ten tries without locking others out', async () => {
    const { hash } = await create('/docs', { password: 'right' });
    await expect(open(hash)).rejects.toMatchObject({ code: 'LINK_PASSWORD_WRONG', details: { reason: 'PasswordRequired' } });
    await expect(open(hash, '')).rejects.toMatchObject({ code: 'LINK_PASSWORD_WRONG' });
    const guesses = await Promise.all(Array.from({ length: 30 }, (_, index) => codeOf(open(hash, `wrong ${index}`))));
    expect(guesses.filter((code) => code === 'LINK_PASSWORD_WRONG')).toHaveLength(10);
    expect(guesses.filter((code) => code === 'RATE_LIMITED')).toHaveLength(20);
    expect(await codeOf(open(hash, 'right'))).toBe('RATE_LIMITED');
    expect((await open(hash, 'right', '192.0.2.2')).root.name).toBe('docs');
    await create('/docs', { password: 'other' });
    expect(await codeOf(open(hash, 'right', '192.0.2.3'))).toBe('LINK_PASSWORD_WRONG');
  });

  it('gives the slot back to who knows the password, however many come at once', async () => {
    const { hash } = await create('/docs', { password: 'right' });
    const opened = await Promise.all(Array.from({ length: 60 }, () => open(hash, 'right')));
    expect(opened).toHaveLength(60);
    for (let n = 0; n < 20; n++) await open(hash, 'right');
  });
});

describe('links of somebody with whom a folder is shared', () => {
  /** An accepted grant on the folder, as sharing makes it; returns what takes it back. */
  async function grant(path: string, member: AccountActor, write: boolean): Promise<() => Promise<unknown>> {
    const node = await browse.get(owner, { node: at(path) });
    const id = newId();
    await h.database.run('INSERT INTO grants (id, node_id, account_id, can_write, granted_by) VALUES ($1, $2, $3, $4, $5)', [
      id,
      node.id,
      member.accountId,
      write,
      owner.accountId,
    ]);
    await h.database.run(`INSERT INTO invitations (id, grant_id, account_id, hash, state) VALUES ($1, $2, $3, $4, 'accepted')`, [
      newId(),
      id,
      member.accountId,
      newId(),
    ]);
    return () => h.database.run('DELETE FROM grants WHERE id = $1', [id]);
  }

  it('are his own beside the owner\u2019s, go no further than his right, and end with it', async () => {
    const member = await h.account();
    const revoke = await grant('/docs', member, false);
    const { id } = await browse.get(owner, { node: at('/docs') });
    const mine = (await links.create(member, { node: { id } })).link;
    const owners = await create('/docs');
    expect(mine.hash).not.toBe(owners.hash);
    expect(await codeOf(links.create(member, { node: { id }, uploadFolder: true }))).toBe('FORBIDDEN');
    expect(await listed(mine.hash)).toEqual(['a.txt', 'deep']);
    const { guest } = await open(mine.hash);
    await revoke();
    expect(await codeOf(open(mine.hash))).toBe('LINK_NOT_FOUND');
    expect(await codeOf(browse.get(guest, { node: at('/a.txt') }))).toBe('NODE_NOT_FOUND');
    expect(await listed(owners.hash)).toHaveLength(2);
    await grant('/docs', member, true);
    expect(await listed(mine.hash)).toHaveLength(2);
    expect((await links.create(member, { node: { id }, uploadFolder: true })).link.hash).toBe(mine.hash);
    // changing the one for uploads needs the right to bring, also when its kind is not named again
    await h.database.run('UPDATE grants SET can_write = false WHERE account_id = $1', [member.accountId]);
    expect(await codeOf(links.create(member, { node: { id }, notify: true }))).toBe('FORBIDDEN');
    await h.database.run('UPDATE grants SET can_write = true WHERE account_id = $1', [member.accountId]);
    // who may not have the bytes gives no link of either kind
    await h.database.run('UPDATE grants SET can_download = false WHERE account_id = $1', [member.accountId]);
    for (const uploadFolder of [true, false]) expect(await codeOf(links.create(member, { node: { id }, uploadFolder }))).toBe('FORBIDDEN');
  });

  it('put files into the owner\u2019s folder, at his cost, only while the issuer may write there', async () => {
    const member = await h.account();
    const revoke = await grant('/docs', member, true);
    const { id } = await browse.get(owner, { node: at('/docs') });
    const { link } = await links.create(member, { node: { id }, uploadFolder: true });
    const { guest } = await door.open(link.hash, { ip: IP, rights: 'upload' });
    const begin = async (name: string) => {
      const created = await h.uploads.create(guest, { path: [name], overwrite: false, createParents: false, multipart: false });
      if (created.kind !== 'session') throw new Error('deduplicated');
      await h.put(created.tempName, Buffer.from('12345'));
      return () => h.confirms.confirm({ accountId: guest.issuerId, tempName: created.tempName, actor: null });
    };
    const before = (await h.quota(owner)).usedBytes;
    const [first, second] = [await begin('first.bin'), await begin('second.bin')];
    expect(await first()).toMatchObject({ name: 'first.bin', ownerId: owner.accountId, authorId: member.accountId });
    expect((await h.quota(owner)).usedBytes).toBe(before + 5);
    expect((await h.quota(member)).usedBytes).toBe(0);
    await revoke();
    expect(await codeOf(second())).toBe('NODE_NOT_FOUND');
    expect(await codeOf(browse.get(owner, { node: at('/docs/second.bin') }))).toBe('NODE_NOT_FOUND');
  });
});

describe('limits', () => {
  it('give exactly as many downloads as they say to 500 who come at once', async () => {
    const { hash } = await create('/docs', { downloadMax: 7 });
    const outcomes = await Promise.all(
      Array.from({ length: 500 }, () =>
        take(hash, '/a.txt').then(
          () => 'taken',
          (error: { code: string }) => error.code,
        ),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'taken')).toHaveLength(7);
    expect(outcomes.filter((outcome) => outcome === 'LINK_NOT_FOUND')).toHaveLength(493);
    await expect(open(hash)).rejects.toMatchObject({ code: 'LINK_NOT_FOUND', details: { reason: 'UsedUp' } });
    expect(await door.info(hash, owner)).toMatchObject({ downloadCount: 7, downloadMax: 7 });
  });

  it('let 1,000 uploads of guests be open at once, exactly, and count neither for the issuer nor for another link', async () => {
    const box = async (path: string) => {
      const { hash } = await create(path, { uploadFolder: true });
      return (await door.open(hash, { ip: IP, rights: 'upload' })).guest;
    };
    const [guest, other] = [await box('/docs'), await box('/docs/deep')];
    const begin = (actor: AccountActor | GuestActor, name: string) =>
      h.uploads.create(actor, { path: [name], overwrite: false, createParents: false, multipart: false });
    const first = await begin(guest, 'first.txt');
    if (first.kind !== 'session') throw new Error('deduplicated');
    await copies(first.tempName, 989);
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, (_, no) =>
        begin(guest, `${no}.txt`).then(
          () => 'begun',
          ({ code }: { code: string }) => code,
        ),
      ),
    );
    expect(outcomes.filter((code) => code === 'RATE_LIMITED')).toHaveLength(20);
    expect(await openOf(guest.passId)).toBe(1000);
    await expect(begin(guest, 'again.txt')).rejects.toMatchObject({ code: 'RATE_LIMITED', details: { retryAfterMs: 60_000 } });
    await begin(other, 'elsewhere.txt');
    await begin(owner, 'own.txt');
    await h.put(first.tempName, Buffer.from('1'));
    expect(await codeOf(begin(guest, 'came.txt'))).toBe('RATE_LIMITED');
    await h.confirms.confirm({ accountId: owner.accountId, tempName: first.tempName, actor: null });
    await begin(guest, 'confirmed.txt');
    expect(await codeOf(begin(guest, 'full again.txt'))).toBe('RATE_LIMITED');
    h.clock.offsetMs = 2 * 86_400_000;
    await begin(guest, 'when the others are over.txt');
  });

  it('let 20,000 uploads of one account be open at once', async () => {
    const somebody = await h.account();
    const begin = (name: string) => h.create(somebody, name);
    await copies(await h.create(owner, '/t'), 19_990, somebody.accountId);
    for (let no = 0; no < 10; no++) await begin(`/${no}`);
    expect(await codeOf(begin('/more'))).toBe('RATE_LIMITED');
    await h.create(owner, '/others');
    await h.database.run(`UPDATE upload_sessions SET state = 'committed' WHERE id = (SELECT id FROM upload_sessions WHERE account_id = $1 LIMIT 1)`, [
      somebody.accountId,
    ]);
    await begin('/more');
    expect(await codeOf(begin('/and more'))).toBe('RATE_LIMITED');
  });

  /** As many more open uploads as one that is there, of the same or another account. */
  const copies = (tempName: string, count: number, accountId: number | null = null) =>
    h.database.run(
      `INSERT INTO upload_sessions (id, temp_name, store_key, account_id, space_id, state, command, lease_until)
       SELECT gen_random_uuid(), temp_name || '-' || n, store_key || '-' || n, coalesce($3, account_id), space_id, state, command, lease_until
         FROM upload_sessions, generate_series(1, $2::int) n WHERE temp_name = $1`,
      [tempName, count, accountId],
    );
  const openOf = async (passId: string) => {
    const row = await h.database.queryOne<{ open: number }>(
      `SELECT count(*) AS open FROM upload_sessions WHERE command -> 'guest' ->> 'passId' = $1 AND state = 'reserved'`,
      [passId],
    );
    return row!.open;
  };

  it('build an archive of one link 30 times an hour, and count none that was refused', async () => {
    const opened = await open((await create('/docs')).hash);
    const refused = () => usage.built(opened, () => Promise.reject(new Error('no')));
    await expect(refused()).rejects.toThrow('no');
    const built = await Promise.allSettled(Array.from({ length: 35 }, () => usage.built(opened, () => Promise.resolve())));
    expect(built.filter(({ status }) => status === 'fulfilled')).toHaveLength(30);
    expect(await codeOf(usage.built(opened, () => Promise.resolve()))).toBe('RATE_LIMITED');
    expect((await door.info(opened.link.hash, null)).downloadCount).toBe(30);
  });

  it('count nothing that was refused', async () => {
    const { hash } = await create('/docs', { downloadMax: 1 });
    expect(await codeOf(take(hash, '/none'))).toBe('NODE_NOT_FOUND');
    expect((await take(hash, '/a.txt')).url).toContain('http');
    expect(await codeOf(take(hash, '/a.txt'))).toBe('LINK_NOT_FOUND');
  });

  it('give nothing to who came in before the link ended or was blocked', async () => {
    const { hash } = await create('/docs');
    const opened = await open(hash);
    const counted = () => codeOf(usage.counted(opened, () => Promise.resolve()));
    for (const [ended, free] of [
      [`expires_at = now() - interval '1 second'`, 'expires_at = NULL'],
      ['blocked_at = now()', 'blocked_at = NULL'],
    ]) {
      await h.database.run(`UPDATE links SET ${ended} WHERE hash = $1`, [hash]);
      expect(await counted()).toBe('LINK_NOT_FOUND');
      await h.database.run(`UPDATE links SET ${free} WHERE hash = $1`, [hash]);
    }
    await usage.counted(opened, () => Promise.resolve());
    expect((await door.info(hash, null)).downloadCount).toBe(1);
  });
});

describe('links for uploads', () => {
  it('take files, number their names, and show nothing', async () => {
    const { hash } = await create('/docs', { uploadFolder: true });
    expect(await codeOf(door.open(hash, { ip: IP, rights: 'download' }))).toBe('FORBIDDEN');
    const { guest } = await door.open(hash, { ip: IP, rights: 'upload' });
    expect(await codeOf(browse.get(guest, { node: at('/') }))).toBe('FORBIDDEN');
    expect(await codeOf(downloads.link(guest, { node: at('/a.txt'), inline: false, includeRemoved: false }))).toBe('FORBIDDEN');
    const leave = async (name: string, body: string) => {
      const created = await h.uploads.create(guest, { path: segments(name), overwrite: true, createParents: false, multipart: false });
      if (created.kind !== 'session') throw new Error('deduplicated');
      await h.put(created.tempName, Buffer.from(body));
      return h.confirms.confirm({ accountId: guest.issuerId, tempName: created.tempName, actor: null });
    };
    expect(await leave('a.txt', 'other')).toMatchObject({ name: 'a (1).txt', versionNo: 1, authorId: owner.accountId });
    const names = await Promise.all(Array.from({ length: 8 }, () => leave('same.txt', 'x').then(({ name }) => name)));
    expect(new Set(names).size).toBe(8);
    expect(await codeOf(leave('none/x.txt', 'x'))).toBe('PARENT_NOT_FOUND');
    for (const name of ['..', '.', 'deep/..']) expect(await codeOf(leave(name, 'x'))).toBe('NAME_ILLEGAL');
    expect(await codeOf(leave('', 'x'))).toBe('NAME_TAKEN');
    expect((await browse.get(owner, { node: at('/docs/a.txt') })).sizeBytes).toBe(5);
  });

  it('end an upload that has begun when they are withdrawn', async () => {
    const { hash } = await create('/docs', { uploadFolder: true });
    const { guest } = await door.open(hash, { ip: IP, rights: 'upload' });
    const created = await h.uploads.create(guest, { path: ['late.txt'], overwrite: false, createParents: false, multipart: false });
    if (created.kind !== 'session') throw new Error('deduplicated');
    await h.put(created.tempName, Buffer.from('late'));
    await links.delete(owner, at('/docs'));
    expect(await codeOf(h.confirms.confirm({ accountId: guest.issuerId, tempName: created.tempName, actor: null }))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(browse.get(owner, { node: at('/docs/late.txt') }))).toBe('NODE_NOT_FOUND');
  });

  it('are held to the quota of the owner', async () => {
    const small = await h.account({ limitBytes: 4 });
    await service(FolderService).create(small, { path: ['box'], createParents: true });
    const { link } = await links.create(small, { node: at('/box'), uploadFolder: true });
    const { guest } = await door.open(link.hash, { ip: IP, rights: 'upload' });
    const upload = { path: ['x'], overwrite: false, createParents: false, multipart: false, sizeBytes: 5 };
    expect(await codeOf(h.uploads.create(guest, upload))).toBe('QUOTA_EXCEEDED');
  });

  it('hold none of the owner\u2019s space for what is only announced, and let no more in than there is', async () => {
    const small = await h.account({ limitBytes: 10 });
    await service(FolderService).create(small, { path: ['box'], createParents: true });
    const { link } = await links.create(small, { node: at('/box'), uploadFolder: true });
    const { guest } = await door.open(link.hash, { ip: IP, rights: 'upload' });
    const upload = { overwrite: false, createParents: false, sizeBytes: 8 };
    const announce = async (name: string, multipart = false) => {
      const created = await h.uploads.create(guest, { ...upload, path: [name], multipart });
      if (created.kind !== 'session') throw new Error('deduplicated');
      return created.tempName;
    };
    const [one, two, parts] = [await announce('one'), await announce('two'), await announce('parts', true)];
    expect(await service(QuotaLedger).get(small.accountId)).toMatchObject({ usedBytes: 0, reservedBytes: 0 });
    await h.upload(small, '/mine', '1234');
    expect(await codeOf(h.put(one, Buffer.from('12345678')))).toBe('QUOTA_EXCEEDED');
    const part = await h.uploads.createPart(guest, { tempPath: parts, partNumber: 1 });
    expect(new URL(part.url).searchParams.get('sum')).toBe('6');
    await h.database.run('UPDATE quotas SET limit_bytes = 12 WHERE owner_id = $1', [small.accountId]);
    await h.put(two, Buffer.from('12345678'));
    await h.confirms.confirm({ accountId: guest.issuerId, tempName: two, actor: null });
    expect(await service(QuotaLedger).get(small.accountId)).toMatchObject({ usedBytes: 12, reservedBytes: 0 });
  });
});

describe('add to storage', () => {
  class Killed extends Error {}

  /** Runs the task; `killAt` names the call of saveProgress at which the worker dies, as a lost transaction and a lost process. */
  async function run(publicId: string, killAt = Infinity): Promise<AddResult> {
    const row = (await h.database.queryOne<{ id: string; account_id: number; input: never; checkpoint: never }>(
      'SELECT id, account_id, input, checkpoint FROM tasks WHERE public_id = $1',
      [publicId],
    ))!;
    let calls = 0;
    const context: TaskContext = {
      taskId: row.id,
      accountId: row.account_id,
      guest: null,
      checkpoint: row.checkpoint,
      signal: new AbortController().signal,
      saveProgress: async (_percent, checkpoint) => {
        if (++calls === killAt) throw new Killed('killed');
        await h.database.run('UPDATE tasks SET checkpoint = $2::jsonb WHERE id = $1', [row.id, JSON.stringify(checkpoint)]);
      },
      throwIfCancelled: () => Promise.resolve(),
    };
    return service(AddToStorageTask).run(row.input, context);
  }

  const tree = async (actor: AccountActor, path: string): Promise<string[]> => {
    const found = await service(NodeResolver).get(actor, at(path));
    if (found.node.kind === 'file') return [found.node.path];
    const page = { dirsOnly: false, includeRemoved: false, orderBy: 'name', descending: false, offset: 0, limit: 0 } as const;
    const { entries } = await browse.list(actor, { node: at(path), ...page });
    const below = await Promise.all(entries.map(({ name }) => tree(actor, `${path}/${name}`)));
    return [found.node.path, ...below.flat()];
  };
  const start = async (actor: AccountActor, hash: string, paths: string[] = [], target = '/') =>
    (await service(AddToStorageService).start(actor, await open(hash), { paths: paths.map(segments), target: segments(target) })).publicId;

  it('copies all of a link, counts one download, and says what came', async () => {
    const taker = await h.account();
    const { hash } = await create('/docs', { downloadMax: 1 });
    const publicId = await start(taker, hash);
    expect(await run(publicId)).toEqual({ folderName: '/docs', files: 2, bytes: 11 });
    expect(await tree(taker, '/')).toEqual(['/', '/docs', '/docs/a.txt', '/docs/deep', '/docs/deep/b.txt']);
    expect((await service(QuotaLedger).get(taker.accountId)).usedBytes).toBe(11);
    expect(await codeOf(start(taker, hash))).toBe('LINK_NOT_FOUND');
  });

  it('copies a choice into a folder under free names, each thing once', async () => {
    const taker = await h.account();
    await h.upload(taker, '/in/a.txt', 'mine');
    const { hash } = await create('/docs');
    const publicId = await start(taker, hash, ['/a.txt', '/deep', '/deep/b.txt', '/a.txt'], '/in');
    expect(await run(publicId)).toEqual({ folderName: '/in', files: 2, bytes: 11 });
    expect(await tree(taker, '/in')).toEqual(['/in', '/in/a (1).txt', '/in/a.txt', '/in/deep', '/in/deep/b.txt']);
  });

  it.each([1, 2, 3, 4])('ends with the same tree when its worker dies at step %i', async (killAt) => {
    const taker = await h.account();
    const { hash } = await create('/docs');
    const publicId = await start(taker, hash, ['/a.txt', '/deep']);
    await run(publicId, killAt).catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error;
    });
    expect(await run(publicId)).toMatchObject({ folderName: '/', files: 2, bytes: 11 });
    expect(await tree(taker, '/')).toEqual(['/', '/a.txt', '/deep', '/deep/b.txt']);
    expect(await run(publicId)).toMatchObject({ files: 2 });
    const staged = await h.database.query(
      `SELECT 1 FROM nodes n JOIN spaces s ON s.id = n.space_id WHERE s.account_id = $1 AND n.removal = 'staged'`,
      [taker.accountId],
    );
    expect(staged).toEqual([]);
  });

  it('is refused without room, into what is no folder, from outside of the link, and when the link ends on the way', async () => {
    const small = await h.account({ limitBytes: 10 });
    const { hash } = await create('/docs');
    expect(await codeOf(start(small, hash))).toBe('QUOTA_EXCEEDED');
    const taker = await h.account();
    await h.upload(taker, '/file', 'x');
    expect(await codeOf(start(taker, hash, [], '/file'))).toBe('NOT_A_FOLDER');
    expect(await codeOf(start(taker, hash, [], '/none'))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(start(taker, hash, ['/../other.txt']))).toBe('NODE_NOT_FOUND');
    const publicId = await start(taker, hash);
    await links.delete(owner, at('/docs'));
    expect(await codeOf(run(publicId))).toBe('NODE_NOT_FOUND');
    expect(await tree(taker, '/')).toEqual(['/', '/file']);
  });

  it('makes nothing without a name: a home as a whole is neither linked nor copied', async () => {
    const taker = await h.account();
    for (const uploadFolder of [false, true]) expect(await codeOf(create('/', { uploadFolder }))).toBe('ROOT_IMMUTABLE');
    const { hash } = await create('/docs');
    const { guest, root } = await open(hash);
    const home = { ...guest, rootId: root.parentId! };
    await h.database.run('UPDATE links SET node_id = $2 WHERE id = $1', [guest.passId, home.rootId]);
    const copied = service(CopyService).copy(taker, { source: { id: home.rootId }, reader: home, targetFolder: at('/'), onConflict: 'rename' });
    expect(await codeOf(copied)).toBe('ROOT_IMMUTABLE');
    expect(await tree(taker, '/')).toEqual(['/']);
  });
});

describe('complaints', () => {
  const admin: AccountActor = { kind: 'account', accountId: 1, companyId: null, role: 'admin', tokenId: null };
  const form = (urls: string[]) => ({
    contentType: 'Video',
    urls,
    description: 'stolen',
    copyrightHolder: 'holder',
    name: 'n',
    sign: 'N N',
    email: 'n@example.org',
    position: '',
    phone: '',
    fax: '',
    address: '',
    city: '',
    region: '',
    postcode: 123,
    country: '',
  });
  const make = (urls: string[], ip = newId()) => service(ComplaintService).make(form(urls), ip);

  it('block their links at once and hold them while one of them is accepted', async () => {
    const complaints = service(ComplaintService);
    const { hash } = await create('/docs');
    const { guest } = await open(hash);
    const [one, two] = [await make([`https://x.example/public/${hash}/`]), await make([hash])];
    await complaints.judge(admin, one.id, 'accepted');
    await complaints.judge(admin, two.id, 'accepted');
    expect(await codeOf(open(hash))).toBe('LINK_BLOCKED');
    expect(await codeOf(browse.get(guest, { node: at('/') }))).toBe('NODE_NOT_FOUND');
    await complaints.judge(admin, one.id, 'declined');
    expect(await codeOf(open(hash))).toBe('LINK_BLOCKED');
    expect((await links.list(owner))[0]!.link.blocked).toBe(true);
    await links.delete(owner, at('/docs'));
    expect(await codeOf(create('/docs'))).toBe('LINK_BLOCKED');
    expect(await codeOf(create('/docs/deep/b.txt'))).toBe('LINK_BLOCKED');
    await complaints.judge(admin, two.id, 'new');
    expect((await create('/docs')).blocked).toBe(false);
  });

  it('settle on what was decided last when two judge at once', async () => {
    const complaints = service(ComplaintService);
    for (let round = 0; round < 10; round++) {
      const { hash } = await create('/docs');
      const [one, two] = [await make([hash]), await make([hash])];
      await complaints.judge(admin, one.id, 'accepted');
      await Promise.all([complaints.judge(admin, one.id, 'declined'), complaints.judge(admin, two.id, 'accepted')]);
      expect(await codeOf(open(hash))).toBe('LINK_BLOCKED');
      await Promise.all([complaints.judge(admin, one.id, 'declined'), complaints.judge(admin, two.id, 'declined')]);
      expect((await open(hash)).link.blocked).toBe(false);
      await links.delete(owner, at('/docs'));
    }
  });

  it('are for links that are known, limited for an address, and judged by system administrators', async () => {
    const { hash } = await create('/docs');
    expect(await codeOf(make([hash, 'A'.repeat(22)]))).toBe('LINK_NOT_FOUND');
    expect(await codeOf(make(['https://x.example/public/%2e%2e/']))).toBe('LINK_NOT_FOUND');
    expect(await codeOf(make([]))).toBe('INVALID_ARGUMENT');
    const made = await Promise.all(
      Array.from({ length: 35 }, () =>
        make([hash], '203.0.113.9').then(
          () => 'made',
          (error: { code: string }) => error.code,
        ),
      ),
    );
    expect(made.filter((outcome) => outcome === 'made')).toHaveLength(30);
    expect(made.filter((outcome) => outcome === 'RATE_LIMITED')).toHaveLength(5);
    const { id } = await make([hash]);
    expect(await codeOf(service(ComplaintService).judge(owner, id, 'accepted'))).toBe('FORBIDDEN');
    expect(await codeOf(service(ComplaintService).judge(admin, 1e9, 'accepted'))).toBe('COMPLAINT_NOT_FOUND');
  });
});
