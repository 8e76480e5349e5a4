import { brief, SPELLINGS } from './client.js';
import type { Case } from './grid.js';
import { callOf, type Signature, signatures } from './ids.js';
import { type Account, ACCOUNTS, UNKNOWN_TO_SERVER } from './model.js';

/** Everybody of the house, and a moderator of the owner's company: he looks after what is public, and rules nobody. */
type Caller = Account | 'moderator';
const CALLERS: readonly Caller[] = [...ACCOUNTS, 'moderator'];

/*
 * Routes by which people, companies and programs are ruled, and who may: asked with what belongs to the owner and his company (contract 2, 13, 18 and
 * 21). What a ruler's call leads to is shown by the specs of these routes; here he is let in where nothing changes by it.
 */

/** Who may call a route, and what everybody else is told. */
type Office =
  /** Administrators of the system; 403. */
  | 'system'
  /** Administrators of the system, about a company: 403 to its own people, and to everybody else it does not exist. */
  | 'systemOfCompany'
  /** Administrators of the company and of the system; 403 to its people, and to everybody else it does not exist. */
  | 'company'
  /** The people of the company, and administrators of the system; to everybody else it does not exist. */
  | 'people'
  /** Administrators of the person's company and of the system; 403 to his colleagues, and to everybody else he does not exist. */
  | 'person'
  /** As `person`, of what he has; 403 for everybody who administrates nothing at all. */
  | 'staff'
  /** Whoever administrates anything. */
  | 'any'
  /** Whoever is signed in, about himself. */
  | 'self'
  | 'public';

const OFFICES: readonly (readonly [route: RegExp, office: Office])[] = [
  [/^admin\/accounts_set_password$/, 'person'],
  [/^admin\/accounts_find_users$/, 'any'],
  [/^admin\/company\/<company_id>\/invite_user/, 'company'],
  [/^admin\/company\/<company_id>\//, 'systemOfCompany'],
  [/^(admin|moderators)\//, 'system'],
  [/^(accounts\/)?company\/(domain|logo)\//, 'public'],
  [/^(accounts\/)?company\/<company_id>\/(set_expired|remove)$/, 'systemOfCompany'],
  [/^(accounts\/)?company\/<company_id>$/, 'people'],
  [/^(accounts\/)?company\/<company_id>\/request_quota$/, 'company'],
  [/^(accounts\/)?company\/<company_id>\//, 'company'],
  [/^(accounts\/)?company\/user_(permanent_)?tokens$/, 'person'],
  [/^(accounts\/)?company\/user_/, 'staff'],
  [/^((accounts\/)?company\/change_|accounts\/change_admin_rights$)/, 'company'],
  [/^soft\/get_/, 'public'],
  [/^soft\//, 'system'],
  [/^accounts\/feedback_list$/, 'system'],
  [/^accounts\/get_offer$/, 'public'],
  [/^info$/, 'self'],
  [/^choose$/, 'any'],
  [/^(analytics\/|csv_download$)/, 'any'],
  [/^(accounts\/)?company\/audit$/, 'company'],
];

const RULERS: readonly Account[] = ['companyAdmin', 'otherAdmin', 'systemAdmin'];
const ABROAD: readonly Account[] = ['writer', 'foreigner', 'otherAdmin'];

function officeOf(template: string): Office | null {
  if (/company\/admin\//.test(template)) return null;
  return OFFICES.find(([route]) => route.test(template))?.[1] ?? null;
}

/** The status that a caller gets; null: he is let in. */
function refusal(office: Office, who: Caller): 401 | 403 | 404 | null {
  if (office === 'public') return null;
  if (includes(UNKNOWN_TO_SERVER, who)) return 401;
  if (who === 'systemAdmin' || office === 'self') return null;
  const isAbroad = includes(ABROAD, who);
  switch (office) {
    case 'system':
      return 403;
    case 'systemOfCompany':
      return isAbroad ? 404 : 403;
    case 'company':
    case 'person':
      return isAbroad ? 404 : who === 'companyAdmin' ? null : 403;
    case 'people':
      return isAbroad ? 404 : null;
    case 'staff':
      return who === 'otherAdmin' ? 404 : who === 'companyAdmin' ? null : 403;
    case 'any':
      return includes(RULERS, who) ? null : 403;
  }
}

/** Lets a ruler in, and changes nothing. */
const LOOKS =
  /(_find_users|find_companies|blocked_logins|moderators\/get|<company_id>|\/users|feedback_list|user_tokens|list_updates|list_version|admin\/settings|info|get_offer)$/;

/** Everybody, on every route by which something is ruled. */
export function rulerCases(): Case[] {
  return signatures().flatMap((signature) => {
    const office = officeOf(signature.template);
    return office === null ? [] : CALLERS.flatMap((who, turn) => casesOf(signature, office, who, turn));
  });
}

function casesOf(signature: Signature, office: Office, who: Caller, turn: number): Case[] {
  const { template } = signature;
  const refused = refusal(office, who);
  // what he asks for himself is his own business
  if ((refused === null && !LOOKS.test(template)) || (who === 'owner' && template.endsWith('request_quota'))) return [];
  const spelling = SPELLINGS[(template.length + turn) % SPELLINGS.length]!;
  return [
    {
      id: `${who}|ruling|${template}|${spelling.name}`,
      route: template,
      first: true,
      changes: refused !== null,
      run: async (house) => {
        const token = who === 'moderator' ? house.moderator.token : house.tokens[who];
        const answer = await house.client.call(
          callOf(house, signature, who === 'moderator' ? 'colleague' : who, () => 'foreign'),
          token,
          spelling,
        );
        return answer.status === (refused ?? 200) ? null : `must be ${refused ?? 200}, got ${brief(answer)}`;
      },
    },
  ];
}

const includes = (accounts: readonly Account[], who: Caller): boolean => accounts.some((each) => each === who);
