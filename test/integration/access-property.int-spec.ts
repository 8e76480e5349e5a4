import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { AccessService, FULL_RIGHT, GrantService, InvitationService, type Right, type Subject } from '#libs/access';
import { isDomainError } from '#libs/kernel';
import type { NodeView } from '#libs/nodes';

import { type Member, SharingHarness } from './sharing-harness.js';
import { at } from './tree-harness.js';

const PEOPLE = 4;
/** Every owner's tree; grants may be on any folder of it. */
const FOLDERS = ['/a', '/a/b', '/a/b/c', '/a/d', '/e', '/e/f'];

type Deed =
  | {
      readonly kind: 'grant';
      readonly owner: number;
      readonly folder: string;
      readonly to: number | 'group';
      readonly right: Right;
      readonly accept: boolean;
    }
  | { readonly kind: 'revoke'; readonly owner: number; readonly folder: string; readonly to: number | 'group' }
  | { readonly kind: 'leave'; readonly owner: number; readonly folder: string; readonly who: number }
  | { readonly kind: 'trash'; readonly owner: number; readonly folder: string };

const who = fc.nat(PEOPLE - 1);
const folder = fc.constantFrom(...FOLDERS);
const to = fc.oneof({ weight: 3, arbitrary: who }, { weight: 1, arbitrary: fc.constant('group' as const) });
const right = fc.record({ write: fc.boolean(), delete: fc.boolean(), download: fc.boolean() });
const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('grant' as const),
      owner: who,
      folder,
      to,
      right,
      accept: fc.integer({ min: 0, max: 4 }).map((n) => n > 0),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('revoke' as const), owner: who, folder, to }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), owner: who, folder, who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('trash' as const), owner: who, folder }) },
);

/** What ought to be true, kept in plain objects and judged by the words of the rule alone. */
class Model {
  /** `owner folder subject` -> right, and who has accepted it. */
  readonly grants = new Map<string, { owner: number; folder: string; to: number | 'group'; right: Right; accepted: Set<number> }>();
  readonly trashed = new Set<string>();

  constructor(readonly group: ReadonlySet<number>) {}

  isLive(owner: number, path: string): boolean {
    return !waysUp(path).some((above) => this.trashed.has(`${owner} ${above}`));
  }

  rightOf(person: number, owner: number, path: string): Right | null {
    if (person === owner) return FULL_RIGHT;
    let sum = null as Right | null;
    for (const grant of this.grants.values()) {
      const counts = grant.to === 'group' ? this.group.has(person) : grant.to === person;
      const opens = grant.owner === owner && waysUp(path).includes(grant.folder) && this.isLive(owner, grant.folder);
      if (!counts || !opens || !grant.accepted.has(person)) continue;
      const { write, delete: canDelete, download } = grant.right;
      sum = { write: write || (sum?.write ?? false), delete: canDelete || (sum?.delete ?? false), download: download || (sum?.download ?? false) };
    }
    if (sum === null || this.isLive(owner, path)) return sum;
    return sum.delete ? { write: false, delete: true, download: false } : null;
  }
}

function waysUp(path: string): string[] {
  return path
    .split('/')
    .slice(1)
    .map((_, index, names) => `/${names.slice(0, index + 1).join('/')}`);
}

