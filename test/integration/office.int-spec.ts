import { Readable } from 'node:stream';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { GrantService } from '#libs/access';
import { FolderService, MoveService } from '#libs/files';
import type { AccountActor } from '#libs/kernel';
import type { LocatedNode } from '#libs/nodes';
import { NodeResolver, VersionRepository } from '#libs/nodes';
import { OfficeLinks, OfficeModule, WopiAccess, type WopiBody, WopiFiles, WopiLocks, type WopiSession } from '#libs/office';

import { type BytesHarness, codeOf, startBytes } from './bytes-harness.js';

const HOUR_MS = 3_600_000;

let house: BytesHarness;
let links: OfficeLinks;
let access: WopiAccess;
let files: WopiFiles;
let locks: WopiLocks;
let owner: AccountActor;
let writer: AccountActor;
let reader: AccountActor;
let folder: LocatedNode;
let file: LocatedNode;

beforeAll(async () => {
  house = await startBytes({}, undefined, [OfficeModule]);
  await house.app.init();
  const get = <T>(type: new (...args: never[]) => T): T => house.app.get<T>(type, { strict: false });
  [links, access, files, locks] = [get(OfficeLinks), get(WopiAccess), get(WopiFiles), get(WopiLocks)];
});
afterAll(() => house.close());

beforeEach(async () => {
  house.clock.offsetMs = 0;
  [owner, writer, reader] = [await house.account({ limitBytes: 10_000 }), await house.account(), await house.account()];
  folder = await house.app.get(FolderService, { strict: false }).create(owner, { path: ['team'], createParents: true });
  file = await house.upload(owner, '/team/plan.docx', 'first');
  await share(writer, true);
  await share(reader, false);
});

async function share(actor: AccountActor, write: boolean): Promise<void> {
  const right = { write, delete: write, download: true };
  await house.app.get(GrantService, { strict: false }).grant(owner, { node: folder, subject: { accountId: actor.accountId }, right, accepted: true });
}

const body = (text: string): WopiBody => ({ stream: Readable.from([Buffer.from(text)]), sizeBytes: Buffer.byteLength(text) });
/** The path under which everybody here knows the file. */
const path = ['team', 'plan.docx'];

async function open(actor: AccountActor, edit = true): Promise<WopiSession & { token: string }> {
  const { grant } = edit ? await links.edit(actor, { path }) : await links.view(actor, { node: { path } });
  return { ...(await access.open(grant.accessToken, grant.fileId)), token: grant.accessToken };
}

async function text(session: WopiSession): Promise<string> {
  const { stream } = await files.content(session);
  return Buffer.concat(await (await stream()).toArray()).toString();
}

