import { crc32 } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type ArchiveActor, ArchiveService } from '#libs/archives';
import { DerivedLinkService, DiffService, DownloadService } from '#libs/files';
import type { AccountActor, GuestActor } from '#libs/kernel';
import { VersionService } from '#libs/versions';

import { ArchiveBuildTask } from '../../libs/archives/src/archive-build.task.js';
import { collect, extract } from '../../libs/archives/test/zip-samples.js';
import { countStatements } from '../support/statement-count.js';
import { codeOf, segments } from './bytes-harness.js';
import { READER, SharedHarness, VIEWER, WRITER } from './shared-harness.js';

let h: SharedHarness;
let versions: VersionService;
let downloads: DownloadService;
let archives: ArchiveService;
beforeAll(async () => {
  h = await SharedHarness.start();
  versions = h.service(VersionService);
  downloads = h.service(DownloadService);
  archives = h.service(ArchiveService);
});
afterAll(() => h?.close());

const at = (path: string) => ({ path: segments(path) });
const link = (actor: AccountActor | GuestActor, path: string, inline = false) =>
  downloads.link(actor, { node: at(path), inline, includeRemoved: false });

describe('versions behind a mount', () => {
  it('are listed to readers and restored by writers, at the cost of the owner', async () => {
    const [owner, writer, reader] = [await h.account(10), await h.account(1), await h.account()];
    const folder = await h.share(owner, '/v', WRITER, writer);
    await h.share(owner, '/v', READER, reader);
    await h.bytes.upload(owner, '/v/a', 'aaaa');
    await h.bytes.upload(writer, '/v/a', 'bb', { overwrite: true });
    expect((await versions.list(reader, { node: at('/v/a'), skip: 0, limit: 0 })).map((version) => version.authorId)).toEqual([
      writer.accountId,
      owner.accountId,
    ]);
    expect(await versions.toUpdate(reader, { node: at('/v/a'), versionNo: 1 })).toHaveLength(1);
    expect(await codeOf(versions.restore(reader, { node: at('/v/a'), versionNo: 1 }))).toBe('FORBIDDEN');
    expect(await versions.restore(writer, { node: at('/v/a'), versionNo: 1 })).toMatchObject({
      path: '/v/a',
      versionNo: 3,
      authorId: writer.accountId,
    });
    expect((await h.bytes.quota(owner)).usedBytes).toBe(10);
    expect((await h.bytes.quota(writer)).usedBytes).toBe(0);
    expect(await codeOf(versions.restore(writer, { node: at('/v/a'), versionNo: 2 }))).toBe('QUOTA_EXCEEDED');
    expect((await h.feed(folder.id)).at(-1)).toBe('file_version_restored /a');
    await h.revoke(owner, folder, reader);
    expect(await codeOf(versions.list(reader, { node: { id: (await h.get(owner, '/v/a')).id }, skip: 0, limit: 0 }))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(versions.of(reader, await h.get(owner, '/v/a'), 1))).toBe('NODE_NOT_FOUND');
  });

  it('are held to the limit of the folder when they come back', async () => {
    const owner = await h.account();
    const folder = await h.folder(owner, '/limit');
    await h.bytes.upload(owner, '/limit/a', 'x'.repeat(90));
    await h.bytes.upload(owner, '/limit/a', 'x', { overwrite: true });
    await h.bytes.database.run('UPDATE nodes SET limit_bytes = 80 WHERE id = $1', [folder.id]);
    expect(await codeOf(versions.restore(owner, { node: at('/limit/a'), versionNo: 1 }))).toBe('QUOTA_EXCEEDED');
    expect(await h.get(owner, '/limit/a')).toMatchObject({ versionNo: 2, sizeBytes: 1 });
  });
});

