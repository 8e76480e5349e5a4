import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { BlobStore } from '#libs/blob-store';
import { FolderSizeTask, FullListingTask, MoveManyService } from '#libs/files';
import type { GuestActor } from '#libs/kernel';
import { FolderLimits, MountRepository, NodeRepository, NodeResolver, SpaceService } from '#libs/nodes';

import { countStatements, withStatements } from '../support/statement-count.js';
import { type Member, SharingHarness } from './sharing-harness.js';
import { at, codeOf, context, segments, type TreeHarness } from './tree-harness.js';

const EVERYTHING = { dirsOnly: false, includeRemoved: false, orderBy: 'name', descending: false, offset: 0, limit: 0 } as const;

describe('folders of others in a tree', () => {
  let house: SharingHarness;
  let tree: TreeHarness;

  beforeAll(async () => {
    house = await SharingHarness.start();
    tree = house.tree;
  });
  afterAll(async () => {
    expect(await house.defects()).toEqual([]);
    await house.close();
  });

  /** An owner with `/work/docs` and things in it, a writer who has it as `/docs`, and a reader. */
  async function three(): Promise<{ anna: Member; ben: Member; cora: Member }> {
    const [anna, ben, cora] = [await house.member(), await house.member(), await house.member()];
    await tree.file(anna, '/work/docs/sub/Plan.txt', { bytes: 100 });
    await tree.file(anna, '/work/docs/a.txt', { bytes: 10 });
    expect(await house.give(anna, '/work/docs', ben, true)).toBe('/docs');
    expect(await house.give(anna, '/work/docs', cora)).toBe('/docs');
    return { anna, ben, cora };
  }

  const move = (actor: Member, source: string, target: string, onConflict: 'fail' | 'replace' = 'fail') =>
    tree.moves.move(actor, { source: at(source), targetFolder: at(target), onConflict });
  const rename = (actor: Member, path: string, name: string) => tree.moves.rename(actor, { node: at(path), name });
  const copy = (actor: Member, source: string, target: string, onConflict: 'fail' | 'rename' = 'fail') =>
    tree.copies.copy(actor, { source: at(source), targetFolder: at(target), onConflict });
  const names = async (actor: Member, path: string) => (await tree.names(actor, path)).join(' ');

  it('are found by the viewer’s own path and name, and are the owner’s folder in all else', async () => {
    const { anna, ben, cora } = await three();
    const own = await tree.get(anna, '/work/docs');
    expect(own).toMatchObject({ shared: true, mount: null, path: '/work/docs' });
    await rename(ben, '/docs', 'From Anna');
    const seen = await tree.get(ben, '/from anna');
    const { spaceId: bens } = await tree.service(SpaceService).homeOf(ben.accountId);
    expect(seen).toMatchObject({
      id: own.id,
      spaceId: own.spaceId,
      ownerId: anna.accountId,
      name: 'From Anna',
      path: '/From Anna',
      shared: true,
      revision: own.revision,
      childFiles: 1,
      childFolders: 1,
      childBytes: 10,
      mount: { spaceId: bens },
    });
    expect((await tree.get(anna, '/work/docs')).name).toBe('docs');
    expect((await tree.get(cora, '/docs')).id).toBe(own.id);
    const plan = await tree.get(ben, '/From Anna/sub/plan.TXT');
    expect(plan).toMatchObject({ path: '/From Anna/sub/Plan.txt', ownerId: anna.accountId, mount: null });
    for (const viewer of [ben, cora, anna]) {
      const byId = await tree.browse.get(viewer, { node: { id: plan.id } });
      expect(byId.path).toBe(viewer === ben ? '/From Anna/sub/Plan.txt' : viewer === cora ? '/docs/sub/Plan.txt' : '/work/docs/sub/Plan.txt');
    }
    expect(await codeOf(tree.browse.get(await house.member(), { node: { id: plan.id } }))).toBe('NODE_NOT_FOUND');
  });

  it('list in the home and below with one ETag for all, in three statements at most', async () => {
    const { anna, ben, cora } = await three();
    await tree.folder(ben, '/own');
    const home = await withStatements(() => tree.browse.list(ben, { node: at('/'), ...EVERYTHING }));
    expect(home.statements.length).toBeLessThanOrEqual(2);
    expect(home.result.entries.map((entry) => [entry.name, entry.ownerId === ben.accountId, entry.mount !== null])).toEqual([
      ['docs', false, true],
      ['own', true, false],
    ]);
    const below = await withStatements(() => tree.browse.list(ben, { node: at('/docs'), ...EVERYTHING }));
    expect(below.statements.length).toBeLessThanOrEqual(3);
    expect(below.result.entries.map((entry) => entry.name)).toEqual(['a.txt', 'sub']);
    const file = await withStatements(() => tree.browse.open(ben, { node: at('/docs/a.txt'), ...EVERYTHING }));
    expect(file.statements.length).toBeLessThanOrEqual(2);
    expect(file.result).toMatchObject({ path: '/docs/a.txt', kind: 'file' });
    const etags = await Promise.all(
      [[anna, '/work/docs'] as const, [ben, '/docs'] as const, [cora, '/docs'] as const].map(
        async ([actor, path]) => (await tree.browse.list(actor, { node: at(path), ...EVERYTHING })).etag,
      ),
    );
    expect(new Set(etags).size).toBe(1);
    await tree.file(anna, '/work/docs/new.txt');
    expect((await tree.browse.list(cora, { node: at('/docs'), ...EVERYTHING })).etag).not.toBe(etags[0]);
  });

  it('are as if absent while the folder, or one above it, is in the trash; the name stays taken and pages stay whole', async () => {
    const { anna, ben } = await three();
    for (const name of ['a', 'e', 'f']) await tree.folder(ben, `/${name}`);
    for (const gone of ['/work', '/work/docs']) {
      await tree.remove(anna, gone);
      expect(await names(ben, '/')).toBe('a e f');
      expect(await codeOf(tree.get(ben, '/docs'))).toBe('NODE_NOT_FOUND');
      expect(await codeOf(tree.get(ben, '/docs/a.txt'))).toBe('NODE_NOT_FOUND');
      expect(await codeOf(tree.folder(ben, '/docs'))).toBe('NAME_TAKEN');
      expect(await codeOf(tree.moves.rename(ben, { node: at('/a'), name: 'Docs' }))).toBe('NAME_TAKEN');
      const paged: string[] = [];
      for (let offset = 0, last = false; !last && offset < 10; offset++) {
        const { entries, isLastPage } = await tree.browse.list(ben, { node: at('/'), ...EVERYTHING, offset, limit: 1 });
        paged.push(...entries.map((entry) => entry.name));
        last = isLastPage;
      }
      expect(paged).toEqual(['a', 'e', 'f']);
      expect((await tree.browse.totals(ben, at('/'))).folders).toBe(3);
      await tree.trash.undelete(anna, { paths: [segments(gone)] });
      expect(await names(ben, '/')).toBe('a docs e f');
    }
    expect(await tree.browse.totals(ben, at('/'))).toMatchObject({ folders: 5, files: 2, bytes: 110 });
  });

  it('move and take another name alone, and stay out of shared folders', async () => {
    const { anna, ben, cora } = await three();
    await tree.folder(ben, '/in/here');
    expect((await move(ben, '/docs', '/in/here')).path).toBe('/in/here/docs');
    expect(await names(ben, '/')).toBe('in');
    expect((await tree.get(ben, '/in/here/docs/sub/Plan.txt')).path).toBe('/in/here/docs/sub/Plan.txt');
    expect((await tree.get(anna, '/work/docs')).path).toBe('/work/docs');
    expect((await rename(ben, '/in/here/docs', 'x')).path).toBe('/in/here/x');
    expect((await tree.get(anna, '/work/docs')).name).toBe('docs');
    expect(await codeOf(move(ben, '/in/here/x', '/in/here/x/sub'))).toBe('MOVE_INTO_DESCENDANT');
    expect(await codeOf(house.add(ben, '/in', { member: `email:${cora.email}` }))).toBe('CONTAINS_SHARE');
    await tree.folder(ben, '/mine');
    await house.give(ben, '/mine', cora, true);
    expect(await codeOf(move(ben, '/in/here/x', '/mine'))).toBe('MOUNT_INTO_SHARE');
    expect(await codeOf(move(ben, '/in', '/mine'))).toBe('MOUNT_INTO_SHARE');
    expect(await codeOf(move(ben, '/in', '/in/here/x'))).toBe('MOVE_INTO_DESCENDANT');
    await tree.folder(cora, '/outer');
    await move(cora, '/docs', '/outer');
    expect(await codeOf(move(cora, '/outer', '/mine'))).toBe('MOUNT_INTO_SHARE');
    expect(await names(cora, '/outer')).toBe('docs');
  });

  it('are not overwritten, and precheck says so', async () => {
    const { ben } = await three();
    await tree.folder(ben, '/in/docs');
    expect(await codeOf(move(ben, '/in/docs', '/'))).toBe('NAME_TAKEN');
    expect(await codeOf(move(ben, '/in/docs', '/', 'replace'))).toBe('MOUNT_IN_THE_WAY');
    const check = (source: string, target: string, operation: 'move' | 'copy' = 'move') =>
      tree.moves.precheck(ben, { sources: [at(source)], targetFolder: at(target), operation });
    expect(await check('/in/docs', '/')).toMatchObject({ exists: true, overWritable: false });
    await tree.file(ben, '/a.txt');
    expect(await check('/a.txt', '/docs', 'copy')).toMatchObject({ exists: true, overWritable: false });
    await tree.file(ben, '/in/a.txt');
    expect(await check('/a.txt', '/in')).toMatchObject({ exists: true, overWritable: true });
    expect(await check('/docs', '/in')).toMatchObject({ exists: true, overWritable: false });
  });

  it('keep what stands in the way from who may write and not remove', async () => {
    const { anna, ben } = await three();
    await tree.file(ben, '/a.txt');
    await tree.database.run('UPDATE grants SET can_delete = false WHERE account_id = $1', [ben.accountId]);
    expect(await codeOf(move(ben, '/a.txt', '/docs', 'replace'))).toBe('FORBIDDEN');
    expect(await names(anna, '/work/docs')).toBe('a.txt sub');
    await tree.database.run('UPDATE grants SET can_delete = true WHERE account_id = $1', [ben.accountId]);
    await move(ben, '/a.txt', '/docs', 'replace');
  });

  it('show no copy that was begun with a right and ends without it', async () => {
    const { anna, ben } = await three();
    await tree.folder(ben, '/own/in');
    const begun = async (): Promise<void> =>
      void (await tree.database.run('UPDATE grants SET can_write = false WHERE account_id = $1', [ben.accountId]));
    const steps = { begun, shown: () => Promise.resolve() };
    const copied = tree.copies.copy(ben, { source: at('/own'), targetFolder: at('/docs'), onConflict: 'fail', steps });
    expect(await codeOf(copied)).toBe('FORBIDDEN');
    expect(await names(anna, '/work/docs')).toBe('a.txt sub');
  });

  it('let a writer make, rename, move and remove inside, and a reader look only', async () => {
    const { anna, ben, cora } = await three();
    const made = await tree.folder(ben, '/docs/New/Deep');
    expect(made).toMatchObject({ ownerId: anna.accountId, authorId: ben.accountId, path: '/docs/New/Deep' });
    await move(ben, '/docs/a.txt', '/docs/New');
    await rename(ben, '/docs/New/a.txt', 'b.txt');
    expect(await names(anna, '/work/docs/New')).toBe('b.txt Deep');
    expect(await codeOf(tree.folder(cora, '/docs/x'))).toBe('FORBIDDEN');
    expect(await codeOf(move(cora, '/docs/sub', '/docs/New'))).toBe('FORBIDDEN');
    expect(await codeOf(rename(cora, '/docs/sub', 'x'))).toBe('FORBIDDEN');
    expect(await codeOf(move(cora, '/docs/sub', '/'))).toBe('FORBIDDEN');
    await tree.file(cora, '/c.txt');
    expect(await codeOf(move(cora, '/c.txt', '/docs'))).toBe('FORBIDDEN');
    expect(await codeOf(copy(cora, '/c.txt', '/docs'))).toBe('FORBIDDEN');
    const id = (await tree.get(anna, '/work')).id;
    expect(await codeOf(tree.browse.get(ben, { node: { id } }))).toBe('NODE_NOT_FOUND');
    await tree.file(ben, '/n.txt');
    expect(await codeOf(tree.moves.move(ben, { source: at('/n.txt'), targetFolder: { id }, onConflict: 'fail' }))).toBe('NODE_NOT_FOUND');
  });

  it('leave name and place of a shared folder to who may change the folder around it', async () => {
    const { anna, ben, cora } = await three();
    await tree.folder(anna, '/work/other');
    await house.give(anna, '/work', ben);
    // ben writes in /work/docs, and only reads the folder that it stands in
    await tree.folder(ben, '/work/docs/new');
    expect(await codeOf(rename(ben, '/work/docs', 'mine'))).toBe('FORBIDDEN');
    expect(await codeOf(move(ben, '/work/docs', '/work/docs/sub'))).toBe('FORBIDDEN');
    expect(await codeOf(tree.remove(ben, '/work/docs'))).toBe('FORBIDDEN');
    expect(await names(cora, '/')).toBe('docs');
    await tree.remove(ben, '/work/docs/new');
    await house.give(anna, '/work', cora, true);
    await rename(cora, '/work/docs', 'ours');
    await move(cora, '/work/ours', '/work/other');
    await tree.remove(cora, '/work/other/ours');
    expect(await names(ben, '/')).toBe('work');
  });

  it('take what is moved between owners with its versions, and make the new one pay', async () => {
    const { anna, ben } = await three();
    for (let index = 0; index < 30; index++) await tree.file(ben, `/big/d${index % 4}/f${index}.bin`, { bytes: 5 });
    await tree.newVersion(ben, '/big/d0/f0.bin', 50);
    await tree.file(ben, '/big/d0/old.bin', { bytes: 7 });
    await tree.remove(ben, '/big/d0/old.bin');
    const linked = await tree.get(ben, '/big/d1/f1.bin');
    await tree.database.run(`INSERT INTO links (id, node_id, issuer_id, hash, rights) VALUES (gen_random_uuid(), $1, $2, $3, 'download')`, [
      linked.id,
      ben.accountId,
      `link-${linked.id}`,
    ]);
    expect((await tree.get(ben, '/big/d1/f1.bin')).linked).toBe(true);
    const [annas, bens] = [await tree.usedBytes(anna), await tree.usedBytes(ben)];
    const moved = await move(ben, '/big', '/docs');
    expect(moved).toMatchObject({ path: '/docs/big', ownerId: anna.accountId });
    expect((await tree.get(anna, '/work/docs/big/d0/f0.bin')).versionNo).toBe(2);
    expect(await tree.usedBytes(anna)).toBe(annas + 200);
    expect(await tree.usedBytes(ben)).toBe(bens - 200);
    expect(await tree.trashNames(ben)).toEqual(['old.bin']);
    expect(await tree.trashNames(anna)).toEqual([]);
    await tree.trash.undelete(ben, { paths: [['big', 'd0', 'old.bin']] });
    expect(await names(ben, '/big/d0')).toBe('old.bin');
    expect((await tree.get(ben, '/docs/big/d1/f1.bin')).linked).toBe(false);
    expect(await tree.database.query('SELECT id FROM links WHERE node_id = $1', [linked.id])).toEqual([]);
    expect((await move(ben, '/docs/big/d1', '/')).ownerId).toBe(ben.accountId);
    expect(await names(anna, '/work/docs/big')).toBe('d0 d2 d3');
    expect(await tree.defects()).toEqual([]);
  });

  it('cross with many nodes at once, and with files that arrive meanwhile', async () => {
    const { anna, ben } = await three();
    const root = await tree.folder(ben, '/heap');
    const blob = await tree.file(ben, '/heap/seed.bin', { bytes: 0 });
    for (let folder = 0; folder < 10; folder++) {
      const { id, spaceId } = await tree.folder(ben, `/heap/d${folder}`);
      await tree.database.run(
        `WITH made AS (
           INSERT INTO nodes (id, space_id, parent_id, kind, name, name_key, current_version_no, blob_id, size_bytes, md5, mime_type, created_ms, modified_ms, author_id)
           SELECT gen_random_uuid(), $1, $2, 'file', 'f' || i, 'f' || i, 1, n.blob_id, n.size_bytes, n.md5, n.mime_type, 1, 1, n.author_id
             FROM generate_series(1, 500) i, nodes n WHERE n.id = $3 RETURNING *
         )
         INSERT INTO versions (node_id, no, id, space_id, blob_id, size_bytes, md5, mime_type, media, author_id)
         SELECT id, 1, id, space_id, blob_id, size_bytes, md5, mime_type, 'other', author_id FROM made`,
        [spaceId, id, blob.id],
      );
      await tree.database.run('UPDATE nodes SET child_files = child_files + 500 WHERE id = $1', [id]);
    }
    const uploads = Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => tree.file(ben, `/heap/d${index % 10}/deep${index % 3}/new${index}.bin`, { bytes: 3 })),
    );
    const moved = await move(ben, '/heap', '/docs');
    const outcomes = await uploads;
    expect(moved.id).toBe(root.id);
    const arrived = outcomes.filter((outcome) => outcome.status === 'fulfilled').length;
    const [there, here] = [await tree.browse.totals(anna, at('/work/docs/heap')), await tree.browse.totals(ben, at('/'))];
    // Both count what is behind the mount; what came too late was made in a new folder of the old name, or not at all.
    expect(there.files).toBeGreaterThanOrEqual(5001);
    expect(here.files).toBeGreaterThanOrEqual(there.files + 2);
    expect(here.files - 2).toBe(5001 + arrived);
    expect(await tree.defects()).toEqual([]);
  });

  it('refuse what the new owner has no room for, and what is shared already', async () => {
    const { anna, ben, cora } = await three();
    await tree.database.run(`UPDATE quotas SET limit_bytes = used_bytes + 99 WHERE owner_kind = 'account' AND owner_id = $1`, [anna.accountId]);
    await tree.file(ben, '/big/x.bin', { bytes: 100 });
    const used = await tree.usedBytes(ben);
    expect(await codeOf(move(ben, '/big', '/docs'))).toBe('QUOTA_EXCEEDED');
    expect(await codeOf(copy(ben, '/big', '/docs'))).toBe('QUOTA_EXCEEDED');
    expect(await tree.usedBytes(ben)).toBe(used);
    expect(await names(ben, '/big')).toBe('x.bin');
    await tree.folder(ben, '/outer/shared');
    await house.give(ben, '/outer/shared', cora);
    expect(await codeOf(move(ben, '/outer', '/docs'))).toBe('CONTAINS_SHARE');
    expect(await codeOf(move(ben, '/outer/shared', '/docs'))).toBe('CONTAINS_SHARE');
    // Between folders of one owner a shared folder goes where it likes.
    await tree.folder(ben, '/mine');
    await house.give(ben, '/mine', cora, true);
    expect((await move(ben, '/outer', '/mine')).path).toBe('/mine/outer');
    expect((await tree.get(cora, '/shared')).path).toBe('/shared');
  });

  it('keep the limit of a folder against copies and moves that arrive at once', async () => {
    const { anna, ben } = await three();
    await house.shares.limit(anna, { path: ['work', 'docs'], limitBytes: 200 });
    for (let index = 0; index < 6; index++) await tree.file(ben, `/f${index}/x.bin`, { bytes: 30 });
    const results = await Promise.allSettled(
      Array.from({ length: 6 }, (_, index) => (index % 2 === 0 ? move(ben, `/f${index}`, '/docs') : copy(ben, `/f${index}`, '/docs/sub'))),
    );
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(3);
    for (const result of results) if (result.status === 'rejected') expect((result.reason as { code: string }).code).toBe('QUOTA_EXCEEDED');
    // Inside of it there is no more or less than before.
    await move(anna, '/work/docs/sub/Plan.txt', '/work/docs');
    expect(await tree.browse.totals(anna, at('/work/docs'))).toMatchObject({ bytes: 200 });
    expect(await tree.service(FolderLimits).freeBytes((await tree.get(anna, '/work/docs/sub')).id)).toBe(0);
  });

  it('are left out of copies, which the owner of the target pays', async () => {
    const { anna, ben } = await three();
    await tree.file(ben, '/mix/own.txt', { bytes: 3 });
    await move(ben, '/docs', '/mix');
    const used = await tree.usedBytes(ben);
    const twin = await copy(ben, '/mix', '/', 'rename');
    expect(await names(ben, twin.path)).toBe('own.txt');
    expect(await tree.usedBytes(ben)).toBe(used + 3);
    const whole = await copy(ben, '/mix/docs', '/');
    expect(whole).toMatchObject({ path: '/docs', ownerId: ben.accountId, shared: false, mount: null });
    expect(await tree.usedBytes(ben)).toBe(used + 113);
    const annas = await tree.usedBytes(anna);
    expect((await copy(ben, '/docs/sub', '/mix/docs', 'rename')).path).toBe('/mix/docs/sub (1)');
    expect(await tree.usedBytes(anna)).toBe(annas + 100);
  });

  it('are searched, marked, counted and listed with all the rest', async () => {
    const { anna, ben } = await three();
    await tree.file(ben, '/deep/plan b.txt', { bytes: 1 });
    await tree.file(anna, '/work/secret plan.txt');
    await move(ben, '/docs', '/deep');
    const search = async (query: string, under?: string, orderBy?: 'name') =>
      (
        await tree.browse.search(ben, { query, offset: 0, limit: 0, ...(under ? { under: at(under) } : {}), ...(orderBy ? { orderBy } : {}) })
      ).entries.map((entry) => entry.path);
    expect(await search('plan', undefined, 'name')).toEqual(['/deep/plan b.txt', '/deep/docs/sub/Plan.txt']);
    expect(await search('plan')).toEqual(['/deep/plan b.txt', '/deep/docs/sub/Plan.txt']);
    expect(await search('plan', '/deep/docs')).toEqual(['/deep/docs/sub/Plan.txt']);
    expect(await search('plan', '/deep/docs/sub')).toEqual(['/deep/docs/sub/Plan.txt']);
    expect(await search('DOC')).toEqual(['/deep/docs']);
    expect(await countStatements(() => search('plan'))).toBe(2);
    await tree.browse.setFavorite(ben, { node: at('/deep/docs') });
    await tree.browse.setFavorite(ben, { node: at('/deep/docs/sub/Plan.txt') });
    expect((await tree.browse.favorites(ben, { offset: 0, limit: 0 })).map((node) => node.path)).toEqual(['/deep/docs/sub/Plan.txt', '/deep/docs']);
    expect((await tree.get(ben, '/deep/docs')).favorite).toBe(true);
    expect((await tree.get(anna, '/work/docs')).favorite).toBe(false);
    expect(await tree.browse.favorites(anna, { offset: 0, limit: 0 })).toEqual([]);
    const root = await tree.get(ben, '/');
    expect(await tree.service(FolderSizeTask).run({ nodeId: root.id })).toEqual({ files: 3, folders: 3, bytes: 111 });
    const { storeKey, nodes } = await tree.service(FullListingTask).run({ nodeId: root.id }, context(ben.accountId));
    const chunks: Buffer[] = [];
    for await (const chunk of await tree.app.get(BlobStore, { strict: false }).getRange(storeKey)) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toContain('"/deep/docs/sub/Plan.txt"');
    expect(nodes).toBe(7);
  });

  it('open nothing by themselves: where the right has gone they lead nowhere', async () => {
    const { anna, ben } = await three();
    await tree.file(ben, '/mine.txt');
    await tree.browse.setFavorite(ben, { node: at('/docs/sub') });
    const search = async () => (await tree.browse.search(ben, { query: 'plan', offset: 0, limit: 0 })).entries.length;
    const favorites = async () => (await tree.browse.favorites(ben, { offset: 0, limit: 0 })).length;
    const precheck = () => tree.moves.precheck(ben, { operation: 'create', targetFolder: at('/docs'), names: ['a.txt'] });
    const shared = async () => (await house.lists.list(ben, 'all')).length;
    expect([await search(), await favorites(), await shared(), (await precheck()).exists]).toEqual([1, 1, 1, true]);
    // behind the back of the house, which takes the mount with the right
    await tree.database.run(`UPDATE invitations SET state = 'declined' WHERE account_id = $1`, [ben.accountId]);
    expect([await search(), await favorites(), await shared()]).toEqual([0, 0, 0]);
    for (const work of [
      () => tree.get(ben, '/docs'),
      () => tree.get(ben, '/docs/sub/Plan.txt'),
      precheck,
      () => copy(ben, '/docs/a.txt', '/'),
      () => copy(ben, '/mine.txt', '/docs'),
      () => move(ben, '/docs/a.txt', '/'),
      () => move(ben, '/mine.txt', '/docs'),
      () => rename(ben, '/docs/a.txt', 'b.txt'),
      () => tree.folder(ben, '/docs/new'),
      () => house.lists.collaborators(ben, { path: ['docs'] }),
      () => house.add(ben, '/docs', { publicView: true }),
    ])
      expect(await codeOf(work())).toBe('NODE_NOT_FOUND');
    expect(await names(anna, '/work/docs')).toBe('a.txt sub');
    await tree.database.run(`UPDATE invitations SET state = 'accepted' WHERE account_id = $1`, [ben.accountId]);
    expect([await search(), await favorites()]).toEqual([1, 1]);
  });

  it('show what was removed from them to those who may bring it back', async () => {
    const { anna, ben, cora } = await three();
    await tree.remove(anna, '/work/docs/sub');
    const removed = await tree.browse.get(ben, { node: at('/docs/SUB'), includeRemoved: true });
    expect(removed).toMatchObject({ removal: 'trashed', path: '/docs/sub', restorePath: '/docs/sub' });
    const inside = await tree.browse.get(ben, { node: at('/docs/sub/plan.txt'), includeRemoved: true });
    expect(inside).toMatchObject({ path: '/docs/sub/Plan.txt', insideTrash: true });
    expect(await codeOf(tree.browse.get(cora, { node: at('/docs/sub'), includeRemoved: true }))).toBe('NODE_NOT_FOUND');
    const list = async (actor: Member) => (await tree.browse.list(actor, { node: at('/docs'), ...EVERYTHING, includeRemoved: true })).entries;
    expect((await list(ben)).map((entry) => [entry.name, entry.restorePath])).toEqual([
      ['a.txt', null],
      ['sub', '/docs/sub'],
    ]);
    expect((await list(cora)).map((entry) => entry.name)).toEqual(['a.txt']);
  });

  it('begin paths that are kept, and lead there whatever the mount is called', async () => {
    const { anna, ben } = await three();
    const resolver = tree.service(NodeResolver);
    const kept = await resolver.startOf(ben, ['docs', 'sub', 'new', 'x.txt']);
    const shared = await tree.get(anna, '/work/docs');
    expect(kept).toMatchObject({ startId: shared.id, rest: ['sub', 'new', 'x.txt'], missing: ['new', 'x.txt'] });
    expect(kept.placed.node.spaceId).toBe(shared.spaceId);
    expect(kept.placed.depth).toBe(3);
    await rename(ben, '/docs', 'other');
    await move(anna, '/work/docs', '/');
    const nodes = tree.service(NodeRepository);
    const later = await nodes.resolveFrom(kept.startId, kept.rest, ben.accountId);
    expect(later?.placed.node.path).toBe('/other/sub');
    expect(later).toMatchObject({ missing: ['new', 'x.txt'], placed: { depth: 2 } });
    expect((await nodes.resolveFrom(kept.startId, kept.rest, null))?.placed.node.path).toBe('/sub');
    const home = await tree.get(ben, '/');
    expect(await resolver.startOf(ben, ['own', 'x'])).toMatchObject({ startId: home.id, rest: ['own', 'x'] });
    await tree.remove(anna, '/docs');
    expect(await nodes.resolveFrom(kept.startId, kept.rest, ben.accountId)).toBeNull();
  });

  it('are not there for guests, whose paths begin at what was opened', async () => {
    const { anna, ben } = await three();
    await tree.file(ben, '/open/in/a.txt');
    await move(ben, '/docs', '/open');
    const root = await tree.get(ben, '/open');
    const guest: GuestActor = { kind: 'guest', pass: 'link', passId: root.id, rootId: root.id, spaceId: root.spaceId, issuerId: ben.accountId };
    const resolver = tree.service(NodeResolver);
    expect((await resolver.get(guest, { path: ['IN', 'a.txt'] })).node.path).toBe('/in/a.txt');
    expect((await resolver.get(guest, { path: [] })).node.path).toBe('/');
    expect(await resolver.find(guest, { path: ['docs'] })).toBeNull();
    const file = await tree.get(ben, '/open/in/a.txt');
    expect((await resolver.get(guest, { id: file.id })).node.path).toBe('/in/a.txt');
    expect(await resolver.find(guest, { id: (await tree.get(ben, '/')).id })).toBeNull();
    expect(await resolver.find(guest, { id: (await tree.get(anna, '/work/docs')).id })).toBeNull();
    const onFile = { ...guest, rootId: file.id };
    expect((await resolver.get(onFile, { path: [] })).node).toMatchObject({ id: file.id, path: '/' });
    expect(await resolver.find(onFile, { path: ['x'] })).toBeNull();
    await tree.remove(ben, '/open');
    expect(await resolver.find(guest, { path: [] })).toBeNull();
    expect(await codeOf(resolver.resolveMany(guest, [['in']]))).toBe('NODE_NOT_FOUND');
  });

  it('go from every home when they are erased', async () => {
    const { anna, ben, cora } = await three();
    await tree.folder(cora, '/kept');
    await move(cora, '/docs', '/kept');
    await tree.remove(cora, '/kept');
    // Rows that were marked without anybody ending the shares: an account that is taken away, say.
    const { id, parentId, spaceId } = await tree.get(anna, '/work/docs');
    await tree.database.run(
      `UPDATE nodes SET removal = 'purging', removed_at = now(), parent_id = (SELECT root_id FROM spaces WHERE id = $2) WHERE id = $1`,
      [id, spaceId],
    );
    await tree.database.run(`UPDATE nodes SET child_folders = child_folders - 1 WHERE id = $1`, [parentId]);
    await tree.purgeAll(anna);
    expect(await tree.service(MountRepository).byTarget([id])).toEqual([]);
    expect(await names(ben, '/')).toBe('');
    expect(await tree.defects()).toEqual([]);
  });

  it('never make a ring when two owners move each other’s folders at once', async () => {
    const [anna, ben] = [await house.member(), await house.member()];
    await tree.folder(anna, '/a/x');
    await tree.folder(ben, '/b/y');
    await house.give(anna, '/a', ben, true);
    await house.give(ben, '/b', anna, true);
    for (let round = 0; round < 6; round++) {
      await tree.folder(anna, `/a/r${round}`);
      await tree.folder(ben, `/b/r${round}`);
      const outcomes = await Promise.allSettled([
        move(anna, `/a/r${round}`, '/b/y'),
        move(ben, `/b/r${round}`, '/a/x'),
        move(anna, '/a/x', '/b'),
        move(ben, '/b/y', '/a'),
        move(anna, '/b', '/a'),
        move(ben, '/a', '/b'),
      ]);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected')
          expect(['NODE_NOT_FOUND', 'MOUNT_INTO_SHARE', 'NAME_TAKEN', 'SAME_FOLDER', 'BUSY']).toContain((outcome.reason as { code: string }).code);
      }
      await Promise.allSettled([move(anna, '/b/x', '/a'), move(ben, '/a/y', '/b')]);
      expect(await tree.defects()).toEqual([]);
    }
  });

  it('go into nothing that lies in them, nor away for it, seen as two folders or as one', async () => {
    const [anna, ben] = [await house.member(), await house.member()];
    await tree.folder(anna, '/x/in/deep/in');
    await tree.file(anna, '/x/in/deep/file');
    // who has the inner one first has two folders of one tree
    expect(await house.give(anna, '/x/in/deep', ben, true)).toBe('/deep');
    expect(await house.give(anna, '/x', ben, true)).toBe('/x');
    for (const onConflict of ['fail', 'replace'] as const) {
      expect(await codeOf(move(ben, '/x/in', '/deep', onConflict))).toBe('MOVE_INTO_DESCENDANT');
      expect(await codeOf(move(ben, '/x/in', '/deep/in', onConflict))).toBe('MOVE_INTO_DESCENDANT');
    }
    const asked = { operation: 'move', targetFolder: at('/deep'), sources: [at('/x/in')] } as const;
    expect(await codeOf(tree.moves.precheck(ben, asked))).toBe('MOVE_INTO_DESCENDANT');
    const [inner, deep] = [(await tree.get(anna, '/x/in')).id, (await tree.get(anna, '/x/in/deep')).id];
    const many = tree.service(MoveManyService);
    expect(await codeOf(many.move(ben, { sourceIds: [inner], targetFolderId: deep }))).toBe('MOVE_INTO_DESCENDANT');
    // "in" is the folder around what comes
    expect(await codeOf(move(ben, '/deep/in', '/x', 'replace'))).toBe('NAME_TAKEN');
    expect(await names(anna, '/x/in/deep')).toBe('file in');
  });
});