describe('a token', () => {
  it('says who and which file; what may be done is looked up at every call', async () => {
    const { grant } = await links.edit(writer, { path });
    const reopened = () => access.open(grant.accessToken, grant.fileId);
    expect(await reopened()).toMatchObject({ userId: String(writer.accountId), mayWrite: true, versionNo: null });
    await house.database.run('UPDATE grants SET can_write = false WHERE account_id = $1', [writer.accountId]);
    expect(await reopened()).toMatchObject({ mayWrite: false });
    await house.database.run('UPDATE grants SET can_write = true WHERE account_id = $1', [writer.accountId]);
    await house.database.run('UPDATE accounts SET can_upload = false WHERE id = $1', [writer.accountId]);
    expect(await reopened()).toMatchObject({ mayWrite: false });
    await house.database.run('DELETE FROM grants WHERE account_id = $1', [writer.accountId]);
    expect(await codeOf(reopened())).toBe('NODE_NOT_FOUND');
  });

  it('is for one file, and ends after 10 hours', async () => {
    const session = await open(owner);
    const other = await house.upload(owner, '/team/other.docx', 'other');
    expect(await codeOf(access.open(session.token, other.id))).toBe('UNAUTHENTICATED');
    expect(await codeOf(access.open(session.token, `${file.id}_1`))).toBe('UNAUTHENTICATED');
    for (const token of ['', 'x', 'a'.repeat(43), `${session.token}=`]) expect(await codeOf(access.open(token, file.id))).toBe('UNAUTHENTICATED');
    expect(session.expiresMs - house.clock.nowMs()).toBeLessThanOrEqual(10 * HOUR_MS);
    house.clock.offsetMs = 10 * HOUR_MS - 60_000;
    await access.open(session.token, file.id);
    house.clock.offsetMs = 10 * HOUR_MS;
    expect(await codeOf(access.open(session.token, file.id))).toBe('UNAUTHENTICATED');
  });

  it.each([
    ['the login token is removed', `DELETE FROM auth_tokens WHERE account_id = $1`],
    ['the login token ends', `UPDATE auth_tokens SET expires_at = now() - interval '1 second' WHERE account_id = $1`],
    ['the account is disabled', `UPDATE accounts SET state = 'disabled' WHERE id = $1`],
    ['the account expires', `UPDATE accounts SET expires_at = now() - interval '1 second' WHERE id = $1`],
    [
      'an administrator acts as somebody else',
      `UPDATE auth_tokens SET effective_account_id = (SELECT max(id) FROM accounts WHERE id < $1) WHERE account_id = $1`,
    ],
  ])('ends when %s', async (_, change) => {
    const tokenId = `t${owner.accountId}`;
    await house.database.run(`INSERT INTO auth_tokens (id, account_id, secret_sha256) VALUES ($1, $2, $3)`, [
      tokenId,
      owner.accountId,
      Buffer.from(tokenId),
    ]);
    const session = await open({ ...owner, tokenId });
    await house.database.run(change, [owner.accountId]);
    expect(await codeOf(access.open(session.token, file.id))).toBe('UNAUTHENTICATED');
  });

  it('without a login token ends with the account', async () => {
    const session = await open(owner);
    await house.database.run(`UPDATE accounts SET state = 'disabled' WHERE id = $1`, [owner.accountId]);
    expect(await codeOf(access.open(session.token, file.id))).toBe('UNAUTHENTICATED');
  });

  it('made by a password ends with it, and made by a pair with that', async () => {
    const byPassword = await open(owner);
    await house.database.run(
      `INSERT INTO logins (id, account_id, kind, value, value_key, confirmed_at, created_at)
       VALUES (gen_random_uuid(), $1, 'basic', $2, $2, now(), now() - interval '1 minute')`,
      [owner.accountId, `pair${owner.accountId}`],
    );
    const byPair = await open({ ...owner, byPair: true });
    await house.database.run(`DELETE FROM logins WHERE account_id = $1`, [owner.accountId]);
    expect(await codeOf(access.open(byPair.token, file.id))).toBe('UNAUTHENTICATED');
    await access.open(byPassword.token, file.id);
    await house.database.run(`UPDATE accounts SET password_changed_at = now() + interval '1 second' WHERE id = $1`, [owner.accountId]);
    expect(await codeOf(access.open(byPassword.token, file.id))).toBe('UNAUTHENTICATED');
  });

  it('is kept as a hash, and those that have ended go away', async () => {
    const { token } = await open(owner);
    const rows = await house.database.query<{ row: string }>('SELECT wopi_tokens::text AS row FROM wopi_tokens');
    expect(rows.some(({ row }) => row.includes(token))).toBe(false);
    const before = rows.length;
    house.clock.offsetMs = 11 * HOUR_MS;
    for (let turn = 0; turn < before; turn++) await open(owner);
    const left = await house.database.query('SELECT 1 FROM wopi_tokens WHERE expires_at <= $1', [house.clock.now()]);
    expect(left).toEqual([]);
  });

  it('of an older version shows that version and writes nothing', async () => {
    const second = await house.upload(owner, '/team/plan.docx', 'second', { overwrite: true });
    const { grant } = await links.view(reader, { node: { path }, versionNo: 1 });
    const session = await access.open(grant.accessToken, grant.fileId);
    expect(grant.fileId).toBe(`${second.id}_1`);
    expect(await text(session)).toBe('first');
    expect((await files.info(session)).version.no).toBe(1);
    expect(session.mayWrite).toBe(false);
    expect(await codeOf(links.view(reader, { node: { path }, versionNo: 7 }))).toBe('VERSION_NOT_FOUND');
    expect((await links.view(reader, { node: { path }, versionNo: 2 })).grant.fileId).toBe(second.id);
  });

  it('is not given for folders, foreign files, and without the right', async () => {
    const stranger = await house.account();
    expect(await codeOf(links.edit(reader, { path }))).toBe('FORBIDDEN');
    expect(await codeOf(links.view(owner, { node: { path: ['team'] } }))).toBe('NOT_A_FILE');
    expect(await codeOf(links.view(stranger, { node: { id: file.id } }))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(links.edit(stranger, { path }))).toBe('NODE_NOT_FOUND');
    await house.database.run('UPDATE grants SET can_download = false WHERE account_id = $1', [reader.accountId]);
    expect(await codeOf(links.view(reader, { node: { path } }))).toBe('FORBIDDEN');
  });
});

