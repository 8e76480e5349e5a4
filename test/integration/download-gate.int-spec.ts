import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { DownloadGate, SignedUrls } from '#libs/blob-store';
import { DownloadService } from '#libs/files';
import type { Client } from '#libs/kernel';

import { countStatements } from '../support/statement-count.js';
import { type Member, SharingHarness } from './sharing-harness.js';
import { at, codeOf } from './tree-harness.js';

let house: SharingHarness;
let gate: DownloadGate;
const client: Client = { kind: 'other', address: '192.0.2.7' };

beforeAll(async () => {
  house = await SharingHarness.start();
  gate = house.tree.app.get(DownloadGate, { strict: false });
});
afterAll(() => house?.close());

/** What a URL of `files/get` was signed for. */
async function passOf(actor: Member, path: string) {
  const request = { node: at(path), inline: false, includeRemoved: false };
  const { url } = await house.tree.service(DownloadService).link(actor, request);
  const { pathname, search } = new URL(url);
  return house.tree.app.get(SignedUrls, { strict: false }).verify('GET', `${pathname}${search}`).pass!;
}

describe('the judge of download URLs', () => {
  it('asks what the download itself asked, and little more than nothing for the next ranges', async () => {
    const [owner, member, stranger] = [await house.member(), await house.member(), await house.member()];
    await house.tree.file(owner, '/plan/a.txt');
    await house.give(owner, '/plan', member);
    const [own, shared] = [await passOf(owner, '/plan/a.txt'), await passOf(member, '/plan/a.txt')];
    await gate.judge(own, client);
    await gate.judge(shared, client);
    expect(await countStatements(() => gate.judge(own, client))).toBeLessThanOrEqual(1);
    expect(await countStatements(() => gate.judge(shared, client))).toBeLessThanOrEqual(2);
    const { holder } = await passOf(stranger, await house.tree.file(stranger, '/own.txt').then(() => '/own.txt'));
    expect(await codeOf(gate.judge({ ...own, holder }, client))).toBe('NODE_NOT_FOUND');
    await house.shares.remove(owner, { path: ['plan'], member: `email:${member.email}` });
    expect(await codeOf(gate.judge(shared, client))).toBe('NODE_NOT_FOUND');
    await gate.judge(own, client);
    for (const text of ['', 'x', `${holder}x`, holder.replace('~other', '')])
      expect(await codeOf(gate.judge({ ...own, holder: text }, client))).toBe('FORBIDDEN');
  });
});
