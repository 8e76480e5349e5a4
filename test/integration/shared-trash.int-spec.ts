import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { MoveService } from '#libs/files';
import type { AccountActor } from '#libs/kernel';
import { LedgerAudit, MountRepository } from '#libs/nodes';
import { RestoreTask } from '#libs/trash';

import { countStatements } from '../support/statement-count.js';
import { codeOf, segments } from './bytes-harness.js';
import { race, READER, SharedHarness, WRITER } from './shared-harness.js';

let h: SharedHarness;
beforeAll(async () => {
  h = await SharedHarness.start();
});
afterAll(async () => {
  if (!h) return;
  // Whatever happened: counters, quota and versions agree.
  for (const check of ['folder-count', 'quota-use', 'quota-reserve', 'file-mismatch'] as const) {
    expect(await h.service(LedgerAudit).run(check)).toEqual([]);
  }
  await h.close();
});

const upload = (actor: AccountActor, path: string, body = 'x') => h.bytes.upload(actor, path, body);

/** An owner with `/top/team`, and a member who has it as `/team`. */
async function team(right = WRITER) {
  const [owner, member] = [await h.account(), await h.account()];
  const folder = await h.share(owner, '/top/team', right, member);
  return { owner, member, folder };
}

describe('what a member deletes', () => {
  it('lies in the trash of the owner under his path, and the member sees it through the folder', async () => {
    const { owner, member, folder } = await team();
    await upload(member, '/team/sub/a.txt', '12345');
    const gone = await h.remove(member, '/team/sub/a.txt');
    expect(gone).toMatchObject({ path: '/team/sub/a.txt', restorePath: '/team/sub/a.txt', removal: 'trashed' });
    expect(await h.listTrash(owner)).toEqual(['a.txt /top/team/sub/a.txt']);
    expect(await h.listTrash(member)).toEqual([]);
    expect(await h.listTrash(member, '/team')).toEqual(['a.txt /team/sub/a.txt']);
    expect(await h.listTrash(owner, '/top/team')).toEqual(['a.txt /top/team/sub/a.txt']);
    expect((await h.bytes.quota(owner)).usedBytes).toBe(5);
    expect(await h.names(owner, '/top/team/sub')).toEqual([]);
    expect((await h.feed(folder.id)).at(-1)).toBe('file_deleted /sub/a.txt');
    expect((await h.feed(folder.spaceId)).at(-1)).toBe('file_deleted /top/team/sub/a.txt');
  });

  it('needs the right to delete, and is never erased by anybody but the owner', async () => {
    const { owner, member } = await team(READER);
    const [stranger, writer] = [await h.account(), await h.account()];
    const node = await upload(owner, '/top/team/a.txt');
    expect(await codeOf(h.remove(member, '/team/a.txt'))).toBe('FORBIDDEN');
    for (const actor of [stranger]) {
      const [outcome] = await h.trash.trash(actor, { nodes: [{ id: node.id }], onlyEmpty: false, permanent: false });
      expect(outcome).toMatchObject({ error: { code: 'NODE_NOT_FOUND' } });
    }
    await h.share(owner, '/top/team', WRITER, writer);
    expect(await codeOf(h.remove(writer, '/team/a.txt', true))).toBe('FORBIDDEN');
    await h.remove(owner, '/top/team/a.txt', true);
    expect(await codeOf(h.get(writer, '/team/a.txt'))).toBe('NODE_NOT_FOUND');
    const guest = await h.pass(owner, await h.get(owner, '/top'), 'download');
    expect(await codeOf(h.trash.trash(guest, { nodes: [{ path: ['team'] }], onlyEmpty: false, permanent: false }))).toBe('FORBIDDEN');
  });

  it('is judged in one call with what is at home, in a number of statements that does not grow', async () => {
    const { owner, member } = await team();
    const counts: number[] = [];
    for (const size of [2, 12]) {
      const paths = Array.from({ length: size }, (_, index) => [`/team/${size}/${index}`, `/home${size}/${index}`]).flat();
      for (const path of paths) await upload(member, path);
      const nodes = paths.map((path) => ({ path: segments(path) }));
      counts.push(
        await countStatements(async () => {
          const outcomes = await h.trash.trash(member, { nodes, onlyEmpty: false, permanent: false });
          expect(outcomes.every((outcome) => 'node' in outcome)).toBe(true);
        }),
      );
    }
    expect(counts[1]! - counts[0]!).toBeLessThanOrEqual(2);
    expect((await h.listTrash(owner)).length).toBe(14);
    expect((await h.listTrash(member)).length).toBe(14);
  });
});