describe('a lock', () => {
  it('is one for a file: of many who come at once one gets it', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 24 }, (_, index) => locks.lock(file.id, `lock-${index}`)));
    const won = outcomes.findIndex((outcome) => outcome.status === 'fulfilled');
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    expect(await locks.current(file.id)).toBe(`lock-${won}`);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'LOCK_MISMATCH', details: { lock: `lock-${won}` } });
  });

  it('ends after 30 minutes unless it is renewed', async () => {
    await locks.lock(file.id, 'a');
    house.clock.offsetMs = 29 * 60_000;
    expect(await codeOf(locks.lock(file.id, 'b'))).toBe('LOCK_MISMATCH');
    await locks.refresh(file.id, 'a');
    house.clock.offsetMs = 58 * 60_000;
    await locks.lock(file.id, 'a');
    house.clock.offsetMs = 88 * 60_000;
    expect(await locks.current(file.id)).toBeNull();
    for (const work of [() => locks.refresh(file.id, 'a'), () => locks.unlock(file.id, 'a'), () => locks.relock(file.id, 'b', 'a')])
      await expect(work()).rejects.toMatchObject({ code: 'LOCK_MISMATCH', details: { lock: '' } });
    await locks.lock(file.id, 'b');
    expect(await locks.current(file.id)).toBe('b');
  });

  it('is replaced and removed by its id alone', async () => {
    await locks.lock(file.id, 'a');
    expect(await codeOf(locks.relock(file.id, 'b', 'x'))).toBe('LOCK_MISMATCH');
    await locks.relock(file.id, 'b', 'a');
    expect(await codeOf(locks.unlock(file.id, 'a'))).toBe('LOCK_MISMATCH');
    await locks.unlock(file.id, 'b');
    expect(await locks.current(file.id)).toBeNull();
  });

  it.each(['', 'x'.repeat(1025), 'ä', 'a\nb'])('%.10j is none', async (id) => {
    expect(await codeOf(locks.lock(file.id, id))).toBe('INVALID_ARGUMENT');
  });

  it('may have 1024 characters', async () => {
    await locks.lock(file.id, 'x'.repeat(1024));
    expect(await locks.current(file.id)).toHaveLength(1024);
  });
});

