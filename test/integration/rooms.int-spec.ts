import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';

import { ModuleRef } from '@nestjs/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { AddressLimit } from '#libs/accounts';
import { EraseAccountTask, ErasingJobsModule } from '#libs/erasing';
import { FsckService } from '#libs/files';
import type { AccountActor, Client } from '#libs/kernel';
import { RoomFiles, RoomJobsModule, type RoomMember, Rooms, RoomsModule, type RoomWish, SweepRoomsJob } from '#libs/rooms';
import { type ProvenKey, ServiceKeys, ServiceKeysModule } from '#libs/service-keys';
import type { TaskContext } from '#libs/tasks';
import { WalletProofs, WalletsModule } from '#libs/wallets';

import { countStatements } from '../support/statement-count.js';
import { Wallet } from '../support/wallet.js';
import { type BytesHarness, codeOf, startBytes } from './bytes-harness.js';

const CLIENT: Client = { kind: 'other', address: '192.0.2.7' };
const MINUTE_MS = 60_000;

let bytes: BytesHarness;
let rooms: Rooms;
let files: RoomFiles;
let wallets: WalletProofs;

const service = <T>(type: abstract new (...args: never[]) => T): T => bytes.app.get<T>(type, { strict: false });
const address = () => new Wallet().address.toLowerCase();

beforeAll(async () => {
  bytes = await startBytes({}, undefined, [RoomsModule, RoomJobsModule, ServiceKeysModule, WalletsModule, ErasingJobsModule]);
  [rooms, files, wallets] = [service(Rooms), service(RoomFiles), service(WalletProofs)];
});
afterAll(() => bytes?.close());

async function keyOf(actor: AccountActor): Promise<ProvenKey & { revoke: () => Promise<void> }> {
  const { id, secret } = await service(ServiceKeys).create(actor, { kind: 'developer', name: 'test' });
  const proven = await service(ServiceKeys).authenticate('developer', { secret }, CLIENT);
  return { ...proven!, revoke: () => service(ServiceKeys).revoke(actor, 'developer', id) };
}

async function open(wish: Partial<RoomWish> = {}, limitBytes: number | null = null) {
  const owner = await bytes.account({ limitBytes });
  const key = await keyOf(owner);
  const { pass, room } = await rooms.create(key, { name: 'Host', address: address(), ...wish });
  return { owner, key, roomId: room.id, pass, host: await rooms.enter(pass, CLIENT) };
}

async function guest(roomId: string, options: { address?: string; password?: string } = {}): Promise<RoomMember> {
  const { pass } = await rooms.join({ roomId, address: options.address ?? address(), name: '', password: options.password ?? '', client: CLIENT });
  return rooms.enter(pass, CLIENT);
}

const put = (member: RoomMember, file: { id: string; uploadId: string }, no: number, body: Buffer, announced: number | null = body.length) =>
  files.putPart(member, { fileId: file.id, uploadId: file.uploadId, no, body: Readable.from([body]), sizeBytes: announced });

/** A whole file. */
async function bring(member: RoomMember, parts: readonly Buffer[]) {
  const file = await files.start(member, { name: 'x', totalParts: parts.length, declaredBytes: null });
  const tags: string[] = [];
  for (const [at, part] of parts.entries()) tags.push((await put(member, file, at + 1, part)).tag);
  return files.complete(member, { fileId: file.id, uploadId: file.uploadId, tags });
}

async function bodyOf(member: RoomMember, id: string): Promise<Buffer> {
  const { version } = await files.open(member, id);
  return bytes.store.getWhole(version.storeKey);
}

const sweep = () => service(SweepRoomsJob).handle({}, { signal: new AbortController().signal });
const used = async (roomId: string) =>
  (await bytes.database.queryOne<{ used: number }>('SELECT used_bytes AS used FROM rooms WHERE id = $1', [roomId]))?.used;

