import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { isDomainError } from '#libs/kernel';

import { HandoverHarness } from './handover-harness.js';
import { type Member } from './sharing-harness.js';
import { codeOf } from './tree-harness.js';

let house: HandoverHarness;

beforeAll(async () => {
  house = await HandoverHarness.start();
});
afterAll(() => house?.close());
// Whatever a test did: rows, counters, quotas and shares agree.
afterEach(async () => expect(await house.sharing.defects()).toEqual([]));

const row = (sql: string, values: readonly unknown[]) => house.tree.database.queryOne<Record<string, unknown>>(sql, values);

/** A shared folder with something in it, and people who have accepted it. */
async function shared(members: number): Promise<{ owner: Member; to: Member; others: Member[] }> {
  const [owner, to, ...others] = await house.people(members + 1);
  await house.tree.file(owner!, '/work/Plan/a.txt', { bytes: 10 });
  await house.tree.newVersion(owner!, '/work/Plan/a.txt', 20);
  await house.tree.file(owner!, '/work/Plan/sub/b.txt', { bytes: 5 });
  for (const member of [to!, ...others]) await house.sharing.give(owner!, '/work/Plan', member, true);
  return { owner: owner!, to: to!, others };
}

describe('a handover', () => {
  it('is for the owner, to a member who has accepted the folder', async () => {
    const { owner, to, others } = await shared(2);
    const stranger = await house.sharing.member();
    const invited = await house.sharing.member();
    await house.sharing.add(owner, '/work/Plan', { member: `email:${invited.email}` });
    expect(await codeOf(house.start(owner, '/none', to))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(house.start(owner, '/work/Plan/a.txt', to))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(house.start(stranger, '/work/Plan', to))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(house.start(to, '/Plan', others[0]!))).toBe('FORBIDDEN');
    expect(await codeOf(house.start(owner, '/work/Plan', owner))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(house.start(owner, '/work/Plan', stranger))).toBe('ACCOUNT_NOT_FOUND');
    expect(await codeOf(house.start(owner, '/work/Plan', { ...stranger, accountId: 999_999_999 }))).toBe('ACCOUNT_NOT_FOUND');
    expect(await codeOf(house.start(owner, '/work/Plan', invited))).toBe('NOT_SHARED');
    expect(await codeOf(house.start(owner, '/work/Plan/sub', invited))).toBe('ACCOUNT_NOT_FOUND');
    const companyId = await house.sharing.company();
    await house.tree.database.run('UPDATE accounts SET company_id = $1 WHERE id = ANY($2::bigint[])', [
      companyId,
      [owner.accountId, stranger.accountId],
    ]);
    expect(await codeOf(house.start(owner, '/work/Plan', stranger))).toBe('NOT_SHARED');
    const inside = (settings: string) => house.tree.database.run('UPDATE companies SET settings = $2::jsonb WHERE id = $1', [companyId, settings]);
    await inside('{"sharingOutsideAllow": false}');
    expect(await codeOf(house.start(owner, '/work/Plan', to))).toBe('FORBIDDEN');
    await inside('{}');
    await house.tree.database.run(`UPDATE accounts SET state = 'disabled' WHERE id = $1`, [to.accountId]);
    expect(await codeOf(house.start(owner, '/work/Plan', to))).toBe('NOT_SHARED');
    expect(await house.tree.names(others[0]!, '/')).toEqual(['Plan']);
  });

  it('gives the folder to the member, with everybody who has it, and leaves a copy with the former owner', async () => {
    const { owner, to, others } = await shared(3);
    const [reader, mover] = others as [Member, Member];
    await house.sharing.shares.update(owner, { path: ['work', 'Plan'], member: `email:${reader.email}`, writer: false });
    const nested = await house.sharing.member();
    await house.sharing.give(owner, '/work/Plan/sub', nested);
    await house.sharing.give(owner, '/work/Plan/sub', to);
    await house.tree.file(owner, '/work/Plan/gone.txt', { bytes: 7 });
    await house.tree.remove(owner, '/work/Plan/gone.txt');
    await house.tree.file(to, '/gone.txt', { bytes: 1 });
    await house.tree.remove(to, '/gone.txt');
    await house.tree.moves.rename(mover, { node: { path: ['Plan'] }, name: 'Ours' });
    await house.tree.folder(to, '/deep/er');
    await house.tree.moves.move(to, { source: { path: ['Plan'] }, targetFolder: { path: ['deep', 'er'] }, onConflict: 'fail' });
    const before = await house.tree.get(owner, '/work/Plan');
    const usedBefore = await house.tree.usedBytes(owner);
    expect(usedBefore).toBe(42);

    await house.start(owner, '/work/Plan', to);
    expect(await house.tree.names(to, '/deep/er')).toEqual(['Plan_old']);
    expect((await house.sharing.eventsOf(to)).at(-1)).toMatchObject({ type: 'folder_renamed', path: '/deep/er/Plan_old' });
    expect(await house.work('handover.folder')).toEqual([]);

    // the new owner: the very folder, where he had it, with versions and trash
    expect(await house.seen(to)).toEqual([
      '/deep',
      '/deep/er',
      '/deep/er/Plan',
      '/deep/er/Plan/a.txt 20',
      '/deep/er/Plan/sub',
      '/deep/er/Plan/sub/b.txt 5',
    ]);
    expect(await house.tree.get(to, '/deep/er/Plan')).toMatchObject({ id: before.id, ownerId: to.accountId, shared: true, mount: null });
    expect(await house.tree.usedBytes(to)).toBe(43);
    expect((await house.tree.trashNames(to)).length).toBe(2);
    expect(
      await row(`SELECT restore_path AS path FROM nodes WHERE space_id = $1 AND size_bytes = 7`, [(await house.tree.get(to, '/')).spaceId]),
    ).toEqual({
      path: '/deep/er/Plan/gone.txt',
    });
    // the former owner: a copy of the files, his own and shared with nobody
    expect(await house.seen(owner)).toEqual(['/work', '/work/Plan', '/work/Plan/a.txt 20', '/work/Plan/sub', '/work/Plan/sub/b.txt 5']);
    const copy = await house.tree.get(owner, '/work/Plan');
    expect(copy).toMatchObject({ ownerId: owner.accountId, shared: false });
    expect(copy.id).not.toBe(before.id);
    expect(await house.tree.usedBytes(owner)).toBe(25);
    expect(await house.tree.trashNames(owner)).toEqual([]);
    // everybody else: as before
    expect(await house.tree.get(reader, '/Plan/a.txt')).toMatchObject({ ownerId: to.accountId });
    expect(await house.tree.get(mover, '/Ours/sub/b.txt')).toMatchObject({ ownerId: to.accountId });
    expect(await house.tree.get(nested, '/sub/b.txt')).toMatchObject({ ownerId: to.accountId });
    expect(await house.tree.names(nested, '/')).toEqual(['sub']);
    await house.tree.folder(mover, '/Ours/new');
    expect(await codeOf(house.tree.folder(reader, '/Plan/new2'))).toBe('FORBIDDEN');
    expect(await house.tree.names(to, '/deep/er/Plan')).toContain('new');
    expect(await house.tree.names(owner, '/work/Plan')).not.toContain('new');
    // who may share it now
    expect(await codeOf(house.sharing.add(mover, '/Ours', { member: `email:${owner.email}` }))).toBe('MOUNT_IMMUTABLE');
    await house.sharing.give(to, '/deep/er/Plan', owner);
    expect(await house.tree.names(owner, '/')).toEqual(['Plan', 'work']);

    const types = async (who: Member) => (await house.sharing.eventsOf(who)).map(({ type, path }) => `${type} ${path}`);
    expect(await types(owner)).toEqual(
      expect.arrayContaining(['folder_deleted /work/Plan', 'folder_copied /work/Plan', 'folder_unshared /work/Plan']),
    );
    expect(await types(to)).toEqual(
      expect.arrayContaining(['folder_deleted /deep/er/Plan_old', 'folder_created /deep/er/Plan', 'folder_collab_removed /Plan_old']),
    );
    expect(await types(mover)).toContain('folder_collab_removed /Ours');
  });

  it('ends what the former owner has published there, and keeps what members have', async () => {
    const { owner, to, others } = await shared(2);
    const node = await house.tree.get(owner, '/work/Plan/a.txt');
    for (const issuer of [owner, to, others[0]!]) {
      await house.tree.database.run(
        `INSERT INTO links (id, node_id, issuer_id, hash, rights) VALUES (gen_random_uuid(), $1, $2, repeat('x', 20) || $3::text, 'download')`,
        [node.id, issuer.accountId, `${issuer.accountId}`.padStart(8, '0')],
      );
    }
    await house.handOver(owner, '/work/Plan', to);
    const links = await house.tree.database.query<{ id: number }>('SELECT issuer_id AS id FROM links WHERE node_id = $1 ORDER BY 1', [node.id]);
    expect(links.map(({ id }) => id)).toEqual([to.accountId, others[0]!.accountId].sort((a, b) => a - b));
    expect(await house.tree.get(to, '/Plan/a.txt')).toMatchObject({ linked: true });
    expect(await house.tree.get(owner, '/work/Plan/a.txt')).toMatchObject({ linked: false });
  });

  it('leaves a folder that only its new owner had shared with nobody', async () => {
    const { owner, to } = await shared(1);
    await house.handOver(owner, '/work/Plan', to);
    expect(await house.tree.get(to, '/Plan')).toMatchObject({ shared: false, mount: null });
    expect(
      await row('SELECT count(*) AS shares FROM shares s JOIN nodes n ON n.id = s.node_id WHERE n.space_id = $1', [
        (await house.tree.get(to, '/')).spaceId,
      ]),
    ).toEqual({ shares: 0 });
  });

  it('is refused before it begins when the member has no room, and undone when the room is gone later', async () => {
    const { owner, to } = await shared(1);
    const limit = (bytes: number) =>
      house.tree.database.run(`UPDATE quotas SET limit_bytes = $2 WHERE owner_kind = 'account' AND owner_id = $1`, [to.accountId, bytes]);
    await limit(34);
    expect(await codeOf(house.start(owner, '/work/Plan', to))).toBe('QUOTA_EXCEEDED');
    expect(await house.tree.names(to, '/')).toEqual(['Plan']);
    await limit(35);
    await house.start(owner, '/work/Plan', to);
    await house.tree.file(to, '/x', { bytes: 1 });
    expect(await house.work('handover.folder')).toEqual(['QUOTA_EXCEEDED']);
    expect(await house.tree.names(to, '/')).toEqual(['Plan', 'x']);
    expect(await house.tree.get(owner, '/work/Plan')).toMatchObject({ shared: true, ownerId: owner.accountId });
    await house.tree.remove(to, '/x');
  });

  it('does not need room twice in a company that both belong to, but for the copy', async () => {
    const { owner, to } = await shared(1);
    const companyId = await house.sharing.company();
    await house.tree.database.run('UPDATE accounts SET company_id = $1 WHERE id = ANY($2::bigint[])', [companyId, [owner.accountId, to.accountId]]);
    await house.tree.database.run(`INSERT INTO quotas (owner_kind, owner_id, limit_bytes, used_bytes) VALUES ('company', $1, $2, 35)`, [
      companyId,
      60,
    ]);
    await house.handOver(owner, '/work/Plan', to);
    expect(await row(`SELECT used_bytes AS used FROM quotas WHERE owner_kind = 'company' AND owner_id = $1`, [companyId])).toEqual({ used: 60 });
    await house.tree.database.run(`DELETE FROM quotas WHERE owner_kind = 'company' AND owner_id = $1`, [companyId]);
  });

  it('is started once, and by two for one of them', async () => {
    const { owner, to, others } = await shared(2);
    await Promise.all([house.start(owner, '/work/Plan', to), house.start(owner, '/work/Plan', to)]);
    expect(await house.tree.names(to, '/')).toEqual(['Plan_old']);
    expect(await codeOf(house.start(owner, '/work/Plan', others[0]!))).toBe('REQUEST_PENDING');
    expect(await house.work('handover.folder')).toEqual([]);
    expect(await house.seen(to, '/Plan')).toHaveLength(3);
    expect(await codeOf(house.start(owner, '/work/Plan', others[0]!))).toBe('ACCOUNT_NOT_FOUND');

    const again = await shared(2);
    const both = await Promise.allSettled([
      house.start(again.owner, '/work/Plan', again.to),
      house.start(again.owner, '/work/Plan', again.others[0]!),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await house.work('handover.folder')).toEqual([]);
  });

  it('begins anew after one whose task is gone, and keeps the first name', async () => {
    const { owner, to, others } = await shared(2);
    await house.start(owner, '/work/Plan', to);
    await house.tree.database.run(`UPDATE tasks SET state = 'failed' WHERE kind = 'handover.folder' AND state = 'waiting'`);
    await house.start(owner, '/work/Plan', others[0]!);
    expect([await house.tree.names(to, '/'), await house.tree.names(others[0]!, '/')]).toEqual([['Plan'], ['Plan_old']]);
    expect(await house.work('handover.folder')).toEqual([]);
    expect(await house.tree.get(others[0]!, '/Plan')).toMatchObject({ mount: null });
  });

  it('takes the name that the member gives his folder meanwhile, and a number where the old one is taken', async () => {
    const first = await shared(1);
    await house.start(first.owner, '/work/Plan', first.to);
    await house.tree.moves.rename(first.to, { node: { path: ['Plan_old'] }, name: 'Mine' });
    expect(await house.work('handover.folder')).toEqual([]);
    expect(await house.tree.names(first.to, '/')).toEqual(['Mine']);
    const second = await shared(1);
    await house.tree.folder(second.to, '/Plan_old');
    await house.start(second.owner, '/work/Plan', second.to);
    expect(await house.tree.names(second.to, '/')).toEqual(['Plan_old', 'Plan_old (1)']);
    await house.tree.folder(second.to, '/Plan');
    expect(await house.work('handover.folder')).toEqual([]);
    expect(await house.tree.names(second.to, '/')).toEqual(['Plan', 'Plan (1)', 'Plan_old']);
  });

  it('ends with nothing changed when the owner unshares or trashes the folder, or the member leaves it', async () => {
    for (const end of [
      ({ owner }: { owner: Member }) => house.sharing.shares.unshare(owner, { path: ['work', 'Plan'] }),
      ({ owner }: { owner: Member }) => house.tree.remove(owner, '/work/Plan'),
      ({ to }: { to: Member }) => house.tree.remove(to, '/Plan_old'),
    ]) {
      const people = await shared(1);
      await house.start(people.owner, '/work/Plan', people.to);
      await end(people);
      expect(await house.work('handover.folder')).toHaveLength(1);
      expect(await house.tree.usedBytes(people.to)).toBe(0);
      expect(await house.tree.usedBytes(people.owner)).toBe(35);
      expect(await row('SELECT count(*) AS left FROM handovers', [])).toEqual({ left: 0 });
    }
  });
});

describe('races', () => {
  it('of a handover with unshare end in one of both', async () => {
    for (let round = 0; round < 8; round++) {
      const { owner, to } = await shared(2);
      await house.start(owner, '/work/Plan', to);
      const [errors, unshared] = await Promise.allSettled([
        house.work('handover.folder'),
        house.sharing.shares.unshare(owner, { path: ['work', 'Plan'] }),
      ]);
      const given = errors.status === 'fulfilled' && errors.value.length === 0;
      expect(await house.seen(to)).toEqual(given ? ['/Plan', '/Plan/a.txt 20', '/Plan/sub', '/Plan/sub/b.txt 5'] : []);
      if (!given) expect(unshared.status).toBe('fulfilled');
      expect(await house.tree.names(owner, '/work/Plan')).toEqual(['a.txt', 'sub']);
      expect(await house.sharing.defects()).toEqual([]);
    }
  });

  it('of a handover with members that write lose nothing that was written', async () => {
    const { owner, to, others } = await shared(2);
    const [writer] = others as [Member];
    await house.start(owner, '/work/Plan', to);
    const made: string[] = [];
    const write = async () => {
      for (let n = 0; n < 40; n++) {
        // in the moment in which the folder goes over, one call may find that its folder has gone elsewhere; nothing is made then
        const lost = await house.tree.folder(writer, `/Plan/d${n}`).then(
          () => null,
          (error: unknown) => error,
        );
        if (lost === null) made.push(`d${n}`);
        else expect(isDomainError(lost, 'PARENT_NOT_FOUND')).toBe(true);
      }
    };
    const [errors] = await Promise.all([house.work('handover.folder'), write()]);
    expect(errors).toEqual([]);
    expect(made.length).toBeGreaterThan(30);
    expect((await house.tree.names(to, '/Plan')).filter((name) => name.startsWith('d')).sort()).toEqual([...made].sort());
    expect((await house.tree.get(writer, '/Plan')).ownerId).toBe(to.accountId);
  });

  it('of two that give each other folders, and of two handovers of one owner, end', async () => {
    const [a, b, c] = (await house.people(3)) as [Member, Member, Member];
    await house.tree.file(a, '/A/1', { bytes: 3 });
    await house.tree.file(b, '/B/2', { bytes: 4 });
    await house.tree.file(a, '/C/3', { bytes: 5 });
    await house.sharing.give(a, '/A', b);
    await house.sharing.give(b, '/B', a);
    await house.sharing.give(a, '/C', c);
    await house.start(a, '/A', b);
    await house.start(b, '/B', a);
    await house.start(a, '/C', c);
    expect(await house.work('handover.folder')).toEqual([]);
    expect(await house.seen(a)).toEqual(['/A', '/A/1 3', '/B', '/B/2 4', '/C', '/C/3 5']);
    expect(await house.seen(b)).toEqual(['/A', '/A/1 3', '/B', '/B/2 4']);
    expect(await house.seen(c)).toEqual(['/C', '/C/3 5']);
    expect([await house.tree.usedBytes(a), await house.tree.usedBytes(b), await house.tree.usedBytes(c)]).toEqual([12, 7, 5]);
  });

  it('of a run that dies before its end has changed nothing, and the next one ends it', async () => {
    const { owner, to } = await shared(1);
    await house.start(owner, '/work/Plan', to);
    const before = await house.seen(to);
    expect(await house.work('handover.folder', { saveProgress: () => Promise.reject(new Error('killed')) })).toHaveLength(1);
    expect(await house.seen(to)).toEqual(before);
    await house.tree.database.run(`UPDATE tasks SET state = 'waiting' WHERE kind = 'handover.folder' AND account_id = $1`, [owner.accountId]);
    expect(await house.work('handover.folder')).toEqual([]);
    await house.tree.database.run(`UPDATE tasks SET state = 'waiting' WHERE kind = 'handover.folder' AND account_id = $1`, [owner.accountId]);
    expect(await house.work('handover.folder')).toEqual([]);
    expect(await house.seen(to)).toEqual(['/Plan', '/Plan/a.txt 20', '/Plan/sub', '/Plan/sub/b.txt 5']);
  });
});
