import { readFileSync, writeFileSync } from 'node:fs';
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
  readonly mutants: readonly Mutant[];
}

/** Routes that lead through a part of the product; of all others a mutant there cannot be seen. */
const TOUCHED: readonly (readonly [file: RegExp, routes: RegExp])[] = [
  [/^libs\/trash\//, /trash|delete/],
  [/^libs\/links\/.*complaint/, /copyright/],
  [/^libs\/links\//, /link|task/],
  [/^libs\/office\//, /wopi/],
  [/^libs\/previews\//, /preview|kukudocs|extra|metadata/],
  [/^libs\/comments\//, /workflow/],
  [/^libs\/archives\//, /archive|streams/],
  [/^libs\/versions\//, /version|restore|metadata/],
  [/^libs\/shares\//, /shares|get\//],
  [/^libs\/groups\//, /groups/],
  [/^libs\/tasks\//, /task|full_listing/],
  [/copy\.service/, /copy|add_to_storage/],
  [/move\.service/, /move|rename|precheck/],
  [/folder\.service/, /folder_create/],
  [/full-listing/, /full_listing/],
  [/browse\.service/, /metadata|search|favorite|folder_info|preview|get/],
  [/downloads\//, /get/],
  [/uploads\//, /create|confirm/],
  [/diffs\//, /diff/],
];

/** The cases that go through a mutant, those that change nothing first, and of every kind one after the other. */
function casesFor({ file }: Mutant, cases: readonly Case[]): Case[] {
  const routes = TOUCHED.find(([part]) => part.test(file))?.[1] ?? /./;
  const kinds = new Map<string, Case[]>();
  for (const each of cases.filter(({ route }) => routes.test(route))) {
    const [who = '', what = ''] = each.id.split('|');
    const kind = `${each.changes} ${each.route} ${who} ${what}`;
    kinds.set(kind, [...(kinds.get(kind) ?? []), each]);
  }
  const turns = [...kinds.values()].flatMap((kind) => kind.map((each, turn) => ({ each, turn })));
  return turns.sort((a, b) => Number(a.each.changes) - Number(b.each.changes) || a.turn - b.turn).map(({ each }) => each);
}

/** Switches one check off after the other and looks which case notices. Writes the results; true when all have been tried. */
export async function tryMutants(workFile: string): Promise<boolean> {
  const work = JSON.parse(readFileSync(workFile, 'utf8')) as Work;
  writeFileSync(work.switch, '0');
  const stack = await startStack({ env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off', ACCESS_MUTANT_SWITCH: work.switch } });
  const cases = allCases().filter(({ first }) => first);
  const results: unknown[] = [];
  let house = await House.build(stack);
  try {
    for (const mutant of work.mutants) {
      const before = await house.picture();
      await turn(stack, work.switch, mutant.nth, mutant.fixed);
      const [found] = await runCases(house, casesFor(mutant, cases), 1);
      await turn(stack, work.switch, 0, mutant.fixed);
      results.push({ ...mutant, killedBy: found ? found.id : null });
      process.stdout.write(
        `${found ? 'killed  ' : 'survived'} ${mutant.nth} ${mutant.file} ${mutant.text.slice(0, 80)}  ${found?.id ?? ''} ${found?.why.slice(0, 120) ?? ''}\n`,
      );
      writeFileSync(work.results, JSON.stringify(results));
      house = await wholeAgain(house, before, cases, found?.id);
    }
  } finally {
    await house.close();
    await stack.stop();
  }
  return true;
}

/** The same house, or another one when something in it is not as it was. */
async function wholeAgain(house: House, before: Record<string, string>, cases: readonly Case[], killer?: string): Promise<House> {
  const same = JSON.stringify(await house.picture()) === JSON.stringify(before);
  const again = cases.filter(({ id }) => id === killer);
  if (same && (await runCases(house, again)).length === 0) return house;
  await house.close();
  return House.build(house.stack);
}

async function turn(stack: Stack, file: string, nth: number, restart: boolean): Promise<void> {
  writeFileSync(file, String(nth));
  for (const name of ['api', 'worker'] as const) {
    if (restart) await stack.restart(name);
    const pid = stack.pid(name);
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
