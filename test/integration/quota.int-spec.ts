import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { AccountActor } from '#libs/kernel';
import { bytesOf, NO_BYTES } from '#libs/nodes';

import { type BytesHarness, codeOf, startBytes } from './bytes-harness.js';

let h: BytesHarness;
beforeAll(async () => {
  h = await startBytes();
});
afterAll(() => h?.close());

async function inChunks<T>(count: number, parallel: number, work: (index: number) => Promise<T>): Promise<PromiseSettledResult<T>[]> {
  const results: PromiseSettledResult<T>[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      for (let i = next++; i < count; i = next++) [results[i]] = await Promise.allSettled([work(i)]);
    }),
  );
  return results;
}

async function company(actor: AccountActor): Promise<{ used: number; reserved: number }> {
  const row = await h.database.queryOne<{ used_bytes: number; reserved_bytes: number }>(
    `SELECT used_bytes, reserved_bytes FROM quotas WHERE owner_kind = 'company' AND owner_id = $1`,
    [actor.companyId],
  );
  return { used: row!.used_bytes, reserved: row!.reserved_bytes };
}

describe('the quota ledger', () => {
  it('counts reservations, use and kinds of content, and gives them back', async () => {
    const actor = await h.account({ limitBytes: 100, companyLimitBytes: 1000 });
    const id = actor.accountId;
    await h.quotas.reserve(id, 60);
    expect(await codeOf(h.quotas.reserve(id, 41))).toBe('QUOTA_EXCEEDED');
    await h.quotas.adjustReservation(id, 60, 70);
    await h.quotas.commit(id, { reservedBytes: 70, add: bytesOf('video', 70) });
    await h.quotas.add(id, { ...NO_BYTES, image: 20, other: 10 });
    expect(await h.quota(actor)).toEqual({
      limitBytes: 100,
      softLimitBytes: null,
      usedBytes: 100,
      reservedBytes: 0,
      media: { image: 20, audio: 0, video: 70, other: 10 },
    });
    expect(await company(actor)).toEqual({ used: 100, reserved: 0 });
    expect(await codeOf(h.quotas.add(id, bytesOf('audio', 1)))).toBe('QUOTA_EXCEEDED');
    await h.quotas.add(id, bytesOf('video', -70));
    await h.quotas.reserve(id, 70);
    await h.quotas.release(id, 70);
    expect(await h.quota(actor)).toMatchObject({ usedBytes: 30, reservedBytes: 0 });
    expect(await h.quotas.freeBytes(id)).toBe(70);
  });

  it('changes the account and its company together or not at all', async () => {
    const actor = await h.account({ limitBytes: 1000, companyLimitBytes: 50 });
    expect(await codeOf(h.quotas.reserve(actor.accountId, 51))).toBe('QUOTA_EXCEEDED');
    expect(await h.quota(actor)).toMatchObject({ usedBytes: 0, reservedBytes: 0 });
    expect(await company(actor)).toEqual({ used: 0, reserved: 0 });
    expect(await h.quotas.freeBytes(actor.accountId)).toBe(50);
  });

  it('lets what is reserved become use, also after the limit was lowered', async () => {
    const actor = await h.account({ limitBytes: 100 });
    await h.quotas.reserve(actor.accountId, 80);
    await h.database.run('UPDATE quotas SET limit_bytes = 10 WHERE owner_id = $1', [actor.accountId]);
    await h.quotas.commit(actor.accountId, { reservedBytes: 80, add: bytesOf('other', 80) });
    expect(await h.quota(actor)).toMatchObject({ usedBytes: 80, reservedBytes: 0 });
    await h.quotas.add(actor.accountId, bytesOf('other', -1));
  });

  it('has no limit when none is set', async () => {
    const actor = await h.account();
    await h.quotas.reserve(actor.accountId, 2 ** 50);
    expect(await h.quotas.freeBytes(actor.accountId)).toBeNull();
    await h.quotas.release(actor.accountId, 2 ** 50);
  });
});

describe('five hundred uploads that race for the last bytes', () => {
  it('of declared size: exactly as many as fit are opened, in an account and in its company', async () => {
    const actor = await h.account({ limitBytes: 1_000_000, companyLimitBytes: 1005 });
    const results = await inChunks(500, 50, (i) => h.create(actor, `/race/${i}`, { sizeBytes: 10 }));
    expect(results.filter((r) => r.status === 'fulfilled').length).toBe(100);
    const reasons = results.flatMap((r) => (r.status === 'rejected' ? [(r.reason as { code: string }).code] : []));
    expect(new Set(reasons)).toEqual(new Set(['QUOTA_EXCEEDED']));
    expect(await company(actor)).toEqual({ used: 0, reserved: 1000 });
    expect((await h.database.queryOne<{ n: number }>('SELECT count(*) AS n FROM upload_sessions WHERE account_id = $1', [actor.accountId]))!.n).toBe(
      100,
    );
  });

  it('of unknown size: refused by the announced length before the first byte, and never one byte over', async () => {
    const actor = await h.account({ limitBytes: 1003 });
    let stored = 0;
    const put = h.store.put.bind(h.store);
    h.store.put = (...args) => {
      stored++;
      return put(...args);
    };
    const results = await inChunks(500, 50, async (i) => {
      const tempName = await h.create(actor, `/late/${i}`);
      await h.put(tempName, Buffer.alloc(20, i));
      return h.confirms.confirm({ accountId: actor.accountId, tempName, actor });
    });
    h.store.put = put;
    const done = results.filter((r) => r.status === 'fulfilled').length;
    expect(done).toBe(50);
    expect(stored).toBe(50);
    expect(await h.quota(actor)).toMatchObject({ usedBytes: 1000, reservedBytes: 0 });
  });

  it('without any announced length: what does not fit is refused after the last byte and leaves no object', async () => {
    const actor = await h.account({ limitBytes: 95 });
    const results = await inChunks(100, 25, async (i) => {
      const tempName = await h.create(actor, `/chunked/${i}`);
      await h.put(tempName, Buffer.alloc(10, i), null);
      return h.confirms.confirm({ accountId: actor.accountId, tempName, actor });
    });
    expect(results.filter((r) => r.status === 'fulfilled').length).toBe(9);
    expect(await h.quota(actor)).toMatchObject({ usedBytes: 90, reservedBytes: 0 });
    await h.janitor.deleteTombstones();
    expect(await h.storedKeys()).toEqual(await h.ledgerKeys());
  });

  it('with a quota of one byte: a file of one byte fits, the next does not', async () => {
    const actor = await h.account({ limitBytes: 1 });
    await h.upload(actor, '/one', 'x');
    expect(await codeOf(h.upload(actor, '/two', 'x'))).toBe('QUOTA_EXCEEDED');
    await h.upload(actor, '/empty', '');
  });

  it('replacing the bytes of an unconfirmed upload changes its reservation to the size that came', async () => {
    const actor = await h.account({ limitBytes: 100 });
    const tempName = await h.create(actor, '/replaced', { sizeBytes: 90 });
    await h.put(tempName, Buffer.alloc(30));
    expect(await h.quota(actor)).toMatchObject({ reservedBytes: 30 });
    await h.put(tempName, Buffer.alloc(100));
    expect(await h.quota(actor)).toMatchObject({ reservedBytes: 100 });
    expect(await codeOf(h.put(tempName, Buffer.alloc(101)))).toBe('QUOTA_EXCEEDED');
    expect(await h.quota(actor)).toMatchObject({ reservedBytes: 100 });
  });
});
