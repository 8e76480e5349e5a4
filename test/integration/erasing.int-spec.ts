import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { AccountStates } from '#libs/accounts';
import { CommentService } from '#libs/comments';
import { isDomainError } from '#libs/kernel';
import { ChangeLog, LEDGER_CHECKS, LedgerAudit } from '#libs/nodes';

import { ErasingHarness, KEPT_DAYS } from './erasing-harness.js';
import type { Member } from './sharing-harness.js';
import { at, codeOf } from './tree-harness.js';

let house: ErasingHarness;
let admin: Member;
let count = 0;

beforeAll(async () => {
  house = await ErasingHarness.start();
  admin = await house.admin();
  await house.admin();
});
afterAll(() => house?.close());
// Whatever a test did: rows, counters, quotas and shares agree, also for the check of the ledger.
afterEach(async () => {
  // uploads are under way here: what they reserve is checked by the ledger's own recount
  expect((await house.sharing.defects()).filter((defect) => !defect.startsWith('reservation left'))).toEqual([]);
  for (const check of LEDGER_CHECKS) expect(await house.tree.service(LedgerAudit).run(check), check).toEqual([]);
});

const sql = (text: string, values: readonly unknown[] = []) => house.tree.database.run(text, values);
const stateOf = async ({ accountId }: Member) =>
  (await house.row('SELECT state, erase_started_at IS NOT NULL AS started, erased_at IS NOT NULL AS erased FROM accounts WHERE id = $1', [
    accountId,
  ]))!;
const eraseNow = ({ accountId }: Member, heir: string | null = null, by = admin) => house.deletion.delete(by, { accountId, immediately: true, heir });

/** Somebody of a company who has left traces everywhere, and those who have to do with him. */
async function somebody() {
  const name = `Zebulon${++count}x`;
  const companyId = await house.sharing.company();
  const owner = await house.sharing.member(companyId, { admin: true, name: 'Owner' });
  const member = await house.sharing.member(companyId, { name: 'Member' });
  const user = await house.sharing.member(companyId, { name });
  await sql('UPDATE companies SET owner_id = $2 WHERE id = $1', [companyId, owner.accountId]);
  await sql(`INSERT INTO quotas (owner_kind, owner_id) VALUES ('company', $1)`, [companyId]);
  const id = user.accountId;
  await sql(`UPDATE logins SET value = $2, value_key = $3 WHERE account_id = $1`, [id, `${name}@example.org`, `${name}@example.org`.toLowerCase()]);
  const { tree } = house;
  await tree.file(user, `/a/b/c/one.txt`, { bytes: 100 });
  await tree.newVersion(user, '/a/b/c/one.txt', 150);
  await tree.file(user, '/a/two.txt', { bytes: 30 });
  await tree.file(user, '/top.txt', { bytes: 7 });
  await tree.file(user, '/gone/deep/x.txt', { bytes: 11 });
  await tree.remove(user, '/gone/deep', '/gone');
  await tree.file(user, '/plan/shared.txt', { bytes: 5 });
  await tree.file(user, '/plan/old.txt', { bytes: 6 });
  await house.sharing.give(user, '/plan', member, true);
  await tree.remove(user, '/plan/old.txt');
  await tree.file(member, '/work/notes.txt', { bytes: 9 });
  await house.sharing.give(member, '/work', { ...user, email: `${name}@example.org` }, true);
  await tree.file(user, '/work/by him.txt', { bytes: 4 });
  const node = await tree.get(member, '/work/notes.txt');
  await house.service(CommentService).create(user, { node: { id: node.id }, kind: 'text', text: 'good', taggedText: '', dueMs: 0, assignees: [] });
  const group = await house.sharing.group(owner, [user]);
  const file = await tree.get(user, '/top.txt');
  const hash = `${'a'.repeat(24)}${count}`;
  const token = `token${count}`;
  const traces: [string, unknown[]][] = [
    [`INSERT INTO auth_tokens (id, account_id, secret_sha256, device_description) VALUES ($2, $1, decode(md5($2), 'hex'), $3)`, [id, token, name]],
    [`INSERT INTO links (id, node_id, issuer_id, hash, rights) VALUES (gen_random_uuid(), $2, $1, $3, 'download')`, [id, file.id, hash]],
    [`INSERT INTO links (id, node_id, issuer_id, hash, rights) VALUES (gen_random_uuid(), $2, $1, $3, 'download')`, [id, node.id, `${hash}w`]],
    [`INSERT INTO favorites (account_id, node_id) VALUES ($1, $2)`, [id, node.id]],
    [
      `UPDATE accounts SET region = $2, block_reason = $2, last_login_ip = $2, allowed_ips = $2, timezone = $2, extra_info = jsonb_build_object('a', $2::text) WHERE id = $1`,
      [id, name],
    ],
    [`INSERT INTO account_values (account_id, key, value) VALUES ($1, 'k', to_jsonb($2::text))`, [id, name]],
    [`INSERT INTO login_guards (login_key, failures) VALUES ('email:' || $1, 2)`, [`${name}@example.org`.toLowerCase()]],
    [`INSERT INTO quota_requests (id, company_id, account_id, created_at) VALUES (gen_random_uuid(), $2, $1, now())`, [id, companyId]],
    [
      `INSERT INTO feedback (id, account_id, text, name, email, user_agent, created_at) VALUES (gen_random_uuid(), $1, 'x', $2, '', '', now())`,
      [id, name],
    ],
    [
      `INSERT INTO derived_objects (store_key, account_id, kind, file_name, content_type, expires_at) VALUES ($2, $1, 'archive', $2, '', now() + interval '1 day')`,
      [id, `derived/${id}`],
    ],
    [`INSERT INTO tasks (id, public_id, account_id, kind, state) VALUES (gen_random_uuid(), $2, $1, 'files.purge', 'succeeded')`, [id, name]],
    [
      `UPDATE change_events SET facts = facts || jsonb_build_object('collab_id', $1::bigint, 'collab_name', $2::text) WHERE actor_id = $1`,
      [id, name],
    ],
  ];
  for (const [text, values] of traces) await sql(text, values);
  const home = (await house.row(`SELECT id, root_id FROM spaces WHERE account_id = $1`, [id]))! as { id: string; root_id: string };
  await sql(
    `INSERT INTO upload_sessions (id, temp_name, store_key, account_id, space_id, state, command, reserved_bytes, lease_until)
     VALUES (gen_random_uuid(), $2, $2, $1, $3, 'reserved', jsonb_build_object('name', $4::text), 50, now() + interval '1 day')`,
    [id, `up${id}`, home.id, name],
  );
  await sql(`UPDATE quotas SET reserved_bytes = reserved_bytes + 50 WHERE (owner_kind, owner_id) IN (('account', $1), ('company', $2))`, [
    id,
    companyId,
  ]);
  return { user, owner, member, companyId, name, home, node, group };
}