describe('on random trees, shares, groups and answers', () => {
  let h: SharingHarness;

  beforeAll(async () => {
    h = await SharingHarness.start();
  });
  afterAll(() => h.close());

  async function setUp() {
    const companyId = await h.company();
    const admin = await h.member(companyId, { admin: true });
    const people: Member[] = [];
    for (let n = 0; n < PEOPLE; n++) people.push(await h.member(companyId));
    const groupId = await h.group(admin, [people[0]!, people[1]!, people[2]!]);
    const nodes = new Map<string, NodeView>();
    for (const [n, person] of people.entries()) {
      for (const path of FOLDERS) nodes.set(`${n} ${path}`, await h.tree.folder(person, path));
    }
    return { people, groupId, nodes, model: new Model(new Set([0, 1, 2])) };
  }

  type World = Awaited<ReturnType<typeof setUp>>;

  async function perform({ people, groupId, nodes, model }: World, todo: Deed): Promise<void> {
    const owner = people[todo.owner]!;
    const node = nodes.get(`${todo.owner} ${todo.folder}`)!;
    const grants = h.service(GrantService);
    const subjectOf = (name: number | 'group'): Subject => (name === 'group' ? { groupId } : { accountId: people[name]!.accountId });
    switch (todo.kind) {
      case 'grant': {
        if (todo.to === todo.owner) return;
        const { invited, grant } = await grants.grant(owner, { node, subject: subjectOf(todo.to), right: todo.right });
        const key = `${todo.owner} ${todo.folder} ${todo.to}`;
        const known = model.grants.get(key) ?? {
          owner: todo.owner,
          folder: todo.folder,
          to: todo.to,
          right: todo.right,
          accepted: new Set<number>(),
        };
        const { write, delete: canDelete, download } = grant;
        if (typeof todo.to === 'number' && invited.length > 0) known.right = todo.right;
        else expect({ write, delete: canDelete, download }).toEqual(known.right);
        model.grants.set(key, known);
        for (const invitation of todo.accept ? invited : []) {
          const accepted = await h
            .service(InvitationService)
            .accept(invitation.accountId, invitation.hash)
            .then(
              () => true,
              (error: unknown) => (isDomainError(error, 'INVITATION_NOT_FOUND') ? false : Promise.reject(error as Error)),
            );
          expect(accepted).toBe(model.isLive(todo.owner, todo.folder));
          if (accepted) known.accepted.add(people.findIndex((person) => person.accountId === invitation.accountId));
        }
        return;
      }
      case 'revoke':
        await grants.revoke(owner, node, subjectOf(todo.to)).catch((error: unknown) => {
          if (!isDomainError(error, 'NOT_SHARED')) throw error;
        });
        model.grants.delete(`${todo.owner} ${todo.folder} ${todo.to}`);
        return;
      case 'leave': {
        await grants.leave(people[todo.who]!, [node.id]);
        model.grants.delete(`${todo.owner} ${todo.folder} ${todo.who}`);
        model.grants.get(`${todo.owner} ${todo.folder} group`)?.accepted.delete(todo.who);
        return;
      }
      case 'trash':
        if (!model.isLive(todo.owner, todo.folder)) return;
        await h.tree.remove(owner, todo.folder);
        model.trashed.add(`${todo.owner} ${todo.folder}`);
    }
  }

  /** Ids of all folders that a person comes across on foot, from his root down. */
  async function reachable(person: Member, path = '/'): Promise<string[]> {
    const { entries } = await h.tree.browse.list(person, {
      node: at(path),
      dirsOnly: false,
      includeRemoved: false,
      orderBy: 'name',
      descending: false,
      offset: 0,
      limit: 0,
    });
    const below = await Promise.all(entries.map((entry) => reachable(person, `${path === '/' ? '' : path}/${entry.name}`)));
    return [...entries.map((entry) => entry.id), ...below.flat()];
  }

  async function check({ people, nodes, model }: World): Promise<void> {
    const access = h.service(AccessService);
    const all = [...nodes].map(([key, node]) => ({ owner: Number(key.split(' ')[0]), path: key.split(' ')[1]!, node }));
    const explained = new Map<string, Map<number, Right>>();
    for (const { node } of all) {
      explained.set(node.id, new Map((await access.explain(node.id)).accounts.map((seer) => [seer.accountId, seer.right])));
    }
    for (const [n, person] of people.entries()) {
      const rights = await access.rights(
        person,
        all.map(({ node }) => node),
      );
      const walked = new Set(await reachable(person));
      for (const { owner, path, node } of all) {
        const expected = model.rightOf(n, owner, path);
        const live = model.isLive(owner, path);
        const byId = await h.tree.browse.get(person, { node: { id: node.id } }).then(
          () => true,
          (error: unknown) => (isDomainError(error, 'NODE_NOT_FOUND') ? false : Promise.reject(error as Error)),
        );
        const found = {
          rights: rights.get(node.id) ?? null,
          explain: explained.get(node.id)!.get(person.accountId) ?? null,
          byId,
          byPath: walked.has(node.id),
        };
        const readable = expected !== null && live;
        expect({ person: n, owner, path, ...found }).toEqual({
          person: n,
          owner,
          path,
          rights: expected,
          explain: expected,
          byId: readable,
          byPath: readable,
        });
      }
    }
    expect(await h.defects()).toEqual([]);
  }

  it('rights, explain, reading by id and walking by path agree with the rule', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { minLength: 6, maxLength: 22 }), async (deeds) => {
        const world = await setUp();
        for (const todo of deeds) await perform(world, todo);
        await check(world);
      }),
      { numRuns: 9, endOnFailure: true },
    );
  });
});
