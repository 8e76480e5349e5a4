import { createHash } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { UnitOfWork } from '#libs/database';
import { BatchConfirmService, CopyService, type CreateUpload, MultiConfirmTask } from '#libs/files';
import { type AccountActor, type GuestActor, newId } from '#libs/kernel';
import { FolderLimits, SubtreeRepository } from '#libs/nodes';

import { gate } from '../support/gate.js';
import { lockWaits } from '../support/lock-waits.js';
import { countStatements } from '../support/statement-count.js';
import { codeOf, segments } from './bytes-harness.js';
import { race, READER, SharedHarness, WRITER } from './shared-harness.js';

let h: SharedHarness;
beforeAll(async () => {
  h = await SharedHarness.start();
});
afterAll(() => h?.close());

const quotaOf = async (actor: AccountActor) => {
  const { usedBytes, reservedBytes } = await h.bytes.quota(actor);
  return { usedBytes, reservedBytes };
};
const NOTHING = { usedBytes: 0, reservedBytes: 0 };

async function opened(actor: AccountActor | GuestActor, path: string, options: Partial<CreateUpload> = {}): Promise<string> {
  const command = { path: segments(path), overwrite: false, createParents: true, multipart: false, ...options };
  const created = await h.bytes.uploads.create(actor, command);
  if (created.kind !== 'session') throw new Error('deduplicated');
  return created.tempName;
}

function confirm(tempName: string, actor: AccountActor | GuestActor | null = null) {
  return h.bytes.confirms.confirm({ accountId: Number(tempName.split('_')[0]), tempName, actor });
}

async function sent(actor: AccountActor | GuestActor, path: string, body: string, options: Partial<CreateUpload> = {}): Promise<string> {
  const tempName = await opened(actor, path, options);
  await h.bytes.put(tempName, Buffer.from(body));
  return tempName;
}

