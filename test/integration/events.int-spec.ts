import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { BlobStore } from '#libs/blob-store';
import { EventLogTask, ExpireEventsJob, NoticeService } from '#libs/events';
import { type AccountActor, newId } from '#libs/kernel';
import { type LocatedNode, NodeResolver } from '#libs/nodes';

import { countStatements } from '../support/statement-count.js';
import { EventsHarness } from './events-harness.js';
import { codeOf, context } from './tree-harness.js';

let house: EventsHarness;
beforeAll(async () => {
  house = await EventsHarness.start();
});
afterAll(async () => house?.close());

describe('a feed of one viewer', () => {
  let owner: AccountActor, member: AccountActor, stranger: AccountActor;
  let project: LocatedNode, inner: LocatedNode, second: LocatedNode;

  beforeEach(async () => {
    [owner, member, stranger] = [await house.account('Olga'), await house.account('Max'), await house.account()];
    project = await house.folder(owner, '/work/project');
    inner = await house.folder(owner, '/work/project/inner');
    second = await house.folder(owner, '/second');
    await house.folder(member, '/from others');
  });

  it("holds the events of a shared folder by the viewer's own paths, from the acceptance on, and nothing of strangers", async () => {
    const start = await house.feed.now();
    await house.create(owner, project, 'before');
    await new Promise((resolve) => setTimeout(resolve, 5));
    const mountId = await house.share(project, member, '/from others/Project');
    await house.create(owner, inner, 'x');
    await house.create(owner, second, 'private');
    expect(await house.seen(owner, start)).toEqual([
      'folder_created /work/project/before',
      'folder_created /work/project/inner/x',
      'folder_created /second/private',
    ]);
    expect(await house.seen(member, start)).toEqual(['folder_created /from others/Project/inner/x']);
    expect(await house.seen(stranger, start)).toEqual([]);
    const [event] = await house.feed.list(member.accountId, { skip: 0, limit: 10 });
    expect(event).toMatchObject({ actorId: owner.accountId, actorName: 'Olga', ownerName: 'Olga', viewerId: member.accountId });
    // the mount's present place counts
    await house.database.run(`UPDATE nodes SET name = 'Renamed', name_key = 'renamed' WHERE id = $1`, [mountId]);
    expect(await house.seen(member, start)).toEqual(['folder_created /from others/Renamed/inner/x']);
  });

  it('ends with the right to read: revoked, out of the group, mount in the trash', async () => {
    const start = await house.feed.now();
    const company = (await house.database.queryOne<{ id: number }>(`INSERT INTO companies (name) VALUES ('c') RETURNING id`))!.id;
    const group = (await house.database.queryOne<{ id: number }>(
      `INSERT INTO groups (company_id, name, name_key) VALUES ($1, 'g', 'g') RETURNING id`,
      [company],
    ))!.id;
    await house.database.run('INSERT INTO group_members (group_id, account_id) VALUES ($1, $2)', [group, member.accountId]);
    await house.share(project, member, '/P', group);
    await house.share(second, stranger, '/S');
    await house.create(owner, project, 'x');
    await house.create(owner, second, 'y');
    expect(await house.seen(member, start)).toEqual(['folder_created /P/x']);
    await house.database.run('DELETE FROM group_members WHERE account_id = $1', [member.accountId]);
    expect(await house.seen(member, start)).toEqual([]);
    expect(await house.feed.list(member.accountId, { skip: 0, limit: 10 })).toEqual([]);
    expect(await house.seen(stranger, start)).toEqual(['folder_created /S/y']);
    await house.database.run('DELETE FROM grants WHERE node_id = $1', [second.id]);
    expect(await house.seen(stranger, start)).toEqual([]);
    expect(await house.feed.count(stranger.accountId, {})).toBe(0);
  });

  it('tells an event once when several of the feeds have it, and a move between two shared folders as a move', async () => {
    await house.share(project, member, '/P');
    await house.share(inner, member, '/I');
    await house.share(second, member, '/S');
    const start = await house.feed.now();
    await house.create(owner, inner, 'x');
    await house.move(owner, inner, project, second, 'thing');
    expect(await house.seen(member, start)).toEqual(['folder_created /P/inner/x', 'folder_moved /P/thing -> /S/thing']);
    const all = await house.feed.list(member.accountId, { skip: 0, limit: 10 });
    expect(all).toHaveLength(2);
    expect(new Set(all.map((event) => event.id)).size).toBe(2);
    expect(all[0]!.facts).not.toHaveProperty('half');
    expect(await house.feed.count(member.accountId, { types: ['folder_moved'] })).toBe(1);
    expect(await house.feed.count(member.accountId, { types: ['folder_deleted', 'folder_created'] })).toBe(1);
  });

  it('tells a move over the border of a share as coming and going, without the other side', async () => {
    await house.share(project, member, '/P');
    const start = await house.feed.now();
    await house.move(owner, inner, second, project, 'came');
    await house.move(owner, inner, project, second, 'went');
    expect(await house.seen(member, start)).toEqual(['folder_created /P/came', 'folder_deleted /P/went']);
    expect(await house.seen(owner, start)).toEqual([
      'folder_moved /second/came -> /work/project/came',
      'folder_moved /work/project/went -> /second/went',
    ]);
    const events = await house.feed.list(member.accountId, { skip: 0, limit: 10 });
    for (const event of events) expect(JSON.stringify(event)).not.toContain('second');
    expect(events[0]!.facts).not.toHaveProperty('old');
  });

  it('shows a link to the one who made it and to nobody else', async () => {
    await house.share(project, member, '/P');
    await house.unitOfWork.run(() =>
      house.log.record([
        { type: 'link_created', actorId: owner.accountId, node: inner, folderId: project.id, name: 'inner', facts: { public_hash: 'secret' } },
      ]),
    );
    const hashOf = async (actor: AccountActor) => (await house.feed.list(actor.accountId, { skip: 0, limit: 1 }))[0]!.facts.public_hash;
    expect([await hashOf(owner), await hashOf(member)]).toEqual(['secret', undefined]);
  });

  it('pages with several feeds lose and repeat nothing', async () => {
    await house.share(project, member, '/P');
    await house.share(second, member, '/S');
    const root = await house.service(NodeResolver).get(member, { path: [] });
    const start = await house.feed.now();
    const expected: string[] = [];
    for (let index = 0; index < 60; index++) {
      const [actor, folder, prefix] =
        index % 7 === 0 ? ([member, root.node, ''] as const) : index % 5 === 0 ? ([owner, second, '/S'] as const) : ([owner, project, '/P'] as const);
      await house.create(actor, folder, `${index}`);
      expected.push(`${prefix}/${index}`);
    }
    const found: string[] = [];
    let cursor = start;
    for (let more = true; more;) {
      const delivery = await house.feed.after(member.accountId, cursor, 4);
      found.push(...delivery.events.map((event) => event.path));
      ({ cursor, more } = delivery);
    }
    expect(found).toEqual(expected);
    const backwards: string[] = [];
    for (let skip = 0; skip < 70; skip += 7)
      backwards.push(...(await house.feed.list(member.accountId, { skip, limit: 7 })).map((event) => event.path));
    expect(backwards.reverse()).toEqual(expected);
    expect(await house.feed.count(member.accountId, {})).toBe(60);
  });

  it('filters by type, person and time', async () => {
    await house.share(project, member, '/P');
    await house.create(owner, project, 'a');
    await house.create(member, project, 'b');
    const middle = Date.now() + 1;
    await new Promise((resolve) => setTimeout(resolve, 10));
    await house.move(member, inner, project, inner, 'c');
    const paths = async (filter: object) => (await house.feed.list(member.accountId, { skip: 0, limit: 10, ...filter })).map((event) => event.path);
    expect(await paths({ person: 'me' })).toEqual(['/P/inner/c', '/P/b']);
    expect(await paths({ person: 'other' })).toEqual(['/P/a']);
    expect(await paths({ types: ['folder_moved', 'file_created'] })).toEqual(['/P/inner/c']);
    expect(await paths({ types: [] })).toEqual([]);
    expect(await paths({ fromMs: middle })).toEqual(['/P/inner/c']);
    expect(await paths({ toMs: middle })).toEqual(['/P/b', '/P/a']);
    expect(await house.feed.count(member.accountId, { person: 'me', toMs: middle })).toBe(1);
  });

  it('takes one statement for any number of readers, feeds and events', async () => {
    const statements = async (work: () => Promise<unknown>) => countStatements(work);
    const start = await house.feed.now();
    const few = await statements(() => house.feed.afterMany([{ accountId: member.accountId, cursor: start }], 100));
    await house.share(project, member, '/P');
    await house.share(second, member, '/S');
    for (let index = 0; index < 20; index++) await house.create(owner, index % 2 ? project : second, `${index}`);
    const readers = [owner, member, stranger].map(({ accountId }) => ({ accountId, cursor: start }));
    expect([few, await statements(() => house.feed.afterMany(readers, 100))]).toEqual([1, 1]);
    expect(await statements(() => house.feed.list(member.accountId, { skip: 0, limit: 100 }))).toBe(1);
    expect(await statements(() => house.feed.count(member.accountId, {}))).toBe(1);
  });

  it('refuses cursors that it did not give', async () => {
    const bad = [
      '',
      'x',
      '1',
      '0:0:',
      '1:1',
      '5:3:',
      '1:9:0',
      '1:9:3,3',
      '1:9:4,2',
      '1:9:9',
      '9223372036854775808:9223372036854775808:',
      '1:9:;1:9:',
      '1:9:;1:9:;1',
      '1:9:;9:1:;1-1',
      '1:9:;1:9:;1-9223372036854775808',
      `1:9:${'2,'.repeat(9000)}3`,
      "1:1:'; DROP TABLE nodes",
    ];
    for (const cursor of bad) expect([cursor, await codeOf(house.feed.after(owner.accountId, cursor, 10))]).toEqual([cursor, 'INVALID_ARGUMENT']);
    for (const cursor of ['1:1:', '1:9:1,3', '9223372036854775807:9223372036854775807:', '1:9:;1:9:1;1-0'])
      expect((await house.feed.after(owner.accountId, cursor, 10)).events).toEqual([]);
  });

  it('is written to a CSV that spreadsheets cannot mistake, and cleared after its time', async () => {
    await house.create(owner, project, '=1+1, "x"');
    const task = house.service(EventLogTask);
    const result = await task.run({}, context(owner.accountId));
    expect(result.events).toBe(1);
    const chunks: Buffer[] = [];
    for await (const chunk of await house.service(BlobStore).getRange(result.storeKey)) chunks.push(chunk as Buffer);
    const [head, row] = Buffer.concat(chunks).toString().split('\r\n');
    expect(head).toBe('time,type,path,old_path,user_id,user_name,owner_name,size,version');
    expect(row).toContain(`,folder_created,"/work/project/=1+1, ""x""",,${owner.accountId},Olga,Olga,,`);
    await house.database.run('UPDATE change_events SET at_ms = 1000');
    await house.create(owner, project, 'young');
    await house.service(ExpireEventsJob).handle({}, { signal: new AbortController().signal });
    expect((await house.feed.list(owner.accountId, { skip: 0, limit: 10 })).map((event) => event.path)).toEqual(['/work/project/young']);
  });
});