describe('bytes behind a mount', () => {
  it('are given to those with the right to download, and saving them is told', async () => {
    const [owner, reader, viewer] = [await h.account(), await h.account(), await h.account()];
    const folder = await h.share(owner, '/d', READER, reader);
    await h.share(owner, '/d', VIEWER, viewer);
    await h.bytes.upload(owner, '/d/a.txt', 'abc');
    expect((await link(reader, '/d/a.txt')).node.path).toBe('/d/a.txt');
    expect(await codeOf(link(viewer, '/d/a.txt'))).toBe('FORBIDDEN');
    expect(await codeOf(h.service(DiffService).getDiff(viewer, { node: at('/d/a.txt'), fromVersionNo: 1 }))).toBe('FORBIDDEN');
    const told = await h.feed(folder.id);
    expect(told.at(-1)).toBe('file_download /a.txt');
    await link(reader, '/d/a.txt', true);
    expect(await h.feed(folder.id)).toEqual(told);
  });

  it('are given to guests by the paths below their link, until it ends', async () => {
    const owner = await h.account();
    const folder = await h.folder(owner, '/g');
    await h.bytes.upload(owner, '/g/sub/a.txt', 'abc');
    await h.bytes.upload(owner, '/private.txt', 'abc');
    const guest = await h.pass(owner, folder, 'download');
    const { node, version } = await link(guest, '/sub/a.txt');
    expect([node.path, version.no]).toEqual(['/sub/a.txt', 1]);
    expect(await versions.list(guest, { node: at('/sub/a.txt'), skip: 0, limit: 0 })).toHaveLength(1);
    expect(await codeOf(versions.restore(guest, { node: at('/sub/a.txt'), versionNo: 1 }))).toBe('FORBIDDEN');
    for (const path of ['/private.txt', '/g/sub/a.txt']) expect(await codeOf(link(guest, path))).toBe('NODE_NOT_FOUND');
    await h.endPass(guest);
    expect(await codeOf(link(guest, '/sub/a.txt'))).toBe('NODE_NOT_FOUND');
    const dropbox = await h.pass(owner, folder, 'upload');
    expect(await codeOf(link(dropbox, '/sub/a.txt'))).toBe('FORBIDDEN');
  });

  it('come as deltas from writers, whose right counts until the end', async () => {
    const [owner, writer] = [await h.account(), await h.account()];
    const folder = await h.share(owner, '/delta', WRITER, writer);
    const [base, next] = [Buffer.alloc(5_000, 'a'), Buffer.concat([Buffer.alloc(5_000, 'a'), Buffer.from('more')])];
    for (const path of ['/delta/doc', '/scratch']) await h.bytes.upload(owner, path, base);
    await h.bytes.upload(owner, '/scratch', next, { overwrite: true });
    const diffs = h.service(DiffService);
    const { url } = await diffs.getDiff(owner, { node: at('/scratch'), fromVersionNo: 1 });
    const delta = await collect(await h.bytes.store.getRange(new URL(url).pathname.replace('/blobs/', '')));
    const open = () => diffs.createFromDiff(writer, { path: ['delta', 'doc'], versionNo: 1, baseCrc32: crc32(base).toString(16) });
    const [first, second] = [await open(), await open()];
    for (const { tempName } of [first, second]) await h.bytes.put(tempName, delta);
    const confirm = ({ tempName }: { tempName: string }) => diffs.confirmFromDiff({ accountId: writer.accountId, tempName, actor: null });
    await h.rename(writer, '/delta', 'renamed');
    expect(await confirm(first)).toMatchObject({ path: '/renamed/doc', versionNo: 2, sizeBytes: next.length, ownerId: owner.accountId });
    await h.revoke(owner, folder, writer);
    expect(await codeOf(confirm(second))).toBe('NODE_NOT_FOUND');
    expect((await h.bytes.quota(owner)).usedBytes).toBe(5_000 * 2 + next.length * 2);
    expect((await h.bytes.quota(writer)).usedBytes).toBe(0);
  });
});