async function companyUse(companyId: number): Promise<unknown> {
  const row = await house.row(`SELECT used_bytes, reserved_bytes FROM quotas WHERE owner_kind = 'company' AND owner_id = $1`, [companyId]);
  const sum = await house.row(
    `SELECT coalesce(sum(v.size_bytes), 0)::bigint AS bytes FROM versions v JOIN spaces s ON s.id = v.space_id JOIN accounts a ON a.id = s.account_id WHERE a.company_id = $1`,
    [companyId],
  );
  expect(row!['used_bytes']).toBe(sum!['bytes']);
  expect(row!['reserved_bytes']).toBe(0);
  return row!['used_bytes'];
}

describe('erasing', () => {
  it('leaves nothing of a person but a number, and everything of the others', async () => {
    const { user, member, name, companyId, home, node, group } = await somebody();
    const before = (await house.find(name)).length;
    expect(before).toBeGreaterThan(5);
    const { profile, taskId } = await eraseNow(user);
    expect(profile.account.state).toBe('deleted');
    expect(taskId).toMatch(/^[0-9a-f]{128}$/);
    expect(await house.work()).toEqual([]);
    expect(await stateOf(user)).toEqual({ state: 'deleted', started: true, erased: true });
    expect(await house.find(name)).toEqual([]);
    // what is left names a number: the author of what others have, and who granted or removed something there
    expect(
      (await house.references(user)).filter((column) => !['nodes.author_id', 'nodes.removed_by', 'comments.author_id'].includes(column)),
    ).toEqual([]);
    expect(await house.row('SELECT 1 AS one FROM nodes WHERE space_id = $1 LIMIT 1', [home.id])).toBeNull();
    expect(await house.row(`SELECT 1 AS one FROM quotas WHERE owner_kind = 'account' AND owner_id = $1`, [user.accountId])).toBeNull();
    expect(await house.row(`SELECT 1 AS one FROM change_events WHERE scope_id = $1`, [home.id])).toBeNull();
    expect(await house.row('SELECT 1 AS one FROM group_members WHERE group_id = $1', [group])).toBeNull();
    expect(await house.row('SELECT expires_at <= now() AS ended FROM derived_objects WHERE account_id = $1', [user.accountId])).toEqual({
      ended: true,
    });
    expect(await house.row('SELECT 1 AS one FROM object_tombstones WHERE store_key = $1', [`up${user.accountId}`])).not.toBeNull();
    // the others: the folder of his that one had is gone, his file in theirs and what he said about it stay
    expect(await house.tree.names(member, '/')).toEqual(['work']);
    expect(await house.tree.names(member, '/work')).toEqual(['by him.txt', 'notes.txt']);
    const { comments } = { comments: await house.service(CommentService).list(member, { node: { id: node.id }, offset: 0, limit: 0 }) };
    expect(JSON.stringify(comments)).toContain('good');
    expect(await companyUse(companyId)).toBe(13);
    // nobody tells him anything any more, and nothing makes him a home
    await house.tree.service(ChangeLog).recordForAccounts('folder_unshared', [user.accountId, member.accountId], { actorId: member.accountId });
    expect(await house.row('SELECT 1 AS one FROM spaces WHERE account_id = $1', [user.accountId])).toBeNull();
    expect(await house.row('SELECT 1 AS one FROM notices WHERE account_id = $1', [user.accountId])).toBeNull();
    // his address is free
    await sql(`INSERT INTO logins (id, account_id, kind, value, value_key) VALUES (gen_random_uuid(), $1, 'email', $2, $2)`, [
      member.accountId,
      `${name}@example.org`.toLowerCase(),
    ]);
  });

  it('comes to the same end wherever it is killed', async () => {
    const { user, name, companyId } = await somebody();
    await eraseNow(user);
    let kills = 0;
    for (let saves = 0; ; saves++) {
      const failed = await house.work(saves % 3);
      if (failed.length === 0) break;
      expect(failed).toEqual(['killed']);
      for (const check of LEDGER_CHECKS) expect(await house.tree.service(LedgerAudit).run(check), `${check} after ${saves}`).toEqual([]);
      if (++kills > 60) throw new Error('it never ends');
    }
    expect(kills).toBeGreaterThan(3);
    expect(await stateOf(user)).toEqual({ state: 'deleted', started: true, erased: true });
    expect(await house.find(name)).toEqual([]);
    expect(await companyUse(companyId)).toBe(13);
  });

  it('is for administrators of the system, and once it has begun there is no way back', async () => {
    const { user, owner } = await somebody();
    expect(await codeOf(eraseNow(user, null, owner))).toBe('FORBIDDEN');
    expect(await codeOf(eraseNow({ ...user, accountId: 999_999_999 }))).toBe('ACCOUNT_NOT_FOUND');
    const states = house.service(AccountStates);
    await house.deletion.delete(admin, { accountId: user.accountId, immediately: false, heir: null });
    expect(await codeOf(house.deletion.delete(admin, { accountId: user.accountId, immediately: false, heir: null }))).toBe('ACCOUNT_NOT_FOUND');
    await states.restore(admin, user.accountId);
    await house.deletion.delete(admin, { accountId: user.accountId, immediately: false, heir: null });
    const both = await Promise.all([eraseNow(user), eraseNow(user)]);
    expect(both.filter(({ taskId }) => taskId !== null)).toHaveLength(1);
    expect(await states.restore(admin, user.accountId).catch((error: Error) => error.message)).toContain('being erased');
    expect(await house.work()).toEqual([]);
    expect(await codeOf(eraseNow(user))).toBe('ACCOUNT_NOT_FOUND');
    expect(await codeOf(states.restore(admin, user.accountId))).toBe('ACCOUNT_NOT_FOUND');
  });

  it('of an owner gives the company to another administrator, or to nobody', async () => {
    const { owner, companyId, user } = await somebody();
    await sql('UPDATE accounts SET is_company_admin = true WHERE id = $1', [user.accountId]);
    await eraseNow(owner);
    await house.work();
    expect(await house.row('SELECT owner_id FROM companies WHERE id = $1', [companyId])).toEqual({ owner_id: user.accountId });
    await eraseNow(user);
    await house.work();
    expect(await house.row('SELECT owner_id FROM companies WHERE id = $1', [companyId])).toEqual({ owner_id: null });
  });
});