describe('a reader among transactions', () => {
  it('gets what is committed at once, and what an older transaction wrote when that ends', async () => {
    const actor = await house.account();
    const folder = await house.folder(actor, '/f');
    const older = new pg.Client(house.url);
    await older.connect();
    try {
      await older.query('BEGIN');
      await older.query(
        `INSERT INTO change_events (scope_id, seq, event_id, type, path, at_ms) OVERRIDING SYSTEM VALUE
         SELECT $1, nextval('change_events_seq_seq'), $2, 'folder_created', '/held', $3`,
        [folder.spaceId, newId(), Date.now()],
      );
      const start = await house.feed.now();
      await house.create(actor, folder, 'younger');
      await house.create(actor, folder, 'youngest');
      const first = await house.feed.after(actor.accountId, start, 10);
      expect(first.events.map((event) => event.path)).toEqual(['/f/younger', '/f/youngest']);
      expect(await house.seen(actor, first.cursor)).toEqual([]);
      await older.query('COMMIT');
      expect(await house.seen(actor, first.cursor)).toEqual(['folder_created /held']);
      // a reader who was cut off after the first event misses neither
      expect(await house.seen(actor, first.events[0]!.cursor!)).toEqual(['folder_created /f/youngest']);
      const next = await house.feed.after(actor.accountId, first.events[0]!.cursor!, 10);
      expect(await house.seen(actor, next.cursor)).toEqual(['folder_created /held']);
    } finally {
      await older.end();
    }
  });

  it('loses nothing while 8 writers commit and roll back in any order', async () => {
    const actor = await house.account();
    const folder = await house.folder(actor, '/f');
    let cursor = await house.feed.now();
    const found: string[] = [];
    const written: string[] = [];
    let writing = true;
    const writer = async (number: number) => {
      for (let index = 0; index < 40; index++) {
        const name = `${number}-${index}`;
        const work = house.unitOfWork.run(async () => {
          await house.log.record([{ type: 'folder_created', actorId: actor.accountId, node: folder, folderId: folder.id, name }]);
          if (Math.random() < 0.5) await house.database.query('SELECT pg_sleep($1)', [Math.random() * 0.02]);
          if (Math.random() < 0.1) throw new Error('rolled back');
        });
        await work.then(
          () => written.push(`/f/${name}`),
          () => undefined,
        );
      }
    };
    const reader = async () => {
      for (let pending = true; writing || pending;) {
        const last = !writing;
        const delivery = await house.feed.after(actor.accountId, cursor, 7);
        found.push(...delivery.events.map((event) => event.path));
        cursor = delivery.cursor;
        pending = delivery.more || !last;
      }
    };
    const reading = reader();
    await Promise.all(Array.from({ length: 8 }, (_, number) => writer(number)));
    writing = false;
    await reading;
    expect(found).toHaveLength(written.length);
    expect(new Set(found)).toEqual(new Set(written));
  });
});

describe('notices for everybody', () => {
  it('are made by a system administrator and seen by each person once as new', async () => {
    const [user, other] = [await house.account(), await house.account()];
    const notices = house.service(NoticeService);
    expect(await codeOf(notices.announce(user, 'hello'))).toBe('FORBIDDEN');
    const admin: AccountActor = { ...(await house.account('Root')), role: 'admin' };
    for (const text of ['', 'x'.repeat(9_000)]) expect(await codeOf(notices.announce(admin, text))).toBe('INVALID_ARGUMENT');
    await notices.announce(admin, 'Maintenance on Sunday');
    const expected = { type: 'global', behavior: 'static', text: 'Maintenance on Sunday', action: 'announcement', actorName: 'Root' };
    expect(await notices.list(user, {})).toEqual([expect.objectContaining({ ...expected, status: 'new' })]);
    expect(await notices.list(user, { type: 'global' })).toEqual([expect.objectContaining({ ...expected, status: 'viewed' })]);
    expect(await notices.list(other, { status: 'new' })).toHaveLength(1);
    expect(await notices.list(other, { status: 'new' })).toHaveLength(0);
    expect(await notices.list(await house.account('late'), {})).toEqual([]);
  });
});