describe('an archive', () => {
  const ordered = async (actor: ArchiveActor, ...paths: string[]) =>
    (await archives.createStream(actor, { nodes: paths.map(at), windows: false })).privateHash;
  const streamed = async (hash: string) => extract(await collect(await (await archives.openStream(hash)).stream()));
  const entriesOf = async (actor: ArchiveActor, ...paths: string[]) =>
    (await streamed(await ordered(actor, ...paths))).map((entry) => entry.path).sort();

  it('goes through mounts, under the names of whoever orders it, and leaves out what he may not download', async () => {
    const [owner, member] = [await h.account(), await h.account()];
    await h.share(owner, '/hidden/open', READER, member);
    await h.share(owner, '/hidden/closed', VIEWER, member);
    await h.bytes.upload(owner, '/hidden/open/sub/a.txt', 'a');
    await h.bytes.upload(owner, '/hidden/closed/b.txt', 'b');
    await h.bytes.upload(owner, '/hidden/secret.txt', 'c');
    await h.bytes.upload(member, '/own.txt', 'd');
    await h.rename(member, '/open', 'mine');
    expect(await entriesOf(member, '/')).toEqual(['mine/', 'mine/sub/', 'mine/sub/a.txt', 'own.txt']);
    expect(await entriesOf(member, '/mine', '/own.txt')).toEqual(['mine/', 'mine/sub/', 'mine/sub/a.txt', 'own.txt']);
    expect(await entriesOf(member, '/mine/sub')).toEqual(['sub/', 'sub/a.txt']);
    expect(await codeOf(ordered(member, '/closed'))).toBe('FORBIDDEN');
    expect(await codeOf(ordered(member, '/mine', '/closed/b.txt'))).toBe('FORBIDDEN');
    expect((await archives.createStream(member, { nodes: [at('/mine')], windows: false })).fileName).toMatch(/^mine_/);
    const { publicId } = await archives.startBuild(member, { nodes: [at('/')], windows: false });
    const built = (await h.runTask(ArchiveBuildTask, publicId)) as { storeKey: string };
    const fetched = (actor: AccountActor) => h.service(DerivedLinkService).link(actor, built.storeKey);
    expect((await fetched(member)).url).toContain('http');
    expect(await codeOf(fetched(owner))).toBe('NODE_NOT_FOUND');
    const entries = await extract(await collect(await h.bytes.store.getRange(built.storeKey)));
    expect(entries.map((entry) => entry.path).sort()).toEqual(['mine/', 'mine/sub/', 'mine/sub/a.txt', 'own.txt']);
  });

  it('ends with the right, also after it was ordered', async () => {
    const [owner, member] = [await h.account(), await h.account()];
    const folder = await h.share(owner, '/r', READER, member);
    await h.bytes.upload(owner, '/r/a.txt', 'a');
    await h.bytes.upload(member, '/own.txt', 'b');
    const [direct, home] = [await ordered(member, '/r'), await ordered(member, '/')];
    const { publicId } = await archives.startBuild(member, { nodes: [at('/r')], windows: false });
    await h.grants.update(owner, folder, { accountId: member.accountId }, VIEWER);
    expect(await codeOf(archives.openStream(direct))).toBe('FORBIDDEN');
    expect((await streamed(home)).map((entry) => entry.path)).toEqual(['own.txt']);
    await h.revoke(owner, folder, member);
    expect(await codeOf(archives.openStream(direct))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(h.runTask(ArchiveBuildTask, publicId))).toBe('NODE_NOT_FOUND');
  });

  it('begins below no folder that its orderer may not see', async () => {
    const [owner, member] = [await h.account(), await h.account()];
    await h.share(owner, '/parent', READER, member);
    await h.bytes.upload(owner, '/parent/a.txt', 'a');
    await h.bytes.upload(member, '/own.txt', 'b');
    const below = () => archives.createStream(member, { nodes: [at('/own.txt')], parentFolder: at('/parent'), windows: false });
    await below();
    // behind the back of the house, which takes the mount with the right
    await h.bytes.database.run(`UPDATE invitations SET state = 'declined' WHERE account_id = $1`, [member.accountId]);
    expect(await codeOf(below())).toBe('NODE_NOT_FOUND');
    expect(await entriesOf(member, '/')).toEqual(['own.txt']);
  });

  it('of a guest begins at his link, never enters mounts, and is told to nobody’s list of streams', async () => {
    const [owner, other] = [await h.account(), await h.account()];
    await h.share(other, '/of others', READER, owner);
    await h.bytes.upload(other, '/of others/x', 'x');
    await h.bytes.upload(owner, '/top/sub/a.txt', 'a');
    await h.bytes.upload(owner, '/top/b.txt', 'b');
    const folder = await h.get(owner, '/top');
    const guest = await h.pass(owner, folder, 'download');
    expect(await entriesOf(guest, '/')).toEqual(['b.txt', 'sub/', 'sub/a.txt']);
    expect(await entriesOf(guest, '/sub')).toEqual(['sub/', 'sub/a.txt']);
    expect(await codeOf(ordered(guest, '/top'))).toBe('NODE_NOT_FOUND');
    expect(await archives.listProgress(owner)).toEqual([]);
    const home = await h.pass(owner, await h.get(owner, '/'), 'download');
    expect(await entriesOf(home, '/')).toEqual(['top/', 'top/b.txt', 'top/sub/', 'top/sub/a.txt']);
    const hash = await ordered(guest, '/');
    const { publicId } = await archives.startBuild(guest, { nodes: [at('/')], windows: false });
    expect(await h.runTask(ArchiveBuildTask, publicId)).toMatchObject({ files: 2 });
    expect((await h.feed(folder.spaceId)).at(-1)).toBe('folder_download /top');
    await h.endPass(guest);
    expect(await codeOf(archives.openStream(hash))).toBe('NODE_NOT_FOUND');
    const dropbox = await h.pass(owner, folder, 'upload');
    expect(await codeOf(ordered(dropbox, '/'))).toBe('FORBIDDEN');
  });

  it('is told once to the feeds above, and asks as many questions for one mount as for many', async () => {
    const member = await h.account();
    const counts: number[] = [];
    for (const size of [1, 8]) {
      const owner = await h.account();
      for (let index = 0; index < size; index++) {
        await h.share(owner, `/${size} ${index}`, READER, member);
        await h.bytes.upload(owner, `/${size} ${index}/f`, 'x');
      }
      const hash = await ordered(member, '/');
      counts.push(await countStatements(() => archives.openStream(hash)));
    }
    expect(counts[1]).toBe(counts[0]);
    const [owner, reader] = [await h.account(), await h.account()];
    const folder = await h.share(owner, '/told', READER, reader);
    const hash = await ordered(reader, '/told');
    await streamed(hash);
    await streamed(hash);
    expect((await h.feed(folder.id)).filter((event) => event.includes('download'))).toEqual(['folder_download /']);
  });
});
