import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { AccessService } from '#libs/access';
import { UploadService } from '#libs/files';
import { type AccountActor, DomainError } from '#libs/kernel';
import { ShareDoor } from '#libs/shares';

import { type Member, SharingHarness } from './sharing-harness.js';
import { segments } from './tree-harness.js';

let house: SharingHarness;
let companyId: number;
let admin: Member;
let person: Member;
let colleague: Member;
let stranger: Member;

/** The rule that a refusal names, or its code. */
async function reasonOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'ok',
    (error: unknown) => (error instanceof DomainError ? (error.details['reason'] ?? error.code) : String(error)),
  );
}

async function settings(change: Record<string, unknown>): Promise<void> {
  await house.tree.database.run('UPDATE companies SET settings = $2::jsonb WHERE id = $1', [companyId, JSON.stringify(change)]);
}

beforeAll(async () => {
  house = await SharingHarness.start();
  companyId = await house.company();
  admin = await house.member(companyId, { admin: true });
  [person, colleague] = [await house.member(companyId), await house.member(companyId)];
  stranger = await house.member(await house.company());
});
afterAll(() => house?.close());

describe('folder_create_admin_only', () => {
  it('leaves making folders to administrators, on every way to one', async () => {
    const folder = (actor: AccountActor, path: string) => reasonOf(house.tree.folders.create(actor, { path: segments(path), createParents: false }));
    const upload = (actor: AccountActor, path: string) =>
      reasonOf(
        house.tree
          .service(UploadService)
          .create(actor, { path: segments(path), overwrite: false, createParents: true, multipart: false, sizeBytes: 1 }),
      );
    expect(await folder(person, '/before')).toBe('ok');
    const copied = (target: string) =>
      reasonOf(house.tree.copies.copy(person, { source: { path: ['before'] }, targetFolder: { path: segments(target) }, onConflict: 'rename' }));
    await settings({ folderCreateAdminOnly: true });
    expect(await folder(person, '/after')).toBe('folder_create_admin_only');
    const inside = (name: string) => reasonOf(house.tree.folders.createIn(person, { folder: { path: ['before'] }, name }));
    expect(await inside('in')).toBe('folder_create_admin_only');
    expect(await upload(person, '/after/a.txt')).toBe('folder_create_admin_only');
    expect(await upload(person, '/before/a.txt')).toBe('ok');
    expect(await copied('/')).toBe('folder_create_admin_only');
    expect(await folder(admin, '/after')).toBe('ok');
    expect(await folder(stranger, '/after')).toBe('ok');
    await settings({});
    expect(await folder(person, '/after')).toBe('ok');
    expect(await copied('/')).toBe('ok');
  });
});

describe('sharing_outside_allow', () => {
  it('keeps shares among colleagues, also those that wait for an answer', async () => {
    await house.tree.folders.create(person, { path: ['team'], createParents: false });
    await house.tree.folders.create(person, { path: ['other'], createParents: false });
    const share = (member: string, more = {}) => reasonOf(house.add(person, '/team', { member, ...more }));
    const waiting = await house.add(person, '/other', { member: `email:${stranger.email}` });
    const open = await house.add(person, '/other', { publicView: true });
    const looks = async () => {
      const { actor } = await house.service(ShareDoor).byHash(open.hash!, null);
      return reasonOf(house.service(AccessService).require(actor, 'node.read', [await house.tree.get(person, '/other')]));
    };
    expect(await looks()).toBe('ok');
    await settings({ sharingOutsideAllow: false });
    expect(await share(`email:${colleague.email}`)).toBe('ok');
    expect(await share(`email:${stranger.email}`)).toBe('sharing_outside_allow');
    expect(await share('email:nobody-yet@example.org')).toBe('sharing_outside_allow');
    expect(await share(`userid:${stranger.accountId}`)).toBe('ACCOUNT_NOT_FOUND');
    expect(await reasonOf(house.add(person, '/team', { publicView: true }))).toBe('sharing_outside_allow');
    // who only has the hash looks no more at what was open to anybody
    expect(await looks()).toBe('NODE_NOT_FOUND');
    expect(await reasonOf(house.answers.accept(stranger, waiting.hash!))).toBe('sharing_outside_allow');
    const late = await house.member(await house.company());
    expect(await reasonOf(house.answers.accept(late, open.hash!))).toBe('sharing_outside_allow');
    expect(await reasonOf(house.answers.accept(colleague, open.hash!))).toBe('ok');
    await settings({});
    expect(await reasonOf(house.answers.accept(stranger, waiting.hash!))).toBe('ok');
    // who is in already stays
    await settings({ sharingOutsideAllow: false });
    expect(await reasonOf(house.answers.accept(stranger, waiting.hash!))).toBe('ok');
    await settings({});
  });
});

describe('company_folder_creation_allow and folder_limit_creation_allow', () => {
  it('leave offers and limits to administrators', async () => {
    await house.tree.folders.create(person, { path: ['offer'], createParents: false });
    await house.tree.folders.create(admin, { path: ['offer'], createParents: false });
    const offer = (actor: AccountActor) => reasonOf(house.offers.publish(actor, { path: ['offer'] }));
    const limit = (actor: AccountActor, ownerId?: number) => reasonOf(house.shares.limit(actor, { path: ['offer'], limitBytes: 1_000_000, ownerId }));
    await settings({ companyFolderCreationAllow: false, folderLimitCreationAllow: false });
    expect(await offer(person)).toBe('company_folder_creation_allow');
    expect(await limit(person)).toBe('folder_limit_creation_allow');
    expect(await reasonOf(house.add(person, '/offer', { member: `email:${colleague.email}`, limitBytes: 1_000_000 }))).toBe(
      'folder_limit_creation_allow',
    );
    expect(await offer(admin)).toBe('ok');
    expect(await limit(admin)).toBe('ok');
    expect(await limit(admin, person.accountId)).toBe('ok');
    await settings({});
    expect(await offer(person)).toBe('ok');
    expect(await limit(person)).toBe('ok');
  });
});