describe('proofs of wallets', () => {
  it('take one signature of a text of ours, once and in time', async () => {
    const wallet = new Wallet();
    const { message, nonce } = wallets.challenge();
    expect(message).toContain(`Nonce: ${nonce}\n`);
    const shown = { address: wallet.address, message, signature: wallet.sign(message) };
    const attempts = await Promise.allSettled(Array.from({ length: 5 }, () => wallets.verify(shown, CLIENT.address)));
    const [won] = attempts.filter((attempt) => attempt.status === 'fulfilled');
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await wallets.find(won!.value.id)).toMatchObject({ address: wallet.address.toLowerCase() });
    const other = wallets.challenge().message;
    const wrong = [
      { ...shown, message: other, signature: new Wallet().sign(other) },
      { ...shown, message: other.replace('moves nothing', 'moves all'), signature: wallet.sign(other.replace('moves nothing', 'moves all')) },
      { ...shown, message: other.replace(/Nonce: \d+/, 'Nonce: 5'), signature: wallet.sign(other) },
      { ...shown, address: 'me' },
      { ...shown, signature: null },
    ];
    for (const each of wrong) expect(await codeOf(wallets.verify(each, CLIENT.address))).toBe('INVALID_ARGUMENT');
    const late = wallets.challenge().message;
    bytes.clock.offsetMs += 5 * MINUTE_MS;
    expect(await codeOf(wallets.verify({ ...shown, message: late, signature: wallet.sign(late) }, CLIENT.address))).toBe('INVALID_ARGUMENT');
    bytes.clock.offsetMs += 10 * MINUTE_MS;
    expect(await codeOf(wallets.find(won!.value.id))).toBe('UNAUTHENTICATED');
  });

  it('are a thousand an hour from one address', async () => {
    const [busy, other] = ['192.0.2.50', '192.0.2.51'];
    for (let taken = 0; taken < 1_000; taken += 100) {
      await Promise.all(Array.from({ length: 100 }, () => service(AddressLimit).take('wallet-proof', busy)));
    }
    const wallet = new Wallet();
    const { message } = wallets.challenge();
    const shown = { address: wallet.address, message, signature: wallet.sign(message) };
    expect(await codeOf(wallets.verify(shown, busy))).toBe('RATE_LIMITED');
    expect(await wallets.verify(shown, other)).toMatchObject({ id: expect.any(String) as string });
  });
});

