import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { BlobStore } from '#libs/blob-store';
import { FolderSizeTask, FullListingService, FullListingTask, type ListFolder } from '#libs/files';
import { type AccountActor, OPEN_POLICY } from '#libs/kernel';
import { CopyRepository, nameKey, numberedName, SpaceService } from '#libs/nodes';

import { countStatements, withStatements } from '../support/statement-count.js';
import { at, codeOf, context, TreeHarness } from './tree-harness.js';

function listing(path: string, options: Partial<ListFolder> = {}): ListFolder {
  return { node: at(path), dirsOnly: false, includeRemoved: false, orderBy: 'name', descending: false, offset: 0, limit: 0, ...options };
}

describe('use cases on the tree', () => {
  let tree: TreeHarness;
  let anna: AccountActor;
  let ben: AccountActor;

  beforeAll(async () => {
    tree = await TreeHarness.start();
    [anna, ben] = [await tree.account(), await tree.account()];
  });
  afterAll(async () => {
    expect(await tree.defects()).toEqual([]);
    await tree.close();
  });

  describe('listing', () => {
    beforeAll(async () => {
      for (const [index, name] of ['b.txt', 'A', 'c.png', 'D', 'e', 'F.txt', 'ä'].entries()) {
        if (name === 'A' || name === 'D') await tree.folder(anna, `/list/${name}`);
        else await tree.file(anna, `/list/${name}`, { bytes: 100 - index * 10, modifiedMs: 1000 * ((index * 3) % 7) });
      }
    });

    it('pages by cursor and by offset give the same as the whole, in every order', async () => {
      for (const orderBy of ['name', 'modified', 'size'] as const) {
        for (const descending of [false, true]) {
          for (const dirsOnly of [false, true]) {
            const whole = await tree.browse.list(anna, listing('/list', { orderBy, descending, dirsOnly }));
            expect(whole.isLastPage).toBe(true);
            expect(whole.entries).toHaveLength(dirsOnly ? 2 : 7);
            const ids = whole.entries.map((entry) => entry.id);
            const byCursor: string[] = [];
            for (let cursor: string | null = null; ;) {
              const page: Awaited<ReturnType<typeof tree.browse.list>> = await tree.browse.list(
                anna,
                listing('/list', { orderBy, descending, dirsOnly, limit: 2, cursor }),
              );
              byCursor.push(...page.entries.map((entry) => entry.id));
              expect(page.isLastPage).toBe(page.nextCursor === null);
              if (page.isLastPage) break;
              cursor = page.nextCursor;
            }
            expect(byCursor).toEqual(ids);
            for (let offset = 0; offset <= ids.length + 1; offset++) {
              for (const limit of [1, 2, 3, 50]) {
                const page = await tree.browse.list(anna, listing('/list', { orderBy, descending, dirsOnly, limit, offset }));
                expect(page.entries.map((entry) => entry.id)).toEqual(ids.slice(offset, offset + limit));
                expect(page.isLastPage).toBe(offset + limit >= ids.length);
              }
            }
          }
        }
      }
    });

    it('needs two statements whatever the size, and one when nothing has changed', async () => {
      const { result, statements } = await withStatements(() => tree.browse.list(anna, listing('/list')));
      expect(statements.length).toBe(2);
      const again = await withStatements(() => tree.browse.list(anna, listing('/list', { knownEtag: result.etag })));
      expect(again.statements.length).toBe(1);
      expect(again.result).toMatchObject({ notModified: true, entries: [] });
    });

    it('has an ETag that changes with everything that can be seen in it', async () => {
      await tree.folder(anna, '/etag/in');
      const seen = new Set<string>();
      const note = async () => {
        const { etag } = await tree.browse.list(anna, listing('/etag'));
        expect(seen.has(etag)).toBe(false);
        seen.add(etag);
      };
      await note();
      await tree.file(anna, '/etag/f');
      await note();
      await tree.moves.rename(anna, { node: at('/etag/f'), name: 'F' });
      await note();
      await tree.moves.move(anna, { source: at('/etag/F'), targetFolder: at('/etag/in'), onConflict: 'fail' });
      await note();
      await tree.copies.copy(anna, { source: at('/etag/in'), targetFolder: at('/etag'), onConflict: 'rename' });
      await note();
      await tree.remove(anna, '/etag/in');
      await note();
      await tree.trash.undelete(anna, { paths: [['etag', 'in']] });
      await note();
      await tree.trash.trash(anna, { nodes: [at('/etag/in')], onlyEmpty: false, permanent: true });
      await note();
    });

    it('shows what was trashed out of a folder only on demand', async () => {
      await tree.file(anna, '/removed/x/one');
      await tree.file(anna, '/removed/two');
      await tree.remove(anna, '/removed/two');
      await tree.remove(anna, '/removed/x');
      await tree.file(anna, '/removed/two', { bytes: 5 });
      expect(await tree.names(anna, '/removed')).toEqual(['two']);
      const { entries } = await tree.browse.list(anna, listing('/removed', { includeRemoved: true }));
      expect(entries.map((entry) => [entry.name, entry.removal])).toEqual(
        expect.arrayContaining([
          ['two', null],
          ['two', 'trashed'],
          ['x', 'trashed'],
        ]),
      );
      expect(entries).toHaveLength(3);
      expect(await codeOf(tree.get(anna, '/removed/x/one'))).toBe('NODE_NOT_FOUND');
      expect((await tree.browse.get(anna, { node: at('/removed/X/one'), includeRemoved: true })).path).toBe('/removed/x/one');
      expect((await tree.browse.get(anna, { node: at('/removed/two'), includeRemoved: true })).removal).toBe(null);
    });

    it('refuses what cannot be listed', async () => {
      expect(await codeOf(tree.browse.list(anna, listing('/nowhere')))).toBe('NODE_NOT_FOUND');
      expect(await codeOf(tree.browse.list(anna, listing('/list/b.txt')))).toBe('NOT_A_FOLDER');
      expect(await codeOf(tree.browse.list(anna, listing('/list/b.txt/x')))).toBe('NODE_NOT_FOUND');
      expect(await codeOf(tree.browse.list(anna, listing('/list', { cursor: 'x' })))).toBe('INVALID_ARGUMENT');
      const { nextCursor } = await tree.browse.list(anna, listing('/list', { limit: 1 }));
      expect(await codeOf(tree.browse.list(anna, listing('/list', { limit: 1, cursor: nextCursor, orderBy: 'size' })))).toBe('INVALID_ARGUMENT');
    });
  });

  it('answers strangers as if nothing were there', async () => {
    const secret = await tree.file(anna, '/secret/plan.txt');
    const folder = await tree.get(anna, '/secret');
    await tree.folder(ben, '/own');
    const own = at('/own');
    for (const node of [{ id: secret.id }, { id: folder.id }, { id: 'x' }, { id: '01890000-0000-7000-8000-000000000000' }]) {
      expect(await codeOf(tree.browse.get(ben, { node }))).toBe('NODE_NOT_FOUND');
      expect(await codeOf(tree.browse.totals(ben, node))).toBe('NODE_NOT_FOUND');
      expect(await codeOf(tree.browse.setFavorite(ben, { node, value: true }))).toBe('NODE_NOT_FOUND');
      expect(await codeOf(tree.moves.move(ben, { source: node, targetFolder: own, onConflict: 'replace' }))).toBe('NODE_NOT_FOUND');
      expect(await codeOf(tree.moves.move(ben, { source: own, targetFolder: node, onConflict: 'replace' }))).toBe('NODE_NOT_FOUND');
      expect(await codeOf(tree.moves.rename(ben, { node, name: 'mine' }))).toBe('NODE_NOT_FOUND');
      expect(await codeOf(tree.copies.copy(ben, { source: node, targetFolder: own, onConflict: 'rename' }))).toBe('NODE_NOT_FOUND');
      expect(await codeOf(tree.copies.copy(ben, { source: own, targetFolder: node, onConflict: 'rename' }))).toBe('NODE_NOT_FOUND');
      expect(await codeOf(tree.moves.precheck(ben, { targetFolder: node, operation: 'create' }))).toBe('NODE_NOT_FOUND');
      expect(await tree.trash.trash(ben, { nodes: [node], onlyEmpty: false, permanent: true })).toMatchObject([
        { error: { code: 'NODE_NOT_FOUND' } },
      ]);
    }
    expect((await tree.browse.search(ben, { query: 'plan', offset: 0, limit: 0 })).entries).toEqual([]);
    expect(await codeOf(tree.get(ben, '/secret/plan.txt'))).toBe('NODE_NOT_FOUND');
    expect((await tree.get(anna, '/secret/plan.txt')).id).toBe(secret.id);
  });

  it('makes a folder in one statement with its parents and the news, and tells of it once when many make it', async () => {
    const told = () =>
      tree.database.query<{ path: string; facts: unknown }>(`SELECT path, facts FROM change_events WHERE path LIKE '/news%' ORDER BY xid, seq`);
    await tree.folder(anna, '/other');
    // what is allowed to her comes with her credential
    const signedIn = { ...anna, policy: OPEN_POLICY };
    const { result, statements } = await withStatements(() => tree.folder(signedIn, '/news/of/folders', { clientCreatedMs: 7 }));
    // the way, the folders
    expect(statements).toHaveLength(2);
    expect((await told()).map((row) => row.path)).toEqual(['/news', '/news/of', '/news/of/folders']);
    expect((await told())[2]!.facts).toEqual({ kind: 'folder', owner: anna.accountId, created: 7, modified: result.modifiedMs });
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => tree.folder(anna, '/news/at once')));
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    expect((await told()).filter((row) => row.path === '/news/at once')).toHaveLength(1);
  });

  describe('move and rename', () => {
    it('move a node with all that is in it, and refuse every impossible place', async () => {
      await tree.file(anna, '/m/a/b/c.txt', { bytes: 7 });
      await tree.folder(anna, '/m/target');
      const moved = await tree.moves.move(anna, { source: at('/M/A'), targetFolder: at('/m/TARGET'), onConflict: 'fail' });
      expect(moved.path).toBe('/m/target/a');
      expect((await tree.get(anna, '/m/target/a/b/c.txt')).sizeBytes).toBe(7);
      const move = (source: string, target: string, onConflict: 'fail' | 'replace' = 'replace') =>
        codeOf(tree.moves.move(anna, { source: at(source), targetFolder: at(target), onConflict }));
      expect(await move('/m/none', '/m')).toBe('NODE_NOT_FOUND');
      expect(await move('/m/target/a', '/m/none')).toBe('NODE_NOT_FOUND');
      expect(await move('/m/target/a', '/m/target/a/b/c.txt')).toBe('NOT_A_FOLDER');
      expect(await move('/m/target/a', '/m/target/a')).toBe('MOVE_INTO_DESCENDANT');
      expect(await move('/m/target/a', '/m/target/a/b')).toBe('MOVE_INTO_DESCENDANT');
      expect(await move('/m/target/a', '/m/target')).toBe('SAME_FOLDER');
      expect(await move('/', '/m')).toBe('ROOT_IMMUTABLE');
      expect(await codeOf(tree.moves.rename(anna, { node: at('/'), name: 'x' }))).toBe('ROOT_IMMUTABLE');
      expect(await codeOf(tree.moves.rename(anna, { node: at('/m'), name: 'a/b' }))).toBe('NAME_ILLEGAL');
      expect(await codeOf(tree.moves.rename(anna, { node: at('/nope'), name: 'a' }))).toBe('NODE_NOT_FOUND');
    });

    it('replace sends what stood there to the trash, but never a folder that holds the source', async () => {
      await tree.file(anna, '/r/from/f.txt', { bytes: 1 });
      await tree.file(anna, '/r/to/F.TXT', { bytes: 2 });
      expect(await codeOf(tree.moves.move(anna, { source: at('/r/from/f.txt'), targetFolder: at('/r/to'), onConflict: 'fail' }))).toBe('NAME_TAKEN');
      await tree.moves.move(anna, { source: at('/r/from/f.txt'), targetFolder: at('/r/to'), onConflict: 'replace' });
      expect((await tree.get(anna, '/r/to/f.txt')).sizeBytes).toBe(1);
      expect(await tree.trashNames(anna)).toContain('F.TXT');
      await tree.folder(anna, '/r/x/x/deep');
      expect(await codeOf(tree.moves.move(anna, { source: at('/r/x/x'), targetFolder: at('/r'), onConflict: 'replace' }))).toBe('NAME_TAKEN');
    });

    it('rename changes case and composition alone, and nothing else of the node', async () => {
      await tree.file(anna, '/rn/Caf\u00e9.txt', { bytes: 3, modifiedMs: 5 });
      const first = await tree.get(anna, '/rn/café.txt');
      const upper = await tree.moves.rename(anna, { node: at('/rn/café.txt'), name: 'CAFE\u0301.TXT' });
      expect(upper).toMatchObject({ id: first.id, name: 'CAFE\u0301.TXT', path: '/rn/CAFE\u0301.TXT', modifiedMs: 5, sizeBytes: 3 });
      expect(await tree.names(anna, '/rn')).toEqual(['CAFE\u0301.TXT']);
      const image = await tree.moves.rename(anna, { node: at('/rn/café.txt'), name: 'x.png' });
      expect(image.mimeType).toBe('image/png');
      await tree.file(anna, '/rn/y.png');
      expect(await codeOf(tree.moves.rename(anna, { node: at('/rn/x.png'), name: 'Y.PNG' }))).toBe('NAME_TAKEN');
    });

    it('write at most ten rows and stay within the depth limit', async () => {
      const chain = (count: number, top: string) => [top, ...Array.from({ length: count - 1 }, () => 'd')].join('/');
      await tree.folder(anna, chain(100, 'deep1'));
      await tree.folder(anna, chain(28, 'deep2'));
      expect(
        await codeOf(tree.moves.move(anna, { source: at('/deep2'), targetFolder: at(chain(101, 'deep1').slice(0, -2)), onConflict: 'fail' })).catch(
          (e: Error) => e.message,
        ),
      ).toBe('nothing was refused');
      await tree.folder(anna, chain(29, 'deep3'));
      expect(await codeOf(tree.moves.move(anna, { source: at('/deep3'), targetFolder: at(chain(100, 'deep1')), onConflict: 'fail' }))).toBe(
        'TREE_TOO_DEEP',
      );
      expect(await codeOf(tree.copies.copy(anna, { source: at('/deep3'), targetFolder: at(chain(100, 'deep1')), onConflict: 'fail' }))).toBe(
        'TREE_TOO_DEEP',
      );
      const written = async (work: () => Promise<unknown>): Promise<number> => {
        const sum = async () =>
          (await tree.database.queryOne<{ n: number }>(
            `SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint AS n FROM pg_stat_xact_user_tables WHERE schemaname = 'public'`,
          ))!.n;
        return tree.unitOfWork.run(async () => {
          const before = await sum();
          await work();
          const rows = (await sum()) - before;
          expect(rows).toBeGreaterThan(1);
          return rows;
        });
      };
      for (let index = 0; index < 60; index++) await tree.file(anna, `/rows/big/${index % 7}/${index}`);
      await tree.folder(anna, '/rows/other/big');
      expect(
        await written(() => tree.moves.move(anna, { source: at('/rows/big'), targetFolder: at('/rows/other'), onConflict: 'replace' })),
      ).toBeLessThanOrEqual(10);
      expect(await written(() => tree.moves.rename(anna, { node: at('/rows/other/big'), name: 'Big' }))).toBeLessThanOrEqual(10);
      expect(await written(() => tree.remove(anna, '/rows/other/big'))).toBeLessThanOrEqual(10);
      expect(await written(() => tree.trash.undelete(anna, { paths: [['rows', 'other', 'Big']] }))).toBeLessThanOrEqual(10);
    });

    it('never make a cycle of two moves at once', async () => {
      for (let round = 0; round < 30; round++) {
        await tree.folder(anna, `/cycle/${round}/a`);
        await tree.folder(anna, `/cycle/${round}/b`);
        const outcomes = await Promise.allSettled([
          tree.moves.move(anna, { source: at(`/cycle/${round}/a`), targetFolder: at(`/cycle/${round}/b`), onConflict: 'fail' }),
          tree.moves.move(anna, { source: at(`/cycle/${round}/b`), targetFolder: at(`/cycle/${round}/a`), onConflict: 'fail' }),
        ]);
        expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
      }
    });

    it('precheck tells what would happen and changes nothing', async () => {
      await tree.file(anna, '/pre/src/a.txt', { bytes: 50 });
      await tree.file(anna, '/pre/dst/A.TXT');
      const precheck = (command: Partial<Parameters<typeof tree.moves.precheck>[1]>) =>
        tree.moves.precheck(anna, { targetFolder: at('/pre/dst'), operation: 'move', ...command });
      expect(await precheck({ sources: [at('/pre/src/a.txt')] })).toEqual({ exists: true, overWritable: true, copyable: true });
      expect(await precheck({ names: ['new.txt'], operation: 'create' })).toEqual({ exists: false, overWritable: true, copyable: true });
      expect(await codeOf(precheck({ sources: [at('/pre')] }))).toBe('MOVE_INTO_DESCENDANT');
      expect(await codeOf(precheck({ sources: [at('/pre/dst/a.txt')] }))).toBe('SAME_FOLDER');
      expect(await codeOf(precheck({ sources: [at('/pre/nope')] }))).toBe('NODE_NOT_FOUND');
      expect(await codeOf(precheck({ targetFolder: at('/pre/src/a.txt') }))).toBe('NOT_A_FOLDER');
      const poor = await tree.account(100);
      await tree.file(poor, '/f', { bytes: 60 });
      await tree.folder(poor, '/d');
      expect(await tree.moves.precheck(poor, { targetFolder: at('/d'), sources: [at('/f')], operation: 'copy' })).toMatchObject({ copyable: false });
      expect(await tree.moves.precheck(poor, { targetFolder: at('/d'), sizeBytes: 41, operation: 'create' })).toMatchObject({ copyable: false });
      expect(await tree.moves.precheck(poor, { targetFolder: at('/d'), sizeBytes: 40, operation: 'create' })).toMatchObject({ copyable: true });
    });
  });

  describe('copy', () => {
    it('copies a tree with its dates, without favourites, and counts its bytes', async () => {
      const carl = await tree.account();
      for (let index = 0; index < 30; index++)
        await tree.file(carl, `/src/${index % 5}/${index % 3}/f${index}.txt`, { bytes: 10, createdMs: -index, modifiedMs: index });
      await tree.folder(carl, '/src/empty');
      await tree.browse.setFavorite(carl, { node: at('/src'), value: true });
      const copy = await tree.copies.copy(carl, { source: at('/src'), targetFolder: at('/'), onConflict: 'rename' });
      expect(copy).toMatchObject({ path: '/src (1)', favorite: false });
      expect(await tree.browse.totals(carl, at('/src (1)'))).toMatchObject({ files: 30, folders: 21, bytes: 300 });
      expect(await tree.usedBytes(carl)).toBe(600);
      const original = await tree.get(carl, '/src/3/0/f18.txt');
      const file = await tree.get(carl, '/src (1)/3/0/f18.txt');
      expect(file).toMatchObject({ versionNo: 1, md5: original.md5, clientCreatedMs: -18, clientModifiedMs: 18, modifiedMs: 18 });
      expect(file.id).not.toBe(original.id);
      expect((await tree.copies.copy(carl, { source: at('/src'), targetFolder: at('/'), onConflict: 'rename' })).path).toBe('/src (2)');
      expect((await tree.copies.copy(carl, { source: at('/src/3/0/f18.txt'), targetFolder: at('/src/3/0'), onConflict: 'rename' })).path).toBe(
        '/src/3/0/f18 (1).txt',
      );
      expect((await tree.copies.copy(carl, { source: at('/src/3/0/f18.txt'), targetFolder: at('/src'), onConflict: 'fail' })).path).toBe(
        '/src/f18.txt',
      );
      expect(await codeOf(tree.copies.copy(carl, { source: at('/src/3/0/f18.txt'), targetFolder: at('/src'), onConflict: 'fail' }))).toBe(
        'NAME_TAKEN',
      );
      expect(await codeOf(tree.copies.copy(carl, { source: at('/src'), targetFolder: at('/src/empty'), onConflict: 'rename' }))).toBe(
        'MOVE_INTO_DESCENDANT',
      );
      expect(await codeOf(tree.copies.copy(carl, { source: at('/'), targetFolder: at('/src'), onConflict: 'rename' }))).toBe('MOVE_INTO_DESCENDANT');
      expect(await codeOf(tree.copies.copy(carl, { source: at('/src'), targetFolder: at('/src/f18.txt'), onConflict: 'rename' }))).toBe(
        'NOT_A_FOLDER',
      );
      expect(await tree.names(carl, '/')).toEqual(['src', 'src (1)', 'src (2)']);
    });

    it('refuses what does not fit before anything can be seen, and leaves nothing', async () => {
      const poor = await tree.account(150);
      for (let index = 0; index < 8; index++) await tree.file(poor, `/s/${index}`, { bytes: 10 });
      expect(await codeOf(tree.copies.copy(poor, { source: at('/s'), targetFolder: at('/'), onConflict: 'rename' }))).toBe('QUOTA_EXCEEDED');
      expect(await tree.names(poor, '/')).toEqual(['s']);
      await tree.purgeAll(poor);
      expect(await tree.usedBytes(poor)).toBe(80);
      expect(await codeOf(tree.copies.copy(poor, { source: at('/s'), targetFolder: at('/'), onConflict: 'fail' }))).toBe('QUOTA_EXCEEDED');
    });

    it('leaves nothing of a copy that ends in the middle, whether it is refused, given up or its source changes', async () => {
      const lea = await tree.account();
      const { spaceId } = await tree.service(SpaceService).homeOf(lea.accountId);
      for (let index = 0; index < 60; index++) await tree.file(lea, `/src/${index % 10}/${index % 4}/${index}`, { bytes: 10 });
      // Somebody takes the copy for dead after its first rows.
      const touch = vi.spyOn(tree.service(CopyRepository), 'touchStaged').mockImplementationOnce(() => Promise.resolve(false));
      expect(await codeOf(tree.copies.copy(lea, { source: at('/src'), targetFolder: at('/'), onConflict: 'rename' }))).toBe('BUSY');
      touch.mockRestore();
      // The database goes away in the middle.
      const attach = vi.spyOn(tree.service(CopyRepository), 'attach').mockImplementationOnce(() => Promise.reject(new Error('connection lost')));
      await expect(tree.copies.copy(lea, { source: at('/src'), targetFolder: at('/'), onConflict: 'rename' })).rejects.toThrow('connection lost');
      attach.mockRestore();
      expect(await tree.names(lea, '/')).toEqual(['src']);
      expect((await tree.browse.search(lea, { query: '5', offset: 0, limit: 0 })).entries.every((entry) => entry.path.startsWith('/src'))).toBe(true);
      await tree.purgeAll(lea);
      expect(await tree.usedBytes(lea)).toBe(600);
      const left = await tree.database.query('SELECT id FROM nodes WHERE space_id = $1 AND removal IS NOT NULL', [spaceId]);
      expect(left).toEqual([]);
      const changes = (async () => {
        for (let index = 0; index < 40; index++) {
          await tree.file(lea, `/src/${index % 10}/new/${index}`, { bytes: 1 });
          await tree.moves.rename(lea, { node: at(`/src/${index % 10}/new/${index}`), name: `r${index}` });
          if (index % 4 === 0) await tree.remove(lea, `/src/${index % 10}/${index % 4}/${index}`);
          if (index % 7 === 0)
            await tree.moves.move(lea, { source: at(`/src/${index % 10}/new/r${index}`), targetFolder: at('/src'), onConflict: 'replace' });
        }
      })();
      const copies = await Promise.all(
        [0, 1, 2].map(() => tree.copies.copy(lea, { source: at('/src'), targetFolder: at('/'), onConflict: 'rename' })),
      );
      await changes;
      expect(new Set(copies.map((copy) => copy.name)).size).toBe(3);
      expect(await tree.defects()).toEqual([]);
    });

    it('numbers names without ever exceeding 255 bytes', () => {
      expect(numberedName('a.tar.gz', 1, 'file')).toBe('a.tar (1).gz');
      expect(numberedName('.profile', 2, 'file')).toBe('.profile (2)');
      expect(numberedName('v1.2', 3, 'folder')).toBe('v1.2 (3)');
      const long = numberedName(`${'👍'.repeat(62)}.txt`, 12, 'file');
      expect(Buffer.byteLength(long)).toBeLessThanOrEqual(255);
      expect(long.endsWith(' (12).txt')).toBe(true);
      expect(nameKey(long)).toBe(nameKey(long.normalize('NFD')));
    });
  });

  it('search finds parts of names, wildcards of the user included, only where it is live', async () => {
    const dora = await tree.account();
    for (const path of [
      '/docs/100%_sure.txt',
      '/docs/100 sure.txt',
      '/docs/Übersicht.PNG',
      '/docs/sub/report Q1.txt',
      '/other/REPORT q2.txt',
      '/gone/report.txt',
      '/x\\y.txt',
    ]) {
      await tree.file(dora, path);
    }
    await tree.remove(dora, '/gone');
    const search = async (query: string, options: Partial<Parameters<typeof tree.browse.search>[1]> = {}) =>
      (await tree.browse.search(dora, { query, offset: 0, limit: 0, orderBy: 'name', ...options })).entries.map((entry) => entry.path);
    expect(await search('report')).toEqual(['/docs/sub/report Q1.txt', '/other/REPORT q2.txt']);
    expect(await search('REPORT', { under: at('/docs') })).toEqual(['/docs/sub/report Q1.txt']);
    expect(await search('0%_s')).toEqual(['/docs/100%_sure.txt']);
    expect(await search('%')).toEqual(['/docs/100%_sure.txt']);
    expect(await search('_')).toEqual(['/docs/100%_sure.txt']);
    expect(await search('\\')).toEqual(['/x\\y.txt']);
    expect(await search('u\u0308BER')).toEqual(['/docs/Übersicht.PNG']);
    expect(await search('s', { media: 'image' })).toEqual(['/docs/Übersicht.PNG']);
    expect(await search('s', { media: 'folder' })).toEqual(['/docs', '/docs/sub']);
    expect(await search('a/b')).toEqual([]);
    expect(await search('\0')).toEqual([]);
    expect(await codeOf(search(''))).toBe('INVALID_ARGUMENT');
    const page = await tree.browse.search(dora, { query: 'txt', offset: 1, limit: 2, orderBy: 'name' });
    expect(page.entries.map((entry) => entry.name)).toEqual(['100%_sure.txt', 'report Q1.txt']);
    expect(page.isLastPage).toBe(false);
    expect(await countStatements(() => search('txt'))).toBe(1);
  });

  it('favourites belong to an account, toggle, and follow the node', async () => {
    await tree.file(anna, '/fav/a.txt');
    expect((await tree.browse.setFavorite(anna, { node: at('/fav/a.txt') })).favorite).toBe(true);
    await tree.moves.rename(anna, { node: at('/fav/a.txt'), name: 'b.txt' });
    expect((await tree.browse.favorites(anna, { offset: 0, limit: 0 })).map((node) => node.path)).toEqual(['/fav/b.txt']);
    expect((await tree.get(anna, '/fav/b.txt')).favorite).toBe(true);
    await tree.remove(anna, '/fav');
    expect(await tree.browse.favorites(anna, { offset: 0, limit: 0 })).toEqual([]);
    await tree.trash.undelete(anna, { paths: [['fav']] });
    expect(await tree.browse.favorites(anna, { offset: 0, limit: 0 })).toHaveLength(1);
    expect((await tree.browse.setFavorite(anna, { node: at('/fav/b.txt') })).favorite).toBe(false);
  });

  it('a full listing is the whole tree as nested JSON, and the size task counts it', async () => {
    const emma = await tree.account();
    for (let index = 0; index < 12; index++) await tree.file(emma, `/a/${index % 3}/"q" ${index}.txt`, { bytes: index });
    await tree.folder(emma, '/empty');
    await tree.service(FullListingService).start(emma);
    const root = await tree.get(emma, '/');
    const result = await tree.service(FullListingTask).run({ nodeId: root.id }, context(emma.accountId));
    const chunks: Buffer[] = [];
    for await (const chunk of await tree.app.get(BlobStore, { strict: false }).getRange(result.storeKey)) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    expect(Buffer.byteLength(text)).toBe(result.sizeBytes);
    interface Entry {
      folder: boolean;
      path: string;
      bytes: number;
      content?: Entry[];
    }
    const seen: string[] = [];
    const walk = (entry: Entry): number => {
      seen.push(entry.path);
      expect(entry.folder).toBe(entry.content !== undefined);
      return entry.bytes + (entry.content ?? []).reduce((sum, child) => sum + walk(child), 0);
    };
    expect(walk(JSON.parse(text) as Entry)).toBe(66);
    expect(seen).toHaveLength(18);
    expect(result.nodes).toBe(18);
    expect(seen).toContain('/a/1/"q" 1.txt');
    expect(await tree.service(FolderSizeTask).run({ nodeId: root.id })).toEqual({ files: 12, folders: 5, bytes: 66 });
  });
});