describe('saving', () => {
  it('makes versions under the lock, charged to the owner of the space', async () => {
    const session = await open(writer);
    expect(await codeOf(files.put(session, null, body('x')))).toBe('LOCK_MISMATCH');
    await locks.lock(file.id, 'a');
    expect(await codeOf(files.put(session, null, body('x')))).toBe('LOCK_MISMATCH');
    expect(await codeOf(files.put(session, 'b', body('x')))).toBe('LOCK_MISMATCH');
    const saved = await files.put(session, 'a', body('second'));
    expect(saved).toMatchObject({ no: 2, sizeBytes: 6, authorId: writer.accountId });
    expect(await text(await access.open(session.token, file.id))).toBe('second');
    expect((await house.quota(owner)).usedBytes).toBe('first'.length + 'second'.length);
    expect((await house.quota(writer)).usedBytes).toBe(0);
    expect(await house.database.query(`SELECT 1 FROM change_events WHERE type = 'file_new_content' AND node_id = $1`, [file.id])).not.toEqual([]);
  });

  it('fills an empty file without a lock, once', async () => {
    await house.upload(owner, '/team/plan.docx', '', { overwrite: true });
    const session = await open(owner);
    await files.put(session, null, body('filled'));
    expect(await codeOf(files.put(await access.open(session.token, file.id), null, body('again')))).toBe('LOCK_MISMATCH');
  });

  it('stops at the quota and takes no byte too many', async () => {
    const session = await open(writer);
    await locks.lock(file.id, 'a');
    expect(await codeOf(files.put(session, 'a', body('x'.repeat(10_000))))).toBe('QUOTA_EXCEEDED');
    const unannounced = { stream: Readable.from([Buffer.alloc(20_000)]), sizeBytes: null };
    expect(['QUOTA_EXCEEDED', 'TOO_LARGE']).toContain(await codeOf(files.put(session, 'a', unannounced)));
    const shorter = { stream: Readable.from([Buffer.from('abc')]), sizeBytes: 5 };
    expect(await codeOf(files.put(session, 'a', shorter))).toBe('SIZE_MISMATCH');
    expect(await text(session)).toBe('first');
    expect((await house.quota(owner)).usedBytes).toBe(5);
  });

  it('judges lock and right again after the last byte', async () => {
    const session = await open(writer);
    await locks.lock(file.id, 'a');
    const during = (change: () => Promise<unknown>): WopiBody => ({
      stream: Readable.from(
        (async function* () {
          yield Buffer.from('ab');
          await change();
          yield Buffer.from('cd');
        })(),
        { objectMode: false },
      ),
      sizeBytes: 4,
    });
    expect(
      await codeOf(
        files.put(
          session,
          'a',
          during(() => locks.relock(file.id, 'b', 'a')),
        ),
      ),
    ).toBe('LOCK_MISMATCH');
    const rename = () => house.app.get(MoveService, { strict: false }).rename(owner, { node: { id: file.id }, name: 'renamed.docx' });
    expect(await codeOf(files.put(session, 'b', during(rename)))).toBe('BUSY');
    await expect(house.app.get(NodeResolver, { strict: false }).find(owner, { path })).resolves.toBeNull();
    const again = await access.open(session.token, file.id);
    const revoke = () => house.database.run('UPDATE grants SET can_write = false WHERE account_id = $1', [writer.accountId]);
    expect(await codeOf(files.put(again, 'b', during(revoke)))).toBe('FORBIDDEN');
    expect((await house.app.get(VersionRepository, { strict: false }).list(file.id, 0, 0)).map((version) => version.no)).toEqual([1]);
  });

  it('can tell that the file has changed since it was read', async () => {
    const session = await open(owner);
    await locks.lock(file.id, 'a');
    const seen = (await files.info(session)).version.createdAtMs;
    await files.put(session, 'a', body('mine'), seen);
    await house.upload(writer, '/team/plan.docx', 'theirs', { overwrite: true });
    const now = await access.open(session.token, file.id);
    expect(await codeOf(files.put(now, 'a', body('mine again'), seen))).toBe('VERSION_CONFLICT');
    await files.put(now, 'a', body('without looking'));
  });

  it('of two who save at once makes two versions', async () => {
    const [one, two] = [await open(owner), await open(writer)];
    await locks.lock(file.id, 'a');
    const saved = await Promise.all([files.put(one, 'a', body('one')), files.put(two, 'a', body('two'))]);
    expect(saved.map((version) => version.no).sort()).toEqual([2, 3]);
  });

  it('is for writers alone', async () => {
    await locks.lock(file.id, 'a');
    for (const session of [await open(reader, false), await open(owner, false)]) {
      expect(await codeOf(files.put(session, 'a', body('x')))).toBe('FORBIDDEN');
      expect(await codeOf(files.putRelative(session, { suggested: '.odt' }, body('x')))).toBe('FORBIDDEN');
      expect(await codeOf(files.rename(session, 'a', 'x'))).toBe('FORBIDDEN');
      expect(await codeOf(files.remove(session))).toBe('FORBIDDEN');
    }
  });
});