describe('an upload into a shared folder of somebody else', () => {
  it('is charged to its owner, who is not its author, and everybody has it at his own path', async () => {
    const [owner, member] = [await h.account(1_000), await h.account(1)];
    await h.share(owner, '/work/plans', WRITER, member);
    const node = await h.bytes.upload(member, '/plans/new/a.txt', 'hello');
    expect(node).toMatchObject({ path: '/plans/new/a.txt', ownerId: owner.accountId, authorId: member.accountId, versionNo: 1 });
    expect(await h.get(owner, '/work/plans/new/a.txt')).toMatchObject({ id: node.id, authorId: member.accountId });
    expect(await quotaOf(owner)).toEqual({ usedBytes: 5, reservedBytes: 0 });
    expect(await quotaOf(member)).toEqual(NOTHING);
    const next = await h.bytes.upload(member, '/plans/new/a.txt', 'hello!', { overwrite: true, expectedVersionNo: 1, sizeBytes: 6 });
    expect(next).toMatchObject({ id: node.id, versionNo: 2, path: '/plans/new/a.txt' });
    expect(await quotaOf(owner)).toEqual({ usedBytes: 11, reservedBytes: 0 });
    expect(await codeOf(h.bytes.create(member, '/plans/big', { sizeBytes: 990 }))).toBe('QUOTA_EXCEEDED');
    expect(await codeOf(h.bytes.create(member, '/own', { sizeBytes: 2 }))).toBe('QUOTA_EXCEEDED');
  });

  it('is told to the owner and the members, with the folders that it made', async () => {
    const [owner, member] = [await h.account(), await h.account()];
    const { id, spaceId } = await h.share(owner, '/deep/told', WRITER, member);
    await h.bytes.upload(member, '/told/x/y/a.txt', 'one');
    await h.bytes.upload(member, '/told/x/y/a.txt', 'two', { overwrite: true });
    const news = ['folder_created /x', 'folder_created /x/y', 'file_created /x/y/a.txt', 'file_new_content /x/y/a.txt'];
    expect(await h.feed(id)).toEqual(news);
    expect((await h.feed(spaceId)).slice(-4)).toEqual(news.map((line) => line.replace(' ', ' /deep/told')));
  });

  it('is refused to those who only read, and to those who have nothing there', async () => {
    const [owner, reader, stranger] = [await h.account(), await h.account(), await h.account()];
    const folder = await h.share(owner, '/read', READER, reader);
    await h.bytes.upload(owner, '/read/there.txt', 'x');
    expect(await codeOf(opened(reader, '/read/new.txt'))).toBe('FORBIDDEN');
    expect(await codeOf(opened(reader, '/read/there.txt', { overwrite: true }))).toBe('FORBIDDEN');
    // What the stranger names is in his own home.
    expect(await h.bytes.upload(stranger, '/read/there.txt', 'mine')).toMatchObject({ ownerId: stranger.accountId });
    expect(await h.names(owner, '/read')).toEqual(['there.txt']);
    await h.revoke(owner, folder, reader);
    expect(await h.bytes.upload(reader, '/read/there.txt', 'mine')).toMatchObject({ ownerId: reader.accountId });
  });

  it('finds its place again after the mount and the folder were renamed', async () => {
    const [owner, member] = [await h.account(), await h.account()];
    await h.share(owner, '/a', WRITER, member);
    const tempName = await sent(member, '/a/sub/file', 'x');
    await h.rename(member, '/a', 'mine');
    await h.rename(owner, '/a', 'his');
    expect(await confirm(tempName)).toMatchObject({ path: '/mine/sub/file', ownerId: owner.accountId });
    expect(await confirm(tempName, owner)).toMatchObject({ path: '/his/sub/file' });
    expect(await h.names(owner, '/his/sub')).toEqual(['file']);
  });

  it('ends with the right of whoever began it, whoever confirms, and gives the space back', async () => {
    const [owner, member] = [await h.account(), await h.account()];
    const folder = await h.share(owner, '/ends', WRITER, member);
    const whole = await sent(member, '/ends/whole', 'xx', { sizeBytes: 2 });
    const parts = await opened(member, '/ends/parts', { multipart: true });
    const late = await sent(member, '/ends/late', 'xxx');
    expect(await quotaOf(owner)).toEqual({ usedBytes: 0, reservedBytes: 5 });
    await h.grants.update(owner, folder, { accountId: member.accountId }, READER);
    for (const actor of [null, member, owner]) expect(await codeOf(confirm(whole, actor))).toBe('FORBIDDEN');
    await h.revoke(owner, folder, member);
    for (const actor of [null, member, owner]) expect(await codeOf(confirm(late, actor))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(h.bytes.uploads.createPart(member, { tempPath: parts, partNumber: 1 }))).toBe('NODE_NOT_FOUND');
    expect(await h.names(owner, '/ends')).toEqual([]);
    await h.share(owner, '/ends', WRITER, member);
    expect(await confirm(whole)).toMatchObject({ path: '/ends/whole' });
    h.bytes.clock.offsetMs += 100 * 3_600_000;
    await h.bytes.janitor.reapUploads();
    h.bytes.clock.offsetMs = 0;
    expect(await quotaOf(owner)).toEqual({ usedBytes: 2, reservedBytes: 0 });
    expect(await quotaOf(member)).toEqual(NOTHING);
  });

  it('takes no bytes and holds no space for somebody who may not write there any more', async () => {
    const [owner, member] = [await h.account(100), await h.account()];
    const folder = await h.share(owner, '/shut', WRITER, member);
    const tempName = await opened(member, '/shut/x', { sizeBytes: 90 });
    const guest = await h.pass(owner, folder, 'upload');
    const dropped = await opened(guest, '/y', { sizeBytes: 10 });
    await h.revoke(owner, folder, member);
    await h.endPass(guest);
    for (const name of [tempName, dropped]) expect(await codeOf(h.bytes.put(name, Buffer.alloc(5)))).toBe('UPLOAD_CLOSED');
    h.bytes.clock.offsetMs += 1_000;
    await h.bytes.janitor.reapUploads();
    h.bytes.clock.offsetMs = 0;
    expect(await quotaOf(owner)).toEqual(NOTHING);
  });

  it('does not come back to somebody who may not read it any more', async () => {
    const [owner, member] = [await h.account(), await h.account()];
    const folder = await h.share(owner, '/gone', WRITER, member);
    const tempName = await sent(member, '/gone/file', 'x');
    await confirm(tempName);
    await h.revoke(owner, folder, member);
    for (const actor of [null, member]) expect(await codeOf(confirm(tempName, actor))).toBe('NODE_NOT_FOUND');
    expect(await confirm(tempName, owner)).toMatchObject({ path: '/gone/file' });
  });

  it('never follows its folder into the space of somebody else', async () => {
    const [owner, member] = [await h.account(), await h.account()];
    await h.share(owner, '/from', WRITER, member);
    await h.folder(member, '/own');
    const tempName = await sent(member, '/own/file', 'x');
    await h.remove(member, '/own');
    await h.rename(member, '/from', 'own');
    expect(await codeOf(confirm(tempName))).toBe('NODE_NOT_FOUND');
    expect(await h.names(owner, '/from')).toEqual([]);
  });
});

