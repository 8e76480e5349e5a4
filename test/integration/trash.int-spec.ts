import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { AccountActor } from '#libs/kernel';
import { Purger, SpaceService } from '#libs/nodes';
import { ExpireTrashJob } from '#libs/trash';

import { countStatements } from '../support/statement-count.js';
import { at, codeOf, segments, TreeHarness } from './tree-harness.js';

describe('trash', () => {
  let tree: TreeHarness;
  let anna: AccountActor;

  beforeAll(async () => {
    tree = await TreeHarness.start({ STOWAGE_TRASH_RETENTION_DAYS: '30' });
    anna = await tree.account();
  });
  afterAll(async () => {
    expect(await tree.defects()).toEqual([]);
    await tree.close();
  });

  const restore = async (actor: AccountActor, names: string[], onConflict: 'fail' | 'replace' = 'replace') => {
    const { publicId } = await tree.trash.startRestore(actor, { names, onConflict });
    return tree.runTask('trash.restore', publicId);
  };

  it('takes a folder with all in it, and gives it back whole', async () => {
    await tree.file(anna, '/t/a/b/c.txt', { bytes: 9 });
    await tree.file(anna, '/t/a/d.txt', { bytes: 1 });
    const [outcome] = await tree.trash.trash(anna, { nodes: [at('/T/A')], onlyEmpty: false, permanent: false });
    expect(outcome).toMatchObject({ node: { path: '/t/a', removal: 'trashed', trashName: 'a', restorePath: '/t/a' } });
    expect(await codeOf(tree.get(anna, '/t/a/b/c.txt'))).toBe('NODE_NOT_FOUND');
    expect(await tree.usedBytes(anna)).toBe(10);
    expect(await tree.browse.totals(anna, at('/t'))).toMatchObject({ files: 0, folders: 0, bytes: 0 });
    expect(await restore(anna, ['a'])).toEqual({ restored: ['/t/a'], failed: [] });
    expect(await tree.browse.totals(anna, at('/t'))).toMatchObject({ files: 2, folders: 2, bytes: 10 });
  });

  it('numbers what clashes around the names of those that go with it', async () => {
    const cara = await tree.account();
    for (const path of ['/old/a (1)/x', '/old/a (1) (1)/x', '/p/a/x', '/a/x', '/a (1)/x']) await tree.file(cara, path);
    await tree.remove(cara, '/old/a (1) (1)');
    // The second `a` must take neither the name of the third nor push it on one that the trash holds.
    await tree.trash.trash(cara, { nodes: [at('/p/a'), at('/a'), at('/a (1)')], onlyEmpty: false, permanent: false });
    expect((await tree.trashNames(cara)).sort()).toEqual(['a', 'a (1)', 'a (1) (1)', 'a (2)']);
  });

  it('has names of its own, and an ETag that changes with it', async () => {
    const ben = await tree.account();
    const etag = async () => (await tree.trash.list(ben, { dirsOnly: false, orderBy: 'name', descending: false, offset: 0, limit: 0 })).etag;
    const seen = [await etag()];
    for (const folder of ['x', 'y', 'z']) {
      await tree.file(ben, `/${folder}/same.txt`);
      await tree.remove(ben, `/${folder}/same.txt`);
      seen.push(await etag());
    }
    expect((await tree.trashNames(ben)).sort()).toEqual(['same (1).txt', 'same (2).txt', 'same.txt']);
    await restore(ben, ['same (1).txt']);
    seen.push(await etag());
    expect(await tree.names(ben, '/y')).toEqual(['same.txt']);
    const { publicId } = await tree.trash.startClear(ben, { names: ['same.txt', 'no such'] });
    await tree.runTask('trash.clear', publicId);
    seen.push(await etag());
    expect(await tree.trashNames(ben)).toEqual(['same (2).txt']);
    expect(new Set(seen).size).toBe(seen.length);
    const last = seen[seen.length - 1]!;
    const again = await tree.trash.list(ben, { dirsOnly: false, orderBy: 'name', descending: false, offset: 0, limit: 0, knownEtag: last });
    expect(again).toMatchObject({ notModified: true, entries: [] });
    expect(await codeOf(tree.trash.startRestore(ben, { names: ['same.txt'], onConflict: 'fail' }))).toBe('NODE_NOT_FOUND');
  });

  it('lists in pages and orders', async () => {
    const carl = await tree.account();
    for (let index = 0; index < 7; index++) await tree.file(carl, `/${'gfedcba'[index]!}`, { bytes: index, modifiedMs: (index * 3) % 7 });
    await tree.folder(carl, '/folder');
    await tree.remove(carl, ...'gfedcba'.split('').map((name) => `/${name}`), '/folder');
    const page = async (orderBy: 'name' | 'modified' | 'size', descending: boolean, offset: number, limit: number, dirsOnly = false) => {
      const { entries, isLastPage } = await tree.trash.list(carl, { dirsOnly, orderBy, descending, offset, limit });
      return [entries.map((entry) => entry.name).join(''), isLastPage];
    };
    expect(await page('name', false, 0, 3)).toEqual(['abc', false]);
    expect(await page('name', true, 6, 3)).toEqual(['ba', true]);
    expect(await page('size', true, 0, 2)).toEqual(['ab', false]);
    expect(await page('name', false, 0, 0, true)).toEqual(['folder', true]);
    expect((await page('modified', false, 0, 0))[0]).toHaveLength(13);
  });

  it('judges many paths as if one after the other, in the same number of statements for 3 and 200', async () => {
    const dora = await tree.account();
    await tree.file(dora, '/one/in/it');
    await tree.folder(dora, '/two');
    await tree.file(dora, '/three/x');
    const outcomes = await tree.trash.trash(dora, {
      nodes: ['/one/in', '/one/in/it', '/ONE', '/nope', '/', '/one', '/three', '/two'].map(at),
      onlyEmpty: false,
      permanent: false,
    });
    expect(outcomes.map((outcome) => ('error' in outcome ? outcome.error.code : outcome.node.path))).toEqual([
      '/one/in',
      'NODE_NOT_FOUND',
      '/one',
      'NODE_NOT_FOUND',
      'ROOT_IMMUTABLE',
      'NODE_NOT_FOUND',
      '/three',
      '/two',
    ]);
    await tree.file(dora, '/e/full/x');
    await tree.folder(dora, '/e/empty');
    const empties = await tree.trash.trash(dora, {
      nodes: ['/e', '/e/full', '/e/empty', '/e/full/x', '/e/full', '/e'].map(at),
      onlyEmpty: true,
      permanent: false,
    });
    expect(empties.map((outcome) => ('error' in outcome ? outcome.error.code : 'gone'))).toEqual([
      'FOLDER_NOT_EMPTY',
      'FOLDER_NOT_EMPTY',
      'gone',
      'gone',
      'gone',
      'gone',
    ]);
    const counts: Record<string, number[]> = { trash: [], undelete: [], erase: [] };
    for (const size of [3, 200]) {
      const paths = Array.from({ length: size }, (_, index) => `/many${size}/${index % 5}/same ${index % 40 === 0 ? 0 : index}`);
      const unique = [...new Set(paths)];
      for (const path of unique) await tree.folder(dora, path);
      const refs = unique.map(at);
      counts.trash!.push(await countStatements(() => tree.trash.trash(dora, { nodes: refs, onlyEmpty: false, permanent: false })));
      counts.undelete!.push(await countStatements(() => tree.trash.undelete(dora, { paths: [...unique.map(segments), ['not', 'there']] })));
      expect((await tree.names(dora, `/many${size}/1`)).length).toBe(unique.filter((path) => path.startsWith(`/many${size}/1/`)).length);
      counts.erase!.push(await countStatements(() => tree.trash.trash(dora, { nodes: refs, onlyEmpty: false, permanent: true })));
    }
    for (const [few, many] of Object.values(counts)) {
      expect(many! - few!).toBeLessThanOrEqual(1);
      expect(many).toBeLessThanOrEqual(14);
    }
    // The outbox wakes its relay by a statement after the commit; it may arrive in the next count.
    await tree.purgeAll(dora);
  });

  it('leaves alone what was trashed before its folder, in trash, restore and purge', async () => {
    const emma = await tree.account();
    await tree.file(emma, '/p/q/early.txt', { bytes: 3 });
    await tree.file(emma, '/p/q/late.txt', { bytes: 4 });
    await tree.remove(emma, '/p/q/early.txt');
    await tree.remove(emma, '/p/q');
    expect(await tree.trash.undelete(emma, { paths: [segments('/p/q/early.txt')] })).toMatchObject([{ error: { code: 'INSIDE_TRASHED_FOLDER' } }]);
    await restore(emma, ['q']);
    expect(await tree.names(emma, '/p/q')).toEqual(['late.txt']);
    await tree.remove(emma, '/p/q');
    const { publicId } = await tree.trash.startClear(emma, { names: ['q'] });
    await tree.runTask('trash.clear', publicId);
    expect(await tree.trashNames(emma)).toEqual(['early.txt']);
    expect(await tree.usedBytes(emma)).toBe(7);
    await tree.purgeAll(emma);
    expect(await tree.usedBytes(emma)).toBe(3);
    expect(await restore(emma, ['early.txt'])).toEqual({ restored: ['/p/q/early.txt'], failed: [] });
    expect(await tree.names(emma, '/p/q')).toEqual(['early.txt']);
  });

  it('recreates missing folders on restore, and minds what stands in the way', async () => {
    const finn = await tree.account();
    await tree.file(finn, '/d/e/f.txt', { bytes: 2 });
    await tree.remove(finn, '/d/e/f.txt');
    await tree.remove(finn, '/d');
    expect(await restore(finn, ['f.txt'])).toEqual({ restored: ['/d/e/f.txt'], failed: [] });
    await tree.remove(finn, '/d/e/f.txt');
    await tree.file(finn, '/d/e/F.txt', { bytes: 5 });
    expect(await codeOf(tree.trash.startRestore(finn, { names: ['f.txt'], onConflict: 'fail' }))).toBe('NAME_TAKEN');
    expect(await restore(finn, ['f.txt'])).toEqual({ restored: ['/d/e/f.txt'], failed: [] });
    expect((await tree.get(finn, '/d/e/f.txt')).sizeBytes).toBe(2);
    expect((await tree.trashNames(finn)).sort()).toEqual(['F.txt', 'd']);
    await tree.remove(finn, '/d/e/f.txt');
    await tree.remove(finn, '/d/e');
    await tree.file(finn, '/d/e');
    expect(await codeOf(restore(finn, ['f.txt']))).toBe('NOT_A_FOLDER');
  });

  it('undelete brings back the most recent, once, and says why not', async () => {
    const gina = await tree.account();
    const undelete = async (...paths: string[]) =>
      (await tree.trash.undelete(gina, { paths: paths.map(segments) })).map((outcome) =>
        'error' in outcome ? outcome.error.code : outcome.node.sizeBytes,
      );
    for (const bytes of [1, 2, 3]) {
      await tree.file(gina, '/u/f.txt', { bytes });
      await tree.remove(gina, '/u/f.txt');
    }
    expect(await undelete('/U/F.txt', '/u/f.txt', '/u/none', '/u')).toEqual([3, 'NOT_IN_TRASH', 'NODE_NOT_FOUND', 'NOT_IN_TRASH']);
    expect(await undelete('/u/f.txt')).toEqual(['NOT_IN_TRASH']);
    await tree.file(gina, '/u/sub/x', { bytes: 8 });
    await tree.remove(gina, '/u/sub');
    expect(await undelete('/u/sub/x', '/u/sub/y', '/u/sub')).toEqual(['INSIDE_TRASHED_FOLDER', 'NODE_NOT_FOUND', 0]);
    await tree.remove(gina, '/u/sub/x');
    await tree.moves.move(gina, { source: at('/u/sub'), targetFolder: at('/'), onConflict: 'fail' });
    expect(await undelete('/u/sub/x')).toEqual([8]);
    expect(await tree.names(gina, '/sub')).toEqual(['x']);
  });

  it('erases for good without a stay in the trash, at once for the client and in batches for the database', async () => {
    const hugo = await tree.account();
    for (let index = 0; index < 40; index++) await tree.file(hugo, `/big/${index % 4}/${index % 8}/${index}`, { bytes: 10 });
    await tree.file(hugo, '/keep', { bytes: 1 });
    const before = await tree.database.queryOne<{ n: number }>(`SELECT count(*) AS n FROM outbox WHERE job = 'nodes.purge-space'`);
    expect(await tree.trash.trash(hugo, { nodes: [at('/big')], onlyEmpty: false, permanent: true })).toMatchObject([
      { node: { removal: 'purging' } },
    ]);
    const after = await tree.database.queryOne<{ n: number }>(`SELECT count(*) AS n FROM outbox WHERE job = 'nodes.purge-space'`);
    expect(after!.n).toBe(before!.n + 1);
    expect(await codeOf(tree.get(hugo, '/big'))).toBe('NODE_NOT_FOUND');
    expect(await tree.trashNames(hugo)).toEqual([]);
    expect(await tree.usedBytes(hugo)).toBe(401);
    // Killed between any two batches, and two at a time: the rows are all that has to be remembered.
    const { spaceId } = await tree.service(SpaceService).homeOf(hugo.accountId);
    const purger = tree.service(Purger);
    await Promise.all([purger.step(spaceId), purger.step(spaceId)]);
    await tree.file(hugo, '/big/new', { bytes: 5 });
    for (let more = true; more;) more = (await purger.step(spaceId)).more;
    expect(await tree.usedBytes(hugo)).toBe(6);
    expect(await tree.names(hugo, '/')).toEqual(['big', 'keep']);
    const candidates = await tree.database.queryOne<{ n: number }>('SELECT count(*) AS n FROM blob_candidates');
    expect(candidates!.n).toBeGreaterThanOrEqual(40);
  });

  it('an upload into a folder that is being erased is either kept nowhere or counted nowhere', async () => {
    const iris = await tree.account();
    await tree.folder(iris, '/x/y/z');
    const uploads = Promise.allSettled(Array.from({ length: 30 }, (_, index) => tree.file(iris, `/x/y/z/${index}`, { bytes: 1 })));
    await tree.trash.trash(iris, { nodes: [at('/x')], onlyEmpty: false, permanent: true });
    await tree.purgeAll(iris);
    const settled = await uploads;
    for (const outcome of settled) {
      if (outcome.status === 'rejected') expect((outcome.reason as { code: string }).code).toMatch(/^(PARENT_NOT_FOUND|NODE_NOT_FOUND|BUSY)$/);
    }
    await tree.purgeAll(iris);
    const left = await tree.database.queryOne<{ n: number }>(
      `SELECT count(*) AS n FROM nodes n JOIN spaces s ON s.id = n.space_id WHERE s.account_id = $1 AND n.removal = 'purging'`,
      [iris.accountId],
    );
    expect(left!.n).toBe(0);
  });

  it('the purge of an account ends its trash and its old versions', async () => {
    const jana = await tree.account();
    expect(await tree.trash.purgeStatus(jana)).toBe('NONE');
    await tree.file(jana, '/a/b', { bytes: 6 });
    await tree.file(jana, '/c', { bytes: 2 });
    await tree.remove(jana, '/a');
    const { publicId } = await tree.trash.startPurge(jana);
    expect(await tree.trash.purgeStatus(jana)).toBe('PENDING');
    expect((await tree.trash.startPurge(jana)).publicId).toBe(publicId);
    expect(await tree.runTask('files.purge', publicId)).toEqual({ nodes: 2, versions: 0 });
    expect(await tree.trash.purgeStatus(jana)).toBe('SUCCESS');
    expect(await tree.usedBytes(jana)).toBe(2);
    expect(await tree.trashNames(jana)).toEqual([]);
    const again = await tree.trash.startClear(jana, { names: null });
    expect(await tree.runTask('trash.clear', again.publicId)).toEqual({ cleared: 0 });
  });

  it('the daily job ends what lay too long and copies that died', async () => {
    const kai = await tree.account();
    await tree.file(kai, '/old', { bytes: 1 });
    await tree.file(kai, '/young', { bytes: 2 });
    await tree.file(kai, '/dead/copy', { bytes: 4 });
    await tree.remove(kai, '/old', '/young', '/dead');
    await tree.database.run(`UPDATE nodes SET removed_at = now() - interval '31 days' WHERE trash_name = 'old'`);
    await tree.database.run(
      `UPDATE nodes SET removal = 'staged', removed_at = now() - interval '2 hours', trash_name = NULL, restore_path = NULL, restore_key = NULL WHERE trash_name = 'dead'`,
    );
    await tree.service(ExpireTrashJob).handle({}, { jobId: '1', attempt: 1, isLastAttempt: false, signal: new AbortController().signal });
    await tree.purgeAll(kai);
    expect(await tree.trashNames(kai)).toEqual(['young']);
    expect(await tree.usedBytes(kai)).toBe(2);
  });
});