describe('saving beside', () => {
  it('finds a name from a suggestion', async () => {
    const session = await open(writer);
    const names: string[] = [];
    for (const suggested of ['.odt', '.odt', 'plan.docx', 'new.docx', 'a/b.docx', '..'])
      names.push((await files.putRelative(session, { suggested }, body('x'))).node.name);
    expect(names).toEqual(['plan.odt', 'plan (1).odt', 'plan (1).docx', 'new.docx', 'a_b.docx', 'plan..']);
    const { node, grant } = await files.putRelative(session, { suggested: '.txt' }, body('content'));
    expect(node.ownerId).toBe(owner.accountId);
    expect(await text(await access.open(grant.accessToken, grant.fileId))).toBe('content');
    expect(grant.expiresMs).toBe(session.expiresMs);
  });

  it('needs the right to the folder, whatever there is to the file', async () => {
    const alone = await house.account();
    const editing = async (actor: AccountActor): Promise<WopiSession> => {
      const { grant } = await links.edit(actor, { id: file.id });
      return access.open(grant.accessToken, grant.fileId);
    };
    for (const { accountId } of [reader, alone])
      await house.database.run(
        `WITH g AS (INSERT INTO grants (id, node_id, account_id, can_write, can_delete, granted_by)
                    VALUES (gen_random_uuid(), $1, $2, true, true, $3) RETURNING id)
         INSERT INTO invitations (id, grant_id, account_id, hash, state) SELECT gen_random_uuid(), g.id, $2, g.id::text, 'accepted' FROM g`,
        [file.id, accountId, owner.accountId],
      );
    const session = await editing(reader);
    expect(await files.info(session)).toMatchObject({ folderName: 'team', mayWriteBeside: false });
    expect(await codeOf(files.putRelative(session, { exact: 'plan.docx', overwrite: true }, body('x')))).toBe('FORBIDDEN');
    expect(await files.info(await editing(alone))).toMatchObject({ folderName: '', mayWriteBeside: false });
    expect(await files.info(await open(owner, false))).toMatchObject({ folderName: 'team', mayWriteBeside: false, mayDelete: false });
  });

  it('takes an exact name or none', async () => {
    const session = await open(writer);
    const exact = (name: string, overwrite = false) => files.putRelative(session, { exact: name, overwrite }, body('exact'));
    expect((await exact('b.docx')).node.name).toBe('b.docx');
    await expect(exact('B.docx')).rejects.toMatchObject({ code: 'NAME_TAKEN', details: { suggestion: 'B (1).docx' } });
    const replaced = await exact('b.docx', true);
    expect(replaced.node).toMatchObject({ name: 'b.docx', versionNo: 2 });
    await locks.lock(replaced.node.id, 'theirs');
    await expect(exact('b.docx', true)).rejects.toMatchObject({ code: 'LOCK_MISMATCH', details: { lock: 'theirs' } });
    await expect(exact('a/b.docx')).rejects.toMatchObject({ code: 'NAME_ILLEGAL', details: { suggestion: 'a_b.docx' } });
    await house.app.get(FolderService, { strict: false }).create(owner, { path: ['team', 'dir.docx'], createParents: true });
    expect(await codeOf(exact('dir.docx', true))).toBe('NAME_TAKEN');
  });
});

describe('renaming and removing', () => {
  it('keep to the lock', async () => {
    const session = await open(writer);
    await locks.lock(file.id, 'a');
    expect(await codeOf(files.rename(session, 'b', 'x'))).toBe('LOCK_MISMATCH');
    expect(await codeOf(files.remove(session))).toBe('LOCK_MISMATCH');
    expect((await files.rename(session, 'a', 'Plan B')).name).toBe('Plan B.docx');
    await house.upload(owner, '/team/taken.docx', 'x');
    expect((await files.rename(await access.open(session.token, file.id), 'a', 'taken')).name).toBe('taken (1).docx');
    expect(await codeOf(files.rename(session, 'a', 'a/b'))).toBe('NAME_ILLEGAL');
    await locks.unlock(file.id, 'a');
    expect((await files.info(session)).mayDelete).toBe(true);
    await files.remove(session);
    expect(await codeOf(access.open(session.token, file.id))).toBe('NODE_NOT_FOUND');
  });
});