describe('files that go over first', () => {
  it('are the heir’s, with versions, trash and members, wherever the run is killed', async () => {
    const { user, owner, member, name, companyId } = await somebody();
    const before = await companyUseOf(companyId);
    await eraseNow(user, '');
    let kills = 0;
    for (let saves = 0; (await house.work(saves % 4)).length > 0; saves++) if (++kills > 80) throw new Error('it never ends');
    expect(kills).toBeGreaterThan(4);
    expect(await stateOf(user)).toEqual({ state: 'deleted', started: true, erased: true });
    expect(await house.tree.names(owner, '/')).toEqual([name]);
    expect(await house.tree.names(owner, `/${name}`)).toEqual(['a', 'plan', 'top.txt']);
    expect(await house.tree.names(owner, `/${name}/a`)).toEqual(['b', 'two.txt']);
    expect(
      await house.row('SELECT count(*) AS count FROM versions v JOIN spaces s ON s.id = v.space_id WHERE s.account_id = $1', [owner.accountId]),
    ).toEqual({
      count: 6,
    });
    expect(await house.tree.names(member, '/plan')).toEqual(['shared.txt']);
    await house.tree.file(member, '/plan/more.txt', { bytes: 1 });
    expect(await house.tree.trashNames(owner)).toEqual(['old.txt']);
    // but for his own trash nothing was lost
    expect(await companyUse(companyId)).toBe(before - 11 + 1);
    expect((await house.find(name)).every((row) => row.startsWith('nodes: ') || row.startsWith('change_events: '))).toBe(true);
    expect(await house.row('SELECT 1 AS one FROM links WHERE issuer_id = $1', [user.accountId])).toBeNull();
  });

  it('go over without erasing too, and the account can be restored', async () => {
    const { user, member } = await somebody();
    await house.deletion.delete(admin, { accountId: user.accountId, immediately: false, heir: `email:${member.email}` });
    expect(await codeOf(eraseNow(user))).toBe('TASK_RUNNING');
    expect(await house.work()).toEqual([]);
    await house.service(AccountStates).restore(admin, user.accountId);
    expect(await house.tree.names(user, '/')).toEqual([]);
    expect((await house.tree.trashNames(user)).length).toBeGreaterThan(0);
  });

  it('stay with an account that is restored meanwhile, and with one whose heir cannot have them', async () => {
    const { user, member, owner } = await somebody();
    await eraseNow(user, `email:${member.email}`);
    expect(await house.work(2)).toEqual(['killed']);
    await house.service(AccountStates).restore(admin, user.accountId);
    expect(await house.work()).toEqual(['FORBIDDEN']);
    expect((await stateOf(user)).state).toBe('active');
    expect(await codeOf(eraseNow(user, 'email:nobody@nowhere.example'))).toBe('ACCOUNT_NOT_FOUND');
    expect(await codeOf(eraseNow(user, `userid:${user.accountId}`))).toBe('INVALID_ARGUMENT');
    await sql(`UPDATE quotas SET limit_bytes = 10 WHERE owner_kind = 'account' AND owner_id = $1`, [owner.accountId]);
    expect(await codeOf(eraseNow(user, ''))).toBe('QUOTA_EXCEEDED');
    expect((await stateOf(user)).state).toBe('active');
    await sql(`UPDATE accounts SET company_id = NULL WHERE id = $1`, [user.accountId]);
    await sql(`DELETE FROM quotas WHERE owner_kind = 'company' AND owner_id = $1`, [user.companyId]);
    expect(await codeOf(eraseNow(user, ''))).toBe('INVALID_ARGUMENT');
  });
});

