import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { HandoverHarness } from './handover-harness.js';
import { type Member } from './sharing-harness.js';
import { codeOf, segments } from './tree-harness.js';

let house: HandoverHarness;
let owner: Member;
let receiver: Member;
let stranger: Member;

beforeAll(async () => {
  house = await HandoverHarness.start();
});
beforeEach(async () => {
  owner = await house.sharing.member(null, { name: 'Olga' });
  [receiver, stranger] = (await house.people(2)) as [Member, Member];
  await house.tree.file(owner, '/docs/a.txt', { bytes: 10 });
  await house.tree.newVersion(owner, '/docs/a.txt', 20);
  await house.tree.file(owner, '/docs/sub/b.txt', { bytes: 5 });
  await house.tree.file(owner, '/c.txt', { bytes: 3 });
});
afterAll(() => house?.close());
afterEach(async () => expect(await house.sharing.defects()).toEqual([]));

const add = (path = '/', options: { cleanup?: boolean; to?: Member; invitation?: string } = {}) =>
  house.migrations.add(owner, {
    member: `email:${(options.to ?? receiver).email}`,
    path: segments(path),
    invitation: options.invitation ?? '',
    cleanup: options.cleanup ?? false,
  });
const list = (actor: Member, whose: 'my' | 'others' | 'all' = 'all') => house.migrations.list(actor, { whose, statuses: [] });
const DOCS = ['/docs', '/docs/a.txt 20', '/docs/sub', '/docs/sub/b.txt 5'];
const under = (folder: string, paths: readonly string[]) => paths.map((path) => `${folder}${path}`);
const work = () => house.work('handover.migration');

