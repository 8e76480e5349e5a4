import { Readable } from 'node:stream';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { AccessService, FULL_RIGHT, GrantService } from '#libs/access';
import { ContentIds, ContentIdsModule } from '#libs/content-ids';
import { DeclaredTypes, FileAccessModule, FileDoor, FileSharing } from '#libs/file-access';
import { CopyService, DownloadService, FileIntake, FilesModule, FolderService, MoveManyService, MoveService } from '#libs/files';
import type { AccountActor } from '#libs/kernel';
import { LinkService } from '#libs/links';
import { NodeResolver } from '#libs/nodes';
import { OwnTreeActions, OwnTreeModule, OwnTreeReader } from '#libs/own-tree';
import { Sealing, SealingModule } from '#libs/sealing';

import { countStatements, withStatements } from '../support/statement-count.js';
import { treeDefects } from '../support/tree-invariants.js';
import { type BytesHarness, codeOf, segments, startBytes } from './bytes-harness.js';

const IP = '192.0.2.1';
const READ = { write: false, delete: false, download: true };
const STRONG = 'Password123!';

let h: BytesHarness;
let reader: OwnTreeReader;
let actions: OwnTreeActions;
let folders: FolderService;
let manyMoves: MoveManyService;
let sharing: FileSharing;
let door: FileDoor;
let links: LinkService;

const service = <T>(type: abstract new (...args: never[]) => T): T => h.app.get<T>(type, { strict: false });

beforeAll(async () => {
  h = await startBytes({}, undefined, [FilesModule, OwnTreeModule, FileAccessModule, ContentIdsModule, SealingModule]);
  [reader, actions, folders, manyMoves] = [service(OwnTreeReader), service(OwnTreeActions), service(FolderService), service(MoveManyService)];
  [sharing, door, links] = [service(FileSharing), service(FileDoor), service(LinkService)];
});
afterAll(() => h?.close());

const mkdir = (actor: AccountActor, path: string) => folders.create(actor, { path: segments(path), createParents: true });
const names = async (actor: AccountActor, id: string | null) => {
  const { folders: below, files } = await reader.content(actor, id);
  return [...below.map(({ node }) => node.name), ...files.map(({ name }) => name)];
};

/** An account with a mail address. */
async function person(): Promise<AccountActor & { email: string }> {
  const actor = await h.account();
  const email = `p${actor.accountId}@example.org`;
  await h.database.run(
    `INSERT INTO logins (id, account_id, kind, value, value_key, confirmed_at) VALUES (gen_random_uuid(), $1, 'email', $2, $2, now())`,
    [actor.accountId, email],
  );
  return { ...actor, email };
}

