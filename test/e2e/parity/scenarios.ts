import { createHash, randomBytes } from 'node:crypto';

import { expect } from 'vitest';

import { type Ability, type ListedItem, type ParityDriver, type ParitySession, type Ref, type Refusal, Refused } from './driver.js';

/** What a scenario plays with: a folder of its own, and the people around it. */
export interface Stage {
  readonly driver: ParityDriver;
  readonly session: ParitySession;
  /** An empty folder of the person, or what stands for one. */
  readonly folder: Ref;
  /** Somebody else, signed in by the same API. */
  stranger(): Promise<ParitySession>;
  /** A new person with this much space. */
  withSpace(bytes: number): Promise<ParitySession>;
  /** A new person's session, and what ends all of that person's credentials. */
  revocable(): Promise<{ readonly session: ParitySession; revoke(): Promise<void> }>;
  /** A new person, and what takes a right from him. */
  restrictable(): Promise<{ readonly session: ParitySession; forbid(rule: 'can_download' | 'can_upload'): Promise<void> }>;
}

export interface Scenario {
  readonly title: string;
  /** Played through the APIs that have all of these. */
  readonly needs: readonly Ability[];
  /** Played through these only, whatever they have. */
  readonly where?: (driver: ParityDriver) => boolean;
  readonly play: (stage: Stage) => Promise<void>;
}

/** Whether an API can play a scenario. */
export function plays(driver: ParityDriver, { needs, where }: Scenario): boolean {
  return needs.every((ability) => can(driver, ability)) && (where?.(driver) ?? true);
}

const can = ({ lacks }: ParityDriver, ability: Ability): boolean => lacks[ability] === undefined;

const BYTES = Buffer.from('0123456789'.repeat(10));
const ODD_NAMES = ["it's 100% ünï 日本 😀 #1+&;=.txt", ' blanks at both ends ', '.hidden', 'Größe (1).TXT', 'no extension'];

async function names(session: ParitySession, folder: Ref): Promise<string[]> {
  return (await session.list(folder)).map((item) => item.name).sort();
}

const byName = (items: readonly ListedItem[]): ListedItem[] => [...items].sort((a, b) => (a.name < b.name ? -1 : 1));
const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Expects one refusal, in the words of the API. */
async function refuses({ driver }: Stage, refusal: Refusal, work: () => Promise<unknown>): Promise<void> {
  const error = await work().then(
    () => 'it was allowed',
    (thrown: unknown) => thrown,
  );
  if (error instanceof Error && !(error instanceof Refused)) throw error;
  expect(error instanceof Refused ? error.refusal : error).toBe(driver.says?.[refusal] ?? refusal);
}