describe('a request', () => {
  it('names a receiver and a folder of the owner', async () => {
    expect(await add('/docs', { cleanup: true, invitation: 'Take it' })).toMatchObject({
      status: 'requested',
      dstPath: '',
      srcPath: '/docs',
      ownerId: owner.accountId,
      receiverId: receiver.accountId,
      cleanup: true,
    });
    expect(await add()).toMatchObject({ srcPath: '' });
    const named = (member: string, path = '/docs') => house.migrations.add(owner, { member, path: segments(path), invitation: '', cleanup: false });
    expect(await codeOf(named('email:nobody@example.org'))).toBe('ACCOUNT_NOT_FOUND');
    expect(await codeOf(named(''))).toBe('ACCOUNT_NOT_FOUND');
    expect(await codeOf(named(`userid:${receiver.accountId}`))).toBe('ACCOUNT_NOT_FOUND');
    expect(await codeOf(named(owner.email))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(named(receiver.email, '/none'))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(named(receiver.email, '/c.txt'))).toBe('NOT_A_FOLDER');
    await house.tree.folder(stranger, '/theirs');
    await house.sharing.give(stranger, '/theirs', owner, true);
    expect(await codeOf(named(receiver.email, '/theirs'))).toBe('FORBIDDEN');
    const companyId = await house.sharing.company();
    await house.tree.database.run(`UPDATE companies SET settings = '{"sharingOutsideAllow": false}' WHERE id = $1`, [companyId]);
    await house.tree.database.run('UPDATE accounts SET company_id = $1 WHERE id = $2', [companyId, owner.accountId]);
    expect(await codeOf(named(receiver.email))).toBe('FORBIDDEN');
  });

  it('is one however often it is made, and is told to its receiver', async () => {
    const [first, second] = await Promise.all([add('/docs'), add('/docs', { invitation: 'Please' })]);
    expect(second.hash).toBe(first.hash);
    expect(await list(receiver)).toHaveLength(1);
    expect((await house.sharing.eventsOf(receiver)).at(-1)).toMatchObject({
      type: 'migration_sent',
      facts: { hash: first.hash, src_path: '/docs', owner_name: 'Olga' },
    });
    expect((await house.sharing.eventsOf(owner)).filter(({ type }) => type === 'migration_sent')).toEqual([]);
  });

  it('is listed for both sides, by side, source and status', async () => {
    const docs = await add('/docs');
    const all = await add('/', { to: stranger });
    expect((await list(owner, 'my')).map(({ id }) => id)).toEqual([all.id, docs.id]);
    expect(await list(owner, 'others')).toEqual([]);
    expect((await list(receiver, 'others')).map(({ id }) => id)).toEqual([docs.id]);
    expect(await list(receiver, 'my')).toEqual([]);
    expect(await house.migrations.list(owner, { whose: 'all', path: ['docs'], statuses: [] })).toHaveLength(1);
    expect(await house.migrations.list(owner, { whose: 'all', path: [], statuses: [] })).toHaveLength(1);
    await house.migrations.accept(receiver, docs.hash);
    const inStatus = async (status: 'requested' | 'accepted' | 'done') =>
      (await house.migrations.list(owner, { whose: 'my', statuses: [status] })).map(({ id }) => id);
    expect([await inStatus('requested'), await inStatus('accepted'), await inStatus('done')]).toEqual([[all.id], [docs.id], []]);
    expect(await work()).toEqual([]);
    expect([await inStatus('accepted'), await inStatus('done')]).toEqual([[docs.id], [docs.id]]);
  });

  it('is answered by its receiver and taken back by its owner, and by nobody else', async () => {
    const { hash } = await add('/docs');
    expect(await codeOf(house.migrations.accept(owner, hash))).toBe('FORBIDDEN');
    expect(await codeOf(house.migrations.reject(owner, hash))).toBe('FORBIDDEN');
    expect(await codeOf(house.migrations.remove(receiver, hash))).toBe('FORBIDDEN');
    expect(await codeOf(house.migrations.accept(stranger, hash))).toBe('MIGRATION_NOT_FOUND');
    expect(await codeOf(house.migrations.reject(stranger, hash))).toBe('MIGRATION_NOT_FOUND');
    expect(await codeOf(house.migrations.remove(stranger, hash))).toBe('MIGRATION_NOT_FOUND');
    for (const unknown of ['x', '', hash.slice(1)]) {
      expect(await codeOf(house.migrations.accept(receiver, unknown))).toBe('MIGRATION_NOT_FOUND');
      expect(await codeOf(house.migrations.reject(receiver, unknown))).toBe('MIGRATION_NOT_FOUND');
      expect(await codeOf(house.migrations.remove(owner, unknown))).toBe('MIGRATION_NOT_FOUND');
    }
    await house.migrations.reject(receiver, hash);
    expect(await codeOf(house.migrations.accept(receiver, hash))).toBe('MIGRATION_NOT_FOUND');
    expect((await house.sharing.eventsOf(owner)).at(-1)).toMatchObject({ type: 'migration_rejected', facts: { hash } });
    const again = await add('/docs');
    await house.migrations.remove(owner, again.hash);
    expect(await list(receiver)).toEqual([]);
    expect((await house.sharing.eventsOf(receiver)).at(-1)).toMatchObject({ type: 'migration_removed', facts: { hash: again.hash } });
  });

  it('is accepted once, and neither rejected nor removed while it is under way', async () => {
    const { hash } = await add('/docs');
    const accepted = await Promise.all([house.migrations.accept(receiver, hash), house.migrations.accept(receiver, hash)]);
    expect(accepted.map(({ status, dstPath }) => [status, dstPath])).toEqual(Array(2).fill(['accepted', '/Olga/docs']));
    expect(await codeOf(house.migrations.reject(receiver, hash))).toBe('FORBIDDEN');
    expect(await codeOf(house.migrations.remove(owner, hash))).toBe('FORBIDDEN');
    expect(await work()).toEqual([]);
    expect(await house.seen(receiver)).toEqual(['/Olga', ...under('/Olga', DOCS)]);
    await house.migrations.remove(owner, hash);
    expect(await list(owner)).toEqual([]);
  });

  it('is answered by one side only when accept, reject and remove come at once', async () => {
    for (let round = 0; round < 5; round++) {
      const { hash } = await add('/docs');
      const all = await Promise.allSettled([
        house.migrations.accept(receiver, hash),
        house.migrations.reject(receiver, hash),
        house.migrations.remove(owner, hash),
      ]);
      expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      await work();
    }
  });
});

