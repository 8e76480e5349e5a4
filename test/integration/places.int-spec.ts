import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Identities } from '#libs/accounts';
import { FolderService, UploadTickets } from '#libs/files';
import type { AccountActor } from '#libs/kernel';
import { PlaceActions, PlaceReader, PlacesModule } from '#libs/places';

import { countStatements } from '../support/statement-count.js';
import { type BytesHarness, startBytes } from './bytes-harness.js';

let bytes: BytesHarness;
let reader: PlaceReader;
let actions: PlaceActions;
let folders: FolderService;
let tickets: UploadTickets;

const service = <T>(type: abstract new (...args: never[]) => T): T => bytes.app.get<T>(type, { strict: false });
const HOME = { place: 'home', ownerId: null } as const;
const INCOMING = { place: 'incoming', ownerId: null } as const;

beforeAll(async () => {
  bytes = await startBytes({}, undefined, [PlacesModule]);
  [reader, actions, folders, tickets] = [service(PlaceReader), service(PlaceActions), service(FolderService), service(UploadTickets)];
});
afterAll(() => bytes?.close());

async function publicId({ accountId }: AccountActor): Promise<string> {
  return (await service(Identities).of([accountId])).get(accountId)!.publicId;
}

const names = async (actor: AccountActor, spot: Parameters<PlaceReader['list']>[1]) => (await reader.list(actor, spot)).map(({ node }) => node.name);

describe('reading places', () => {
  it('takes as many statements for many entries as for one, and makes nothing', async () => {
    const actor = await bytes.account({});
    const parent = await folders.create(actor, { path: ['parent'], createParents: true });
    await folders.create(actor, { path: ['parent', 'one'], createParents: true });
    const statements = () => countStatements(() => reader.list(actor, { id: parent.id }));
    const few = await statements();
    for (let at = 0; at < 40; at++) await folders.create(actor, { path: ['parent', `n${at}`], createParents: true });
    expect(await statements()).toBe(few);
    expect(few).toBeLessThanOrEqual(4);
    const deep = await folders.create(actor, { path: ['parent', 'a', 'b', 'c', 'd'], createParents: true });
    expect(await countStatements(() => reader.way(actor, { id: deep.id }))).toBeLessThanOrEqual(4);
    expect(await names(actor, INCOMING)).toEqual([]);
    expect(await names(actor, HOME)).toEqual(['parent']);
  });
});

describe('tickets', () => {
  it('let in one of many that come at once, and end with their time', async () => {
    const actor = await bytes.account({});
    const { id } = await folders.create(actor, { path: ['t'], createParents: true });
    const issued = Date.now();
    const ticket = await tickets.issue(actor, { node: { id }, lifeMs: 5_000 });
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => tickets.redeem(ticket, issued)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'UPLOAD_NOT_FOUND' } });
    const late = await tickets.issue(actor, { node: { id }, lifeMs: 5_000 });
    await expect(tickets.redeem(late, Date.now() + 5_001)).rejects.toMatchObject({ code: 'UPLOAD_NOT_FOUND' });
    expect(await tickets.redeem(late, Date.now() + 4_000)).toMatchObject({ target: { id } });
  });
});

describe('deliveries', () => {
  it('reach everybody or nobody', async () => {
    const [sender, roomy, full] = [await bytes.account({}), await bytes.account({}), await bytes.account({ limitBytes: 3 })];
    const file = await bytes.upload(sender, '/gift.bin', Buffer.from('12345'));
    const both = [await publicId(roomy), await publicId(full)];
    await expect(actions.deliver(sender, { id: file.id }, both)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    expect([await names(roomy, HOME), await names(roomy, INCOMING), await names(full, INCOMING)]).toEqual([[], [], []]);
    await actions.deliver(sender, { id: file.id }, both.slice(0, 1));
    expect([await names(roomy, HOME), await names(roomy, INCOMING)]).toEqual([['Incoming'], ['gift.bin']]);
    await expect(actions.deliver(sender, { id: file.id }, [])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(actions.deliver(full, { id: file.id }, both)).rejects.toMatchObject({ code: 'NODE_NOT_FOUND' });
  });
});