describe('taking back', () => {
  it('by path works for members with their own paths, also after the owner has renamed the folders above', async () => {
    const { owner, member, folder } = await team();
    const file = await upload(member, '/team/sub/a.txt');
    await h.remove(member, '/team/sub/a.txt');
    await h.rename(owner, '/top', 'other');
    await h.rename(member, '/team', 'mine');
    const back = await h.undelete(member, '/mine/sub/A.txt');
    expect(back).toMatchObject({ id: file.id, path: '/mine/sub/a.txt', removal: null });
    expect(await h.names(owner, '/other/team/sub')).toEqual(['a.txt']);
    expect(await codeOf(h.undelete(member, '/mine/sub/a.txt'))).toBe('NOT_IN_TRASH');
    expect(await codeOf(h.undelete(member, '/mine/sub/b.txt'))).toBe('NODE_NOT_FOUND');
    expect((await h.feed(folder.id)).at(-1)).toBe('file_undeleted /sub/a.txt');
    await h.remove(owner, '/other/team/sub/a.txt');
    await h.remove(owner, '/other/team/sub');
    expect(await codeOf(h.undelete(member, '/mine/sub/a.txt'))).toBe('INSIDE_TRASHED_FOLDER');
    expect(await h.undelete(member, '/mine/sub')).toMatchObject({ path: '/mine/sub' });
  });

  it('by path is refused to readers, and never reaches outside of the folder', async () => {
    const { owner, member } = await team(READER);
    await upload(owner, '/top/team/a.txt');
    await upload(owner, '/top/private.txt');
    await h.remove(owner, '/top/team/a.txt');
    await h.remove(owner, '/top/private.txt');
    for (const path of ['/team/a.txt', '/top/private.txt', '/top/team/a.txt']) expect(await codeOf(h.undelete(member, path))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(h.listTrash(member, '/team'))).toBe('FORBIDDEN');
    expect(await codeOf(h.restore(member, ['a.txt'], '/team'))).toBe('FORBIDDEN');
    expect((await h.listTrash(owner)).length).toBe(2);
    // nor is a reader told that it lies in something that was removed
    await upload(owner, '/top/team/sub/b.txt');
    await h.remove(owner, '/top/team/sub');
    expect(await codeOf(h.undelete(member, '/team/sub/b.txt'))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(h.undelete(owner, '/top/team/sub/b.txt'))).toBe('INSIDE_TRASHED_FOLDER');
  });

  it('by name works through the folder for what lay in it, and makes lost folders anew in it', async () => {
    const { owner, member } = await team();
    await upload(owner, '/outside.txt');
    await h.remove(owner, '/outside.txt');
    await upload(member, '/team/deep/er/a.txt');
    await h.remove(member, '/team/deep/er/a.txt');
    await h.remove(member, '/team/deep');
    await h.rename(owner, '/top', 'renamed');
    expect(await h.listTrash(member, '/team')).toEqual(['a.txt /team/deep/er/a.txt', 'deep /team/deep']);
    expect(await codeOf(h.restore(member, ['outside.txt'], '/team'))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(h.restore(member, ['a.txt']))).toBe('NODE_NOT_FOUND');
    expect(await h.restore(member, ['a.txt'], '/team')).toEqual({ restored: ['/team/deep/er/a.txt'], failed: [] });
    expect(await h.names(owner, '/renamed/team/deep/er')).toEqual(['a.txt']);
    expect(await h.names(owner, '/')).toEqual(['renamed']);
    expect(await codeOf(h.restore(member, ['deep'], '/team', 'fail'))).toBe('NAME_TAKEN');
    expect(await h.restore(member, ['deep'], '/team')).toEqual({ restored: ['/team/deep'], failed: [] });
    expect(await h.listTrash(owner)).toEqual(['deep (1) /renamed/team/deep', 'outside.txt /outside.txt']);
  });

  it('is judged again when it happens', async () => {
    const { owner, member, folder } = await team();
    await upload(member, '/team/a.txt');
    await h.remove(member, '/team/a.txt');
    const { publicId } = await h.trash.startRestore(member, { names: ['a.txt'], onConflict: 'replace', from: { path: ['team'] } });
    await h.revoke(owner, folder, member);
    expect(await codeOf(h.runTask(RestoreTask, publicId))).toBe('NODE_NOT_FOUND');
    expect((await h.listTrash(owner)).length).toBe(1);
  });

  it('asks for a shared folder of the user', async () => {
    const { owner, member } = await team();
    await h.folder(member, '/team/sub');
    await h.folder(member, '/own');
    await upload(member, '/own.txt');
    for (const [actor, path] of [
      [member, '/team/sub'],
      [member, '/own'],
      [member, '/own.txt'],
      [member, '/'],
      [owner, '/top'],
    ] as const) {
      expect(await codeOf(h.listTrash(actor, path))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(h.restore(actor, ['x'], path))).toBe('INVALID_ARGUMENT');
    }
    for (const path of ['/nothing', '/team/nothing', '/top/team']) expect(await codeOf(h.listTrash(member, path))).toBe('NODE_NOT_FOUND');
  });

  it('has an ETag that changes with the trash of the owner and the place of the mount, and pages', async () => {
    const { owner, member } = await team();
    for (const name of ['a', 'b', 'c']) {
      await upload(member, `/team/${name}`);
      await h.remove(member, `/team/${name}`);
    }
    const list = (path: string, options: object = {}) =>
      h.trash.list(member, { dirsOnly: false, orderBy: 'name', descending: false, offset: 0, limit: 2, from: { path: segments(path) }, ...options });
    const first = await list('/team');
    expect(first).toMatchObject({ isLastPage: false, notModified: false });
    expect((await list('/team', { offset: 2 })).entries.map((entry) => entry.name)).toEqual(['c']);
    expect(await list('/team', { knownEtag: first.etag })).toMatchObject({ notModified: true, entries: [] });
    await h.rename(member, '/team', 'renamed');
    const renamed = await list('/renamed', { knownEtag: first.etag });
    expect(renamed.entries.map((entry) => entry.restorePath)).toEqual(['/renamed/a', '/renamed/b']);
    await upload(owner, '/top/elsewhere');
    await h.remove(owner, '/top/elsewhere');
    expect((await list('/renamed', { knownEtag: renamed.etag })).notModified).toBe(false);
  });
});

