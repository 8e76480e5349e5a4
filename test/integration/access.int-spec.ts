import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { AccessService, FULL_RIGHT, GrantService, InvitationService, type NodeAction, type Right } from '#libs/access';
import { type AccountActor, type GuestActor, newId } from '#libs/kernel';
import { NodeResolver } from '#libs/nodes';

import { countStatements } from '../support/statement-count.js';
import { at, codeOf, TreeHarness } from './tree-harness.js';

const READER: Right = { write: false, delete: false, download: true };
const WRITER: Right = FULL_RIGHT;

describe('grants on nodes', () => {
  let h: TreeHarness;
  let access: AccessService;
  let grants: GrantService;
  let invitations: InvitationService;

  beforeAll(async () => {
    h = await TreeHarness.start();
    access = h.service(AccessService);
    grants = h.service(GrantService);
    invitations = h.service(InvitationService);
  });
  afterAll(() => h.close());

  async function give(owner: AccountActor, path: string, to: AccountActor, right: Right): Promise<string> {
    const node = await h.get(owner, path);
    const { invited } = await grants.grant(owner, { node, subject: { accountId: to.accountId }, right });
    return invitations.accept(to.accountId, invited[0]!.hash);
  }

  it('open nothing until they are accepted, then the folder and all below it', async () => {
    const [owner, guest, stranger] = [await h.account(), await h.account(), await h.account()];
    await h.folder(owner, '/a/b/c');
    const [a, b, c] = [await h.get(owner, '/a'), await h.get(owner, '/a/b'), await h.get(owner, '/a/b/c')];
    const { invited } = await grants.grant(owner, { node: b, subject: { accountId: guest.accountId }, right: READER });
    expect(invited).toHaveLength(1);
    expect(await access.rights(guest, [a, b, c])).toEqual(new Map([a, b, c].map((node) => [node.id, null])));
    expect(await invitations.accept(guest.accountId, invited[0]!.hash)).toBe('/b');
    expect([...(await access.rights(guest, [a, b, c])).values()]).toEqual([null, READER, READER]);
    expect(await codeOf(access.require(guest, 'node.read', [a]))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(access.require(guest, 'node.write', [c]))).toBe('FORBIDDEN');
    expect(await codeOf(access.require(guest, 'node.share', [b]))).toBe('FORBIDDEN');
    expect(await codeOf(access.require(stranger, 'node.read', [c]))).toBe('NODE_NOT_FOUND');
    await access.require(guest, 'node.comment', [b, c]);
    const { accounts } = await access.explain(c.id);
    expect(accounts.map((seer) => [seer.accountId, seer.right])).toEqual([
      [owner.accountId, FULL_RIGHT],
      [guest.accountId, READER],
    ]);
  });

  it('permit what the right says and nothing else, on each action', async () => {
    const owner = await h.account();
    await h.folder(owner, '/each/in');
    const inside = await h.get(owner, '/each/in');
    const always = ['node.read', 'node.comment'];
    const download = ['node.download', 'node.copy', 'node.link'];
    const write = ['node.write', 'node.create', 'node.upload', 'node.make-folder'];
    const remove = ['node.delete', 'node.restore'];
    const actions = [...always, ...download, ...write, ...remove, 'node.share'] as NodeAction[];
    for (const [right, permitted] of [
      [{ write: false, delete: false, download: false }, []],
      [{ write: false, delete: false, download: true }, download],
      [{ write: true, delete: false, download: false }, write],
      [{ write: false, delete: true, download: false }, remove],
      [FULL_RIGHT, [...download, ...write, ...remove]],
    ] as const) {
      const member = await h.account();
      await give(owner, '/each', member, right);
      const verdicts = await Promise.all(actions.map(async (action) => (await access.verdicts(member, action, [inside])).get(inside.id)));
      expect(verdicts).toEqual(actions.map((action) => ([...always, ...permitted].includes(action) ? 'allowed' : 'refused')));
    }
  });

  it('join over all grants on the way up, and are one statement for any number of foreign nodes, none for own ones', async () => {
    const [owner, guest] = [await h.account(), await h.account()];
    await h.folder(owner, '/x/y');
    await h.folder(guest, '/own');
    await give(owner, '/x', guest, READER);
    await give(owner, '/x/y', guest, WRITER);
    const nodes = [await h.get(owner, '/x'), await h.get(owner, '/x/y'), await h.get(guest, '/own')];
    let rights = new Map<string, Right | null>();
    expect(await countStatements(async () => (rights = await access.rights(guest, nodes)))).toBe(1);
    expect([...rights.values()]).toEqual([READER, WRITER, FULL_RIGHT]);
    expect(await countStatements(() => access.rights(guest, [nodes[2]!]))).toBe(0);
  });

  it('end for what is in the trash, but for those who may restore it', async () => {
    const [owner, reader, writer] = [await h.account(), await h.account(), await h.account()];
    await h.folder(owner, '/t/u/v');
    await give(owner, '/t', reader, READER);
    await give(owner, '/t', writer, WRITER);
    const [t, v] = [await h.get(owner, '/t'), await h.get(owner, '/t/u/v')];
    await h.remove(owner, '/t/u');
    expect((await access.rights(reader, [v])).get(v.id)).toBeNull();
    expect((await access.rights(writer, [v])).get(v.id)).toEqual({ write: false, delete: true, download: false });
    expect((await access.explain(v.id)).accounts.map((seer) => seer.accountId)).toEqual([owner.accountId, writer.accountId]);
    await h.remove(owner, '/t');
    expect([...(await access.rights(writer, [t, v])).values()]).toEqual([null, null]);
  });

  it('count for a group only whoever is in it now, whatever he has accepted', async () => {
    const [owner, member, outsider] = [await h.account(), await h.account(), await h.account()];
    await h.folder(owner, '/team');
    const node = await h.get(owner, '/team');
    const company = await h.database.queryOne<{ id: number }>(`INSERT INTO companies (name) VALUES ('C') RETURNING id`);
    const group = await h.database.queryOne<{ id: number }>(`INSERT INTO groups (company_id, name, name_key) VALUES ($1, 'G', 'g') RETURNING id`, [
      company!.id,
    ]);
    for (const { accountId } of [member, outsider])
      await h.database.run('INSERT INTO group_members (group_id, account_id) VALUES ($1, $2)', [group!.id, accountId]);
    const { invited } = await grants.grant(owner, { node, subject: { groupId: group!.id }, right: WRITER });
    for (const { accountId, hash } of invited) await invitations.accept(accountId, hash);
    await h.database.run('DELETE FROM group_members WHERE account_id = $1', [outsider.accountId]);
    expect((await access.rights(member, [node])).get(node.id)).toEqual(WRITER);
    expect((await access.rights(outsider, [node])).get(node.id)).toBeNull();
    expect((await access.explain(node.id)).accounts.map((seer) => seer.accountId)).toEqual([owner.accountId, member.accountId]);
    expect(await codeOf(invitations.accept(outsider.accountId, invited[1]!.hash))).toBe('INVITATION_NOT_FOUND');
  });

  it('open a share to a guest only while anyone may view it, and only what lies in it', async () => {
    const owner = await h.account();
    await h.folder(owner, '/p/q');
    await h.folder(owner, '/other');
    const [p, q, other] = [await h.get(owner, '/p'), await h.get(owner, '/p/q'), await h.get(owner, '/other')];
    const insert = `INSERT INTO shares (node_id, hash, public_view, shared_by) VALUES ($1, $2, $3, $4)`;
    await h.database.run(insert, [p.id, `h-${p.id}`, true, owner.accountId]);
    const guest: GuestActor = { kind: 'guest', pass: 'share', passId: p.id, rootId: p.id, spaceId: p.spaceId, issuerId: owner.accountId };
    expect(await access.allowed(guest, 'node.download', [p, q, other])).toEqual(new Set([p.id, q.id]));
    expect(await codeOf(access.require(guest, 'node.create', [p]))).toBe('FORBIDDEN');
    expect(await codeOf(access.require(guest, 'node.link', [p]))).toBe('FORBIDDEN');
    expect((await access.explain(q.id)).passes.map((pass) => [pass.pass, pass.nodeId])).toEqual([['share', p.id]]);
    await h.database.run('UPDATE shares SET public_view = false WHERE node_id = $1', [p.id]);
    expect((await access.allowed(guest, 'node.read', [p, q])).size).toBe(0);
  });

  it('open a link to a guest while its row is good and its issuer may what it gives', async () => {
    const [owner, issuer, other] = [await h.account(), await h.account(), await h.account()];
    await h.folder(owner, '/l/in');
    await h.folder(owner, '/beside');
    await give(owner, '/l', issuer, WRITER);
    await give(owner, '/l', other, WRITER);
    const [l, inside, beside] = [await h.get(owner, '/l'), await h.get(owner, '/l/in'), await h.get(owner, '/beside')];
    const nodes = [l, inside, beside];
    const make = async (rights: 'download' | 'upload', by: AccountActor): Promise<GuestActor> => {
      const id = newId();
      await h.database.run('INSERT INTO links (id, node_id, issuer_id, hash, rights) VALUES ($1, $2, $3, $4, $5)', [
        id,
        l.id,
        by.accountId,
        id,
        rights,
      ]);
      return { kind: 'guest', pass: 'link', passId: id, rootId: l.id, spaceId: l.spaceId, issuerId: by.accountId };
    };
    const set = (guest: GuestActor, column: 'expires_at' | 'blocked_at', value: Date | null) =>
      h.database.run(`UPDATE links SET ${column} = $2 WHERE id = $1`, [guest.passId, value]);
    const [download, upload] = [await make('download', issuer), await make('upload', owner)];
    expect(await access.allowed(download, 'node.download', nodes)).toEqual(new Set([l.id, inside.id]));
    expect(await access.allowed(upload, 'node.create', nodes)).toEqual(new Set([l.id, inside.id]));
    expect([...(await access.rights(upload, nodes)).values()]).toEqual([null, null, null]);
    expect(await codeOf(access.require(upload, 'node.read', [l]))).toBe('FORBIDDEN');
    expect(await codeOf(access.require(upload, 'node.create', [beside]))).toBe('NODE_NOT_FOUND');
    for (const column of ['expires_at', 'blocked_at'] as const) {
      await set(download, column, new Date(Date.now() - 1_000));
      expect((await access.allowed(download, 'node.read', nodes)).size).toBe(0);
      await set(download, column, null);
    }
    await set(download, 'expires_at', new Date(Date.now() + 60_000));
    expect((await access.explain(inside.id)).passes.map(({ passId, rights }) => [passId, rights]).sort()).toEqual(
      [
        [download.passId, 'download'],
        [upload.passId, 'upload'],
      ].sort(),
    );
    await grants.update(owner, l, { accountId: issuer.accountId }, { write: true, delete: true, download: false });
    expect((await access.allowed(download, 'node.read', nodes)).size).toBe(0);
    await grants.update(owner, l, { accountId: issuer.accountId }, READER);
    expect((await access.allowed(download, 'node.read', nodes)).size).toBe(2);
    await grants.revoke(owner, l, { accountId: issuer.accountId });
    expect((await access.allowed(download, 'node.read', nodes)).size).toBe(0);
    await h.remove(owner, '/l/in');
    expect(await access.allowed(upload, 'node.create', nodes)).toEqual(new Set([l.id]));
    const company = await h.database.queryOne<{ id: number }>(`INSERT INTO companies (name, public_links_allow) VALUES ('c', false) RETURNING id`);
    for (const [rights, action] of [
      ['upload', 'node.create'],
      ['download', 'node.read'],
    ] as const) {
      await h.database.run('UPDATE links SET rights = $2 WHERE id = $1', [upload.passId, rights]);
      for (const barred of [
        `state = 'disabled'`,
        `expires_at = now() - interval '1 second'`,
        `can_${rights} = false`,
        `company_id = ${company!.id}`,
      ]) {
        const free = `state = 'active', expires_at = NULL, can_${rights} = true, company_id = NULL`;
        await h.database.run(`UPDATE accounts SET ${free} WHERE id = $1`, [owner.accountId]);
        expect((await access.allowed(upload, action, [l])).size).toBe(1);
        await h.database.run(`UPDATE accounts SET ${barred} WHERE id = $1`, [owner.accountId]);
        expect((await access.allowed(upload, action, [l])).size).toBe(0);
        expect((await access.explain(l.id)).passes).toEqual([]);
      }
    }
  });

  it('number the name of a mount up to 10 and refuse the next one', async () => {
    const receiver = await h.account();
    const paths: string[] = [];
    for (let turn = 0; turn <= 10; turn++) {
      const owner = await h.account();
      await h.folder(owner, '/Plans');
      paths.push(await give(owner, '/Plans', receiver, READER));
    }
    expect(paths).toEqual(['/Plans', ...Array.from({ length: 10 }, (_, n) => `/Plans (${n + 1})`)]);
    const owner = await h.account();
    await h.folder(owner, '/plans');
    expect(await codeOf(give(owner, '/plans', receiver, READER))).toBe('NAME_TAKEN');
    expect(await h.defects()).toEqual([]);
  });

  it('are given and taken by the owner alone, and take the mount with them', async () => {
    const [owner, writer, third] = [await h.account(), await h.account(), await h.account()];
    await h.folder(owner, '/s');
    await give(owner, '/s', writer, WRITER);
    const s = await h.get(owner, '/s');
    const command = { node: s, subject: { accountId: third.accountId }, right: READER };
    expect(await codeOf(grants.grant(writer, command))).toBe('FORBIDDEN');
    expect(await codeOf(grants.grant(third, command))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(grants.revoke(owner, s, { accountId: third.accountId }))).toBe('NOT_SHARED');
    await grants.revoke(owner, s, { accountId: writer.accountId });
    expect(await h.service(NodeResolver).find(writer, at('/s'))).toBeNull();
    expect((await access.rights(writer, [s])).get(s.id)).toBeNull();
    expect(await h.defects()).toEqual([]);
  });
});
