import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { AccessService, GrantService } from '#libs/access';
import { GroupMembers } from '#libs/groups';
import { NodeResolver } from '#libs/nodes';

import { outcome } from '../support/accounts-house.js';
import { gate } from '../support/gate.js';
import { lockWaits } from '../support/lock-waits.js';
import { type Member, SharingHarness } from './sharing-harness.js';
import { at, segments } from './tree-harness.js';

const ROUNDS = 12;

describe('shares under races', () => {
  let h: SharingHarness;

  beforeAll(async () => {
    h = await SharingHarness.start();
  });
  afterAll(() => h.close());

  const path = (text: string) => ({ path: segments(text) });
  const seen = async (actor: Member, text: string) => (await h.tree.service(NodeResolver).find(actor, at(text)))?.node ?? null;
  const move = (actor: Member, source: string, target: string) =>
    outcome(h.tree.moves.move(actor, { source: at(source), targetFolder: at(target), onConflict: 'fail' }));

  it('accept once however often at once', async () => {
    const [owner, member] = [await h.member(), await h.member()];
    await h.tree.folder(owner, '/a');
    const { hash } = await h.add(owner, '/a', { member: member.email });
    expect(await Promise.all(Array.from({ length: 8 }, () => h.answers.accept(member, hash!)))).toEqual(Array(8).fill('/a'));
    expect((await h.eventsOf(owner)).filter((event) => event.type === 'share_invitation_accepted')).toHaveLength(1);
    const open = await h.member();
    const { hash: openHash } = await h.add(owner, '/a');
    expect(await Promise.all(Array.from({ length: 8 }, () => h.answers.accept(open, openHash!)))).toEqual(Array(8).fill('/a'));
    expect(await h.defects()).toEqual([]);
  });

  it('leave nothing behind when accept, decline, unshare, uninvite, remove and moves meet', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const [owner, member, other] = [await h.member(), await h.member(), await h.member()];
      await h.tree.folder(owner, '/s/in');
      await h.tree.folder(owner, '/t');
      await h.tree.folder(other, '/mine');
      const { hash } = await h.add(owner, '/s', { member: member.email });
      await h.give(owner, '/s', other);
      const { hash: openHash } = await h.add(owner, '/s');
      const acts = [
        () => outcome(h.answers.accept(member, hash!)),
        () => outcome(h.answers.accept(member, openHash!)),
        () => outcome(h.shares.unshare(owner, path('/s'))),
        () => move(owner, '/s', '/t'),
        () => move(other, '/s', '/mine'),
        () => outcome(h.shares.uninvite(owner, { ...path('/s'), member: member.email })),
        () => outcome(h.shares.remove(owner, { ...path('/s'), member: other.email })),
        () => outcome(h.answers.decline(member, hash!)),
      ];
      const turn = round % acts.length;
      const results = await Promise.all([...acts.slice(turn), ...acts.slice(0, turn)].map((act) => act()));
      expect(results.filter((result) => result === 'BUSY' || result === 'INTERNAL')).toEqual([]);
      expect(await h.defects()).toEqual([]);
    }
  });

  it('never put one owner’s share into another’s, whoever moves first', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const [a, b] = [await h.member(), await h.member()];
      await h.tree.folder(a, '/x');
      await h.tree.folder(b, '/y');
      await h.tree.folder(a, '/box');
      await h.give(a, '/x', b, true);
      await h.give(b, '/y', a, true);
      const results = await Promise.all([move(a, '/y', '/x'), move(b, '/x', '/y'), move(a, '/x', '/y'), move(b, '/y', '/x')]);
      expect(results.filter((result) => result === 'ok')).toEqual([]);
      // A folder is shared while somebody else's folder comes into it: one of the two is refused.
      const [shared, moved] = await Promise.all([outcome(h.add(a, '/box', { member: b.email })), move(a, '/y', '/box')]);
      expect([`${shared} ${moved}`]).toEqual([expect.stringMatching(/^(ok MOUNT_INTO_SHARE|CONTAINS_SHARE ok)$/)]);
      expect(await h.defects()).toEqual([]);
    }
  });

  it('do not bring back by an update what a removal takes', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const [owner, member] = [await h.member(), await h.member()];
      await h.tree.folder(owner, '/u');
      await h.give(owner, '/u', member);
      const node = await h.tree.get(owner, '/u');
      const [updated, removed] = await Promise.all([
        outcome(h.shares.update(owner, { ...path('/u'), member: member.email, writer: true })),
        outcome(h.shares.remove(owner, { ...path('/u'), member: member.email })),
      ]);
      expect(removed).toBe('ok');
      expect(['ok', 'NOT_SHARED']).toContain(updated);
      expect((await h.service(AccessService).rights(member, [node])).get(node.id)).toBeNull();
      expect(await seen(member, '/u')).toBeNull();
    }
  });

  it('invite everybody of a group who is in it at the end, and leave nobody in who has left', async () => {
    const companyId = await h.company();
    const admin = await h.member(companyId, { admin: true });
    for (let round = 0; round < ROUNDS; round++) {
      const [owner, stays, comes, goes] = await Promise.all([1, 2, 3, 4].map(() => h.member(companyId)));
      const groupId = await h.group(admin, [stays!, goes!]);
      await h.tree.folder(owner!, '/g');
      await Promise.all([
        h.add(owner!, '/g', { groupId }),
        h.service(GroupMembers).add(admin, groupId, [comes!.accountId]),
        h.service(GroupMembers).remove(admin, groupId, [goes!.accountId]),
      ]);
      const invited = await Promise.all([stays!, comes!, goes!].map(async (one) => (await h.lists.invites(one)).length));
      expect(invited).toEqual([1, 1, 0]);
    }
  });

  it('leave a share from many sides at once', async () => {
    const [owner, member] = [await h.member(), await h.member()];
    await h.tree.folder(owner, '/p');
    await h.tree.folder(owner, '/q');
    await h.give(owner, '/p', member);
    await h.give(owner, '/q', member);
    const ids = [(await h.tree.get(owner, '/p')).id, (await h.tree.get(owner, '/q')).id];
    const leave = (order: string[]) => outcome(h.service(GrantService).leave(member, order));
    const results = await Promise.all([leave(ids), leave([...ids].reverse()), outcome(h.shares.unshare(owner, path('/p'))), leave(ids)]);
    expect(results).toEqual(['ok', 'ok', 'ok', 'ok']);
    expect(await h.tree.names(member, '/')).toEqual([]);
    expect((await h.eventsOf(owner)).filter((event) => event.type === 'folder_collab_removed' && event.path === '/q')).toHaveLength(1);
    expect(await h.defects()).toEqual([]);
  });

  it('limit a folder by what it holds when those are done who are at it', async () => {
    const owner = await h.member();
    await h.tree.folder(owner, '/l');
    await h.tree.folder(owner, '/big');
    await h.tree.file(owner, '/big/file', { bytes: 100 });
    const started = gate();
    const limiting = started.opened.then(() => outcome(h.shares.limit(owner, { ...path('/l'), limitBytes: 99 })));
    await h.tree.unitOfWork.run(async () => {
      await h.tree.moves.move(owner, { source: at('/big'), targetFolder: at('/l'), onConflict: 'fail' });
      started.open();
      await expect.poll(() => lockWaits(h.tree.database), { timeout: 30_000 }).toHaveLength(1);
    });
    expect(await limiting).toBe('FOLDER_LIMIT_TOO_SMALL');
    await h.shares.limit(owner, { ...path('/l'), limitBytes: 100 });
    expect(await h.defects()).toEqual([]);
  });
});
