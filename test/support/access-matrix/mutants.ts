import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { type Stack, startStack } from '../stack.js';
import { allCases } from './cases.js';
import type { Case } from './grid.js';
import { House } from './house.js';
import { runCases } from './run.js';

/** A check that can be switched off in the built copy; see scripts/mutate-access.mjs. */
interface Mutant {
  readonly nth: number;
  readonly file: string;
  readonly text: string;
  /** It is read when a process starts. */
  readonly fixed: boolean;
}

interface Work {
  /** What it holds is the number of the mutant that is on. */
  readonly switch: string;
  readonly results: string;
  /** Gets a line for each mutant as soon as it was tried. */
  readonly log: string;
  /** True: all cases that could notice; false: those that go right through the mutant. */
  readonly whole: boolean;
  readonly mutants: readonly Mutant[];
}

/** Routes that lead through a part of the product, the narrowest description first: where a check stands, what it says, who must notice. */
const NEAR: readonly (readonly [file: RegExp, text: RegExp, routes: RegExp])[] = [
  [/access\/src\/access\.service/, /node\.download/, /^files\/(get|create_link_of_archive)|^fileops\/copy/],
  [/access\/src\/access\.service/, /node\.link/, /^links\/create$/],
  [/access\/src\/access\.service/, /node\.write/, /^fileops\/rename|^files\/(restore|create)$|^wopi\/edit/],
  [/access\/src\/access\.service/, /node\.create/, /^fileops\/(folder_create|copy)|^files\/create$/],
  [/access\/src\/access\.service/, /node\.delete/, /^fileops\/(delete|move)/],
  [/access\/src\/access\.service/, /node\.restore/, /trash|undelete/],
  [/access\/src\/access\.service/, /node\.share/, /^shares\/(?!get|metadata|create_extra)|^fileops\/handover/],
  [/access\/src\/access\.service/, /guest|adds|upload/, /^links\/|^get\//],
  [/access\/src\/access\.service/, /live|canDelete/, /^(metadata|files\/get|links\/create|trash)/],
  [/access\/src\/access\.service|chain-sql|right\.repository/, /./, /^(metadata|files\/get|fileops\/rename)/],
  [/pass\.repository/, /./, /^(links|shares|get)\//],
  [/grant\.service/, /./, /^shares\/(?!get|metadata|create_extra)|^fileops\/handover/],
  [/invitation/, /./, /^shares\/(accept|decline|invites|get|metadata)/],
  [/authenticator/, /./, /^(metadata|files\/get|fileops\/rename|wopi)/],
  [/^libs\/trash\/src\/(remover|restore)/, /./, /^fileops\/(delete|multi)|trash|undelete/],
  [/^libs\/trash\/src\/undelete/, /./, /undelete/],
  [/^libs\/trash\//, /./, /trash/],
  [/^libs\/links\/.*complaint/, /./, /copyright/],
  [/add-to-storage/, /./, /add_to_storage/],
  [/^libs\/links\/src\/link\.service/, /node\.link|node\.create/, /^links\/create$/],
  [/^libs\/links\/.*link\.(service|repository)/, /./, /^links/],
  [/^libs\/links\//, /./, /^links\/(info|metadata|get|file_create)/],
  [/^libs\/office\//, /node\.(write|upload)/, /^wopi\/edit/],
  [/^libs\/office\/src\/office-links/, /./, /^wopi\/view/],
  [/^libs\/office\//, /./, /^wopi\//],
  [/^libs\/previews\//, /./, /preview|kukudocs|extra/],
  [/^libs\/comments\//, /./, /workflow/],
  [/^libs\/archives\//, /./, /archive|streams/],
  [/^libs\/versions\//, /./, /version|files\/restore/],
  [/^libs\/shares\/src\/company/, /./, /shares\/company/],
  [/^libs\/shares\/src\/share-door/, /./, /^shares\/(get|metadata)|^get\//],
  [/^libs\/shares\//, /./, /shares(?!\/(get|metadata|create_extra))/],
  [/^libs\/groups\//, /./, /^groups/],
  [/^libs\/tasks\//, /./, /^task|full_listing/],
  [/^libs\/handover\/src\/handover/, /./, /handover/],
  [/^libs\/handover\//, /./, /migration/],
  [/^libs\/events\//, /./, /events|subscribe|notices/],
  [/^libs\/companies\/|admin-rights/, /./, /company|^admin|^moderators|^groups|^accounts/],
  [/copy\.service/, /./, /copy/],
  [/move\.service/, /'node\.write'/, /rename/],
  [/move\.service/, /'node\.read'/, /precheck/],
  [/move\.service/, /./, /fileops\/move/],
  [/folder\.service/, /./, /folder_create/],
  [/full-listing/, /./, /full_listing/],
  [/browse\.service/, /./, /metadata|search|favorite/],
  [/derived-link/, /./, /^task|full_listing|archive/],
  [/downloads\//, /./, /^files\/get/],
  [/uploads\//, /./, /create|confirm/],
  [/diffs\//, /./, /diff/],
  // of another dialect
  [/^libs\/places\//, /./, /^$/],
];

/** What notices best comes first: refusals of what is seen, and of those what changes nothing, because a house need not be built anew after it. */
const RANKS: Readonly<Record<string, number>> = { forbidden: 0, unauthenticated: 0, absent: 3e6, allowed: 4e6 };
const rankOf = ({ id, verdict, changes }: Case): number => {
  // people with rules are made for the first of these cases
  if (id.includes('|policy')) return 5e6;
  if (id.includes('|isolation|')) return 6e6;
  return (verdict ? RANKS[verdict]! : 1e6) + (changes ? 15e5 : 0);
};
/** Near a mutant, the cases of one kind differ only in where they look. */
const OF_A_KIND = 6;

/**
 * The cases that could notice a mutant: those near it, or all others; of every kind one after the other. Cases about checksums want a house in which
 * nobody has copied anything yet.
 */
function casesFor({ file, text }: Mutant, cases: readonly Case[], whole: boolean): Case[] {
  const routes = NEAR.find(([part, words]) => part.test(file) && words.test(text))?.[2] ?? /./;
  const signsIn = /authenticator|wopi-token/.test(file);
  const isRule = /polic|refusal|against|effectiveRights|mark|canUpload/.test(text);
  const kinds = new Map<string, Case[]>();
  for (const each of cases) {
    if (each.id.includes('|checksum') || (each.verdict === 'allowed' && each.changes)) continue;
    if (each.verdict === 'unauthenticated' && !signsIn) continue;
    const [who = '', what = ''] = each.id.split('|');
    const kind = `${each.changes} ${each.verdict} ${each.route} ${who} ${what}`;
    kinds.set(kind, [...(kinds.get(kind) ?? []), each]);
  }
  const turns = [...kinds.values()].flatMap((kind) =>
    kind.map((each, turn) => {
      const isNear = routes.test(each.route) && (each.verdict !== 'allowed' || /-door/.test(file)) && turn < OF_A_KIND;
      return { each, isNear, rank: isRule && each.id.includes('|policy') ? 0 : rankOf(each) + turn };
    }),
  );
  const asked = turns.filter(({ isNear }) => isNear !== whole);
  return asked.sort((a, b) => a.rank - b.rank).map(({ each }) => each);
}

/** Switches one check off after the other and looks which case notices. Writes the results; true when all have been tried. */
export async function tryMutants(workFile: string): Promise<boolean> {
  const work = JSON.parse(readFileSync(workFile, 'utf8')) as Work;
  writeFileSync(work.switch, '0');
  const stack = await startStack({ env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off', ACCESS_MUTANT_SWITCH: work.switch } });
  const run = new MutantRun(stack, work, await House.build(stack));
  try {
    await run.all();
  } finally {
    await run.house.close();
    await stack.stop();
  }
  return true;
}

class MutantRun {
  /** What must never change, as it was when the house was built. */
  private before: string | null = null;
  private readonly cases = allCases().filter(({ first }) => first);

  constructor(
    private readonly stack: Stack,
    private readonly work: Work,
    public house: House,
  ) {}

  async all(): Promise<void> {
    const results: unknown[] = [];
    for (const mutant of this.work.mutants) {
      const begun = Date.now();
      const { killer, why } = await this.tried(mutant);
      results.push({ ...mutant, killedBy: killer });
      const text = `${killer === null ? 'living  ' : 'killed  '} ${mutant.nth} ${mutant.file} ${mutant.text.slice(0, 80).replaceAll(/\s+/g, ' ')}`;
      appendFileSync(
        this.work.log,
        `${text}  ${killer ?? ''} ${why.slice(0, 160).replaceAll(/[^ -~]/g, '?')} (${Math.round((Date.now() - begun) / 1000)} s)\n`,
      );
      writeFileSync(this.work.results, JSON.stringify(results));
    }
  }

  /** The case that notices the mutant, and holds without it. What fails without it as well says nothing and is left out. */
  private async tried(mutant: Mutant): Promise<{ killer: string | null; why: string }> {
    const vain = new Set<string>();
    for (;;) {
      const before = (this.before ??= JSON.stringify(await this.house.picture()));
      await this.turn(mutant.nth, mutant.fixed);
      const cases = casesFor(mutant, this.cases, this.work.whole).filter(({ id }) => !vain.has(id));
      const [found] = await runCases(this.house, cases, 1);
      await this.turn(0, mutant.fixed);
      if (!found) {
        if (JSON.stringify(await this.house.picture()) !== before) await this.newHouse();
        return { killer: null, why: '' };
      }
      const again = cases.filter(({ id }) => id === found.id);
      const isWhole = JSON.stringify(await this.house.picture()) === before;
      if (isWhole && (await runCases(this.house, again)).length === 0) return { killer: found.id, why: found.why };
      await this.newHouse();
      if ((await runCases(this.house, again)).length === 0) return { killer: found.id, why: found.why };
      vain.add(found.id);
    }
  }

  private async newHouse(): Promise<void> {
    await this.house.close();
    this.house = await House.build(this.stack);
    this.before = null;
  }

  private async turn(nth: number, restart: boolean): Promise<void> {
    const file = this.work.switch;
    writeFileSync(file, String(nth));
    for (const name of ['api', 'worker'] as const) {
      // what only a worker does with a right, it asks for while it runs
      if (restart && name === 'api') await this.stack.restart(name);
      const pid = this.stack.pid(name);
      process.kill(pid, 'SIGUSR2');
      for (;;) {
        await sleep(20);
        try {
          if (readFileSync(`${file}.${pid}`, 'utf8') === String(nth)) break;
        } catch {
          // not there yet
        }
      }
    }
  }
}