describe('a tree by ids', () => {
  it('is listed with sizes and all facts in as many statements for many as for few', async () => {
    const actor = await h.account();
    const top = await mkdir(actor, '/top');
    const fill = async (from: number, to: number) => {
      for (let at = from; at < to; at++) {
        const { id } = await h.upload(actor, `/top/f${at}`, 'x');
        await mkdir(actor, `/top/d${at}/below`);
        await h.upload(actor, `/top/d${at}/below/deep`, 'yy');
        await sharing.share(actor, id, { mode: at % 2 === 0 ? 'public' : 'private' });
      }
    };
    const facts = async () => {
      const { files } = await reader.content(actor, top.id);
      await sharing.facts(actor, files);
      await service(ContentIds).of(files.map(({ id }) => id));
      await service(Sealing).of(files.map(({ id }) => id));
    };
    await fill(0, 2);
    await facts();
    const few = await countStatements(facts);
    await fill(2, 12);
    await facts();
    expect(await countStatements(facts)).toBe(few);
    expect(few).toBeLessThanOrEqual(9);
    const content = await reader.content(actor, top.id);
    expect([content.folder.bytes, content.folders.map(({ bytes }) => bytes)]).toEqual([12 * 3, Array.from({ length: 12 }, () => 2)]);
    expect(await reader.usage(actor)).toMatchObject({ bytes: 36, files: 24, folders: 25 });
  });

  it('holds what is in the home, shared folders that stand there too, and nothing else', async () => {
    const [owner, member] = [await h.account(), await h.account()];
    const shared = await mkdir(owner, '/shared');
    const { id } = await h.upload(owner, '/shared/f', 'four');
    const subject = { accountId: member.accountId };
    await service(GrantService).grant(owner, { node: shared, subject, right: { write: false, delete: false, download: true }, accepted: true });
    expect(await names(member, null)).toEqual(['shared']);
    expect((await reader.content(member, null)).folders[0]).toMatchObject({ bytes: 4, node: { id: shared.id } });
    expect((await reader.get(member, 'file', id)).path).toBe('/shared/f');
    expect(await codeOf(actions.change(member, 'file', id, { name: 'mine' }))).toBe('FORBIDDEN');
    expect(await codeOf(actions.createFolder(member, shared.id, 'x'))).toBe('FORBIDDEN');
    expect((await actions.remove(member, 'file', [id])).failed).toEqual([{ id, code: 'FORBIDDEN' }]);
    await service(GrantService).update(owner, shared, subject, FULL_RIGHT);
    expect((await actions.change(member, 'file', id, { name: 'ours' })).name).toBe('ours');
    const other = await h.upload(owner, '/other', 'x');
    expect(await codeOf(reader.get(member, 'file', other.id))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(reader.get(member, 'file', shared.id))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(reader.get(member, 'file', 'no id'))).toBe('NODE_NOT_FOUND');
    // a space of another kind is nobody's tree, whoever owns it
    await h.database.run(`UPDATE spaces SET kind = 'bucket' WHERE id = $1`, [other.spaceId]);
    expect(await codeOf(reader.get(member, 'file', other.id))).toBe('NODE_NOT_FOUND');
  });

  it('never refuses a name that is taken', async () => {
    const actor = await h.account();
    const [from, to] = [await mkdir(actor, '/from'), await mkdir(actor, '/to')];
    const [a, b] = [await h.upload(actor, '/from/a.txt', '1'), await h.upload(actor, '/to/a.txt', '2')];
    await h.upload(actor, '/from/A (1).txt', '3');
    expect((await actions.move(actor, 'file', [a.id], to.id))[0]).toMatchObject({ name: 'a (1).txt', parentId: to.id });
    expect(await names(actor, to.id)).toEqual(['a (1).txt', 'a.txt']);
    expect((await actions.change(actor, 'file', a.id, { name: 'A.TXT' })).name).toBe('A (2).TXT');
    expect((await actions.change(actor, 'file', b.id, { name: 'A.txt' })).name).toBe('A.txt');
    expect((await actions.change(actor, 'file', b.id, { folderId: to.id })).parentId).toBe(to.id);
    const made = await Promise.all(Array.from({ length: 6 }, () => actions.createFolder(actor, from.id, 'new')));
    expect(new Set(made.map(({ name }) => name)).size).toBe(6);
    const moved = await Promise.all(made.map(({ id }) => actions.change(actor, 'folder', id, { name: 'all', folderId: to.id })));
    expect(new Set(moved.map(({ name }) => name)).size).toBe(6);
    expect(await names(actor, from.id)).toEqual(['A (1).txt']);
  });

  it('moves all or none, and removes each for itself', async () => {
    const actor = await h.account();
    const [a, b] = [await mkdir(actor, '/a'), await mkdir(actor, '/b')];
    const inner = await mkdir(actor, '/a/inner');
    expect(await codeOf(actions.move(actor, 'folder', [b.id, a.id], inner.id))).toBe('MOVE_INTO_DESCENDANT');
    expect(await names(actor, null)).toEqual(['a', 'b']);
    expect(await codeOf(actions.move(actor, 'folder', [b.id, null], a.id))).toBe('ROOT_IMMUTABLE');
    expect(await codeOf(actions.move(actor, 'folder', [], a.id))).toBe('INVALID_ARGUMENT');
    expect(
      await codeOf(
        actions.move(
          actor,
          'folder',
          Array.from({ length: 501 }, (_, at) => `${at}`),
          a.id,
        ),
      ),
    ).toBe('INVALID_ARGUMENT');
    const root = (await reader.get(actor, 'folder', null)).id;
    expect(await codeOf(actions.remove(actor, 'folder', [b.id, root]))).toBe('ROOT_IMMUTABLE');
    expect(await actions.remove(actor, 'folder', [inner.id, a.id, 'x'])).toEqual({
      removed: [inner.id, a.id],
      failed: [{ id: 'x', code: 'NODE_NOT_FOUND' }],
    });
    expect(await names(actor, null)).toEqual(['b']);
  });

  it('moves many in as many statements as few, and tells of each', async () => {
    const actor = await h.account();
    const to = await mkdir(actor, '/to');
    await h.upload(actor, '/to/clash.txt', '1');
    const made = async (round: string, count: number): Promise<string[]> => {
      const from = await Promise.all(Array.from({ length: count }, (_, index) => mkdir(actor, `/${round}/${index}/sub`)));
      const ids: string[] = [];
      for (const [index] of from.entries()) ids.push((await h.upload(actor, `/${round}/${index}/clash.txt`, 'abc')).id);
      return ids;
    };
    const few = await made('few', 2);
    const { result, statements } = await withStatements(() => actions.move(actor, 'file', few, to.id));
    expect(result.map(({ name, path }) => `${name} ${path}`)).toEqual(['clash (1).txt /to/clash (1).txt', 'clash (2).txt /to/clash (2).txt']);
    const many = await made('many', 25);
    expect(await countStatements(() => actions.move(actor, 'file', many, to.id))).toBeLessThanOrEqual(statements.length + 1);
    expect(new Set(await names(actor, to.id)).size).toBe(28);
    // again: they are there already
    expect((await actions.move(actor, 'file', many.slice(0, 3), to.id)).map(({ id }) => id)).toEqual(many.slice(0, 3));
    const tops = (await reader.content(actor, null)).folders.map(({ node }) => node).filter(({ id }) => id !== to.id);
    await actions.move(
      actor,
      'folder',
      tops.map(({ id }) => id),
      to.id,
    );
    expect(await names(actor, null)).toEqual(['to']);
    expect(await treeDefects(h.database)).toEqual([]);
    const events = await h.database.query<{ type: string; path: string; old: string }>(
      `SELECT e.type, e.path, e.old_path AS old FROM change_events e JOIN spaces s ON s.id = e.scope_id WHERE s.account_id = $1 AND e.node_id = $2 ORDER BY e.seq`,
      [actor.accountId, few[0]!],
    );
    expect(events).toEqual([
      { type: 'file_created', path: '/few/0/clash.txt', old: null },
      { type: 'file_moved', path: '/to/clash (1).txt', old: '/few/0/clash.txt' },
    ]);
  });

  it('moves many of what others share as far as the rights there go, and never into itself', async () => {
    const [owner, member] = [await h.account(), await h.account()];
    const [share, writable] = [await mkdir(owner, '/share'), await mkdir(owner, '/share/writable')];
    const outside = await Promise.all(['a', 'b'].map(async (name) => (await mkdir(owner, `/share/${name}/below`)).parentId!));
    const inside = await Promise.all(['c', 'd'].map(async (name) => (await mkdir(owner, `/share/writable/${name}`)).id));
    await service(GrantService).grant(owner, { node: share, subject: { accountId: member.accountId }, right: READ, accepted: true });
    await service(GrantService).grant(owner, { node: writable, subject: { accountId: member.accountId }, right: FULL_RIGHT, accepted: true });
    expect(await codeOf(manyMoves.move(member, { sourceIds: inside, targetFolderId: share.id }))).toBe('FORBIDDEN');
    expect(await codeOf(manyMoves.move(member, { sourceIds: outside, targetFolderId: writable.id }))).toBe('FORBIDDEN');
    const [c, d] = inside;
    expect((await manyMoves.move(member, { sourceIds: [d!], targetFolderId: c! })).map(({ parentId }) => parentId)).toEqual([c]);
    await service(GrantService).update(owner, share, { accountId: member.accountId }, FULL_RIGHT);
    expect(await codeOf(manyMoves.move(member, { sourceIds: [...outside, writable.id], targetFolderId: d! }))).toBe('MOVE_INTO_DESCENDANT');
    const few = await countStatements(() => manyMoves.move(member, { sourceIds: outside.slice(0, 1), targetFolderId: d! }));
    expect(await countStatements(() => manyMoves.move(member, { sourceIds: [...outside, c!], targetFolderId: share.id }))).toBeLessThanOrEqual(
      few + 1,
    );
    expect(await codeOf(manyMoves.move(await h.account(), { sourceIds: outside, targetFolderId: d! }))).toBe('NODE_NOT_FOUND');
    expect(await treeDefects(h.database)).toEqual([]);
  });

  it('moves what is numbered beyond what is looked at, below a limit, and with what is renamed meanwhile', async () => {
    const actor = await h.account();
    const to = await mkdir(actor, '/to');
    for (let index = 0; index < 23; index++) await mkdir(actor, index === 0 ? '/to/x' : `/to/x (${index})`);
    const [one, two] = [await mkdir(actor, '/a/x'), await mkdir(actor, '/b/X')];
    expect((await actions.move(actor, 'folder', [one.id, two.id], to.id)).map(({ name }) => name)).toEqual(['x (23)', 'X (24)']);
    const small = await mkdir(actor, '/small');
    await h.database.run('UPDATE nodes SET limit_bytes = 5 WHERE id = $1', [small.id]);
    const files = await Promise.all(['p', 'q'].map((name) => h.upload(actor, `/${name}`, '123')));
    const ids = files.map(({ id }) => id);
    expect(await codeOf(actions.move(actor, 'file', ids, small.id))).toBe('QUOTA_EXCEEDED');
    expect(await names(actor, small.id)).toEqual([]);
    expect((await actions.move(actor, 'file', ids.slice(0, 1), small.id)).map(({ path }) => path)).toEqual(['/small/p']);
    for (let round = 0; round < 5; round++) {
      const from = await mkdir(actor, `/r${round}`);
      const node = await mkdir(actor, `/r${round}/n`);
      await Promise.all([actions.move(actor, 'folder', [node.id], to.id), actions.change(actor, 'folder', node.id, { name: `new ${round}` })]);
      expect(await names(actor, from.id)).toEqual([]);
      expect(await names(actor, to.id)).toContain(`new ${round}`);
    }
    expect(await treeDefects(h.database)).toEqual([]);
  });

  it('takes a file whose place is known only behind its bytes, or that must go through another tap then', async () => {
    const actor = await h.account({ limitBytes: 10 });
    const [root, place] = [await reader.get(actor, 'folder', null), await mkdir(actor, '/place')];
    await h.upload(actor, '/place/f.txt', '12');
    const intake = service(FileIntake);
    const bring = () =>
      intake.take(actor, { target: root, name: 'f.txt', body: Readable.from([Buffer.from('123456')]), sizeBytes: null, onConflict: 'rename' });
    const arrived = await bring();
    expect(await names(actor, null)).toEqual(['place']);
    const node = await actions.confirm(actor, arrived, place.id);
    expect([node.path, await names(actor, place.id)]).toEqual(['/place/f (1).txt', ['f (1).txt', 'f.txt']]);
    await actions.removeOne(actor, 'file', node.id);
    await h.database.run('UPDATE quotas SET limit_bytes = 14 WHERE owner_id = $1', [actor.accountId]);
    const before = await h.storedKeys();
    const plain = await bring();
    const plainKey = (await h.storedKeys()).find((key) => !before.includes(key))!;
    const sealed = await intake.again(plain, [await service(Sealing).tap(STRONG)]);
    expect(await h.storedKeys()).not.toContain(plainKey);
    const made = await actions.confirm(actor, sealed);
    const opened = await service(DownloadService).open(actor, { node: { id: made.id }, inline: true, includeRemoved: false });
    const unsealed = (await service(Sealing).open(opened.version, STRONG, IP))!;
    expect(Buffer.concat(await unsealed.body.toArray()).toString()).toBe('123456');
    expect(await codeOf(intake.again(sealed, []))).toBe('UPLOAD_NOT_FOUND');
    expect((await h.quota(actor)).usedBytes).toBe(14);
    expect((await h.quota(actor)).reservedBytes).toBe(0);
  });
});