describe('people', () => {
  it('come by list, password and number, and who was sent away stays out', async () => {
    const listed = address();
    const { roomId, host } = await open({ listedOnly: true, listed: [listed], password: 'open sesame', capacity: 2 });
    expect(await codeOf(guest(roomId, { password: 'open sesame' }))).toBe('FORBIDDEN');
    expect(await codeOf(guest(roomId, { address: listed }))).toBe('INVALID_CREDENTIALS');
    expect(await codeOf(guest(roomId, { address: listed, password: 'wrong' }))).toBe('INVALID_CREDENTIALS');
    const anna = await guest(roomId, { address: listed, password: 'open sesame' });
    expect(await guest(roomId, { address: listed, password: 'open sesame' })).toMatchObject({ id: anna.id, passId: anna.passId, role: 'client' });
    expect(await guest(roomId, { address: host.address })).toMatchObject({ id: host.id, role: 'host' });
    expect((await rooms.current(host)).people.map(({ id }) => id)).toEqual([host.id, anna.id]);
    expect(await codeOf(rooms.kick(anna, host.id))).toBe('FORBIDDEN');
    expect(await codeOf(rooms.kick(host, host.id))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(rooms.kick(host, 'nobody'))).toBe('NODE_NOT_FOUND');
    await rooms.kick(host, anna.id);
    expect(await codeOf(rooms.enter({ roomId, memberId: anna.id, passId: anna.passId }, CLIENT))).toBe('UNAUTHENTICATED');
    expect(await codeOf(guest(roomId, { address: listed, password: 'open sesame' }))).toBe('FORBIDDEN');
    await rooms.destroy(host);
    expect(await codeOf(rooms.enter({ roomId, memberId: host.id, passId: host.passId }, CLIENT))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(guest(roomId, { address: host.address }))).toBe('NODE_NOT_FOUND');
  });

  it('find exactly the places there are, however many come at once, and a new credential when they come back', async () => {
    const { roomId } = await open({ capacity: 4 });
    const comers = await Promise.allSettled(Array.from({ length: 12 }, () => guest(roomId)));
    expect(comers.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    for (const comer of comers) if (comer.status === 'rejected') expect(comer.reason).toMatchObject({ code: 'WRONG_STATE' });
    const anna = comers.find((comer) => comer.status === 'fulfilled')!.value;
    await rooms.leave(anna);
    const again = await guest(roomId, { address: anna.address });
    expect(again.id).toBe(anna.id);
    expect(await codeOf(rooms.enter({ roomId, memberId: anna.id, passId: anna.passId }, CLIENT))).toBe('UNAUTHENTICATED');
    expect(
      await rooms.presences([
        { member: again, client: CLIENT },
        { member: anna, client: CLIENT },
      ]),
    ).toEqual(['present', 'out']);
  });

  it('guess a password ten times', async () => {
    const { roomId } = await open({ password: 'secret' });
    const one = address();
    const client = { ...CLIENT, address: '192.0.2.99' };
    const tries = await Promise.all(
      Array.from({ length: 14 }, (_, at) => codeOf(rooms.join({ roomId, address: one, name: '', password: `guess ${at}`, client }))),
    );
    expect(tries.filter((code) => code === 'INVALID_CREDENTIALS')).toHaveLength(10);
    expect(tries.filter((code) => code === 'RATE_LIMITED')).toHaveLength(4);
    expect(await guest(roomId, { address: one, password: 'secret' })).toMatchObject({ role: 'client' });
  });

  it('are out when the key is revoked or the account is switched off, and back when that is on again', async () => {
    const { key, owner, pass, roomId, host } = await open();
    await bytes.database.run(`UPDATE accounts SET state = 'disabled' WHERE id = $1`, [owner.accountId]);
    bytes.clock.offsetMs += 1_100;
    expect(await codeOf(rooms.enter(pass, CLIENT))).toBe('UNAUTHENTICATED');
    expect(await codeOf(guest(roomId))).toBe('NODE_NOT_FOUND');
    await bytes.database.run(`UPDATE accounts SET state = 'active' WHERE id = $1`, [owner.accountId]);
    bytes.clock.offsetMs += 1_100;
    expect(await rooms.enter(pass, CLIENT)).toMatchObject({ id: host.id });
    await key.revoke();
    expect(await codeOf(rooms.enter(pass, CLIENT))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(guest(roomId))).toBe('NODE_NOT_FOUND');
  });
});

describe('files', () => {
  it('are made of parts of any size in any order, the last of each number, and are in no other tree', async () => {
    const { owner, host, roomId } = await open();
    const name = `opaque ${'é'.repeat(1_000)}`;
    const file = await files.start(host, { name, totalParts: 3, declaredBytes: 10 });
    expect(await codeOf(files.complete(host, { fileId: file.id, uploadId: null, tags: [] }))).toBe('UPLOAD_INCOMPLETE');
    const tags: string[] = [];
    tags[2] = (await put(host, file, 3, Buffer.from('ccc'))).tag;
    await put(host, file, 1, Buffer.from('the first try'));
    tags[0] = (await put(host, file, 1, Buffer.from('a'), null)).tag;
    tags[1] = (await put(host, file, 2, Buffer.alloc(0))).tag;
    expect(await used(roomId)).toBe(4);
    expect((await bytes.quota(owner)).reservedBytes).toBe(4);
    expect(await codeOf(files.complete(host, { fileId: file.id, uploadId: null, tags: [...tags].reverse() }))).toBe('INVALID_ARGUMENT');
    const finished = await Promise.all([1, 2].map(() => files.complete(host, { fileId: file.id, uploadId: file.uploadId, tags })));
    for (const one of finished) expect(one).toMatchObject({ name, arrivedParts: 3, heldBytes: 4, completedAt: expect.any(Date) as Date });
    expect(await files.complete(host, { fileId: file.id, uploadId: null, tags: tags.map((tag) => `"${tag}"`) })).toMatchObject({ id: file.id });
    expect(await codeOf(files.complete(host, { fileId: file.id, uploadId: null, tags: ['x'] }))).toBe('UPLOAD_CLOSED');
    expect(await codeOf(put(host, file, 1, Buffer.from('late')))).toBe('UPLOAD_CLOSED');
    expect((await bodyOf(host, file.id)).toString()).toBe('accc');
    expect(await bytes.quota(owner)).toMatchObject({ usedBytes: 4, reservedBytes: 0 });
    const single = await bring(host, [Buffer.from('alone')]);
    expect((await bodyOf(host, single.id)).toString()).toBe('alone');
    expect((await bytes.quota(owner)).usedBytes).toBe(9);
    const empty = await bring(host, [Buffer.alloc(0)]);
    expect((await bodyOf(host, empty.id)).length).toBe(0);
    expect(await service(FsckService).run({ deep: true, quarantine: false, onFinding: () => undefined })).toMatchObject({ findings: [] });
  });

  it('are put together once by two processes at once', async () => {
    const { owner, host, roomId } = await open();
    // What one process remembers the other does not know.
    const elsewhere = await bytes.app.select(RoomsModule).get(ModuleRef, { strict: true }).create(RoomFiles);
    const body = randomBytes(600_000);
    for (let round = 1; round <= 12; round++) {
      const file = await files.start(host, { name: null, totalParts: 3, declaredBytes: null });
      const tags: string[] = [];
      for (const no of [1, 2, 3]) tags.push((await put(host, file, no, body.subarray((no - 1) * 200_000, no * 200_000))).tag);
      const command = { fileId: file.id, uploadId: file.uploadId, tags };
      const made = await Promise.all([files.complete(host, command), elsewhere.complete(host, command)]);
      for (const one of made) expect(one).toMatchObject({ id: file.id, heldBytes: body.length, completedAt: expect.any(Date) as Date });
      expect((await bodyOf(host, file.id)).equals(body)).toBe(true);
      expect(await bytes.quota(owner)).toMatchObject({ usedBytes: round * body.length, reservedBytes: 0 });
      expect(await used(roomId)).toBe(round * body.length);
    }
    const told = await bytes.database.query(`SELECT 1 FROM room_events WHERE room_id = $1 AND type = 'file-complete'`, [roomId]);
    expect(told).toHaveLength(12);
    expect(await service(FsckService).run({ deep: true, quarantine: false, onFinding: () => undefined })).toMatchObject({ findings: [] });
  });

  it('are their bringer’s and the host’s', async () => {
    const { host, roomId } = await open();
    const [anna, ben] = [await guest(roomId), await guest(roomId)];
    const stranger = (await open()).host;
    const file = await files.start(anna, { name: null, totalParts: 1, declaredBytes: null });
    for (const other of [ben, host]) expect(await codeOf(put(other, file, 1, Buffer.from('x')))).toBe('FORBIDDEN');
    expect(await codeOf(put(stranger, file, 1, Buffer.from('x')))).toBe('UPLOAD_NOT_FOUND');
    expect(await codeOf(put(anna, { ...file, uploadId: file.id }, 1, Buffer.from('x')))).toBe('UPLOAD_NOT_FOUND');
    for (const no of [0, 2, 1.5]) expect(await codeOf(put(anna, file, no, Buffer.from('x')))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(files.open(ben, file.id))).toBe('WRONG_STATE');
    expect(await codeOf(files.remove(ben, file.id))).toBe('FORBIDDEN');
    for (const id of ['x', stranger.id]) expect(await codeOf(files.get(anna, id))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(files.get(stranger, file.id))).toBe('NODE_NOT_FOUND');
    await files.remove(host, file.id);
    expect(await files.list(anna)).toEqual([]);
    const done = await bring(ben, [Buffer.from('b')]);
    expect(await codeOf(files.remove(anna, done.id))).toBe('FORBIDDEN');
    expect((await bodyOf(anna, done.id)).toString()).toBe('b');
    await files.remove(ben, done.id);
    expect(await codeOf(files.open(anna, done.id))).toBe('NODE_NOT_FOUND');
    expect(await used(roomId)).toBe(0);
  });

  it('stay within the room and the quota, to the byte, whoever comes at once', async () => {
    const { owner, host, roomId } = await open({ maxBytes: 10, maxFiles: 3 });
    expect(await codeOf(files.start(host, { name: null, totalParts: 1, declaredBytes: 11 }))).toBe('TOO_LARGE');
    const started = await Promise.allSettled(Array.from({ length: 6 }, () => files.start(host, { name: null, totalParts: 2, declaredBytes: 1 })));
    const [file] = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(started.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    expect(started.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'QUOTA_EXCEEDED' } });
    const six = Buffer.from('123456');
    const both = await Promise.allSettled([put(host, file!, 1, six), put(host, file!, 2, six)]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await used(roomId)).toBe(6);
    for (const size of [5, null])
      expect(await codeOf(put(host, file!, both[0].status === 'fulfilled' ? 2 : 1, Buffer.from('12345'), size))).toBe('TOO_LARGE');
    // in place of what is there, the whole room is free
    const at = both[0].status === 'fulfilled' ? 1 : 2;
    await put(host, file!, at, Buffer.from('1234567890'));
    expect(await codeOf(put(host, file!, at, Buffer.from('12'), 3))).toBe('SIZE_MISMATCH');
    expect(await used(roomId)).toBe(10);
    expect((await bytes.quota(owner)).reservedBytes).toBe(10);

    const poor = await open({}, 8);
    const two = await files.start(poor.host, { name: null, totalParts: 2, declaredBytes: null });
    await put(poor.host, two, 1, six);
    for (const size of [3, null]) expect(['QUOTA_EXCEEDED', 'TOO_LARGE']).toContain(await codeOf(put(poor.host, two, 2, Buffer.from('123'), size)));
    const { tag } = await put(poor.host, two, 2, Buffer.from('12'));
    const tags = [(await files.list(poor.host)).length === 1 ? 'cafe' : '', tag];
    expect(await codeOf(files.complete(poor.host, { fileId: two.id, uploadId: null, tags }))).toBe('INVALID_ARGUMENT');
    expect((await bytes.quota(poor.owner)).reservedBytes).toBe(8);
    await files.remove(poor.host, two.id);
    expect((await bytes.quota(poor.owner)).reservedBytes).toBe(0);
  });

  it('obey the policy of the account', async () => {
    const { owner, pass } = await open();
    const file = await bring(await rooms.enter(pass, CLIENT), [Buffer.from('x')]);
    await bytes.database.run('UPDATE accounts SET can_upload = false, can_download = false WHERE id = $1', [owner.accountId]);
    bytes.clock.offsetMs += 1_100;
    const host = await rooms.enter(pass, CLIENT);
    expect(await codeOf(files.start(host, { name: null, totalParts: 1, declaredBytes: null }))).toBe('FORBIDDEN');
    expect(await codeOf(put(host, file, 1, Buffer.from('y')))).toBe('FORBIDDEN');
    expect(await codeOf(files.open(host, file.id))).toBe('FORBIDDEN');
  });

  it('are listed by as many statements whatever their number', async () => {
    const { host } = await open();
    await files.start(host, { name: 'a', totalParts: 1, declaredBytes: null });
    expect(await countStatements(() => files.list(host))).toBe(1);
    for (let at = 0; at < 20; at++) await files.start(host, { name: 'a', totalParts: 1, declaredBytes: null });
    expect(await countStatements(() => files.list(host))).toBe(1);
  });
});

