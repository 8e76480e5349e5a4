import type { FRAMED_DIALECTS } from '../../../../apps/api/src/documents.js';
import type { HttpAnswer } from '../../http-session.js';
import { brief, saying } from '../client.js';
import type { Case } from '../grid.js';
import type { House } from '../house.js';
import {
  type Account,
  ACCOUNTS,
  find,
  GRANTS,
  judge,
  type Kind,
  lanes,
  type Need,
  NODES,
  type TreeNode,
  UNKNOWN_TO_SERVER,
  type Verdict,
} from '../model.js';

/*
 * APIs that name nodes by ids: the same people, the same nodes and the same oracle as in the grid, asked by the routes of each API of the frame. A path
 * leads whoever has it to something of his own; an id means the same node to everybody, whoever asks.
 */

/** What lets an account into an API. Of `anonymous` it is well formed, and nobody's. */
export interface Keys {
  readonly headers: Readonly<Record<string, string>>;
  /** Keys in addresses, ids of the person at this API ... */
  readonly facts: Readonly<Record<string, string>>;
}

export interface ApiCall {
  readonly method: string;
  /** Below the prefix, with a slash at its beginning. */
  readonly path: string;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** One node as one account asks for it. */
export interface ApiTarget {
  readonly who: Account;
  readonly node: TreeNode;
  readonly id: string;
  readonly keys: Keys;
}

/** One way of looking at a node by its id, or of changing it; see Representation. */
export interface Deed {
  readonly name: string;
  /** `GET api/nodes/<node>`, as its controller declares it. */
  readonly route: string;
  readonly on: readonly Kind[];
  readonly need: Need;
  readonly trash?: boolean;
  /** In the trash it means something else to who may restore: not asked there of him. */
  readonly notInTrash?: boolean;
  readonly changes?: boolean;
  /** Not for a shared folder as it stands in the home of its receiver: there it is about his own home. */
  readonly notOnMounts?: boolean;
  readonly onlyRefused?: boolean;
  readonly refused?: readonly number[];
  readonly call: (target: ApiTarget, house: House) => ApiCall;
  readonly check?: (answer: HttpAnswer, target: ApiTarget, house: House) => Promise<string | null> | string | null;
}

type Framed = (typeof FRAMED_DIALECTS)[number];

/** How the matrix asks one API. */
export interface MatrixApi {
  readonly dialect: Framed['dialect'];
  readonly controllers: Framed['controllers'];
  /** Ways of writing the prefix. */
  readonly prefixes: readonly string[];
  /** A well-formed id of nothing. */
  readonly nothing: string;
  /** What lets an account in, made while everybody still may; null: of nobody at all. */
  enter(house: House, who: Account | null): Promise<Keys>;
  /** Credentials of the right form that open nothing, each as headers. */
  readonly wrong: readonly Readonly<Record<string, string>>[];
  /** Routes that say of what has ended that it is not there, by contract. */
  readonly endedIsAbsent?: readonly string[];
  readonly deeds: readonly Deed[];
  /** What is asked beside: lists, hashes, tokens. */
  more?(ask: Ask): Case[];
  /** Routes (`GET public/<id>`) that no case asks, and why. */
  readonly outside: Readonly<Record<string, string>>;
}

export type Ask = (house: House, who: Account, call: ApiCall, turn?: number) => Promise<HttpAnswer>;

/** Name of a route in the matrix. */
export const routeName = (api: Pick<MatrixApi, 'dialect'>, route: string): string => `${api.dialect.name} ${route}`;

/** Sends a call with the keys of an account. */
export function asker(api: MatrixApi): Ask {
  return (house, who, call, turn = 0) => send(api, house, keysOf(api, house, who).headers, call, turn);
}

export function keysOf({ dialect }: Pick<MatrixApi, 'dialect'>, house: House, who: Account): Keys {
  return house.keys.get(dialect.name)!.get(who)!;
}

async function send(api: MatrixApi, house: House, keys: Readonly<Record<string, string>>, call: ApiCall, turn: number): Promise<HttpAnswer> {
  const text = call.json === undefined ? undefined : Buffer.from(JSON.stringify(call.json));
  const body = text ?? call.body;
  const sent: Record<string, string> = body ? { 'content-type': 'application/json', 'content-length': String(body.length) } : {};
  const path = `${api.prefixes[turn % api.prefixes.length]}${call.path}`;
  return house.client.send(path, { method: call.method, headers: { ...keys, ...sent, ...call.headers }, ...(body ? { body } : {}) });
}

/** What must come when an account asks for a node by its id. */
export function judgeById(who: Account, node: TreeNode, need: Need, trash: boolean): { verdict: Verdict; isMount: boolean } {
  if (UNKNOWN_TO_SERVER.includes(who)) return { verdict: 'unauthenticated', isMount: false };
  const own = lanes(node).filter(({ path }) => {
    const found = find(who, path);
    return found?.home === node.place.home && found.path === node.path;
  });
  const verdicts = own.map(({ path }) => ({ verdict: judge(who, path, need, trash), isMount: find(who, path)!.isMount }));
  return verdicts.find(({ verdict }) => verdict !== 'absent') ?? { verdict: 'absent', isMount: false };
}

/** Who is known to the server: no route lets in anybody else, whatever it names (guardCases). */
const KNOWN = ACCOUNTS.filter((who) => !UNKNOWN_TO_SERVER.includes(who));
/** A node is asked for by one in three of those who have nothing of it: they differ in how they come to have nothing, and nodes differ little to them. */
const ONE_IN = 3;

/** Everybody who is known, at every node, by every route that names one. */
export function deedCases(api: MatrixApi): Case[] {
  const cases: Case[] = [];
  for (const [nth, deed] of api.deeds.entries()) {
    for (const [at, node] of NODES.filter(({ kind }) => deed.on.includes(kind)).entries()) {
      for (const [turn, who] of KNOWN.entries()) {
        const isStranger = who !== 'owner' && GRANTS[who] === undefined;
        if (isStranger && (nth + at + turn) % ONE_IN !== 0) continue;
        const { verdict, isMount } = judgeById(who, node, deed.need, deed.trash === true);
        if (isMount && deed.notOnMounts) continue;
        // what is there is the only one of its kind
        if (verdict === 'allowed' && (deed.onlyRefused || (deed.changes && node.place.trashed))) continue;
        if (deed.notInTrash && node.place.trashed && judgeById(who, node, 'see', true).verdict === 'allowed') continue;
        const way = cases.length;
        cases.push({
          id: `${who}|${api.dialect.name} ${deed.name}|${node.place.name}.${node.kind}`,
          route: routeName(api, deed.route),
          first: true,
          verdict,
          changes: deed.changes === true || ['change', 'add', 'remove', 'rule', 'restore'].includes(deed.need),
          run: (house) => askDeed(api, house, deed, who, node, verdict, way),
        });
      }
    }
  }
  return cases;
}

async function askDeed(
  api: MatrixApi,
  house: House,
  deed: Deed,
  who: Account,
  node: TreeNode,
  verdict: Verdict,
  turn: number,
): Promise<string | null> {
  const keys = keysOf(api, house, who);
  const isOwn = verdict === 'allowed' && deed.changes === true;
  const at = isOwn ? { ...node, path: await house.throwAway(node) } : node;
  const target: ApiTarget = { who, node: at, id: isOwn ? await house.idAt(at) : house.idOf(node), keys };
  const answer = await send(api, house, keys.headers, deed.call(target, house), turn);
  const got = `got ${brief(answer)}`;
  switch (verdict) {
    case 'unauthenticated':
      return answer.status === 401 ? null : `must be 401, ${got}`;
    case 'forbidden':
      return (deed.refused ?? [403]).includes(answer.status) ? null : `must be refused, ${got}`;
    case 'allowed':
      if (answer.status < 200 || answer.status > 299) return `must be taken, ${got}`;
      return deed.check ? deed.check(answer, target, house) : null;
    case 'absent': {
      const unknown = await house.unknown(`${who}|${api.dialect.name}|${deed.name}|${turn % api.prefixes.length}`, async () =>
        saying(await send(api, house, keys.headers, deed.call({ ...target, id: api.nothing }, house), turn), api.nothing),
      );
      if (answer.status < 400 || answer.status === 401 || answer.status > 499) return `must be refused, ${got}`;
      return saying(answer, target.id) === unknown ? null : `must be as for an unknown one (${unknown.slice(0, 200)}), ${got}`;
    }
  }
}

/** A call about something that an account has, by what names it; see belongingCases. */
export interface Belonging {
  readonly name: string;
  readonly route: string;
  /** Not asked with what is the caller's own, because it would be gone or another then. */
  readonly changes?: boolean;
  readonly call: (facts: Keys['facts'], who: Account) => ApiCall;
}

/** What the owner has is there for him, and to everybody else as unknown as what nobody has: `facts` and `nobodys` name the two. */
export function belongingCases(api: MatrixApi, belongings: readonly Belonging[], nobodys: (facts: Keys['facts']) => Keys['facts']): Case[] {
  const ask = asker(api);
  return belongings.flatMap((what) =>
    KNOWN.flatMap((who, turn) => {
      if (who === 'owner' && what.changes) return [];
      return [
        {
          id: `${who}|${api.dialect.name} ${what.name}`,
          route: routeName(api, what.route),
          first: true,
          changes: what.changes === true,
          verdict: who === 'owner' ? ('allowed' as const) : ('absent' as const),
          run: async (house: House) => {
            const { facts } = keysOf(api, house, 'owner');
            const none = nobodys(facts);
            const answer = await ask(house, who, what.call(facts, who), turn);
            if (who === 'owner') return answer.status < 300 ? null : `must be taken, got ${brief(answer)}`;
            if (answer.status < 400 || answer.status === 401 || answer.status > 499) return `must be refused, got ${brief(answer)}`;
            const unknown = withoutNames(await ask(house, who, what.call(none, who), turn), none);
            return withoutNames(answer, facts) === unknown ? null : `must be as for an unknown one (${unknown}), got ${brief(answer)}`;
          },
        },
      ];
    }),
  );
}

function withoutNames(answer: HttpAnswer, facts: Keys['facts']): string {
  return Object.values(facts).reduce((text, name) => text.replaceAll(name, '<name>'), `${answer.status} ${answer.body.toString('utf8', 0, 2_000)}`);
}

/** The same form with other hexadecimal digits. */
export function otherHex(text: string): string {
  return text.replace(/[0-9a-f]/g, (digit) => (digit === '0' ? '1' : '0'));
}