describe('declared types', () => {
  it('are those of one version, and of nothing that is no type', async () => {
    const actor = await h.account();
    const types = service(DeclaredTypes);
    const node = await h.upload(actor, '/a.txt', 'x');
    const now = async () => (await types.of([await reader.get(actor, 'file', node.id)])).get(node.id);
    for (const no of ['text/plain', 'TEXT/plain', '', 'x', 'a/b/c', 'a/b\r\nx: y', `a/${'b'.repeat(64)}`])
      expect(await types.keep(node, no)).toBe('text/plain');
    expect([await types.keep(node, 'Image/PNG'), await now()]).toEqual(['image/png', 'image/png']);
    await h.upload(actor, '/a.txt', 'y', { overwrite: true });
    expect(await now()).toBe('text/plain');
  });
});

describe('files that are open by their ids', () => {
  const mode = async (id: string) => (await door.describe(id)).mode;
  const opens = async (id: string, key: { key?: string; password?: string } = {}) => {
    const { guest, counted } = await door.open(id, { ip: IP, ...key });
    return counted(() => service(DownloadService).open(guest, { node: { id }, inline: false, includeRemoved: false }));
  };

  it('are links and grants, which end them', async () => {
    const [owner, reader1] = [await person(), await person()];
    const { id } = await h.upload(owner, '/f', 'x');
    await sharing.share(owner, id, { mode: 'public' });
    expect((await opens(id)).node.id).toBe(id);
    expect((await service(AccessService).explain(id)).passes).toHaveLength(1);
    const copy = await service(CopyService).copy(owner, { source: { id }, targetFolder: { path: [] }, onConflict: 'rename' });
    expect(await mode(copy.id)).toBe('private');
    await sharing.share(owner, id, { mode: 'password', password: STRONG });
    expect([await mode(id), await codeOf(opens(id))]).toEqual(['password', 'LINK_PASSWORD_WRONG']);
    expect((await opens(id, { password: STRONG })).node.id).toBe(id);
    await sharing.share(owner, id, { mode: 'email', emails: [reader1.email, owner.email] });
    expect((await service(AccessService).explain(id)).passes).toEqual([]);
    const { accounts } = await service(AccessService).explain(id);
    expect(accounts.map(({ accountId, right }) => [accountId, right.download, right.write])).toEqual([
      [owner.accountId, true, true],
      [reader1.accountId, true, false],
    ]);
    // it stands nowhere in the receiver's tree, and the feeds know of no folder
    expect(await names(reader1, null)).toEqual([]);
    expect((await service(NodeResolver).find(reader1, { id }))?.node.path).toBe('/');
    expect(await h.database.query(`SELECT type FROM change_events WHERE type LIKE 'share_%' AND node_id = $1`, [id])).toEqual([]);
    const [mail] = await h.database.query<{ payload: { to: string } }>(`SELECT payload FROM outbox WHERE payload ->> 'to' = $1`, [reader1.email]);
    expect(mail).toBeDefined();
    await sharing.share(owner, id, { mode: 'private' });
    expect((await service(AccessService).explain(id)).accounts).toHaveLength(1);
    await sharing.share(owner, id, { mode: 'public' });
    await links.delete(owner, { id });
    expect([await mode(id), await codeOf(opens(id))]).toEqual(['private', 'NODE_NOT_FOUND']);
  });

  it('are open in one way, however many ask for another at once', async () => {
    const [owner, friend] = [await person(), await person()];
    const { id } = await h.upload(owner, '/f', 'x');
    const wanted = [
      { mode: 'public' },
      { mode: 'private' },
      { mode: 'email', emails: [friend.email] },
      { mode: 'password', password: STRONG },
    ] as const;
    for (let round = 0; round < 2; round++) {
      await Promise.all([...wanted, ...wanted].map((command) => sharing.share(owner, id, command)));
      const { accounts, passes } = await service(AccessService).explain(id);
      const is = await mode(id);
      expect([passes.length, accounts.length], is).toEqual([is === 'public' || is === 'password' ? 1 : 0, is === 'email' ? 2 : 1]);
    }
  });

  it('are their owners to open, as far as company and policy let them', async () => {
    const [owner, other] = [await person(), await person()];
    const { id } = await h.upload(owner, '/f', 'x');
    for (const command of [{ mode: 'public' }, { mode: 'private' }, { mode: 'email', emails: [owner.email] }] as const) {
      expect(await codeOf(sharing.share(other, id, command))).toBe('NODE_NOT_FOUND');
    }
    expect(await codeOf(sharing.createKey(other, id, 60))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(sharing.share(owner, id, { mode: 'email', emails: ['nobody@example.org'] }))).toBe('ACCOUNT_NOT_FOUND');
    expect(await codeOf(sharing.share(owner, id, { mode: 'email', emails: ['no address'] }))).toBe('ACCOUNT_NOT_FOUND');
    expect(await codeOf(sharing.share(owner, id, { mode: 'password', password: 'password1!' }))).toBe('INVALID_ARGUMENT');
    const boss = await h.account({ companyLimitBytes: null });
    await h.database.run('UPDATE companies SET public_links_allow = false WHERE id = $1', [boss.companyId]);
    const theirs = await h.upload(boss, '/f', 'x');
    expect(await codeOf(sharing.share(boss, theirs.id, { mode: 'public' }))).toBe('FORBIDDEN');
    expect(await codeOf(sharing.createKey(boss, theirs.id, 60))).toBe('FORBIDDEN');
    expect(await h.database.query('SELECT 1 FROM file_keys WHERE node_id = $1', [theirs.id])).toEqual([]);
    await h.database.run(`UPDATE companies SET settings = settings || '{"sharingOutsideAllow": false}' WHERE id = $1`, [boss.companyId]);
    expect(await codeOf(sharing.share(boss, theirs.id, { mode: 'email', emails: [other.email] }))).toBe('FORBIDDEN');
    const colleague = await person();
    await h.database.run('UPDATE accounts SET company_id = $2 WHERE id = $1', [colleague.accountId, boss.companyId]);
    await sharing.share(boss, theirs.id, { mode: 'email', emails: [colleague.email] });
    expect((await sharing.facts(boss, [theirs])).get(theirs.id)?.recipients?.map(({ email }) => email)).toEqual([colleague.email]);
    // whose file it is has changed: what the one before gave is not the new one's
    await sharing.share(owner, id, { mode: 'public' });
    await h.database.run('UPDATE spaces SET account_id = $2, kind = kind WHERE id = (SELECT space_id FROM nodes WHERE id = $1)', [
      id,
      (await h.account()).accountId,
    ]);
    expect(await mode(id)).toBe('private');
  });

  it('have keys that die with the right of whoever gave them, with the file, by complaint, and in time', async () => {
    const owner = await person();
    const { id } = await h.upload(owner, '/f', 'x');
    const key = await sharing.createKey(owner, id, 60);
    const succeeds = (work: Promise<unknown>) =>
      work.then(
        () => true,
        () => false,
      );
    // the door says itself what the bytes would say
    const works = async () => {
      const [isOpen, given] = [await succeeds(door.open(id, { ip: IP, key })), await succeeds(opens(id, { key }))];
      expect(isOpen).toBe(given);
      return given;
    };
    expect([await works(), await opens(id, { key: `${key}x` }).catch(() => null)]).toEqual([true, null]);
    const when = async (change: string, back: string) => {
      await h.database.run(change);
      const worked = await works();
      await h.database.run(back);
      return worked;
    };
    const account = `accounts SET`;
    const where = `WHERE id = ${owner.accountId}`;
    expect(await when(`UPDATE ${account} state = 'disabled' ${where}`, `UPDATE ${account} state = 'active' ${where}`)).toBe(false);
    expect(await when(`UPDATE ${account} can_download = false ${where}`, `UPDATE ${account} can_download = true ${where}`)).toBe(false);
    await h.database.run(
      `WITH c AS (INSERT INTO complaints (status, content_type, urls, description, copyright_holder, name, sign, email)
                  VALUES ('accepted', '', '{}', '', '', '', '', '') RETURNING id)
       INSERT INTO complaint_links (complaint_id, hash, node_id) SELECT id, 'x', $1 FROM c`,
      [id],
    );
    expect(await works()).toBe(false);
    expect(await codeOf(sharing.createKey(owner, id, 60))).toBe('FORBIDDEN');
    await h.database.run('DELETE FROM complaints');
    await service(MoveService).rename(owner, { node: { id }, name: 'renamed' });
    expect(await works()).toBe(true);
    h.clock.offsetMs = 61_000;
    expect(await works()).toBe(false);
    h.clock.offsetMs = 0;
    expect(await works()).toBe(true);
    await actions.removeOne(owner, 'file', id);
    expect(await works()).toBe(false);
    for (const seconds of [0, -1, 1.5, Number.NaN, 31_536_001]) expect(await codeOf(sharing.createKey(owner, id, seconds))).toBe('INVALID_ARGUMENT');
  });
});