describe('the end', () => {
  it('of a room takes its rows, its bytes and its share of the quota along', async () => {
    const { owner, host, roomId } = await open({ lifeMs: 10 * MINUTE_MS });
    await bring(host, [randomBytes(2_000), randomBytes(3_000)]);
    const open2 = await files.start(host, { name: null, totalParts: 2, declaredBytes: null });
    await put(host, open2, 1, randomBytes(700));
    expect(await bytes.quota(owner)).toMatchObject({ usedBytes: 5_000, reservedBytes: 700 });
    bytes.clock.offsetMs += 10 * MINUTE_MS;
    expect(await codeOf(put(host, open2, 2, randomBytes(5)))).toBe('UNAUTHENTICATED');
    await sweep();
    expect(await bytes.quota(owner)).toMatchObject({ usedBytes: 0, reservedBytes: 0 });
    bytes.clock.offsetMs += MINUTE_MS;
    await sweep();
    const left = await bytes.database.query(
      `SELECT 'room' FROM rooms WHERE id = $1 UNION ALL SELECT 'member' FROM room_members WHERE room_id = $1 UNION ALL SELECT 'file' FROM room_files WHERE room_id = $1
       UNION ALL SELECT 'event' FROM room_events WHERE room_id = $1 UNION ALL SELECT 'node' FROM nodes WHERE space_id = $2 UNION ALL SELECT 'space' FROM spaces WHERE id = $2
       UNION ALL SELECT 'upload' FROM upload_sessions WHERE space_id = $2`,
      [roomId, host.spaceId],
    );
    expect(left).toEqual([]);
  });

  it('of all rooms leaves no object behind', async () => {
    await bytes.database.run('UPDATE rooms SET expires_at = $1 WHERE ended_at IS NULL', [bytes.clock.now()]);
    await sweep();
    bytes.clock.offsetMs += 10 * MINUTE_MS;
    await sweep();
    await bytes.janitor.collectBlobs();
    await bytes.janitor.deleteTombstones();
    expect(await bytes.database.query('SELECT id FROM rooms')).toEqual([]);
    expect(await bytes.storedKeys()).toEqual([]);
  });

  it('of a part that never came gives back what was held for it', async () => {
    const { owner, host, roomId } = await open({ lifeMs: 7 * 24 * 60 * MINUTE_MS });
    const file = await files.start(host, { name: null, totalParts: 1, declaredBytes: null });
    const never = new Readable({ read: () => undefined });
    const putting = files.putPart(host, { fileId: file.id, uploadId: file.uploadId, no: 1, body: never, sizeBytes: 5_000 });
    await expect.poll(() => used(roomId)).toBe(5_000);
    bytes.clock.offsetMs += 2 * 24 * 60 * MINUTE_MS;
    await sweep();
    expect(await used(roomId)).toBe(0);
    expect((await bytes.quota(owner)).reservedBytes).toBe(0);
    never.destroy(new Error('gone'));
    await expect(putting).rejects.toThrow();
    expect(await used(roomId)).toBe(0);
  });

  it('of an account is the end of its rooms', async () => {
    const { owner, host, roomId } = await open();
    await bring(host, [Buffer.from('personal')]);
    await bytes.database.run(`UPDATE accounts SET state = 'deleted', deleted_at = now() WHERE id = $1`, [owner.accountId]);
    const context = { taskId: roomId, signal: new AbortController().signal, checkpoint: null, saveProgress: () => Promise.resolve() };
    await service(EraseAccountTask).run({ accountId: owner.accountId, heirId: null, erase: true }, context as unknown as TaskContext);
    expect(await used(roomId)).toBeUndefined();
    expect(await bytes.database.query('SELECT 1 FROM spaces WHERE account_id = $1', [owner.accountId])).toEqual([]);
  });
});