describe('the quota of the owner', () => {
  it('is held to the byte by two members who race for it, with announced sizes and without', async () => {
    const [owner, one, two] = [await h.account(1_005), await h.account(), await h.account()];
    await h.share(owner, '/race', WRITER, one, two);
    const { done, codes } = await race(150, async (index) => {
      const tempName = await opened(index % 2 ? one : two, `/race/${index}`, index % 3 ? { sizeBytes: 10 } : {});
      await h.bytes.put(tempName, Buffer.alloc(10, index));
      return confirm(tempName);
    });
    expect(done.length).toBe(100);
    expect(new Set(codes)).toEqual(new Set(['QUOTA_EXCEEDED']));
    expect(await quotaOf(owner)).toEqual({ usedBytes: 1_000, reservedBytes: 0 });
    expect(await quotaOf(one)).toEqual(NOTHING);
    expect(await h.names(one, '/race')).toHaveLength(100);
  });

  it('holds parts, too', async () => {
    const [owner, member] = [await h.account(10), await h.account()];
    await h.share(owner, '/parts', WRITER, member);
    const tempName = await opened(member, '/parts/x', { multipart: true });
    expect((await h.bytes.uploads.createPart(member, { tempPath: tempName, partNumber: 1 })).url).toContain('http');
    expect(await codeOf(h.bytes.uploads.createPart(owner, { tempPath: tempName, partNumber: 1 }))).toBe('UPLOAD_NOT_FOUND');
    expect(await codeOf(h.bytes.put(tempName, Buffer.alloc(11)))).toBe('QUOTA_EXCEEDED');
  });
});

describe('the limit of a folder', () => {
  it('is refused at once when it is clear already, and held to the byte when many race', async () => {
    const [owner, one, two] = [await h.account(), await h.account(), await h.account()];
    const folder = await h.share(owner, '/limited', WRITER, one, two);
    await h.bytes.database.run('UPDATE nodes SET limit_bytes = 105 WHERE id = $1', [folder.id]);
    expect(await codeOf(opened(one, '/limited/big', { sizeBytes: 106 }))).toBe('QUOTA_EXCEEDED');
    const { done, codes } = await race(40, async (index) =>
      confirm(await sent([one, two, owner][index % 3]!, `/limited/${index % 4}/${index}`, 'x'.repeat(10))),
    );
    expect(done.length).toBe(10);
    expect(new Set(codes)).toEqual(new Set(['QUOTA_EXCEEDED']));
    expect((await quotaOf(owner)).usedBytes).toBe(100);
    expect(await codeOf(h.bytes.upload(one, '/limited/small', 'x'.repeat(6)))).toBe('QUOTA_EXCEEDED');
    const name = done[0]!.path;
    expect(await h.bytes.upload(two, name.replace(/^.*?\/limited/, '/limited'), 'x'.repeat(15), { overwrite: true })).toMatchObject({ versionNo: 2 });
    expect(await codeOf(h.bytes.upload(two, name.replace(/^.*?\/limited/, '/limited'), 'x'.repeat(16), { overwrite: true }))).toBe('QUOTA_EXCEEDED');
    await h.bytes.upload(owner, '/elsewhere', 'x'.repeat(500));
  });

  it('counts what is on its way when it is set, and holds for what began before it', async () => {
    const owner = await h.account();
    const limited = await h.folder(owner, '/set');
    await h.bytes.upload(owner, '/set/below/old', '1');
    const source = await h.bytes.upload(owner, '/six', '123456');
    const unitOfWork = h.service(UnitOfWork);
    const set = (limitBytes: number | null) => unitOfWork.run(() => h.service(FolderLimits).set(limited, limitBytes));
    const held = async () => (await h.service(SubtreeRepository).figures(limited.id)).bytes;
    const waiting = () => lockWaits(h.bytes.database);
    const ways = [
      async () => {
        const tempName = await sent(owner, `/set/below/${newId()}`, '1234567');
        return () => confirm(tempName);
      },
      async () => {
        const tempName = await sent(owner, '/set/below/old', `${await held()}`.padEnd(20), { overwrite: true });
        return () => confirm(tempName);
      },
      async () => {
        await h.bytes.upload(owner, '/set/below/old', '1', { overwrite: true });
        const copy = { source: { id: source.id }, targetFolder: { path: ['set', 'below'] }, onConflict: 'rename' } as const;
        return () => h.service(CopyService).copy(owner, copy);
      },
    ];
    for (const way of ways) {
      const add = await way();
      const before = await held();
      const started = gate();
      const setting = started.opened.then(() => codeOf(set(before)));
      await unitOfWork.run(async () => {
        await add();
        started.open();
        await expect.poll(waiting, { timeout: 30_000 }).toHaveLength(1);
      });
      expect(await setting).toBe('FOLDER_LIMIT_TOO_SMALL');
      expect(await held()).toBeGreaterThan(before);
    }
    await h.bytes.upload(owner, '/set/below/old', '1', { overwrite: true });
    for (const way of ways) {
      const add = await way();
      const before = await held();
      const started = gate();
      const adding = started.opened.then(() => codeOf(add()));
      await unitOfWork.run(async () => {
        await set(before);
        started.open();
        await expect.poll(waiting, { timeout: 30_000 }).toHaveLength(1);
      });
      expect(await adding).toBe('QUOTA_EXCEEDED');
      expect(await held()).toBe(before);
      await set(null);
    }
  });
});