describe('the schedule', () => {
  it('erases what has been deleted for long enough, once, and takes up what failed', async () => {
    const [late, fresh, stuck] = [await house.sharing.member(), await house.sharing.member(), await house.sharing.member()];
    for (const user of [late, fresh, stuck]) {
      await house.tree.file(user, '/x/y.txt', { bytes: 3 });
      await house.deletion.delete(admin, { accountId: user.accountId, immediately: false, heir: null });
    }
    await sql(`UPDATE accounts SET deleted_at = now() - make_interval(days => $2, hours => 1) WHERE id = $1`, [late.accountId, KEPT_DAYS]);
    await eraseNow(stuck);
    await sql(`UPDATE tasks SET state = 'failed' WHERE kind = 'accounts.erase' AND input ->> 'accountId' = $1`, [String(stuck.accountId)]);
    await Promise.all([house.sweep(), house.sweep()]);
    await house.sweep();
    expect(await house.row(`SELECT count(*) AS count FROM tasks WHERE kind = 'accounts.erase' AND state = 'waiting'`)).toEqual({ count: 2 });
    expect(await house.work()).toEqual([]);
    expect([(await stateOf(late))['erased'], (await stateOf(fresh))['erased'], (await stateOf(stuck))['erased']]).toEqual([true, false, true]);
    await house.service(AccountStates).restore(admin, fresh.accountId);
  });
});

