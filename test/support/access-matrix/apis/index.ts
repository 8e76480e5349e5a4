import { FRAMED_DIALECTS } from '../../../../apps/api/src/documents.js';
import type { DialectRoute } from '../../../../apps/api/src/http/dialect/dialect.js';
import { dialectRoutesOf } from '../../../../apps/api/src/http/dialect/route.js';
import { brief } from '../client.js';
import type { Case } from '../grid.js';
import type { House } from '../house.js';
import { NODES, UNKNOWN_TO_SERVER } from '../model.js';
import { asker, deedCases, type MatrixApi, routeName } from './api.js';
import { FILEAGO_API } from './fileago.js';
import { KONEKSI_API } from './koneksi.js';
import { MEDIASAUR_API } from './mediasaur.js';
import { QUICKSYNC_API } from './quicksync.js';

/** Every API of the frame as the matrix asks it. */
export const MATRIX_APIS: readonly MatrixApi[] = [FILEAGO_API, KONEKSI_API, MEDIASAUR_API, QUICKSYNC_API];

/** Routes of all APIs of the frame, as the product serves them. */
export function framedRoutes(): string[] {
  return FRAMED_DIALECTS.flatMap(({ dialect, controllers }) =>
    dialectRoutesOf(controllers).map(({ method, template }) => `${dialect.name} ${method} ${template}`),
  );
}

/** Routes that no case asks. */
export function framedOutside(): Record<string, string> {
  return Object.fromEntries(MATRIX_APIS.flatMap((api) => Object.entries(api.outside).map(([route, why]) => [routeName(api, route), why])));
}

/** Makes the credentials of everybody; those of the disabled and of who has lost his tokens too, which end with them. */
export async function enterApis(house: House): Promise<void> {
  for (const api of MATRIX_APIS) {
    const people = Object.entries(house.tokens) as [keyof House['tokens'], string | null][];
    const keys = await Promise.all(people.map(async ([who, token]) => [who, await api.enter(house, token === null ? null : who)] as const));
    house.keys.set(api.dialect.name, new Map(keys));
  }
}

/** All questions by the APIs of the frame. */
export function apiCases(): Case[] {
  return MATRIX_APIS.flatMap((api) => [...deedCases(api), ...guardCases(api), ...(api.more?.(asker(api)) ?? [])]);
}

/** No route that needs a credential is let in without one, with a wrong one, or with one that has ended; whatever else is right about the call. */
function guardCases(api: MatrixApi): Case[] {
  const ask = asker(api);
  const guarded = dialectRoutesOf(api.controllers).filter(({ auth }) => auth !== 'public');
  return guarded.flatMap((route, turn) => {
    const callOf = (house: House) => ({ method: route.method, path: pathOf(route, house.idOf(NODES[4]!)), ...bodyOf(route) });
    const refused = (id: string, run: (house: House) => ReturnType<typeof ask>): Case => ({
      id: `${id}|${api.dialect.name} guard|${route.method} ${route.template}`,
      route: routeName(api, `${route.method} ${route.template}`),
      first: true,
      changes: route.method !== 'GET',
      verdict: 'unauthenticated',
      run: async (house) => {
        const answer = await run(house);
        if (answer.status === 404 && !id.startsWith('wrong') && api.endedIsAbsent?.includes(`${route.method} ${route.template}`)) return null;
        return answer.status === 401 ? null : `must be 401, got ${brief(answer)}`;
      },
    });
    return [
      ...UNKNOWN_TO_SERVER.map((who) => refused(who, (house) => ask(house, who, callOf(house), turn))),
      ...[{}, ...api.wrong].map((headers, nth) =>
        refused(`wrong ${nth}`, (house) => {
          const { json, method, path } = { json: undefined, ...callOf(house) };
          const sent = json === undefined ? { headers } : { headers: { ...headers, 'content-length': '2' }, body: '{}' };
          return house.client.send(`${api.prefixes[0]}${path}`, { method, ...sent });
        }),
      ),
    ];
  });
}

function pathOf({ template }: DialectRoute, id: string): string {
  return `/${template.replace(/<\w+>/g, id)}`;
}

function bodyOf({ method }: DialectRoute): { json?: unknown } {
  return method === 'GET' ? {} : { json: {} };
}
