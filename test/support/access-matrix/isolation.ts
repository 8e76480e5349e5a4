import type { HttpAnswer } from '../http-session.js';
import { SPELLINGS } from './client.js';
import type { Case } from './grid.js';
import { callOf, idOf, idsOf, signatures } from './ids.js';
import type { Account } from './model.js';

/* No id of another company answers differently from an unknown one, on any route. */

/** Who asks: a plain member of another company, its administrator, and nobody where nobody may. */
const ASKING: readonly Account[] = ['foreigner', 'otherAdmin'];

/** Every route that takes an id, asked by people of another company with an id that exists and with one that does not. */
export function isolationCases(): Case[] {
  const cases: Case[] = [];
  for (const signature of signatures()) {
    const { template, auth } = signature;
    for (const id of idsOf(signature)) {
      for (const who of auth === 'account' ? ASKING : ([...ASKING, 'anonymous'] as const)) {
        const spelling = SPELLINGS[cases.length % SPELLINGS.length]!;
        cases.push({
          id: `${who}|isolation|${template}|${id}|${spelling.name}`,
          route: template,
          first: true,
          changes: true,
          run: async (house) => {
            const ask = async (whose: 'foreign' | 'unknown'): Promise<string> => {
              const call = callOf(house, signature, who, (name) => (name === id ? whose : 'own'));
              return said(
                await house.client.call(call, house.tokens[who], spelling),
                (['unknown', 'foreign'] as const).map((each) => idOf(house, signature, who, id, each)),
              );
            };
            let [foreign, unknown] = ['', ''];
            // what is listed may change between the two, because other cases run; what an id gives away, it gives away each time
            for (let tries = 0; tries < 3 && (tries === 0 || foreign !== unknown); tries++)
              [foreign, unknown] = [await ask('foreign'), await ask('unknown')];
            return foreign === unknown ? null : `of another company: ${foreign}, unknown: ${unknown}`;
          },
        });
      }
    }
  }
  return cases;
}

/** An answer without what must differ: the id itself, times, and what was made for it: hashes, numbers of new accounts, names that nobody had. */
function said({ status, headers, body }: HttpAnswer, ids: readonly string[]): string {
  const text = body
    .toString('utf8')
    .replaceAll(new RegExp(`\\b(${ids.map((id) => id.replaceAll(/\W/g, '\\$&')).join('|')})\\b`, 'g'), '<id>')
    .replaceAll(/\b\d{13}\b/g, '<time>')
    .replaceAll(/isolated\d+/g, '<name>')
    .replaceAll(/"(hash|taskid)":"[\w-]{32,}"/g, '"$1":"<made>"')
    .replaceAll(/"(userid|user_eid|quota_owner_id|group_id)":"?(\d+|<id>)"?/g, '"$1":<number>');
  const names = Object.keys(headers).filter((name) => !['date', 'content-length', 'connection', 'keep-alive'].includes(name));
  return `${status} ${text.slice(0, 2_000)} ${names.sort().join(',')} ${headers['content-type'] ?? ''} ${headers['cache-control'] ?? ''}`;
}