describe('a mount', () => {
  it('is removed by leaving the folder, whatever the right, and the folder stays with its owner', async () => {
    const { owner, member } = await team(READER);
    await upload(owner, '/top/team/a.txt');
    const [full] = await h.trash.trash(member, { nodes: [{ path: ['team'] }], onlyEmpty: true, permanent: false });
    expect(full).toMatchObject({ error: { code: 'FOLDER_NOT_EMPTY' } });
    expect(await h.remove(member, '/team')).toMatchObject({ path: '/team', removal: 'purging' });
    expect(await h.names(member, '/')).toEqual([]);
    expect(await h.names(owner, '/top/team')).toEqual(['a.txt']);
    expect(await h.listTrash(owner)).toEqual([]);
    expect(await codeOf(h.get(member, '/team'))).toBe('NODE_NOT_FOUND');
    const [again] = await h.trash.trash(member, { nodes: [{ path: ['team'] }], onlyEmpty: false, permanent: true });
    expect(again).toMatchObject({ error: { code: 'NODE_NOT_FOUND' } });
  });

  it('is hidden while the folder is in the trash, and there again when it is taken back', async () => {
    const { owner, member } = await team();
    await upload(member, '/team/a.txt');
    const before = (await h.get(member, '/')).revision;
    await h.remove(owner, '/top');
    expect(await h.names(member, '/')).toEqual([]);
    expect(await codeOf(h.get(member, '/team/a.txt'))).toBe('NODE_NOT_FOUND');
    const hidden = (await h.get(member, '/')).revision;
    expect(hidden).toBeGreaterThan(before);
    // Its name is taken all the same.
    expect(await codeOf(upload(member, '/team', 'x'))).toBe('NAME_TAKEN');
    await h.undelete(owner, '/top');
    expect(await h.names(member, '/team')).toEqual(['a.txt']);
    expect((await h.get(member, '/')).revision).toBeGreaterThan(hidden);
  });

  it('goes with its grant when the folder is erased, from the trash or at once', async () => {
    const { owner, member, folder } = await team();
    const direct = await h.share(owner, '/direct', WRITER, member);
    await upload(member, '/team/a.txt');
    await upload(member, '/direct/a.txt');
    await h.remove(owner, '/top');
    await h.remove(owner, '/direct', true);
    await h.clearTrash(owner);
    expect(await h.names(member, '/')).toEqual([]);
    expect(await h.service(MountRepository).byTarget([folder.id, direct.id])).toEqual([]);
    expect(await h.bytes.database.query('SELECT 1 FROM nodes WHERE id = ANY($1::uuid[])', [[folder.id, direct.id]])).toEqual([]);
    expect((await h.bytes.quota(owner)).usedBytes).toBe(0);
    const { spaceId } = await h.get(member, '/');
    expect(await h.feed(spaceId)).toEqual(expect.arrayContaining(['folder_deleted /team', 'folder_deleted /direct']));
    expect(await h.feed(folder.spaceId)).toContain('trash_cleared /');
  });

  it('in a folder of the receiver goes to the trash and comes back with it, and is left when that is erased', async () => {
    const { owner, member, folder } = await team();
    await h.folder(member, '/box');
    await h.service(MoveService).move(member, { source: { path: ['team'] }, targetFolder: { path: ['box'] }, onConflict: 'fail' });
    await h.remove(member, '/box');
    await h.undelete(member, '/box');
    expect(await upload(member, '/box/team/a.txt')).toMatchObject({ ownerId: owner.accountId });
    await h.remove(member, '/box');
    await h.clearTrash(member);
    expect(await h.service(MountRepository).byTarget([folder.id])).toEqual([]);
    expect(await h.names(owner, '/top/team')).toEqual(['a.txt']);
    expect(await h.bytes.database.query('SELECT 1 FROM invitations WHERE account_id = $1', [member.accountId])).toEqual([]);
  });

  it('is in the way of what would be restored over it', async () => {
    const [owner, member] = [await h.account(), await h.account()];
    await upload(member, '/same/old.txt');
    await h.remove(member, '/same');
    await h.share(owner, '/same', WRITER, member);
    expect(await codeOf(h.restore(member, ['same']))).toBe('MOUNT_IN_THE_WAY');
    expect(await codeOf(h.undelete(member, '/same'))).toBe('NOT_IN_TRASH');
  });
});

