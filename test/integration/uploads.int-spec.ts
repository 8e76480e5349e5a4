import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { DownloadService } from '#libs/files';
import type { AccountActor } from '#libs/kernel';
import { TrashService } from '#libs/trash';

import { withStatements } from '../support/statement-count.js';
import { type BytesHarness, codeOf, startBytes } from './bytes-harness.js';

let h: BytesHarness;
let actor: AccountActor;

beforeAll(async () => {
  h = await startBytes();
  actor = await h.account();
});
afterAll(() => h?.close());

async function contentOf(nodeId: string): Promise<string> {
  const row = await h.database.queryOne<{ store_key: string }>('SELECT b.store_key FROM nodes n JOIN blobs b ON b.id = n.blob_id WHERE n.id = $1', [
    nodeId,
  ]);
  const chunks: Buffer[] = [];
  for await (const chunk of await h.store.getRange(row!.store_key)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function confirm(tempName: string) {
  return h.confirms.confirm({ accountId: actor.accountId, tempName, actor: null });
}

describe('a new file', () => {
  it('appears with its folders, dates and size at the confirmation and not before', async () => {
    const tempName = await h.create(actor, '/deep/er/Datei.txt', { clientCreatedMs: -1, clientModifiedMs: 1234567890123, sizeBytes: 5 });
    expect(tempName).toMatch(new RegExp(`^${actor.accountId}_[0-9a-f]{32}$`));
    await h.put(tempName, Buffer.from('hello'));
    expect(await h.database.query('SELECT 1 FROM nodes WHERE parent_id IS NOT NULL')).toEqual([]);
    const node = await confirm(tempName);
    expect(node).toMatchObject({
      path: '/deep/er/Datei.txt',
      kind: 'file',
      versionNo: 1,
      sizeBytes: 5,
      md5: '5d41402abc4b2a76b9719d911017c592',
      mimeType: 'text/plain',
      clientCreatedMs: -1,
      clientModifiedMs: 1234567890123,
      createdMs: -1,
      modifiedMs: 1234567890123,
      ownerId: actor.accountId,
    });
    expect(await contentOf(node.id)).toBe('hello');
    const parent = await h.database.queryOne(`SELECT child_files, child_bytes, child_folders FROM nodes WHERE name = 'er'`);
    expect(parent).toEqual({ child_files: 1, child_bytes: 5, child_folders: 0 });
    expect(await h.quota(actor)).toMatchObject({ usedBytes: 5, reservedBytes: 0 });
  });

  it('is confirmed once by ten parallel repeats, all of which get the same answer', async () => {
    const tempName = await h.create(actor, '/new folder/repeat.bin');
    await h.put(tempName, Buffer.from('x'));
    const nodes = await Promise.all(Array.from({ length: 10 }, () => confirm(tempName)));
    expect(new Set(nodes.map((node) => `${node.id} ${node.versionNo} ${node.path}`)).size).toBe(1);
    expect(await confirm(tempName)).toEqual(nodes[0]);
    expect(nodes[0]!.versionNo).toBe(1);
  });

  it('of no byte at all can be stored', async () => {
    expect(await h.upload(actor, '/empty', '')).toMatchObject({ sizeBytes: 0, versionNo: 1 });
  });

  it('is refused when its place is taken, missing or illegal', async () => {
    await h.upload(actor, '/place/file.txt', 'a');
    expect(await codeOf(h.create(actor, '/place/FILE.txt'))).toBe('NAME_TAKEN');
    expect(await codeOf(h.create(actor, '/place', { overwrite: true }))).toBe('NAME_TAKEN');
    expect(await codeOf(h.create(actor, '/place/file.txt/below'))).toBe('NAME_TAKEN');
    expect(await codeOf(h.create(actor, '/place/file.txt/below', { createParents: false }))).toBe('PARENT_NOT_FOUND');
    expect(await codeOf(h.create(actor, '/'))).toBe('NAME_TAKEN');
    expect(await codeOf(h.create(actor, '/nowhere/x', { createParents: false }))).toBe('PARENT_NOT_FOUND');
    expect(await codeOf(h.create(actor, '/a/../b'))).toBe('NAME_ILLEGAL');
    expect(await codeOf(h.create(actor, '/a\0b'))).toBe('NAME_ILLEGAL');
    expect(await codeOf(h.create(actor, `/${'deep/'.repeat(128)}x`))).toBe('TREE_TOO_DEEP');
    expect(await codeOf(h.create(actor, '/x', { expectedVersionNo: 3 }))).toBe('VERSION_INVALID');
    expect(await codeOf(h.create(actor, '/x', { expectedVersionNo: -1 }))).toBe('VERSION_INVALID');
    expect(await codeOf(h.create(actor, '/x', { sizeBytes: -1 }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(h.create(actor, '/x', { sizeBytes: 0.5 }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(h.create(actor, '/x', { md5: 'zz' }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(h.create(actor, '/x', { clientModifiedMs: 9e15 }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(h.create(actor, '/x', { deviceId: 'a\0' }))).toBe('INVALID_ARGUMENT');
  });

  it('that somebody else made meanwhile is a conflict, and the bytes stay for another try', async () => {
    const [first, second] = [await h.create(actor, '/race/same'), await h.create(actor, '/race/same')];
    await h.put(first, Buffer.from('1'));
    await h.put(second, Buffer.from('2'));
    await confirm(first);
    expect(await codeOf(confirm(second))).toBe('NAME_TAKEN');
    await h.database.run(`UPDATE nodes SET name = 'other', name_key = 'other' WHERE name_key = 'same'`);
    expect(await contentOf((await confirm(second)).id)).toBe('2');
  });
});

describe('a new version', () => {
  it('follows the one before, keeps it, and bumps file and folder', async () => {
    const first = await h.upload(actor, '/v/doc.txt', 'one', { clientCreatedMs: 1 });
    const second = await h.upload(actor, '/V/DOC.txt', 'three', { overwrite: true, expectedVersionNo: 1 });
    expect(second).toMatchObject({
      id: first.id,
      versionNo: 2,
      name: 'doc.txt',
      path: '/v/doc.txt',
      sizeBytes: 5,
      createdMs: 1,
      revision: first.revision + 1,
    });
    expect(await h.database.queryOne(`SELECT child_files, child_bytes FROM nodes WHERE id = $1`, [first.parentId])).toEqual({
      child_files: 1,
      child_bytes: 5,
    });
    expect(await contentOf(first.id)).toBe('three');
    expect(await codeOf(h.create(actor, '/v/doc.txt', { overwrite: true, expectedVersionNo: 1 }))).toBe('VERSION_CONFLICT');
    expect(await codeOf(h.create(actor, '/v/doc.txt', { overwrite: true, expectedVersionNo: 7 }))).toBe('VERSION_INVALID');
  });

  it('is checked again at the confirmation', async () => {
    await h.upload(actor, '/v/late', '1');
    const tempName = await h.create(actor, '/v/late', { overwrite: true, expectedVersionNo: 1 });
    await h.put(tempName, Buffer.from('2'));
    await h.upload(actor, '/v/late', '3', { overwrite: true });
    expect(await codeOf(confirm(tempName))).toBe('VERSION_CONFLICT');
  });

  it('gets a number of its own when thirty are confirmed at once', async () => {
    await h.upload(actor, '/v/many', '0');
    const names = await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        const tempName = await h.create(actor, '/v/many', { overwrite: true });
        await h.put(tempName, Buffer.from(`content ${i}`));
        return tempName;
      }),
    );
    const settled = await Promise.allSettled(names.map(confirm));
    const numbers = settled.flatMap((s) => (s.status === 'fulfilled' ? [s.value.versionNo] : []));
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(settled.filter((s) => s.status === 'rejected').map((s) => s.reason.code)).toEqual([]);
    expect(Math.max(...numbers)).toBe(31);
    const told = await h.database.query<{ no: number }>(
      `SELECT (facts ->> 'version')::int AS no FROM change_events WHERE type = 'file_new_content' AND path = '/v/many' ORDER BY no`,
    );
    expect(told.map((row) => row.no)).toEqual(Array.from({ length: 30 }, (_, index) => index + 2));
  });
});

describe('the news of an upload', () => {
  const told = () =>
    h.database.query<{ type: string; path: string; facts: Record<string, unknown> }>(
      `SELECT type, path, facts FROM change_events WHERE path LIKE '/news%' ORDER BY xid, seq`,
    );
  const counted = async (path: string, options = {}) => {
    const tempName = await h.create(actor, path, options);
    await h.put(tempName, Buffer.from('123'));
    const { result, statements } = await withStatements(() => confirm(tempName));
    return { node: result, count: statements.length };
  };

  it('are written by the statement that writes the file: one confirm is three statements in all', async () => {
    const made = await counted('/news/made/doc.txt', { clientCreatedMs: 5 });
    const next = await counted('/news/made/other.txt');
    const version = await counted('/news/made/doc.txt', { overwrite: true });
    expect([made.count, next.count, version.count]).toEqual([6, 3, 3]);
    const { createdMs, modifiedMs, ownerId: owner } = version.node;
    expect(createdMs).toBe(5);
    const events = await told();
    expect(events.map(({ type, path }) => `${type} ${path}`)).toEqual([
      'folder_created /news',
      'folder_created /news/made',
      'file_created /news/made/doc.txt',
      'file_created /news/made/other.txt',
      'file_new_content /news/made/doc.txt',
    ]);
    expect(events[4]!.facts).toEqual({ kind: 'file', owner, created: 5, modified: modifiedMs, version: 2, size: 3, mime: 'text/plain' });
  });

  it('are told once in a space with limits, where a confirm is a transaction, and not when the limit refuses', async () => {
    await h.upload(actor, '/news/limited/a', '12345');
    await h.upload(actor, '/news/free', '1');
    await h.database.run(`UPDATE nodes SET limit_bytes = 8 WHERE name = 'limited'`);
    const before = (await told()).length;
    expect((await counted('/news/limited/b')).count).toBe(7);
    expect((await counted('/news/free', { overwrite: true })).node.versionNo).toBe(2);
    const late = await h.create(actor, '/news/limited/c');
    await h.database.run(`UPDATE nodes SET limit_bytes = NULL WHERE name = 'limited'`);
    await h.put(late, Buffer.from('x'));
    await h.database.run(`UPDATE nodes SET limit_bytes = 8 WHERE name = 'limited'`);
    expect(await codeOf(confirm(late))).toBe('QUOTA_EXCEEDED');
    const events = await told();
    expect(events.slice(before).map(({ type, path }) => `${type} ${path}`)).toEqual(['file_created /news/limited/b', 'file_new_content /news/free']);
    await h.database.run(`UPDATE nodes SET limit_bytes = NULL WHERE name = 'limited'`);
  });
});

describe('bytes', () => {
  it('that differ from what was announced are refused until the right ones come', async () => {
    const sized = await h.create(actor, '/m/sized', { sizeBytes: 4 });
    await h.put(sized, Buffer.from('12345'));
    expect(await codeOf(confirm(sized))).toBe('SIZE_MISMATCH');
    await h.put(sized, Buffer.from('1234'));
    expect(await contentOf((await confirm(sized)).id)).toBe('1234');
    const summed = await h.create(actor, '/m/summed', { md5: '5D41402ABC4B2A76B9719D911017C592' });
    await h.put(summed, Buffer.from('jello'));
    expect(await codeOf(confirm(summed))).toBe('CHECKSUM_MISMATCH');
    await h.put(summed, Buffer.from('hello'));
    expect(await contentOf((await confirm(summed)).id)).toBe('hello');
  });

  it('are asked for when none have come, and refused after the end', async () => {
    const tempName = await h.create(actor, '/m/none');
    expect(await codeOf(confirm(tempName))).toBe('UPLOAD_INCOMPLETE');
    await h.put(tempName, Buffer.from('x'));
    await confirm(tempName);
    expect(await codeOf(h.put(tempName, Buffer.from('y')))).toBe('UPLOAD_CLOSED');
    expect(await codeOf(h.put(`${actor.accountId}_${'0'.repeat(32)}`, Buffer.from('y')))).toBe('UPLOAD_NOT_FOUND');
    expect(await codeOf(confirm('../../etc/passwd'))).toBe('UPLOAD_NOT_FOUND');
    expect(await codeOf(h.confirms.confirm({ accountId: actor.accountId + 1, tempName, actor: null }))).toBe('UPLOAD_NOT_FOUND');
    const stranger = await h.account();
    expect(await codeOf(h.confirms.confirm({ accountId: actor.accountId, tempName, actor: stranger }))).toBe('NODE_NOT_FOUND');
  });

  it('of a writer that is overtaken or fails never replace what is confirmed', async () => {
    const tempName = await h.create(actor, '/m/two writers');
    const key = `uploads/${tempName}`;
    const slow = await h.gate.open(key, 4);
    await h.put(tempName, Buffer.from('fast'));
    const node = await confirm(tempName);
    const late = await h.store.put(slow.storeKey!, Buffer.from('slow'));
    expect(await codeOf(h.gate.stored(key, late, slow.storeKey!))).toBe('UPLOAD_CLOSED');
    await h.gate.failed(key, slow.storeKey!);
    expect(await contentOf(node.id)).toBe('fast');
    await h.janitor.deleteTombstones();
    expect(await contentOf(node.id)).toBe('fast');
    expect(await h.storedKeys()).not.toContain(slow.storeKey);
  });

  it('may not come for a disabled account', async () => {
    const other = await h.account();
    const tempName = await h.create(other, '/x');
    await h.database.run(`UPDATE accounts SET state = 'disabled' WHERE id = $1`, [other.accountId]);
    expect(await codeOf(h.put(tempName, Buffer.from('x')))).toBe('UPLOAD_CLOSED');
    expect(await codeOf(h.confirms.confirm({ accountId: other.accountId, tempName, actor: null }))).toBe('FORBIDDEN');
  });
});

describe('deduplication', () => {
  it('makes the file at once for size and checksum of a readable file, charges it, and never for a file of somebody else', async () => {
    const body = randomBytes(1000);
    const node = await h.upload(actor, '/d/original', body);
    const command = { path: ['d2', 'copy.png'], overwrite: false, createParents: true, multipart: false, sizeBytes: 1000, md5: node.md5! };
    const before = await h.quota(actor);
    const copy = await h.uploads.create(actor, command);
    expect(copy).toMatchObject({
      kind: 'deduplicated',
      node: { path: '/d2/copy.png', sizeBytes: 1000, md5: node.md5, mimeType: 'image/png', versionNo: 1 },
    });
    const after = await h.quota(actor);
    expect(after.usedBytes - before.usedBytes).toBe(1000);
    expect(after.media.image - before.media.image).toBe(1000);
    expect((await h.uploads.create(actor, { ...command, overwrite: true })).kind).toBe('deduplicated');
    expect((await h.uploads.create(await h.account(), command)).kind).toBe('session');
    expect((await h.uploads.create(actor, { ...command, path: ['d2', 'x'], sizeBytes: 999 })).kind).toBe('session');
    const poor = await h.account({ limitBytes: 1500 });
    await h.upload(poor, '/mine', body);
    expect(await codeOf(h.uploads.create(poor, command))).toBe('QUOTA_EXCEEDED');
    expect(await h.quota(poor)).toMatchObject({ usedBytes: 1000, reservedBytes: 0 });
  });
});

describe('parts', () => {
  it('make the file in ascending order, replaced parts included, however often it is confirmed', async () => {
    const created = await h.uploads.create(actor, { path: ['p', 'parts'], overwrite: false, createParents: true, multipart: true });
    if (created.kind !== 'session') throw new Error();
    const { tempName, tempPath } = created;
    const sent = async (partNumber: number, text: string) => {
      const { url } = await h.uploads.createPart(actor, { tempPath: tempPath!, partNumber });
      const parsed = new URL(url);
      const key = parsed.pathname.replace('/blobs/', '');
      await h.store.putPart(key, parsed.searchParams.get('upload')!, partNumber, Buffer.from(text));
    };
    expect(await codeOf(confirm(tempName))).toBe('UPLOAD_INCOMPLETE');
    await Promise.all([sent(3, 'c'), sent(1, 'wrong'), sent(2, 'b')]);
    await sent(1, 'a');
    expect(await codeOf(h.uploads.createPart(actor, { tempPath: tempPath!, partNumber: 0 }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(h.uploads.createPart(await h.account(), { tempPath: tempPath!, partNumber: 1 }))).toBe('UPLOAD_NOT_FOUND');
    const nodes = await Promise.all(Array.from({ length: 10 }, () => confirm(tempName)));
    expect(new Set(nodes.map((node) => node.id)).size).toBe(1);
    expect(await contentOf(nodes[0]!.id)).toBe('abc');
    expect(nodes[0]).toMatchObject({ sizeBytes: 3, versionNo: 1, md5: '900150983cd24fb0d6963f7d28e17f72' });
    expect(await codeOf(h.uploads.createPart(actor, { tempPath: tempPath!, partNumber: 1 }))).toBe('UPLOAD_CLOSED');
  });

  it('give way to the whole file sent to the first URL', async () => {
    const created = await h.uploads.create(actor, {
      path: ['p', 'whole'],
      overwrite: true,
      createParents: true,
      multipart: true,
      expectedVersionNo: 0,
    });
    if (created.kind !== 'session') throw new Error();
    await h.uploads.createPart(actor, { tempPath: created.tempPath!, partNumber: 1 });
    await h.put(created.tempName, Buffer.from('whole'));
    expect(await contentOf((await confirm(created.tempName)).id)).toBe('whole');
    await h.janitor.deleteTombstones();
    const multiparts = [];
    for await (const multipart of h.store.listMultiparts()) multiparts.push(multipart);
    expect(multiparts).toEqual([]);
  });

  it('of the wrong sum are refused while they can still be replaced', async () => {
    const created = await h.uploads.create(actor, { path: ['p', 'sum'], overwrite: false, createParents: true, multipart: true, sizeBytes: 2 });
    if (created.kind !== 'session') throw new Error();
    const send = async (text: string) => {
      const url = new URL((await h.uploads.createPart(actor, { tempPath: created.tempPath!, partNumber: 1 })).url);
      await h.store.putPart(url.pathname.replace('/blobs/', ''), url.searchParams.get('upload')!, 1, Buffer.from(text));
    };
    await send('123');
    expect(await codeOf(confirm(created.tempName))).toBe('SIZE_MISMATCH');
    await send('12');
    expect(await contentOf((await confirm(created.tempName)).id)).toBe('12');
  });
});

describe('a download', () => {
  it('is a short-lived URL of one version of a file', async () => {
    const downloads = h.app.get(DownloadService);
    const node = await h.upload(actor, '/dl/a b.txt', 'first');
    await h.upload(actor, '/dl/a b.txt', 'second!', { overwrite: true });
    const link = await downloads.link(actor, { node: { path: ['dl', 'a b.txt'] }, inline: false, includeRemoved: false });
    expect(link).toMatchObject({ node: { id: node.id }, version: { no: 2, sizeBytes: 7 } });
    const expires = Number(new URL(link.url).searchParams.get('exp')) * 1000;
    expect(expires - Date.now()).toBeLessThanOrEqual(60_000);
    const old = await downloads.link(actor, { node: { id: node.id }, versionNo: 1, inline: true, includeRemoved: false });
    expect(old.version).toMatchObject({ no: 1, sizeBytes: 5 });
    expect(old.url).toContain('cd=inline');
    expect(await codeOf(downloads.link(actor, { node: { id: node.id }, versionNo: 9, inline: true, includeRemoved: false }))).toBe(
      'VERSION_NOT_FOUND',
    );
    expect(await codeOf(downloads.link(actor, { node: { path: ['dl'] }, inline: true, includeRemoved: false }))).toBe('NOT_A_FILE');
    await h.app.get(TrashService).trash(actor, { nodes: [{ id: node.id }], onlyEmpty: false, permanent: false });
    expect(await codeOf(downloads.link(actor, { node: { path: ['dl', 'a b.txt'] }, inline: true, includeRemoved: false }))).toBe('NODE_NOT_FOUND');
    const removed = await downloads.link(actor, { node: { path: ['dl', 'a b.txt'] }, inline: true, includeRemoved: true });
    expect(removed).toMatchObject({ node: { id: node.id, removal: 'trashed' }, version: { no: 2 } });
    expect(await codeOf(downloads.link(await h.account(), { node: { id: node.id }, inline: true, includeRemoved: false }))).toBe('NODE_NOT_FOUND');
  });
});
