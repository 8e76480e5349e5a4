import type { HttpAnswer } from '../http-session.js';
import { brief, type Call, saying, type Spelling, SPELLINGS } from './client.js';
import type { House } from './house.js';
import { ACCOUNTS, type Account, find, GRANTS, judge, lanes, NODES, nowhere, type TreeNode, type Verdict } from './model.js';
import { type Representation, REPRESENTATIONS, type Target } from './representations.js';

/** One question to the server, and what is wrong with its answer. */
export interface Case {
  /** Also the way to try it again: ACCESS_MATRIX_ONLY=<id>. */
  readonly id: string;
  /** Template of the route that it is about. */
  readonly route: string;
  /** The first of its kind, whose sisters only spell it in another way. */
  readonly first: boolean;
  /** It may leave traces when the server is wrong, or does when it is right. */
  readonly changes: boolean;
  /** What must come: a missing check of access is seen where something is refused, and hardly where it is taken. Not given: refusals among others. */
  readonly verdict?: Verdict;
  /** Null = as it must be. */
  readonly run: (house: House) => Promise<string | null>;
}

/** Of those who have nothing every second is asked at a node, of those who are nobody every fourth, each time others: to them nodes do not differ. */
const ONE_IN: Partial<Record<Verdict, number>> = { absent: 2, unauthenticated: 4 };

/** Every account, at every node, by every representation. */
export function gridCases(): Case[] {
  const cases: Case[] = [];
  let [turn, dice] = [0, 1];
  // the same throws each time, so that a case is found again by its id
  const chosen = (oneIn: number): boolean => ((dice = (dice * 1_103_515_245 + 12_345) % 2 ** 31) >> 16) % oneIn === 0;
  for (const what of REPRESENTATIONS) {
    for (const node of NODES.filter(({ kind }) => what.on.includes(kind))) {
      for (const who of ACCOUNTS) {
        for (const { lane, path } of lanes(node)) {
          const verdict = judge(who, path, what.need, what.trash);
          if (!asked(what, who, path, verdict)) continue;
          const hasNothing = who !== 'owner' && GRANTS[who] === undefined;
          if (hasNothing && !chosen(ONE_IN[verdict] ?? 1)) continue;
          // spellings lead to the same handler: each is asked of every representation, but not with every question
          const spelling = SPELLINGS[turn++ % SPELLINGS.length]!;
          cases.push({
            id: `${who}|${what.name}|${node.place.name}.${node.kind}|${lane}|${spelling.name}`,
            route: what.route,
            first: true,
            verdict,
            changes: what.changes === true || ['change', 'add', 'remove', 'rule', 'restore'].includes(what.need),
            run: (house) => ask(house, what, { who, node, path }, verdict, spelling),
          });
        }
      }
    }
  }
  return cases;
}

function asked(what: Representation, who: Account, path: string, verdict: Verdict): boolean {
  if (verdict === 'allowed') return what.onlyRefused !== true && (what.changes === true || !(what.notOnMounts && find(who, path)?.isMount));
  if (verdict === 'absent' && (what.makesWay || (what.makesFile && path.lastIndexOf('/') === 0))) return false;
  return !(what.notOnMounts && find(who, path)?.isMount);
}

async function ask(house: House, what: Representation, target: Target, verdict: Verdict, spelling: Spelling): Promise<string | null> {
  const own = verdict === 'allowed' && what.changes ? await ownTarget(house, target) : target;
  const call = what.call(own, house);
  const answer = await house.client.call(call, house.tokens[own.who], spelling);
  return verdictOf(house, what, own, verdict, call, answer, spelling);
}

async function ownTarget(house: House, target: Target): Promise<Target> {
  const made = await house.throwAway(target.node);
  const { place } = target.node;
  const node: TreeNode = { ...target.node, path: made };
  const folder = target.node.kind === 'folder' ? target.path : target.path.slice(0, target.path.lastIndexOf('/'));
  return { who: target.who, node, path: folder + made.slice(place.path.length) };
}

async function verdictOf(
  house: House,
  what: Representation,
  target: Target,
  verdict: Verdict,
  call: Call,
  answer: HttpAnswer,
  spelling: Spelling,
): Promise<string | null> {
  const got = `got ${brief(answer)}`;
  switch (verdict) {
    case 'unauthenticated':
      return answer.status === 401 ? null : `must be 401, ${got}`;
    case 'forbidden':
      return (what.refused ?? [403]).includes(answer.status) ? null : `must be refused, ${got}`;
    case 'allowed':
      if (answer.status < 200 || answer.status > 299) return `must be taken, ${got}`;
      return what.check ? what.check(answer, target, house) : null;
    case 'absent': {
      const path = nowhere(target.who, target.path);
      const unknown = await house.unknown(`${target.who}|${what.name}|${path}`, async () => {
        const other = await house.client.call(what.call({ ...target, path }, house), house.tokens[target.who], spelling);
        return saying(other, path);
      });
      const said = saying(answer, target.path);
      if (answer.status < 400 || answer.status === 401 || answer.status > 499) return `must be refused, ${got} to ${call.route}`;
      return said === unknown ? null : `must be as for an unknown one (${unknown.slice(0, 200)}), ${got}`;
    }
  }
}