describe('bytes that are known already', () => {
  const known = (body: string) => ({ sizeBytes: body.length, md5: createHash('md5').update(body).digest('hex') });

  it('count when the uploader has them himself or may read them in the share, and never otherwise', async () => {
    const [owner, member] = [await h.account(), await h.account()];
    await h.share(owner, '/dedup', WRITER, member);
    await h.bytes.upload(owner, '/private.txt', 'the secret of the owner');
    await h.bytes.upload(owner, '/dedup/sub/open.txt', 'open to members');
    await h.bytes.upload(owner, '/dedup/sub/binned.txt', 'in the trash');
    await h.remove(owner, '/dedup/sub/binned.txt');
    await h.bytes.upload(member, '/mine.txt', 'of the member');
    const create = (path: string, body: string) =>
      h.bytes.uploads.create(member, { path: segments(path), overwrite: false, createParents: true, multipart: false, ...known(body) });
    expect((await create('/dedup/1', 'the secret of the owner')).kind).toBe('session');
    expect((await create('/dedup/2', 'in the trash')).kind).toBe('session');
    const before = (await quotaOf(owner)).usedBytes;
    expect(await create('/dedup/new/3', 'open to members')).toMatchObject({ kind: 'deduplicated', node: { path: '/dedup/new/3' } });
    expect(await create('/dedup/4', 'of the member')).toMatchObject({ kind: 'deduplicated', node: { ownerId: owner.accountId } });
    expect((await quotaOf(owner)).usedBytes).toBe(before + 'open to members'.length + 'of the member'.length);
    // At home only what is at home counts.
    expect((await create('/5', 'open to members')).kind).toBe('session');
    const guest = await h.pass(owner, await h.get(owner, '/dedup'), 'upload');
    const blind = await h.bytes.uploads.create(guest, {
      path: ['6'],
      overwrite: false,
      createParents: false,
      multipart: false,
      ...known('open to members'),
    });
    expect(blind.kind).toBe('session');
  });
});

describe('guests of an upload link', () => {
  it('bring files of one name at once, and each gets a name of its own', async () => {
    const owner = await h.account(1_000);
    const folder = await h.folder(owner, '/box');
    await h.bytes.upload(owner, '/box/a.txt', 'the own one');
    const guest = await h.pass(owner, folder, 'upload');
    const { done, codes } = await race(25, async (index) => confirm(await sent(guest, '/a.txt', `guest ${index}`, { overwrite: true }), guest));
    expect(codes).toEqual([]);
    expect(new Set(done.map((node) => node.path))).toEqual(new Set(Array.from({ length: 25 }, (_, index) => `/a (${index + 1}).txt`)));
    expect(done[0]).toMatchObject({ ownerId: owner.accountId, authorId: owner.accountId });
    expect(await h.get(owner, '/box/a.txt')).toMatchObject({ versionNo: 1, sizeBytes: 11 });
    expect((await quotaOf(owner)).reservedBytes).toBe(0);
    const [event] = await h.bytes.database.query<{ actor_id: number | null }>('SELECT actor_id FROM change_events WHERE node_id = $1', [done[0]!.id]);
    expect(event).toEqual({ actor_id: null });
  });

  it('number a file whose name a folder has, and make folders on the way', async () => {
    const owner = await h.account();
    const folder = await h.folder(owner, '/drop');
    await h.folder(owner, '/drop/taken');
    const guest = await h.pass(owner, folder, 'upload');
    expect(await confirm(await sent(guest, '/taken', 'x'))).toMatchObject({ path: '/taken (1)' });
    expect(await confirm(await sent(guest, '/new/er/x.txt', 'x'), guest)).toMatchObject({ path: '/new/er/x.txt' });
    expect(await h.names(owner, '/drop/new/er')).toEqual(['x.txt']);
    expect(await codeOf(opened(guest, '/../x'))).toBe('NAME_ILLEGAL');
    expect(await codeOf(opened(guest, '/'))).toBe('NAME_TAKEN');
  });

  it('keep to their own pass, which counts at every step', async () => {
    const [owner, member] = [await h.account(), await h.account()];
    const guest = await h.pass(owner, await h.folder(owner, '/one'), 'upload');
    const other = await h.pass(owner, await h.folder(owner, '/two'), 'upload');
    const tempName = await sent(guest, '/x', 'x');
    const parts = await opened(guest, '/parts', { multipart: true });
    const own = await sent(owner, '/one/own', 'x');
    expect(await codeOf(confirm(tempName, other))).toBe('UPLOAD_NOT_FOUND');
    expect(await codeOf(confirm(own, guest))).toBe('UPLOAD_NOT_FOUND');
    const part = { tempPath: parts, partNumber: 1 };
    for (const actor of [other, owner, member]) expect(await codeOf(h.bytes.uploads.createPart(actor, part))).toBe('UPLOAD_NOT_FOUND');
    expect((await h.bytes.uploads.createPart(guest, part)).method).toBe('PUT');
    const node = await confirm(tempName, guest);
    expect(await confirm(tempName)).toEqual({ ...node, revision: node.revision });
    const late = await sent(guest, '/late', 'x');
    await h.endPass(guest);
    for (const actor of [guest, null]) expect(await codeOf(confirm(late, actor))).toBe('NODE_NOT_FOUND');
    for (const actor of [guest, null]) expect(await codeOf(confirm(tempName, actor))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(h.bytes.uploads.createPart(guest, part))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(opened(guest, '/y'))).toBe('NODE_NOT_FOUND');
    expect(await h.names(owner, '/one')).toEqual(['x']);
  });

  it('of a download link bring nothing', async () => {
    const owner = await h.account();
    const guest = await h.pass(owner, await h.folder(owner, '/look'), 'download');
    expect(await codeOf(opened(guest, '/x'))).toBe('FORBIDDEN');
  });
});

