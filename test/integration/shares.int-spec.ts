import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { AccessService } from '#libs/access';
import { emailLogin, RegistrationService } from '#libs/accounts';
import { UnitOfWork } from '#libs/database';
import { GroupMembers } from '#libs/groups';
import { Limiter } from '#libs/limiter';
import { NodeResolver } from '#libs/nodes';
import { ShareDoor } from '#libs/shares';

import { outcome } from '../support/accounts-house.js';
import { countStatements } from '../support/statement-count.js';
import { type Member, SharingHarness } from './sharing-harness.js';
import { at, codeOf, segments } from './tree-harness.js';

describe('shares', () => {
  let h: SharingHarness;

  beforeAll(async () => {
    h = await SharingHarness.start();
  });
  afterAll(() => h.close());

  const path = (text: string) => ({ path: segments(text) });
  const seen = async (actor: Member, text: string) => (await h.tree.service(NodeResolver).find(actor, at(text)))?.node ?? null;
  const two = async () => Promise.all([h.member(), h.member()]);

  it('mount the folder under the receiver’s own name and place, and end with unshare', async () => {
    const [owner, member] = await two();
    await h.tree.folder(owner, '/Plans/2026');
    expect(await h.give(owner, '/Plans', member)).toBe('/Plans');
    expect((await h.tree.get(owner, '/Plans')).shared).toBe(true);
    await h.tree.moves.rename(member, { node: at('/Plans'), name: 'Theirs' });
    expect((await seen(member, '/Theirs/2026'))?.ownerId).toBe(owner.accountId);
    expect((await h.tree.get(owner, '/Plans')).name).toBe('Plans');
    expect(await codeOf(h.shares.unshare(member, path('/Theirs')))).toBe('FORBIDDEN');
    await h.shares.unshare(owner, path('/Plans'));
    expect(await seen(member, '/Theirs')).toBeNull();
    expect((await h.tree.get(owner, '/Plans')).shared).toBe(false);
    expect(await codeOf(h.shares.unshare(owner, path('/Plans')))).toBe('NOT_SHARED');
    const [mine, theirs] = [await h.eventsOf(owner), await h.eventsOf(member)];
    expect(mine.map((event) => event.type)).toEqual(
      expect.arrayContaining(['share_invitation_sent', 'folder_shared', 'share_invitation_accepted', 'folder_unshared']),
    );
    expect(theirs.filter((event) => event.type === 'folder_unshared').map((event) => event.path)).toEqual(['/Theirs']);
    expect(theirs.find((event) => event.type === 'share_invitation_sent')?.facts).toMatchObject({
      directory_name: 'Plans',
      owner: owner.accountId,
      writer: false,
    });
    expect(await h.defects()).toEqual([]);
  });

  it('refuse what cannot be shared', async () => {
    const [owner, member] = await two();
    await h.tree.folder(owner, '/a/in');
    await h.tree.file(owner, '/a/f.txt');
    await h.tree.folder(member, '/own/deep');
    await h.give(owner, '/a', member, true);
    const to = { member: `email:${owner.email}` };
    expect(await codeOf(h.add(owner, '/'))).toBe('ROOT_IMMUTABLE');
    expect(await codeOf(h.add(owner, '/a/f.txt'))).toBe('NOT_A_FOLDER');
    expect(await codeOf(h.add(owner, '/nowhere'))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(h.add(owner, '/a', to))).toBe('OWN_SHARE');
    expect(await codeOf(h.add(member, '/a', to))).toBe('MOUNT_IMMUTABLE');
    expect(await codeOf(h.add(member, '/a/in', to))).toBe('FORBIDDEN');
    await h.tree.moves.move(member, { source: at('/a'), targetFolder: at('/own/deep'), onConflict: 'fail' });
    expect(await codeOf(h.add(member, '/own', to))).toBe('CONTAINS_SHARE');
    expect(await codeOf(h.add(owner, '/a', { member: ' ' }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(h.add(owner, '/a', { member: 'userid:999999' }))).toBe('ACCOUNT_NOT_FOUND');
    expect(await codeOf(h.add(owner, '/a', { member: '+4915112345678' }))).toBe('ACCOUNT_NOT_FOUND');
    expect(await codeOf(h.add(owner, '/a', { groupId: 999_999 }))).toBe('GROUP_NOT_FOUND');
  });

  it('say nothing new when it is shared with the member already, and invite again who declined', async () => {
    const [owner, member] = await two();
    await h.tree.folder(owner, '/b');
    const first = await h.add(owner, '/b', { member: member.email });
    expect(first.login).toBe(`email:${member.email}`);
    expect((await h.add(owner, '/b', { member: member.email, writer: true })).hash).toBeNull();
    await h.answers.decline(member, first.hash!);
    await h.answers.decline(member, first.hash!);
    expect(await codeOf(h.answers.accept(member, first.hash!))).toBe('INVITATION_ANSWERED');
    const second = await h.add(owner, '/b', { member: member.email, writer: true });
    expect(second.hash).not.toBe(first.hash);
    expect(await codeOf(h.answers.accept(member, first.hash!))).toBe('INVITATION_NOT_FOUND');
    expect(await codeOf(h.answers.accept(owner, second.hash!))).toBe('INVITATION_NOT_FOUND');
    expect(await h.lists.invites(member)).toMatchObject([{ hash: second.hash, write: true, folderName: 'b', ownerId: owner.accountId }]);
    await h.answers.accept(member, second.hash!);
    expect(await h.lists.invites(member)).toEqual([]);
    expect(await codeOf(h.shares.uninvite(owner, { ...path('/b'), member: member.email }))).toBe('INVITATION_ANSWERED');
    expect(await codeOf(h.answers.decline(member, second.hash!))).toBe('INVITATION_ANSWERED');
  });

  it('make an account for an unknown address and send one mail; many at once make one account', async () => {
    const owner = await h.member();
    await h.tree.folder(owner, '/c');
    const email = `new-${owner.accountId}@example.org`;
    const results = await Promise.all(
      Array.from({ length: 4 }, () => h.add(owner, '/c', { member: `email:${email}`, message: 'Look at this', lang: 'de' })),
    );
    expect(results.filter((result) => result.hash !== null)).toHaveLength(1);
    const mails = await h.tree.database.query<{ payload: { to: string; subject: string; text: string } }>(
      `SELECT payload FROM outbox WHERE job = 'mail.send'`,
    );
    const own = mails.filter((mail) => mail.payload.to === email);
    expect(own).toHaveLength(1);
    expect(own[0]!.payload.text).toContain('Look at this');
    expect(own[0]!.payload.subject).toBe('Sie sind eingeladen');
    expect(await h.lists.collaborators(owner, path('/c'))).toMatchObject([{ owner: true }, { state: 'waiting', writer: false, indirect: false }]);
  });

  it('come by themselves to who registers by the mail, but for what is not in place or finds no name', async () => {
    const [owner, other] = await two();
    const email = `arrives-${owner.accountId}@example.org`;
    for (const name of ['/Docs', '/gone', '/no']) await h.tree.folder(owner, name);
    await h.tree.folder(other, '/docs');
    for (const name of ['/Docs', '/gone', '/no']) await h.add(owner, name, { member: email, writer: true });
    await h.add(other, '/docs', { member: email });
    await h.shares.uninvite(owner, { ...path('/no'), member: email });
    await h.tree.remove(owner, '/gone');
    const [mail] = await h.tree.database.query<{ payload: { text: string } }>(`SELECT payload FROM outbox WHERE payload->>'to' = $1`, [email]);
    const hash = /[0-9a-f]{64}/.exec(mail!.payload.text)![0];
    const registration = h.service(RegistrationService);
    const form = await registration.check({ login: emailLogin(email), name: 'New', password: 'correct horse battery' });
    const accountId = await h.service(UnitOfWork).run(() => registration.acceptInvitation(hash, form));
    const fresh = { kind: 'account', accountId, companyId: null, role: 'user', tokenId: null } as const;
    expect((await h.lists.list(fresh, 'others')).map((node) => [node.path, node.ownerId])).toEqual([
      ['/Docs', owner.accountId],
      ['/docs (1)', other.accountId],
    ]);
    await h.tree.folder(fresh, '/Docs/mine');
    await h.tree.trash.undelete(owner, { paths: [['gone']] });
    expect(await h.lists.invites(fresh)).toMatchObject([{ folderName: 'gone', write: true }]);
    expect(await h.defects()).toEqual([]);
  });

  it('invite a hundred new people an hour for one person', async () => {
    const [owner, other] = await two();
    for (const each of [owner, other]) await h.tree.folder(each, '/spam');
    for (let sent = 0; sent < 99; sent++) await h.service(Limiter).take(`share-mails:${owner.accountId}`, 100, 3_600_000);
    await h.add(owner, '/spam', { member: `last-${owner.accountId}@example.org` });
    expect(await codeOf(h.add(owner, '/spam', { member: `more-${owner.accountId}@example.org` }))).toBe('RATE_LIMITED');
    await h.add(owner, '/spam', { member: other.email });
    await h.add(other, '/spam', { member: `more-${owner.accountId}@example.org` });
  });

  it('change the ETags of owner and members when marks and hashes change', async () => {
    const companyId = await h.company();
    const [owner, member] = [await h.member(companyId), await h.member(companyId)];
    await h.tree.folder(owner, '/marked');
    await h.give(owner, '/marked', member);
    const page = { dirsOnly: false, includeRemoved: false, orderBy: 'name', descending: false, offset: 0, limit: 0 } as const;
    const etags = async () => [owner, member].map(async (who) => (await h.tree.browse.list(who, { node: at('/'), ...page })).etag);
    let before = await Promise.all(await etags());
    for (const change of [
      () => h.add(owner, '/marked', {}),
      () => h.add(owner, '/marked', { member: member.email, publicView: true }),
      () => h.shares.uninvite(owner, path('/marked')),
      () => h.offers.publish(owner, path('/marked')),
      () => h.offers.hide(owner, path('/marked')),
    ]) {
      await change();
      const after = await Promise.all(await etags());
      expect(after.map((etag, index) => etag !== before[index])).toEqual([true, true]);
      before = after;
    }
  });

  it('forget what somebody asked for who has left the company', async () => {
    const companyId = await h.company();
    const [owner, member] = [await h.member(companyId), await h.member(companyId)];
    await h.tree.folder(owner, '/offered');
    const { folderHash } = await h.offers.publish(owner, path('/offered'));
    await h.offers.request(member, { folderHash, message: '' });
    const [request] = await h.offers.requests(owner);
    await h.tree.database.run('UPDATE accounts SET company_id = NULL WHERE id = $1', [member.accountId]);
    expect(await h.offers.requests(owner)).toEqual([]);
    for (const hash of [request!.hash, folderHash]) {
      expect(await codeOf(h.offers.acceptRequest(owner, { hash, requesterId: member.accountId, writer: false }))).toBe('NODE_NOT_FOUND');
    }
  });

  it('do not hand folders to who only claims an address', async () => {
    const [owner, thief] = await two();
    await h.tree.folder(owner, '/d');
    const email = `victim-${owner.accountId}@example.org`;
    await h.tree.database.run(`INSERT INTO logins (id, account_id, kind, value, value_key) VALUES (gen_random_uuid(), $1, 'email', $2, $2)`, [
      thief.accountId,
      email,
    ]);
    expect(await codeOf(h.add(owner, '/d', { member: email }))).toBe('ACCOUNT_NOT_FOUND');
    expect(await h.lists.invites(thief)).toEqual([]);
  });

  it('open by hash to whoever has it until it is withdrawn', async () => {
    const [owner, member] = await two();
    const late = await h.member();
    await h.tree.folder(owner, '/e/x');
    const { hash } = await h.add(owner, '/e', { writer: true });
    expect((await h.add(owner, '/e', { writer: true })).hash).toBe(hash);
    expect(await h.answers.accept(member, hash!)).toBe('/e');
    expect(await h.answers.accept(member, hash!)).toBe('/e');
    const node = await h.tree.get(owner, '/e/x');
    expect((await h.service(AccessService).rights(member, [node])).get(node.id)).toMatchObject({ write: true });
    expect(await codeOf(h.answers.accept(owner, hash!))).toBe('INVITATION_NOT_FOUND');
    await h.shares.uninvite(owner, path('/e'));
    expect(await codeOf(h.answers.accept(late, hash!))).toBe('INVITATION_NOT_FOUND');
    expect(await codeOf(h.shares.uninvite(owner, path('/e')))).toBe('INVITATION_NOT_FOUND');
    expect(await seen(member, '/e/x')).not.toBeNull();
  });

  it('let a hash in to view while that is allowed, and members as themselves', async () => {
    const [owner, member] = await two();
    const stranger = await h.member();
    await h.tree.folder(owner, '/f/x');
    const { hash } = await h.add(owner, '/f', { member: member.email, publicView: true });
    const door = h.service(ShareDoor);
    expect(await door.byHash(hash!, null)).toMatchObject({ actor: { kind: 'guest', pass: 'share' }, base: [] });
    expect((await door.byHash(hash!, stranger)).actor.kind).toBe('guest');
    await h.answers.accept(member, hash!);
    await h.tree.moves.rename(member, { node: at('/f'), name: 'mine' });
    expect(await door.byHash(hash!, member)).toMatchObject({ actor: { kind: 'account' }, base: ['mine'] });
    await h.add(owner, '/f', { publicView: false });
    expect(await codeOf(door.byHash(hash!, null))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(door.byHash('nothing', null))).toBe('NODE_NOT_FOUND');
    await h.tree.remove(owner, '/f');
    expect(await codeOf(door.byHash(hash!, member))).toBe('NODE_NOT_FOUND');
  });

  it('follow the members of groups', async () => {
    const companyId = await h.company();
    const admin = await h.member(companyId, { admin: true });
    const [owner, one, two, late] = await Promise.all([1, 2, 3, 4].map(() => h.member(companyId)));
    const groupId = await h.group(admin, [owner!, one!, two!]);
    await h.tree.folder(owner!, '/g/x');
    await h.add(owner!, '/g', { groupId, writer: true, message: 'for all' });
    const [invite] = await h.lists.invites(one!);
    await h.answers.accept(one!, invite!.hash);
    expect(
      (await h.lists.collaborators(owner!, path('/g'))).map(({ accountId, state, indirect, owner: isOwner }) => [
        accountId,
        state,
        indirect,
        isOwner,
      ]),
    ).toEqual([
      [owner!.accountId, 'accepted', false, true],
      [one!.accountId, 'accepted', true, false],
      [two!.accountId, 'waiting', true, false],
    ]);
    await h.service(GroupMembers).add(admin, groupId, [late!.accountId]);
    expect(await h.lists.invites(late!)).toHaveLength(1);
    await h.service(GroupMembers).remove(admin, groupId, [one!.accountId, late!.accountId]);
    expect(await seen(one!, '/g')).toBeNull();
    expect(await h.lists.invites(late!)).toEqual([]);
    expect(await codeOf(h.answers.accept(one!, invite!.hash))).toBe('INVITATION_NOT_FOUND');
    // Another grant keeps it.
    await h.service(GroupMembers).add(admin, groupId, [one!.accountId]);
    await h.answers.accept(one!, (await h.lists.invites(one!))[0]!.hash);
    const { hash } = await h.add(owner!, '/g', { member: one!.email });
    await h.answers.accept(one!, hash!);
    await h.service(GroupMembers).remove(admin, groupId, [one!.accountId]);
    expect(await seen(one!, '/g/x')).not.toBeNull();
    const outsider = await h.member();
    expect(await codeOf(h.shares.remove(owner!, { ...path('/g'), member: outsider.email }))).toBe('NOT_SHARED');
    await h.shares.remove(owner!, { ...path('/g'), member: one!.email });
    expect(await seen(one!, '/g')).toBeNull();
    expect(await codeOf(h.add(outsider, '/', { groupId }))).toBe('ROOT_IMMUTABLE');
    await h.tree.folder(outsider, '/own');
    expect(await codeOf(h.add(outsider, '/own', { groupId }))).toBe('GROUP_NOT_FOUND');
    await h.shares.uninvite(owner!, { ...path('/g'), groupId });
    expect(await h.lists.invites(two!)).toEqual([]);
    expect(await h.defects()).toEqual([]);
  });

  it('are changed by writers’ rights of the member they name, and by nobody else', async () => {
    const [owner, member] = await two();
    await h.tree.folder(owner, '/i/x');
    await h.give(owner, '/i', member);
    const node = await h.tree.get(owner, '/i/x');
    await h.shares.update(owner, { ...path('/i'), member: `userid:${member.accountId}`, writer: true });
    expect((await h.service(AccessService).rights(member, [node])).get(node.id)).toEqual({ write: true, delete: true, download: true });
    expect(await codeOf(h.shares.update(member, { ...path('/i'), member: member.email, writer: true }))).toBe('FORBIDDEN');
    expect(await codeOf(h.shares.update(owner, { ...path('/i/x'), member: member.email, writer: true }))).toBe('NOT_SHARED');
  });

  it('limit what a folder holds, not below what it holds now', async () => {
    const owner = await h.member();
    await h.tree.folder(owner, '/l');
    await h.tree.file(owner, '/l/f', { bytes: 100 });
    expect(await codeOf(h.shares.limit(owner, { ...path('/l'), limitBytes: 99 }))).toBe('FOLDER_LIMIT_TOO_SMALL');
    await h.shares.limit(owner, { ...path('/l'), limitBytes: 100 });
    expect((await h.tree.get(owner, '/l')).limitBytes).toBe(100);
    await h.shares.limit(owner, { ...path('/l'), limitBytes: null });
    expect((await h.tree.get(owner, '/l')).limitBytes).toBeNull();
  });

  it('can be offered to the company, asked for and given; another company knows nothing of it', async () => {
    const [companyId, otherId] = [await h.company(), await h.company()];
    const [owner, member, admin] = [await h.member(companyId), await h.member(companyId), await h.member(companyId, { admin: true })];
    const foreign = await h.member(otherId, { admin: true });
    await h.tree.folder(owner, '/dir/o');
    const { folderHash } = await h.offers.publish(owner, { ...path('/dir/o'), publicName: 'Open' });
    expect((await h.offers.publish(owner, path('/dir/o'))).folderHash).toBe(folderHash);
    const page = { offset: 0, limit: 0, showAll: false };
    expect(await h.offers.list(member, page)).toMatchObject([
      { folderHash, status: 'waiting', path: '', collaborators: 0, ownerId: owner.accountId },
    ]);
    expect(await h.offers.list(admin, { ...page, showAll: true })).toMatchObject([{ path: '/dir/o' }]);
    expect(await codeOf(h.offers.list(member, { ...page, showAll: true }))).toBe('FORBIDDEN');
    expect(await h.offers.list(foreign, page)).toEqual([]);
    expect(await codeOf(h.offers.one(foreign, folderHash))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(h.offers.request(foreign, { folderHash, message: '' }))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(h.offers.request(owner, { folderHash, message: '' }))).toBe('OWN_SHARE');
    await h.offers.request(member, { folderHash, message: 'please' });
    expect(await codeOf(h.offers.request(member, { folderHash, message: '' }))).toBe('REQUEST_PENDING');
    expect((await h.offers.one(member, folderHash)).status).toBe('requested');
    const [request] = await h.offers.requests(owner);
    expect(request).toMatchObject({ requesterId: member.accountId, message: 'please', folderName: 'o' });
    expect(await codeOf(h.offers.acceptRequest(member, { hash: request!.hash, writer: true }))).toBe('NODE_NOT_FOUND');
    const accepts = await Promise.all([1, 2].map(() => outcome(h.offers.acceptRequest(owner, { hash: request!.hash, writer: true }))));
    expect(accepts.sort()).toEqual(['NODE_NOT_FOUND', 'ok']);
    expect(await h.offers.one(member, folderHash)).toMatchObject({ status: 'accepted', path: '/o', collaborators: 1 });
    expect(await codeOf(h.offers.request(member, { folderHash, message: '' }))).toBe('FORBIDDEN');
    expect((await h.lists.list(member, 'company')).map((node) => node.path)).toEqual(['/o']);
    expect(await h.offers.outgoing(admin, { ownerName: '', offset: 0, limit: 0 })).toMatchObject([{ type: 'share', path: '/dir/o', outside: false }]);
    expect(await h.offers.outgoing(foreign, { ownerName: '', offset: 0, limit: 0 })).toEqual([]);
    expect(await codeOf(h.offers.outgoing(member, { ownerName: '', offset: 0, limit: 0 }))).toBe('FORBIDDEN');
    expect(await codeOf(h.offers.hide(member, { folderHash }))).toBe('NODE_NOT_FOUND');
    await h.offers.hide(owner, { folderHash });
    expect(await codeOf(h.offers.one(member, folderHash))).toBe('NODE_NOT_FOUND');
    expect(await seen(member, '/o')).not.toBeNull();
    await h.tree.folder(owner, '/alone');
    await h.offers.publish(owner, path('/alone'));
    await h.offers.hide(owner, path('/alone'));
    expect((await h.tree.get(owner, '/alone')).shared).toBe(false);
    expect(await codeOf(h.offers.publish(await h.member(), path('/x')))).toBe('FORBIDDEN');
    expect(await h.defects()).toEqual([]);
  });

  it('are kept by administrators of the company in its people’s names, and of no other', async () => {
    const [companyId, otherId] = [await h.company(), await h.company()];
    const [owner, member, admin] = [await h.member(companyId), await h.member(), await h.member(companyId, { admin: true })];
    const foreign = await h.member(otherId, { admin: true });
    await h.tree.folder(owner, '/k');
    await h.give(owner, '/k', member);
    const name = { ...path('/k'), ownerId: owner.accountId };
    expect(await h.lists.collaborators(admin, name)).toHaveLength(2);
    expect(await codeOf(h.lists.collaborators(foreign, name))).toBe('ACCOUNT_NOT_FOUND');
    expect(await codeOf(h.shares.unshare(member, name))).toBe('FORBIDDEN');
    await h.shares.remove(admin, { ...name, member: member.email });
    expect(await seen(member, '/k')).toBeNull();
    await h.shares.unshare(admin, name);
    expect((await h.tree.get(owner, '/k')).shared).toBe(false);
  });

  it('ask by notices, and tell there what was answered or taken back', async () => {
    const companyId = await h.company();
    const admin = await h.member(companyId, { admin: true });
    const [owner, member, late] = [await h.member(companyId), await h.member(companyId), await h.member(companyId)];
    const notices = (actor: Member) =>
      h.tree.database.query<{ action: string; behavior: string; status: string; hash: string; text: string }>(
        'SELECT action, behavior, status, hash, text FROM notices WHERE account_id = $1 ORDER BY created_ms, id',
        [actor.accountId],
      );
    await h.tree.folder(owner, '/N');
    const first = await h.add(owner, '/N', { member: member.email });
    expect(await notices(member)).toEqual([
      { action: 'share_invitation_sent', behavior: 'interactive', status: 'waiting', hash: first.hash, text: 'N' },
    ]);
    await h.answers.decline(member, first.hash!);
    expect(await notices(member)).toMatchObject([{ status: 'declined' }]);
    expect(await notices(owner)).toMatchObject([{ action: 'share_invitation_declined', behavior: 'static', status: 'new' }]);
    await h.add(owner, '/N', { member: member.email });
    await h.shares.uninvite(owner, { ...path('/N'), member: member.email });
    expect((await notices(member)).map((notice) => [notice.action, notice.behavior])).toEqual([
      ['share_invitation_sent', 'interactive'],
      ['share_invitation_revoked', 'static'],
    ]);
    const groupId = await h.group(admin, [late]);
    await h.add(owner, '/N', { groupId });
    expect((await notices(late)).map((notice) => notice.status)).toEqual(['waiting']);
    await h.service(GroupMembers).remove(admin, groupId, [late.accountId]);
    expect((await notices(late)).map((notice) => notice.action)).toEqual(['share_invitation_revoked']);
    const { folderHash } = await h.offers.publish(owner, { ...path('/N'), publicName: 'Known as' });
    await h.offers.request(late, { folderHash, message: '' });
    const [request] = await h.offers.requests(owner);
    const question = async () => (await notices(owner)).find((notice) => notice.hash === request!.hash);
    expect(await question()).toMatchObject({ action: 'share_request_sent', behavior: 'interactive', status: 'waiting' });
    await h.offers.hide(owner, { folderHash });
    expect(await question()).toMatchObject({ status: 'declined' });
    expect((await notices(late)).at(-1)).toMatchObject({ action: 'share_request_declined', text: 'Known as' });
  });

  it('come and end for a group with a fixed number of statements whatever the number of its members, and everybody learns of it', async () => {
    const figures = async (size: number) => {
      const companyId = await h.company();
      const [admin, owner] = [await h.member(companyId, { admin: true }), await h.member(companyId)];
      const members: Member[] = [];
      for (let n = 0; n < size; n++) members.push(await h.member(companyId));
      for (const person of [owner, ...members]) await h.tree.folder(person, '/own');
      const groupId = await h.group(admin, members);
      for (const name of ['/unshared', '/removed', '/withdrawn', '/hidden', '/asked']) await h.tree.folder(owner, name);
      const askAll = async (name: string) => {
        const { folderHash } = await h.offers.publish(owner, { ...path(name), publicName: name.slice(1) });
        for (const member of members) await h.offers.request(member, { folderHash, message: 'Please' });
        return folderHash;
      };
      const share = async (name: string) => {
        await h.add(owner, name, { groupId });
        for (const member of members) {
          const asked = (await h.lists.invites(member)).find((invite) => invite.folderName === name.slice(1));
          await h.answers.accept(member, asked!.hash);
        }
      };
      await share('/unshared');
      await share('/removed');
      await h.add(owner, '/withdrawn', { groupId });
      const folderHash = await askAll('/hidden');
      await askAll('/asked');
      const since = (await h.eventsOf(owner)).length;
      const counts = {
        invited: await countStatements(() => h.add(owner, '/own', { groupId })),
        unshared: await countStatements(() => h.shares.unshare(owner, path('/unshared'))),
        removed: await countStatements(() => h.shares.remove(owner, { ...path('/removed'), groupId })),
        withdrawn: await countStatements(() => h.shares.uninvite(owner, { ...path('/withdrawn'), groupId })),
        hidden: await countStatements(() => h.offers.hide(owner, { folderHash })),
        declined: await countStatements(() => h.shares.unshare(owner, path('/asked'))),
        emptied: await countStatements(() =>
          h.service(GroupMembers).remove(
            admin,
            groupId,
            members.map((member) => member.accountId),
          ),
        ),
      };
      const told = (await h.eventsOf(owner)).slice(since);
      const of = (type: string) => told.filter((event) => event.type === type);
      expect(of('folder_collab_removed').map((event) => event.facts.collab_id)).toEqual(members.map((member) => member.accountId));
      expect(of('share_invitation_revoked')).toHaveLength(2 * size);
      expect(new Set(of('share_request_declined').map((event) => event.facts.hash)).size).toBe(2 * size);
      for (const member of members) {
        const types = (await h.eventsOf(member)).map((event) => event.type);
        expect(types.filter((type) => type === 'share_invitation_sent')).toHaveLength(4);
        expect(types.filter((type) => ['folder_unshared', 'folder_collab_removed'].includes(type))).toHaveLength(2);
        expect(types.filter((type) => type === 'share_invitation_revoked')).toHaveLength(2);
        expect(types.filter((type) => type === 'share_request_declined')).toHaveLength(2);
        const [questions] = await h.tree.database.query<{ waiting: number }>(
          `SELECT count(*)::int AS waiting FROM notices WHERE account_id = $1 AND status = 'waiting'`,
          [member.accountId],
        );
        expect(questions!.waiting).toBe(0);
      }
      expect(await h.defects()).toEqual([]);
      return counts;
    };
    expect(await figures(20)).toEqual(await figures(1));
  });

  it('take a fixed number of statements whatever the number of people and folders', async () => {
    const companyId = await h.company();
    const owner = await h.member(companyId);
    const receiver = await h.member(companyId);
    await h.tree.folder(owner, '/n0');
    const counts = async () => [
      await countStatements(() => h.lists.collaborators(owner, path('/n0'))),
      await countStatements(() => h.lists.list(receiver, 'all')),
      await countStatements(() => h.lists.list(owner, 'all')),
      await countStatements(() => h.offers.list(receiver, { offset: 0, limit: 0, showAll: false })),
    ];
    await h.give(owner, '/n0', receiver);
    await h.offers.publish(owner, path('/n0'));
    await counts();
    const before = await counts();
    for (let turn = 1; turn <= 5; turn++) {
      await h.tree.folder(owner, `/n${turn}`);
      await h.give(owner, `/n${turn}`, receiver);
      await h.offers.publish(owner, path(`/n${turn}`));
      await h.give(owner, '/n0', await h.member(companyId));
    }
    await counts();
    expect(await counts()).toEqual(before);
    expect(Math.max(...before)).toBeLessThanOrEqual(6);
    expect(await h.lists.list(receiver, 'others')).toHaveLength(6);
  });
});