describe('at the same moment', () => {
  it('a file is deleted once by an owner and members', async () => {
    const { owner, member } = await team();
    const another = await h.account();
    await h.share(owner, '/top/team', WRITER, another);
    for (let round = 0; round < 5; round++) {
      await upload(member, `/team/${round}`);
      const { done, codes } = await race(9, (index) =>
        index % 3 === 0 ? h.remove(owner, `/top/team/${round}`) : h.remove(index % 3 === 1 ? member : another, `/team/${round}`),
      );
      expect([done.length, new Set(codes)]).toEqual([1, new Set(['NODE_NOT_FOUND'])]);
    }
    expect((await h.listTrash(owner)).length).toBe(5);
  });

  it('two who delete in each other’s folders do not wait for each other for ever', async () => {
    const [one, two] = [await h.account(), await h.account()];
    await h.share(one, '/of one', WRITER, two);
    await h.share(two, '/of two', WRITER, one);
    for (let index = 0; index < 20; index++) {
      await upload(one, `/of one/${index}`);
      await upload(two, `/of two/${index}`);
    }
    const remove = (actor: AccountActor, index: number) =>
      h.trash.trash(actor, { nodes: [{ path: ['of one', `${index}`] }, { path: ['of two', `${index}`] }], onlyEmpty: false, permanent: false });
    const { codes } = await race(40, (index) => remove(index % 2 ? one : two, index >> 1));
    expect(codes).toEqual([]);
    expect([(await h.listTrash(one)).length, (await h.listTrash(two)).length]).toEqual([20, 20]);
  });
});