describe('many uploads confirmed together', () => {
  it('go to the home and to shared folders, each told its own path, in a number of statements that does not grow', async () => {
    const [owner, member] = [await h.account(), await h.account()];
    const folder = await h.share(owner, '/batch', WRITER, member);
    const batches = h.service(BatchConfirmService);
    const counts: number[] = [];
    for (const size of [3, 30]) {
      const names: string[] = [];
      for (let index = 0; index < size; index++) {
        names.push(await sent(member, `/batch/${size}/${index}`, 'x'), await sent(member, `/home ${size}/${index}`, 'x'));
      }
      const uploads = names.map((tempName) => ({ accountId: member.accountId, tempName }));
      counts.push(
        await countStatements(async () => expect((await batches.confirm(member, uploads)).every((outcome) => 'nodeId' in outcome)).toBe(true)),
      );
    }
    expect(counts[1]).toBe(counts[0]);
    expect(await quotaOf(owner)).toEqual({ usedBytes: 33, reservedBytes: 0 });
    expect(await quotaOf(member)).toEqual({ usedBytes: 33, reservedBytes: 0 });
    const mine = await sent(member, '/batch/last', 'x');
    const over = await sent(member, '/batch/3/0', 'y', { overwrite: true });
    const theirs = await sent(member, '/last', 'x');
    await h.rename(member, '/batch', 'other name');
    await h.revoke(owner, folder, member);
    const outcomes = await batches.confirm(
      member,
      [mine, over, theirs].map((tempName) => ({ accountId: member.accountId, tempName })),
    );
    const lost = { error: { code: 'NODE_NOT_FOUND' } };
    expect(outcomes).toMatchObject([lost, lost, { nodeId: expect.any(String) as string }]);
  });

  it('are told of no file that its uploader may not read any more when all are done', async () => {
    const [owner, member] = [await h.account(), await h.account()];
    const folder = await h.share(owner, '/told later', WRITER, member);
    const items = await Promise.all(
      ['/told later/theirs', '/own'].map(async (path) => ({ accountId: member.accountId, tempName: await sent(member, path, 'x') })),
    );
    const result = await h.service(MultiConfirmTask).run(
      { items },
      {
        taskId: newId(),
        accountId: member.accountId,
        guest: null,
        checkpoint: null,
        signal: new AbortController().signal,
        // the last that a run does before it tells
        saveProgress: () => h.revoke(owner, folder, member),
        throwIfCancelled: () => Promise.resolve(),
      },
    );
    expect(await h.names(owner, '/told later')).toEqual(['theirs']);
    expect(result).toMatchObject({ success: 1, failed: 1, nodes: [{ node: null, path: null, error: { code: 'NODE_NOT_FOUND' } }, { error: null }] });
  });
});