describe('the copy', () => {
  it('comes into a folder with the name of its owner, and leaves the source as it was', async () => {
    const { hash } = await add();
    expect(await house.migrations.accept(receiver, hash)).toMatchObject({ status: 'accepted', dstPath: '/Olga/home', srcPath: '' });
    expect(await work()).toEqual([]);
    expect(await house.seen(receiver)).toEqual(['/Olga', '/Olga/home', '/Olga/home/c.txt 3', ...under('/Olga/home', DOCS)]);
    expect([await house.tree.usedBytes(receiver), await house.tree.usedBytes(owner)]).toEqual([28, 38]);
    expect(await house.seen(owner)).toEqual(['/c.txt 3', ...DOCS]);
    await house.migrations.accept(receiver, (await add()).hash);
    expect(await work()).toEqual([]);
    expect(await house.tree.names(receiver, '/Olga')).toEqual(['home', 'home (1)']);
    expect((await list(owner, 'my')).map(({ dstPath, status }) => [dstPath, status])).toEqual([
      ['/Olga/home (1)', 'done'],
      ['/Olga/home', 'done'],
    ]);
  });

  it('never goes into a file, a mount or a folder that others see', async () => {
    await house.tree.folder(stranger, '/Olga');
    await house.sharing.give(stranger, '/Olga', receiver, true);
    await house.tree.folder(receiver, '/Olga (1)');
    await house.sharing.give(receiver, '/Olga (1)', stranger);
    await house.tree.file(receiver, '/Olga (2)');
    await house.migrations.accept(receiver, (await add('/docs')).hash);
    expect(await work()).toEqual([]);
    expect(await house.tree.names(receiver, '/Olga (3)')).toEqual(['docs']);
    expect(await house.seen(stranger)).toEqual(['/Olga', '/Olga (1)']);
  });

  it('goes under another name when the owner has one that no folder can have', async () => {
    for (const [name, folder] of [
      ['a/b', 'a-b'],
      ['..', `user${owner.accountId}`],
      ['', `user${owner.accountId}`],
    ] as const) {
      await house.tree.database.run('UPDATE accounts SET name = $2 WHERE id = $1', [owner.accountId, name]);
      expect(await house.migrations.accept(receiver, (await add('/docs')).hash)).toMatchObject({ dstPath: `/${folder}/docs` });
      await work();
    }
    expect((await house.tree.names(receiver, '/')).sort()).toEqual(['a-b', `user${owner.accountId}`].sort());
  });

  it('needs room in the quota of the receiver', async () => {
    const limit = (bytes: number | null) =>
      house.tree.database.run(`UPDATE quotas SET limit_bytes = $2 WHERE owner_kind = 'account' AND owner_id = $1`, [receiver.accountId, bytes]);
    const { hash } = await add('/docs');
    await limit(24);
    expect(await codeOf(house.migrations.accept(receiver, hash))).toBe('QUOTA_EXCEEDED');
    expect(await list(receiver)).toMatchObject([{ status: 'requested' }]);
    await limit(25);
    await house.migrations.accept(receiver, hash);
    await house.tree.file(receiver, '/x', { bytes: 1 });
    expect(await work()).toEqual(['QUOTA_EXCEEDED']);
    expect(await list(receiver)).toMatchObject([{ status: 'failed', dstPath: '' }]);
    await house.tree.purgeAll(receiver);
    expect(await house.tree.usedBytes(receiver)).toBe(1);
    await limit(26);
    await house.migrations.accept(receiver, hash);
    expect(await work()).toEqual([]);
    expect(await house.tree.usedBytes(receiver)).toBe(26);
  });

  it('ends when the source is gone or the receiver may not work any more', async () => {
    const { hash } = await add('/docs');
    await house.tree.remove(owner, '/docs');
    expect(await codeOf(house.migrations.accept(receiver, hash))).toBe('NODE_NOT_FOUND');
    await house.tree.folder(owner, '/more');
    const more = await add('/more');
    await house.migrations.accept(receiver, more.hash);
    await house.tree.remove(owner, '/more');
    expect(await work()).toEqual(['NODE_NOT_FOUND']);
    const all = await add();
    await house.migrations.accept(receiver, all.hash);
    await house.tree.database.run(`UPDATE accounts SET state = 'disabled' WHERE id = $1`, [receiver.accountId]);
    expect(await work()).toEqual(['FORBIDDEN']);
    expect(await house.seen(receiver)).toEqual([]);
  });

  it('empties the source into the trash when that was asked for, and lets it come back', async () => {
    await house.tree.folder(stranger, '/theirs');
    await house.sharing.give(stranger, '/theirs', owner, true);
    await house.migrations.accept(receiver, (await add('/', { cleanup: true })).hash);
    expect(await work()).toEqual([]);
    expect(await house.seen(receiver)).toEqual(['/Olga', '/Olga/home', '/Olga/home/c.txt 3', ...under('/Olga/home', DOCS)]);
    expect(await house.seen(owner)).toEqual(['/theirs']);
    expect((await house.tree.trashNames(owner)).sort()).toEqual(['c.txt', 'docs']);
    for (const outcome of await house.tree.trash.undelete(owner, { paths: [['docs']] })) expect(outcome).not.toHaveProperty('error');
    expect(await house.seen(owner)).toEqual([...DOCS, '/theirs']);
  });

  it('takes the members of an emptied source along, at their places', async () => {
    const [a, b] = (await house.people(2)) as [Member, Member];
    await house.sharing.give(owner, '/docs/sub', a, true);
    await house.sharing.give(owner, '/docs', b);
    await house.sharing.give(owner, '/docs', receiver);
    await house.tree.moves.rename(a, { node: { path: ['sub'] }, name: 'mine' });
    await house.migrations.accept(receiver, (await add('/docs', { cleanup: true })).hash);
    expect(await work()).toEqual([]);
    expect(await house.seen(a)).toEqual(['/mine', '/mine/b.txt 5']);
    expect(await house.seen(b)).toEqual(DOCS);
    expect(await house.tree.get(a, '/mine')).toMatchObject({ ownerId: receiver.accountId });
    await house.tree.folder(a, '/mine/new');
    expect(await codeOf(house.tree.folder(b, '/docs/new'))).toBe('FORBIDDEN');
    expect(await house.tree.names(receiver, '/')).toEqual(['Olga']);
    expect(await house.tree.names(receiver, '/Olga/docs/sub')).toEqual(['b.txt', 'new']);
    expect(await house.tree.names(owner, '/docs')).toEqual([]);
    expect(await house.tree.get(owner, '/docs')).toMatchObject({ shared: false });
  });

  it('invites the members of a source that stays, with their rights', async () => {
    const [a, b, declined] = (await house.people(3)) as [Member, Member, Member];
    await house.sharing.give(owner, '/docs/sub', a, true);
    await house.sharing.give(owner, '/docs', b);
    const { hash } = await house.sharing.add(owner, '/docs', { member: `email:${declined.email}` });
    await house.sharing.answers.decline(declined, hash!);
    await house.migrations.accept(receiver, (await add('/docs')).hash);
    expect(await work()).toEqual([]);
    const invited = async (who: Member) => {
      const found = await house.tree.database.query<{ hash: string; write: boolean }>(
        `SELECT i.hash, g.can_write AS write FROM invitations i JOIN grants g ON g.id = i.grant_id WHERE i.account_id = $1 AND i.state = 'waiting'`,
        [who.accountId],
      );
      return found;
    };
    const [asked] = await invited(a);
    expect(asked).toMatchObject({ write: true });
    expect(await invited(b)).toMatchObject([{ write: false }]);
    expect(await invited(declined)).toEqual([]);
    expect(await house.sharing.answers.accept(a, asked!.hash)).toBe('/sub (1)');
    expect(await house.tree.get(a, '/sub (1)')).toMatchObject({ ownerId: receiver.accountId });
    expect(await house.tree.get(a, '/sub')).toMatchObject({ ownerId: owner.accountId });
  });
});

