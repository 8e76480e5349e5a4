import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { AccountActor } from '#libs/kernel';
import { NodeRepository, SpaceService } from '#libs/nodes';

import { withStatements } from '../support/statement-count.js';
import { mustBeRefused, tortureNames, tortureTimes } from '../support/torture.js';
import { at, codeOf, segments, TreeHarness } from './tree-harness.js';

describe('paths, names and folders', () => {
  let tree: TreeHarness;
  let anna: AccountActor;

  beforeAll(async () => {
    tree = await TreeHarness.start();
    anna = await tree.account();
  });
  afterAll(async () => {
    expect(await tree.defects()).toEqual([]);
    await tree.close();
  });

  it('make a home once, however many ask for it at once', async () => {
    const ben = await tree.account();
    const homes = await Promise.all(Array.from({ length: 8 }, () => tree.service(SpaceService).homeOf(ben.accountId)));
    expect(new Set(homes.map((home) => home.spaceId)).size).toBe(1);
    expect((await tree.get(ben, '/')).path).toBe('/');
  });

  it('resolve a path of any depth in one statement and tell the deepest folder that exists', async () => {
    const deep = Array.from({ length: 40 }, (_, index) => `Level ${index}`);
    await tree.folder(anna, deep.join('/'));
    const { spaceId } = await tree.service(SpaceService).homeOf(anna.accountId);
    const { result, statements } = await withStatements(() =>
      tree.service(NodeRepository).resolvePath(spaceId, [...deep.map((name) => name.toUpperCase()), 'no', 'such'], anna.accountId),
    );
    expect(statements).toHaveLength(1);
    expect(result.missing).toEqual(['no', 'such']);
    expect(result.placed.node.path).toBe(`/${deep.join('/')}`);
    expect(result.placed.chain).toHaveLength(41);
    const many = await withStatements(() =>
      tree.service(NodeRepository).resolveMany(spaceId, [deep, ['Level 0', 'x'], [], deep.slice(0, 3), ['\ud800'], ['a\0b']], anna.accountId),
    );
    expect(many.statements).toHaveLength(1);
    expect(many.result.map(({ placed, missing }) => [placed.chain.length, missing.length])).toEqual([
      [41, 0],
      [2, 1],
      [1, 0],
      [4, 0],
      [1, 1],
      [1, 1],
    ]);
  });

  it('keep names as typed and find them without regard to case and composition', async () => {
    await tree.folder(anna, '/names/Straße É');
    expect((await tree.get(anna, '/NAMES/straße e\u0301')).path).toBe('/names/Straße É');
    expect(await codeOf(tree.folder(anna, '/names/STRAßE \u00e9'))).toBe('NAME_TAKEN');
    await tree.folder(anna, '/names/ΣΑΣ');
    expect((await tree.get(anna, '/names/σας')).name).toBe('ΣΑΣ');
    expect((await tree.get(anna, '/names/σασ')).name).toBe('ΣΑΣ');
  });

  it('round-trip torture names or refuse them with a reason', async () => {
    const names = tortureNames(400, 7);
    let kept = 0;
    for (const name of names) {
      const made = await tree.folders
        .create(anna, { path: ['torture', name], createParents: true })
        .catch((error: { code: string; details: object }) => error);
      if (mustBeRefused(name)) {
        expect(made, JSON.stringify(name)).toMatchObject({ code: 'NAME_ILLEGAL', details: { reason: expect.any(String) as string } });
        continue;
      }
      if ('code' in made) {
        expect(made.code, JSON.stringify(name)).toBe('NAME_TAKEN');
        continue;
      }
      kept++;
      const back = await tree.browse.get(anna, { node: { path: ['torture', name] } });
      expect(back.name).toBe(name);
      expect(back.path).toBe(`/torture/${name}`);
      expect(back.id).toBe(made.id);
    }
    expect(kept).toBeGreaterThan(200);
    expect(new Set(await tree.names(anna, '/torture')).size).toBe(kept);
  });

  it('keep a thousand client dates, also those before the epoch', async () => {
    const times = tortureTimes(1000, 3);
    await Promise.all(
      Array.from({ length: 8 }, async (_, lane) => {
        for (let index = lane; index < times.length; index += 8) {
          await tree.file(anna, `/times/${index}`, { createdMs: times[index]!, modifiedMs: times[(index + 1) % times.length]! });
        }
      }),
    );
    await tree.moves.move(anna, { source: at('/times'), targetFolder: at('/names'), onConflict: 'fail' });
    const copy = await tree.copies.copy(anna, { source: at('/names/times'), targetFolder: at('/'), onConflict: 'fail' });
    expect(copy.path).toBe('/times');
    for (const path of ['/times', '/names/times']) {
      const { entries } = await tree.browse.list(anna, {
        node: at(path),
        dirsOnly: false,
        includeRemoved: false,
        orderBy: 'modified',
        descending: false,
        offset: 0,
        limit: 0,
      });
      expect(entries).toHaveLength(times.length);
      for (const entry of entries) {
        const index = Number(entry.name);
        const [created, modified] = [times[index], times[(index + 1) % times.length]];
        expect([entry.clientCreatedMs, entry.clientModifiedMs, entry.createdMs, entry.modifiedMs]).toEqual([created, modified, created, modified]);
      }
      expect(entries.map((entry) => entry.modifiedMs)).toEqual([...times].sort((a, b) => a - b));
    }
  });

  it('make parents on demand, for every one of many who make the same path at once', async () => {
    expect(await codeOf(tree.folders.create(anna, { path: segments('/p/q/r'), createParents: false }))).toBe('PARENT_NOT_FOUND');
    await Promise.all(Array.from({ length: 24 }, (_, index) => tree.folder(anna, `/same/a/b/c/${index % 12}/${index}`)));
    expect(await tree.names(anna, '/same/a/b/c')).toHaveLength(12);
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, () =>
        tree.folder(anna, '/race/x/y').then(
          () => 'made',
          (error: { code: string }) => error.code,
        ),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'made')).toHaveLength(1);
    expect(new Set(outcomes)).toEqual(new Set(['made', 'NAME_TAKEN']));
  });

  it('refuse folders that cannot be', async () => {
    await tree.file(anna, '/plain.txt');
    expect(await codeOf(tree.folder(anna, '/plain.txt/x'))).toBe('NOT_A_FOLDER');
    expect(await codeOf(tree.folder(anna, '/PLAIN.txt'))).toBe('NAME_TAKEN');
    expect(await codeOf(tree.folder(anna, '/'))).toBe('NAME_TAKEN');
    expect(await codeOf(tree.folder(anna, '/x', { clientCreatedMs: 1.5 }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(tree.folder(anna, '/x', { clientModifiedMs: 9e15 }))).toBe('INVALID_ARGUMENT');
    await tree.folder(anna, Array.from({ length: 128 }, () => 'd').join('/'));
    expect(await codeOf(tree.folder(anna, Array.from({ length: 129 }, () => 'd').join('/')))).toBe('TREE_TOO_DEEP');
  });
});
