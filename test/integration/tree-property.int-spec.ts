import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { MoveManyService } from '#libs/files';
import { type AccountActor, isDomainError } from '#libs/kernel';
import { NodeResolver, SpaceService } from '#libs/nodes';

import { type Member, SharingHarness } from './sharing-harness.js';
import { at, segments, TreeHarness } from './tree-harness.js';

const SECONDS = 12;
const LANES = 5;
/** Accounts that share with each other; each works in two lanes. */
const PEOPLE = 3;

type Action =
  | { readonly kind: 'folder' | 'file' | 'version' | 'trash' | 'erase' | 'undelete'; readonly path: string }
  | { readonly kind: 'move' | 'copy'; readonly path: string; readonly target: string; readonly force: boolean }
  | { readonly kind: 'rename'; readonly path: string; readonly name: string }
  | { readonly kind: 'trashMany'; readonly paths: readonly string[] }
  | { readonly kind: 'moveMany'; readonly paths: readonly string[]; readonly target: string }
  | { readonly kind: 'restore'; readonly pick: number; readonly force: boolean }
  | { readonly kind: 'clear' | 'purge' };

// Few names, so that actors meet; case variants, so that keys matter.
const name = fc.constantFrom('a', 'b', 'B', 'f.txt', 'a (1)');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `/${names.join('/')}`);
const folderPath = fc.array(name, { minLength: 0, maxLength: 2 }).map((names) => `/${names.join('/')}`);

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('folder' as const, 'file' as const, 'file' as const, 'version' as const), path }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('trash' as const, 'erase' as const, 'undelete' as const), path }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('move' as const, 'copy' as const), path, target: folderPath, force: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('rename' as const), path, name }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('trashMany' as const), paths: fc.array(path, { minLength: 2, maxLength: 4 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('moveMany' as const), paths: fc.array(path, { minLength: 2, maxLength: 4 }), target: folderPath }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('restore' as const), pick: fc.nat(50), force: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('clear' as const, 'purge' as const) }) },
);

async function perform(tree: TreeHarness, actor: AccountActor, todo: Action): Promise<void> {
  switch (todo.kind) {
    case 'folder':
      await tree.folder(actor, todo.path);
      return;
    case 'file':
      await tree.file(actor, todo.path, { bytes: 1 + todo.path.length });
      return;
    case 'version':
      await tree.newVersion(actor, todo.path, 100);
      return;
    case 'trash':
    case 'erase':
      await tree.trash.trash(actor, { nodes: [at(todo.path)], onlyEmpty: false, permanent: todo.kind === 'erase' });
      return;
    case 'trashMany':
      await tree.trash.trash(actor, { nodes: todo.paths.map(at), onlyEmpty: false, permanent: false });
      return;
    case 'moveMany': {
      const found = await Promise.all([todo.target, ...todo.paths].map((one) => tree.service(NodeResolver).find(actor, at(one))));
      const [target, ...ids] = found.flatMap((placed) => (placed ? [placed.node.id] : []));
      if (found[0] && ids.length > 0) await tree.service(MoveManyService).move(actor, { sourceIds: [...new Set(ids)], targetFolderId: target! });
      return;
    }
    case 'undelete':
      await tree.trash.undelete(actor, { paths: [segments(todo.path)] });
      return;
    case 'move':
      await tree.moves.move(actor, { source: at(todo.path), targetFolder: at(todo.target), onConflict: todo.force ? 'replace' : 'fail' });
      return;
    case 'copy':
      await tree.copies.copy(actor, { source: at(todo.path), targetFolder: at(todo.target), onConflict: todo.force ? 'rename' : 'fail' });
      return;
    case 'rename':
      await tree.moves.rename(actor, { node: at(todo.path), name: todo.name });
      return;
    case 'restore': {
      const names = await tree.trashNames(actor);
      if (names.length === 0) return;
      const { publicId } = await tree.trash.startRestore(actor, {
        names: [names[todo.pick % names.length]!],
        onConflict: todo.force ? 'replace' : 'fail',
      });
      await tree.runTask('trash.restore', publicId);
      return;
    }
    case 'clear': {
      const { publicId } = await tree.trash.startClear(actor, { names: null });
      await tree.runTask('trash.clear', publicId);
      return;
    }
    case 'purge':
      await tree.purgeAll(actor);
  }
}