describe('a run', () => {
  it('that dies leaves nothing that is seen, and the next one ends with the same', async () => {
    const { hash } = await add('/docs', { cleanup: true });
    await house.migrations.accept(receiver, hash);
    let checkpoint: object | undefined;
    const errors = await house.work('handover.migration', {
      saveProgress: (percent, state) => {
        if (percent === 100) return Promise.reject(new Error('killed'));
        checkpoint = state;
        return Promise.resolve();
      },
    });
    expect(errors).toHaveLength(1);
    expect(checkpoint).toMatchObject({ stagedId: expect.any(String) as string });
    expect(await house.seen(receiver)).toEqual([]);
    expect(await house.seen(owner)).toEqual(['/c.txt 3', ...DOCS]);
    await house.tree.database.run(`UPDATE tasks SET state = 'waiting', checkpoint = $2 WHERE kind = 'handover.migration' AND account_id = $1`, [
      receiver.accountId,
      JSON.stringify(checkpoint),
    ]);
    expect(await work()).toEqual([]);
    await house.tree.purgeAll(receiver);
    expect(await house.seen(receiver)).toEqual(['/Olga', ...under('/Olga', DOCS)]);
    expect(await house.seen(owner)).toEqual(['/c.txt 3', '/docs']);
    expect(await house.tree.usedBytes(receiver)).toBe(25);
    await house.tree.database.run(`UPDATE tasks SET state = 'waiting' WHERE kind = 'handover.migration' AND account_id = $1`, [receiver.accountId]);
    expect(await work()).toEqual([]);
    expect(await house.tree.names(receiver, '/Olga')).toEqual(['docs']);
  });

  it('misses nothing of a source that changes while it is copied and is emptied then', async () => {
    const { hash } = await add('/docs', { cleanup: true });
    await house.migrations.accept(receiver, hash);
    let nth = 0;
    expect(
      await house.work('handover.migration', {
        // the source grows when a copy of it has begun: what is copied then is not all
        saveProgress: async (percent) => {
          if (percent === 0) await house.tree.file(owner, `/docs/late-${++nth}.txt`, { bytes: 1 });
        },
      }),
    ).toEqual([]);
    expect(nth).toBe(2);
    expect(await house.tree.names(receiver, '/Olga/docs')).toEqual(['a.txt', 'late-1.txt', 'late-2.txt', 'sub']);
    const writer = (async () => {
      for (let n = 0; n < 60; n++) await house.tree.file(owner, `/docs/more-${n}.txt`, { bytes: 1 }).catch(() => undefined);
    })();
    const second = await add('/docs', { cleanup: true });
    await house.migrations.accept(receiver, second.hash);
    expect(await work()).toEqual([]);
    await writer;
    const copied = [...(await house.tree.names(receiver, '/Olga/docs')), ...(await house.tree.names(receiver, '/Olga/docs (1)'))];
    const left = await house.tree.names(owner, '/docs');
    // what is neither with the receiver nor still in the source would be in the trash alone
    for (const name of await house.tree.trashNames(owner)) if (name.startsWith('more-')) expect(copied).toContain(name);
    expect(left.every((name) => name.startsWith('more-'))).toBe(true);
  });
});