/** What every API must do alike. Each is written once and run through all drivers that have what it needs. */
export const SCENARIOS: readonly Scenario[] = [
  {
    title: 'a folder is made and listed',
    needs: ['folders'],
    play: async ({ session, folder }) => {
      const inner = await session.mkdir(folder, 'Ordner ü');
      expect(await session.list(folder)).toEqual([{ name: 'Ordner ü', folder: true }]);
      expect(await session.list(inner)).toEqual([]);
    },
  },
  {
    title: 'a file is put, listed and got whole; an empty one too',
    needs: [],
    play: async ({ session, folder }) => {
      const file = await session.put(folder, 'numbers.txt', BYTES);
      await session.put(folder, 'empty', Buffer.alloc(0));
      expect(byName(await session.list(folder))).toEqual([
        { name: 'empty', folder: false, bytes: 0 },
        { name: 'numbers.txt', folder: false, bytes: 100 },
      ]);
      expect(await session.get(file)).toEqual(BYTES);
      expect(await session.get(await session.find(folder, 'empty'))).toEqual(Buffer.alloc(0));
    },
  },
  {
    title: 'bytes of every value come back as they were',
    needs: [],
    play: async ({ session, folder }) => {
      const bytes = randomBytes(1_300_001);
      expect(digest(await session.get(await session.put(folder, 'random.bin', bytes)))).toBe(digest(bytes));
    },
  },
  {
    title: 'a file is got in part',
    needs: ['range'],
    play: async ({ session, folder }) => {
      const file = await session.put(folder, 'numbers.txt', BYTES);
      expect((await session.get(file, { start: 10, end: 14 })).toString()).toBe('01234');
      expect((await session.get(file, { start: 98, end: 200 })).toString()).toBe('89');
    },
  },
  {
    title: 'names are kept as they are given',
    needs: [],
    play: async ({ session, folder }) => {
      for (const name of ODD_NAMES) await session.put(folder, name, BYTES);
      expect(await names(session, folder)).toEqual([...ODD_NAMES].sort());
      for (const name of ODD_NAMES) expect(await session.get(await session.find(folder, name))).toEqual(BYTES);
    },
  },
  {
    title: 'putting again is a new version',
    needs: [],
    where: ({ again }) => again === 'version',
    play: async ({ session, folder }) => {
      await session.put(folder, 'v.txt', Buffer.from('one'));
      const file = await session.put(folder, 'v.txt', Buffer.from('two'));
      expect((await session.get(file)).toString()).toBe('two');
      expect(await names(session, folder)).toEqual(['v.txt']);
    },
  },
  {
    title: 'putting again is another file',
    needs: [],
    where: ({ again }) => again === 'another',
    play: async ({ session, folder }) => {
      const one = await session.put(folder, 'v.txt', Buffer.from('one'));
      const two = await session.put(folder, 'v.txt', Buffer.from('two'));
      expect((await session.get(one)).toString()).toBe('one');
      expect((await session.get(two)).toString()).toBe('two');
      expect(await session.list(folder)).toHaveLength(2);
    },
  },
  {
    title: 'putting again is refused',
    needs: [],
    where: ({ again }) => again === 'refused',
    play: async (stage) => {
      const { session, folder } = stage;
      const file = await session.put(folder, 'v.txt', Buffer.from('one'));
      await refuses(stage, 'taken', () => session.put(folder, 'v.txt', Buffer.from('two')));
      expect((await session.get(file)).toString()).toBe('one');
      expect(await names(session, folder)).toEqual(['v.txt']);
    },
  },
  {
    title: 'a file is renamed',
    needs: ['rename'],
    play: async (stage) => {
      const { session, folder } = stage;
      const file = await session.put(folder, 'a.txt', BYTES);
      const renamed = await session.rename(file, 'b ü.txt');
      expect(await names(session, folder)).toEqual(['b ü.txt']);
      expect(await session.get(renamed)).toEqual(BYTES);
      await refuses(stage, 'invalid', () => session.rename(renamed, 'a/b.txt'));
      expect(await names(session, folder)).toEqual(['b ü.txt']);
    },
  },
  {
    title: 'a folder is renamed, and what is in it stays',
    needs: ['folders', 'rename'],
    play: async ({ session, folder }) => {
      const inner = await session.mkdir(folder, 'old');
      await session.put(inner, 'a', BYTES);
      const renamed = await session.rename(inner, 'new');
      expect(await names(session, folder)).toEqual(['new']);
      expect(await session.get(await session.find(renamed, 'a'))).toEqual(BYTES);
    },
  },
  {
    title: 'a folder cannot be moved into itself',
    needs: ['folders', 'move'],
    play: async (stage) => {
      const { session, folder } = stage;
      const outer = await session.mkdir(folder, 'outer');
      const inner = await session.mkdir(outer, 'inner');
      await refuses(stage, 'into-itself', () => session.move(outer, inner));
      await refuses(stage, 'into-itself', () => session.move(outer, outer));
      expect(await names(session, folder)).toEqual(['outer']);
      expect(await names(session, outer)).toEqual(['inner']);
    },
  },
  {
    title: 'a folder cannot be copied into itself',
    needs: ['folders', 'copy'],
    play: async (stage) => {
      const { session, folder } = stage;
      const outer = await session.mkdir(folder, 'outer');
      const inner = await session.mkdir(outer, 'inner');
      await refuses(stage, 'into-itself', () => session.copy(outer, inner));
      expect(await names(session, inner)).toEqual([]);
    },
  },
  {
    title: 'a file is moved',
    needs: ['move'],
    play: async ({ session, folder }) => {
      const file = await session.put(folder, 'f.txt', BYTES);
      const target = await session.area('moved to');
      const moved = await session.move(file, target);
      expect(await names(session, folder)).toEqual([]);
      expect(await names(session, target)).toEqual(['f.txt']);
      expect(await session.get(moved)).toEqual(BYTES);
    },
  },
  {
    title: 'a file is copied, and the copy stays when the first goes',
    needs: ['copy'],
    play: async ({ session, folder }) => {
      const file = await session.put(folder, 'f.txt', BYTES);
      const target = await session.area('copied to');
      await session.copy(file, target);
      expect(await names(session, folder)).toEqual(['f.txt']);
      await session.remove(file);
      expect(await session.get(await session.find(target, 'f.txt'))).toEqual(BYTES);
    },
  },
  {
    title: 'a folder is moved, with all below it',
    needs: ['folders', 'move'],
    play: async ({ session, folder }) => {
      const from = await session.mkdir(folder, 'from');
      const to = await session.mkdir(folder, 'to');
      await session.put(from, 'f', BYTES);
      const moved = await session.move(from, to);
      expect(await names(session, folder)).toEqual(['to']);
      expect(await names(session, to)).toEqual(['from']);
      expect(await session.get(await session.find(moved, 'f'))).toEqual(BYTES);
    },
  },
  {
    title: 'a folder is copied, with all below it',
    needs: ['folders', 'copy'],
    play: async ({ session, folder }) => {
      const from = await session.mkdir(folder, 'from');
      const to = await session.mkdir(folder, 'to');
      await session.put(from, 'f', BYTES);
      await session.copy(from, to);
      expect(await names(session, folder)).toEqual(['from', 'to']);
      expect(await session.get(await session.find(await session.find(to, 'from'), 'f'))).toEqual(BYTES);
    },
  },
  {
    title: 'what is deleted is gone',
    needs: [],
    play: async (stage) => {
      const { session, folder, driver } = stage;
      const file = await session.put(folder, 'gone.txt', BYTES);
      await session.put(folder, 'stays.txt', BYTES);
      await session.remove(file);
      expect(await names(session, folder)).toEqual(['stays.txt']);
      await refuses(stage, 'not-found', () => session.find(folder, 'gone.txt'));
      await refuses(stage, 'not-found', () => session.remove(driver.nothing));
      await refuses(stage, 'not-found', () => session.get(driver.nothing));
      if (can(driver, 'rename')) await refuses(stage, 'not-found', () => session.rename(driver.nothing, 'something.txt'));
    },
  },
  {
    title: 'a folder is deleted with all below it',
    needs: ['folders'],
    play: async ({ session, folder }) => {
      const inner = await session.mkdir(folder, 'gone');
      await session.put(await session.mkdir(inner, 'deeper'), 'f', BYTES);
      await session.remove(inner);
      expect(await session.list(folder)).toEqual([]);
    },
  },
  {
    title: 'what was deleted comes back whole',
    needs: ['restore', 'folders'],
    play: async ({ session, folder }) => {
      const inner = await session.mkdir(folder, 'gone');
      await session.put(inner, 'f', BYTES);
      await session.remove(inner);
      const back = await session.restore(inner, folder);
      expect(await session.get(await session.find(back, 'f'))).toEqual(BYTES);
    },
  },
  {
    title: 'a folder has a name of its own',
    needs: ['clash', 'folders', 'rename', 'move'],
    play: async (stage) => {
      const { session, folder } = stage;
      await session.mkdir(folder, 'Name');
      await refuses(stage, 'taken', () => session.mkdir(folder, 'Name'));
      await refuses(stage, 'taken', () => session.mkdir(folder, 'NAME'));
      const other = await session.mkdir(folder, 'other');
      await refuses(stage, 'taken', () => session.rename(other, 'name'));
      const deep = await session.mkdir(other, 'name');
      await refuses(stage, 'taken', () => session.move(deep, folder));
      expect(await names(session, folder)).toEqual(['Name', 'other']);
    },
  },
  {
    title: 'a file has a name of its own',
    needs: ['clash', 'rename', 'move'],
    play: async (stage) => {
      const { session, folder } = stage;
      const [first, second] = [await session.put(folder, 'one.txt', BYTES), await session.put(folder, 'two.txt', Buffer.from('two'))];
      await refuses(stage, 'taken', () => session.rename(second, 'one.txt'));
      const elsewhere = await session.area('another place for a name');
      await session.put(elsewhere, 'one.txt', Buffer.from('elsewhere'));
      await refuses(stage, 'taken', () => session.move(first, elsewhere));
      expect(await names(session, folder)).toEqual(['one.txt', 'two.txt']);
      expect(await session.get(first)).toEqual(BYTES);
      expect((await session.get(await session.find(elsewhere, 'one.txt'))).toString()).toBe('elsewhere');
    },
  },
  {
    title: 'the quota holds to the byte',
    needs: [],
    play: async (stage) => {
      const session = await stage.withSpace(BYTES.length);
      await refuses(stage, 'no-space', () => session.put(session.home, 'big', Buffer.concat([BYTES, Buffer.from('x')])));
      const file = await session.put(session.home, 'fits', BYTES);
      await refuses(stage, 'no-space', () => session.put(session.home, 'more', Buffer.from('x')));
      expect(await session.get(file)).toEqual(BYTES);
      expect((await session.list(session.home)).map(({ name }) => name)).toContain('fits');
      session.close();
    },
  },
  {
    title: 'a stranger finds nothing',
    needs: [],
    play: async (stage) => {
      const { session, folder, driver } = stage;
      const file = await session.put(folder, 'secret.txt', BYTES);
      const stranger = await stage.stranger();
      await refuses(stage, 'not-found', () => stranger.get(file));
      await refuses(stage, 'not-found', () => stranger.remove(file));
      if (can(driver, 'places')) {
        await refuses(stage, 'not-found', () => stranger.list(folder));
        await refuses(stage, 'not-found', () => stranger.put(folder, 'mine.txt', BYTES));
      }
      if (can(driver, 'rename')) await refuses(stage, 'not-found', () => stranger.rename(file, 'mine.txt'));
      if (can(driver, 'move')) {
        const own = await stranger.area('loot');
        await refuses(stage, 'not-found', () => stranger.move(file, own));
      }
      if (can(driver, 'copy')) {
        const own = await stranger.area('loot by copy');
        await refuses(stage, 'not-found', () => stranger.copy(file, own));
      }
      expect(await session.get(file)).toEqual(BYTES);
      expect(await names(session, folder)).toEqual(['secret.txt']);
      stranger.close();
    },
  },
  {
    title: 'who may not download gets no bytes, and who may not upload brings none',
    needs: [],
    play: async (stage) => {
      const { session, forbid } = await stage.restrictable();
      const file = await session.put(session.home, 'f.txt', BYTES);
      await forbid('can_download');
      await refuses(stage, 'forbidden', () => session.get(file));
      await session.put(session.home, 'g.txt', BYTES);
      await forbid('can_upload');
      await refuses(stage, 'forbidden', () => session.put(session.home, 'h.txt', BYTES));
      expect((await session.list(session.home)).map(({ name }) => name)).toEqual(expect.arrayContaining(['f.txt', 'g.txt']));
      session.close();
    },
  },
  {
    title: 'a revoked credential opens nothing',
    needs: [],
    play: async (stage) => {
      const { session, revoke } = await stage.revocable();
      const file = await session.put(session.home, 'f.txt', BYTES);
      expect(await session.get(file)).toEqual(BYTES);
      await revoke();
      await refuses(stage, 'unauthenticated', () => session.list(session.home));
      await refuses(stage, 'unauthenticated', () => session.get(file));
      await refuses(stage, 'unauthenticated', () => session.put(session.home, 'late.txt', BYTES));
      await refuses(stage, 'unauthenticated', () => session.remove(file));
      session.close();
    },
  },
];