describe('random use of one tree by several at once', () => {
  let tree: TreeHarness;

  beforeAll(async () => {
    tree = await TreeHarness.start();
  });
  afterAll(() => tree.close());

  it('never breaks the tree, its counters or the quota', async () => {
    const seed = Number(process.env.STOWAGE_TEST_SEED ?? Date.now() % 2 ** 31);
    const refused = new Map<string, number>();
    let done = 0;
    let runs = 0;
    const property = fc.asyncProperty(
      fc.array(fc.array(action, { minLength: 15, maxLength: 40 }), { minLength: LANES, maxLength: LANES }),
      async (lanes) => {
        const actor = await tree.account();
        await Promise.all(
          lanes.map(async (todos) => {
            for (const todo of todos) {
              try {
                await perform(tree, actor, todo);
                done++;
              } catch (error) {
                if (!isDomainError(error) || error.code === 'INTERNAL')
                  throw new Error(`${JSON.stringify(todo)}: ${String(error)}`, { cause: error });
                refused.set(error.code, (refused.get(error.code) ?? 0) + 1);
              }
            }
          }),
        );
        runs++;
        expect(await tree.defects()).toEqual([]);
        await tree.purgeAll(actor);
        expect(await tree.defects()).toEqual([]);
        const { spaceId } = await tree.service(SpaceService).homeOf(actor.accountId);
        const left = await tree.database.query('SELECT id FROM nodes WHERE space_id = $1 AND removal IN ($2, $3)', [spaceId, 'purging', 'staged']);
        expect(left).toEqual([]);
      },
    );
    try {
      await fc.assert(property, {
        seed,
        numRuns: 100_000,
        interruptAfterTimeLimit: SECONDS * 1000,
        markInterruptAsFailure: false,
        endOnFailure: true,
      });
    } finally {
      process.stdout.write(
        `tree property: seed ${seed}, ${runs} runs, ${done} actions done, refused ${JSON.stringify(Object.fromEntries(refused))}\n`,
      );
    }
    expect(runs).toBeGreaterThan(1);
    expect(done).toBeGreaterThan(100);
    expect(refused.get('BUSY') ?? 0).toBeLessThan(done / 20);
  });
});

type SharedAction = Action | { readonly kind: 'share' | 'unshare' | 'limit'; readonly path: string; readonly to: number };

// Places that everybody has, or often comes to have.
const place = fc.constantFrom('/a', '/a/b', '/a (1)', '/a (1)/b', '/b', '/a/f.txt', '/a (1)/f.txt');

const shared: fc.Arbitrary<SharedAction> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('move' as const, 'copy' as const, 'move' as const),
      path: place,
      target: fc.oneof(place, fc.constant('/')),
      force: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('folder' as const, 'file' as const, 'undelete' as const), path: place }) },
  { weight: 12, arbitrary: action },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('share' as const), path: place, to: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('unshare' as const, 'limit' as const), path, to: fc.nat(2) }) },
);

describe('random use of trees that are shared', () => {
  let house: SharingHarness;

  beforeAll(async () => {
    house = await SharingHarness.start();
  });
  afterAll(() => house.close());

  async function act(people: readonly Member[], actor: Member, todo: SharedAction): Promise<void> {
    if (!('to' in todo)) await perform(house.tree, actor, todo);
    else if (todo.kind === 'share') await house.give(actor, todo.path, people[todo.to]!, true);
    else if (todo.kind === 'unshare') await house.shares.unshare(actor, { path: segments(todo.path) });
    else await house.shares.limit(actor, { path: segments(todo.path), limitBytes: 20 + todo.to * 40 });
  }

  it('never breaks the trees, their mounts, limits or quotas', async () => {
    const seed = Number(process.env.STOWAGE_TEST_SEED ?? Date.now() % 2 ** 31);
    const refused = new Map<string, number>();
    const counts = new Map<string, number>();
    let mounts = 0;
    const property = fc.asyncProperty(
      fc.array(fc.array(shared, { minLength: 10, maxLength: 30 }), { minLength: 2 * PEOPLE, maxLength: 2 * PEOPLE }),
      async (lanes) => {
        const people = await Promise.all(Array.from({ length: PEOPLE }, () => house.member()));
        // So that there is something to meet in from the first step on.
        for (const actor of people) await house.tree.folder(actor, '/a/b');
        for (const [index, actor] of people.entries()) {
          await house.give(actor, '/a', people[(index + 1) % PEOPLE]!, true);
        }
        await Promise.all(
          lanes.map(async (todos, lane) => {
            for (const todo of todos) {
              try {
                await act(people, people[lane % PEOPLE]!, todo);
                counts.set(todo.kind, (counts.get(todo.kind) ?? 0) + 1);
              } catch (error) {
                if (!isDomainError(error) || error.code === 'INTERNAL')
                  throw new Error(`${JSON.stringify(todo)}: ${String(error)}`, { cause: error });
                refused.set(error.code, (refused.get(error.code) ?? 0) + 1);
              }
            }
          }),
        );
        mounts += (await house.tree.database.query('SELECT id FROM nodes WHERE mount_of IS NOT NULL')).length;
        expect(await house.defects()).toEqual([]);
        for (const actor of people) await house.tree.purgeAll(actor);
        expect(await house.defects()).toEqual([]);
        for (const actor of people) await house.tree.names(actor, '/');
      },
    );
    try {
      await fc.assert(property, {
        seed,
        numRuns: 100_000,
        interruptAfterTimeLimit: SECONDS * 1000,
        markInterruptAsFailure: false,
        endOnFailure: true,
      });
    } finally {
      const told = JSON.stringify({ done: Object.fromEntries(counts), refused: Object.fromEntries(refused), mounts });
      process.stdout.write(`shared trees property: seed ${seed}, ${told}\n`);
    }
    for (const kind of ['share', 'move', 'moveMany', 'copy', 'trash', 'restore', 'purge']) expect(counts.get(kind) ?? 0).toBeGreaterThan(0);
    expect(mounts).toBeGreaterThan(0);
  });
});
