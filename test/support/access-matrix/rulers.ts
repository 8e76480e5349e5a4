import { CLOUDIKE_CONTROLLERS } from '../../../apps/api/src/dialects/cloudike/cloudike.module.js';
import { routesOf } from '../../../apps/api/src/dialects/cloudike/http/routes-of.js';
import { brief, SPELLINGS } from './client.js';
import type { Case } from './grid.js';
import type { House } from './house.js';
import { ACCOUNTS, UNKNOWN_TO_SERVER } from './model.js';

/** Routes by which people are ruled: whoever adds one has it in the matrix at once. */
const RULING = /^(admin|moderators)\//;

/** Templates of all routes of the dialect. */
export function templates(): string[] {
  return CLOUDIKE_CONTROLLERS.flatMap((controller) => routesOf(controller)).flatMap((route) => route.templates);
}

/** Everything that such a route can ask for, so that it is the right that is missing and not a parameter. */
const paramsOf = (house: House) => ({
  user_id: house.users.reader.userId,
  userid: house.users.reader.userId,
  euser_id: house.users.reader.userId,
  login: `email:${house.users.reader.email}`,
  email: `new-${house.next()}@example.org`,
  name: 'Somebody',
  new_password: 'another horse battery',
  role: 'admin',
  immediately: true,
  company_id: 1,
  reason: 'none',
});

/** Nobody without an office in the house rules anybody, and no administrator of a company rules the house. */
export function rulerCases(): Case[] {
  const cases: Case[] = [];
  for (const route of templates().filter((template) => RULING.test(template))) {
    for (const who of ACCOUNTS.filter((each) => !/Admin$/.test(each))) {
      for (const spelling of SPELLINGS) {
        cases.push({
          id: `${who}|ruling|${route}|${spelling.name}`,
          route,
          first: spelling === SPELLINGS[0],
          changes: true,
          run: async (house) => {
            const call = { route: route.replace(/<\w+>/g, '1'), params: paramsOf(house) };
            const answer = await house.client.call(call, house.tokens[who], spelling);
            const wanted = UNKNOWN_TO_SERVER.includes(who) ? [401] : [400, 403, 404];
            return wanted.includes(answer.status) ? null : `must be ${wanted.join(' or ')}, got ${brief(answer)}`;
          },
        });
      }
    }
  }
  return cases;
}