describe('removing a member', () => {
  const wish = { wipe: false, heir: null, confirmed: false };

  it('waits for a word, and can be cancelled', async () => {
    const { user, owner, member, companyId } = await somebody();
    const other = await house.sharing.member(await house.sharing.company(), { admin: true });
    const target = { companyId, accountId: user.accountId };
    expect(await codeOf(house.removal.remove(member, { ...target, ...wish }))).toBe('FORBIDDEN');
    expect(await codeOf(house.removal.remove(other, { ...target, ...wish }))).toBe('COMPANY_NOT_FOUND');
    expect(await codeOf(house.removal.remove(owner, { ...target, accountId: other.accountId, ...wish }))).toBe('ACCOUNT_NOT_FOUND');
    expect(await codeOf(house.removal.remove(owner, { ...target, accountId: owner.accountId, ...wish }))).toBe('FORBIDDEN');
    expect(await codeOf(house.removal.confirm(owner, companyId, user.accountId))).toBe('WRONG_STATE');
    expect(await codeOf(house.removal.cancel(owner, companyId, user.accountId))).toBe('WRONG_STATE');
    expect(await codeOf(house.removal.remove(owner, { ...target, ...wish, heir: `email:${other.email}` }))).toBe('ACCOUNT_NOT_FOUND');
    const { profile, taskId } = await house.removal.remove(owner, { ...target, ...wish });
    expect([profile.account.state, profile.account.isRemoving, taskId]).toEqual(['disabled', true, null]);
    await house.service(AccountStates).enable(admin, user.accountId);
    expect((await stateOf(user)).state).toBe('disabled');
    const back = await house.removal.cancel(owner, companyId, user.accountId);
    expect([back.account.state, back.account.isRemoving]).toEqual(['active', false]);
    expect(await codeOf(house.removal.confirm(owner, companyId, user.accountId))).toBe('WRONG_STATE');
  });

  it('gives the files to somebody else when it is confirmed, once', async () => {
    const { user, owner, member, companyId, name } = await somebody();
    await sql(`UPDATE auth_tokens SET permanent = true WHERE account_id = $1`, [user.accountId]);
    await house.removal.remove(owner, { companyId, accountId: user.accountId, ...wish, wipe: true, heir: `email:${member.email}` });
    const outcomes = await Promise.allSettled([1, 2].map(() => house.removal.confirm(owner, companyId, user.accountId)));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected').map((outcome) => outcome.reason as unknown);
    expect(refused).toHaveLength(1);
    expect(isDomainError(refused[0], 'WRONG_STATE')).toBe(true);
    expect(await codeOf(house.removal.cancel(owner, companyId, user.accountId))).toBe('WRONG_STATE');
    expect(await house.work()).toEqual([]);
    expect(await codeOf(house.removal.cancel(owner, companyId, user.accountId))).toBe('ACCOUNT_NOT_FOUND');
    expect(await house.tree.names(member, `/${name}`)).toEqual(['a', 'plan', 'top.txt']);
    // the device hears of its end still, and is forgotten when it has said that it is wiped
    const device = () => house.row('SELECT remote_wipe, device_description FROM auth_tokens WHERE account_id = $1', [user.accountId]);
    await house.sweep();
    expect(await device()).toEqual({ remote_wipe: true, device_description: '' });
    await sql('UPDATE auth_tokens SET wiped_at = now() WHERE account_id = $1', [user.accountId]);
    await house.sweep();
    expect(await device()).toBeNull();
    expect((await house.tree.browse.get(member, { node: at(`/${name}/plan/shared.txt`) })).ownerId).toBe(member.accountId);
  });

  it('begins at once when nobody has to confirm it', async () => {
    const { user, owner, companyId } = await somebody();
    const { taskId } = await house.removal.remove(owner, { companyId, accountId: user.accountId, ...wish, confirmed: true });
    expect(taskId).not.toBeNull();
    expect(await house.work()).toEqual([]);
    expect((await stateOf(user))['erased']).toBe(true);
  });
});

async function companyUseOf(companyId: number): Promise<number> {
  const row = await house.row(`SELECT used_bytes FROM quotas WHERE owner_kind = 'company' AND owner_id = $1`, [companyId]);
  return row!['used_bytes'] as number;
}
