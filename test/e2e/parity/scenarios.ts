import { expect } from 'vitest';

import { type ParityDriver, type ParitySession, type Ref, type Refusal, Refused } from './driver.js';

/** What a scenario plays with: a folder of its own, and the people around it. */
export interface Stage {
  readonly driver: ParityDriver;
  readonly session: ParitySession;
  /** An empty folder of the person. */
  readonly folder: Ref;
  /** Somebody else, signed in by the same API. */
  stranger(): Promise<ParitySession>;
  /** A new person with this much space. */
  withSpace(bytes: number): Promise<ParitySession>;
  /** A new person's session, and what ends all of that person's sessions. */
  revocable(): Promise<{ readonly session: ParitySession; revoke(): Promise<void> }>;
}

const BYTES = Buffer.from('0123456789'.repeat(10));

async function names(session: ParitySession, folder: Ref): Promise<string[]> {
  return (await session.list(folder)).map((item) => item.name).sort();
}

/** Expects one refusal, in the words of the API. */
async function refuses({ driver }: Stage, refusal: Refusal, work: () => Promise<unknown>): Promise<void> {
  const error = await work().then(
    () => 'it was allowed',
    (thrown: unknown) => thrown,
  );
  if (error instanceof Error && !(error instanceof Refused)) throw error;
  expect(error instanceof Refused ? error.refusal : error).toBe(driver.says?.[refusal] ?? refusal);
}

/** What every API must do alike. Each is written once and run through all drivers. */
export const SCENARIOS: readonly { readonly title: string; readonly play: (stage: Stage) => Promise<void> }[] = [
  {
    title: 'a folder is made and listed',
    play: async ({ session, folder }) => {
      const inner = await session.mkdir(folder, 'Ordner ü');
      expect(await session.list(folder)).toEqual([{ name: 'Ordner ü', folder: true }]);
      expect(await session.list(inner)).toEqual([]);
    },
  },
  {
    title: 'a file is put, listed, got whole and in part; an empty one too',
    play: async ({ session, folder }) => {
      const file = await session.put(folder, 'numbers.txt', BYTES);
      await session.put(folder, 'empty', Buffer.alloc(0));
      expect((await session.list(folder)).sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
        { name: 'empty', folder: false, bytes: 0 },
        { name: 'numbers.txt', folder: false, bytes: 100 },
      ]);
      expect(await session.get(file)).toEqual(BYTES);
      expect((await session.get(file, { start: 10, end: 14 })).toString()).toBe('01234');
      expect(await session.get(await session.find(folder, 'empty'))).toEqual(Buffer.alloc(0));
    },
  },
  {
    title: 'putting again is a new version',
    play: async ({ session, folder }) => {
      await session.put(folder, 'v.txt', Buffer.from('one'));
      const file = await session.put(folder, 'v.txt', Buffer.from('two'));
      expect((await session.get(file)).toString()).toBe('two');
      expect(await names(session, folder)).toEqual(['v.txt']);
    },
  },
  {
    title: 'a file and a folder are renamed',
    play: async ({ session, folder }) => {
      const inner = await session.mkdir(folder, 'old');
      const file = await session.put(inner, 'a', BYTES);
      await session.rename(file, 'b');
      const renamed = await session.rename(inner, 'new');
      expect(await names(session, folder)).toEqual(['new']);
      expect(await names(session, renamed)).toEqual(['b']);
    },
  },
  {
    title: 'a folder cannot be moved or copied into itself',
    play: async (stage) => {
      const { session, folder } = stage;
      const outer = await session.mkdir(folder, 'outer');
      const inner = await session.mkdir(outer, 'inner');
      await refuses(stage, 'into-itself', () => session.move(outer, inner));
      await refuses(stage, 'into-itself', () => session.copy(outer, inner));
      expect(await names(session, folder)).toEqual(['outer']);
    },
  },
  {
    title: 'things are moved and copied, with all below them',
    play: async ({ session, folder }) => {
      const from = await session.mkdir(folder, 'from');
      const to = await session.mkdir(folder, 'to');
      await session.put(from, 'f', BYTES);
      await session.copy(from, to);
      const moved = await session.move(from, await session.find(folder, 'to').then(async (target) => session.mkdir(target, 'deeper')));
      expect(await names(session, folder)).toEqual(['to']);
      expect(await names(session, to)).toEqual(['deeper', 'from']);
      expect(await session.get(await session.find(moved, 'f'))).toEqual(BYTES);
      expect(await session.get(await session.find(await session.find(to, 'from'), 'f'))).toEqual(BYTES);
    },
  },
  {
    title: 'what is deleted is gone, and comes back whole',
    play: async (stage) => {
      const { session, folder } = stage;
      const inner = await session.mkdir(folder, 'gone');
      await session.put(inner, 'f', BYTES);
      await session.remove(inner);
      expect(await session.list(folder)).toEqual([]);
      await refuses(stage, 'not-found', () => session.remove('nothing'));
      const back = await session.restore(inner, folder);
      expect(await session.get(await session.find(back, 'f'))).toEqual(BYTES);
    },
  },
  {
    title: 'a name is taken once',
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
    title: 'the quota holds to the byte',
    play: async (stage) => {
      const session = await stage.withSpace(BYTES.length);
      await refuses(stage, 'no-space', () => session.put(session.home, 'big', Buffer.concat([BYTES, Buffer.from('x')])));
      const file = await session.put(session.home, 'fits', BYTES);
      await refuses(stage, 'no-space', () => session.put(session.home, 'more', Buffer.from('x')));
      const fits = await session.find(session.home, 'fits');
      expect(await session.get(file)).toEqual(await session.get(fits));
      expect(await names(session, session.home)).toEqual(['fits']);
      session.close();
    },
  },
  {
    title: 'a stranger finds nothing',
    play: async (stage) => {
      const { session, folder } = stage;
      const file = await session.put(folder, 'secret', BYTES);
      const stranger = await stage.stranger();
      await refuses(stage, 'not-found', () => stranger.get(file));
      await refuses(stage, 'not-found', () => stranger.list(folder));
      await refuses(stage, 'not-found', () => stranger.rename(file, 'mine'));
      await refuses(stage, 'not-found', () => stranger.remove(file));
      expect(await session.get(file)).toEqual(BYTES);
    },
  },
  {
    title: 'a revoked session opens nothing',
    play: async (stage) => {
      const { session, revoke } = await stage.revocable();
      const file = await session.put(session.home, 'f', BYTES);
      expect(await session.get(file)).toEqual(BYTES);
      await revoke();
      await refuses(stage, 'unauthenticated', () => session.list(session.home));
      await refuses(stage, 'unauthenticated', () => session.get(file));
      await refuses(stage, 'unauthenticated', () => session.mkdir(session.home, 'late'));
      session.close();
    },
  },
];
