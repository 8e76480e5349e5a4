import type { HttpAnswer } from '../http-session.js';
import { brief, type Call, type Params, SPELLINGS } from './client.js';
import type { Case } from './grid.js';
import { type House, LINK_PASSWORD, type LinkName, LINKS } from './house.js';
import { type Account, ACCOUNTS, judge, UNKNOWN_TO_SERVER } from './model.js';

/** Who holds a link: anybody at all; a token beside it neither helps nor harms. */
const HOLDERS: readonly Account[] = ['anonymous', 'owner', 'reader', 'foreigner', 'disabled'];
type Secret = 'none' | 'right' | 'wrong';

/** Statuses of what is behind a link, as section 20 has them: 404 for what is closed, 403 for what is blocked or needs a password. */
function linkStatus(link: LinkName, secret: Secret, kind: 'download' | 'upload' | 'info'): 'open' | 403 | 404 {
  if (['expired', 'usedUp', 'withdrawn', 'trashed', 'ofRevoked', 'ofDisabled', 'ofExMember'].includes(link)) return 404;
  if (link === 'blocked') return 403;
  if (kind === 'info') return 'open';
  if (link === 'locked' && secret !== 'right') return 403;
  return (link === 'upload') === (kind === 'upload') ? 'open' : 403;
}

interface Door {
  readonly name: string;
  readonly route: string;
  readonly kind: 'download' | 'upload' | 'info';
  readonly call: (hash: string, path: string, house: House) => Call;
  /** For folders, for files, or for both. */
  readonly on: readonly ('folder' | 'png' | 'docx')[];
  /** Needs an account of its own. */
  readonly account?: boolean;
  readonly gives?: (answer: HttpAnswer, house: House) => boolean;
}

const isJpeg = (answer: HttpAnswer): boolean => answer.headers['content-type'] === 'image/jpeg';

const LINK_DOORS: readonly Door[] = [
  { name: 'info', route: 'links/info/<hash>', kind: 'info', on: ['folder'], call: (hash) => ({ route: `links/info/${hash}` }) },
  {
    name: 'metadata',
    route: 'links/metadata/<hash>/<path>',
    kind: 'download',
    on: ['folder', 'png', 'docx'],
    call: (hash, path) => ({ route: `links/metadata/${hash}${path}` }),
  },
  {
    name: 'get',
    route: 'links/get/<hash>/<path>',
    kind: 'download',
    on: ['png', 'docx'],
    call: (hash, path) => ({ route: `links/get/${hash}${path}` }),
    gives: (answer) => /^https?:/.test(answer.json<{ url: string }>().url),
  },
  {
    name: 'preview',
    route: 'links/get_preview',
    kind: 'download',
    on: ['png'],
    call: (hash, path) => ({ route: 'links/get_preview', params: { hash, path } }),
    gives: isJpeg,
  },
  {
    name: 'preview to be made',
    route: 'links/create_extra',
    kind: 'download',
    on: ['png'],
    call: (hash, path) => ({ route: 'links/create_extra', params: { hash, path } }),
  },
  {
    name: 'document page',
    route: 'kukudocs/link/view',
    kind: 'download',
    on: ['png'],
    call: (hash, path) => ({ route: 'kukudocs/link/view', params: { hash, path } }),
  },
  {
    name: 'office view',
    route: 'wopi/link/view',
    kind: 'download',
    on: ['docx'],
    call: (hash, path) => ({ route: 'wopi/link/view', params: { hash, path } }),
  },
  {
    name: 'archive task',
    route: 'links/download_as_archive/<hash>',
    kind: 'download',
    on: ['png'],
    call: (hash, path) => ({ route: `links/download_as_archive/${hash}`, params: { path: [path] } }),
  },
  {
    name: 'archive stream',
    route: 'links/download_as_archive_stream/<hash>',
    kind: 'download',
    on: ['png'],
    call: (hash, path) => ({ route: `links/download_as_archive_stream/${hash}`, params: { path: [path] } }),
    gives: (answer) => answer.body.includes('pic.png'),
  },
  {
    name: 'take over',
    route: 'links/add_to_storage/<hash>',
    kind: 'download',
    on: ['png'],
    account: true,
    call: (hash, path) => ({ route: `links/add_to_storage/${hash}`, params: { path: [path], target_path: '/Inbox' } }),
  },
  {
    name: 'upload',
    route: 'links/file_create/<hash>',
    kind: 'upload',
    on: ['folder'],
    call: (hash, _, house) => ({ route: `links/file_create/${hash}`, params: { path: `/up${house.next()}.txt`, size: 5 } }),
  },
  {
    name: 'upload, other spelling',
    route: 'links/upload_folders/file_create/<hash>',
    kind: 'upload',
    on: ['folder'],
    call: (hash, _, house) => ({ route: `links/upload_folders/file_create/${hash}`, params: { path: `/up${house.next()}.txt`, size: 5 } }),
  },
];

const INSIDE: Readonly<Record<'folder' | 'png' | 'docx', readonly string[]>> = {
  folder: ['', '/sub'],
  png: ['/pic.png', '/sub/pic.png'],
  docx: ['/plan.docx'],
};
/** Of nodes that exist, outside of every link. */
const OUTSIDE = [
  '/../../Private/private.png',
  '/Private/private.png',
  '/../good/pic.png',
  '/Area/Team/team.png',
  '/sub/../../../Private/private.png',
];

/** Everything behind links, for everybody who holds one. */
export function linkCases(): Case[] {
  const cases: Case[] = [];
  for (const door of LINK_DOORS) {
    for (const link of LINKS) {
      for (const who of HOLDERS) {
        for (const secret of link === 'locked' ? (['none', 'right', 'wrong'] as const) : (['none', 'wrong'] as const)) {
          const inside = door.on.flatMap((kind) => INSIDE[kind]);
          for (const path of [...inside, ...(door.kind === 'download' ? OUTSIDE : [])]) {
            // each look at a password costs what it should cost, and one that nobody asked for changes nothing: it is tried by few
            if (secret !== 'none' && who !== 'anonymous' && who !== 'foreigner') continue;
            for (const spelling of [SPELLINGS[cases.length % SPELLINGS.length]!]) {
              cases.push({
                id: `${who}|link ${link}|${door.name}|${path}|password ${secret}|${spelling.name}`,
                route: door.route,
                first: true,
                changes: false,
                verdict: linkStatus(link, secret, door.kind) === 'open' && inside.includes(path) ? 'allowed' : 'absent',
                run: async (house) => {
                  const call = door.call(house.links[link], path, house);
                  const password: Params = secret === 'none' ? {} : { password: secret === 'right' ? LINK_PASSWORD : 'not it' };
                  const answer = await house.client.call({ ...call, params: { ...call.params, ...password } }, house.tokens[who], spelling);
                  const isPast = path.includes('..') && door.route.endsWith('<path>');
                  return linkVerdict(door, link, who, secret, isPast ? 'past the hash' : !inside.includes(path), answer, house);
                },
              });
            }
          }
        }
      }
    }
  }
  return cases;
}

function linkVerdict(
  door: Door,
  link: LinkName,
  who: Account,
  secret: Secret,
  outside: boolean | 'past the hash',
  answer: HttpAnswer,
  house: House,
): string | null {
  const got = `got ${brief(answer)}`;
  if (door.account && UNKNOWN_TO_SERVER.includes(who)) return answer.status === 401 ? null : `must be 401, ${got}`;
  // to its issuer a link says what it is in every state it has
  if (door.kind === 'info' && who === 'owner' && ['expired', 'usedUp', 'trashed', 'blocked'].includes(link)) return null;
  const wanted = linkStatus(link, secret, door.kind);
  // in an address the dots lead past the hash, before anybody looks at the link
  if (outside === 'past the hash') return answer.status === 404 ? null : `must be 404, ${got}`;
  if (wanted !== 'open') return answer.status === wanted ? null : `must be ${wanted}, ${got}`;
  if (outside) return answer.status === 404 ? null : `must not lead out of the link, ${got}`;
  if (answer.status > 299) return `must be taken, ${got}`;
  return door.gives?.(answer, house) === false ? `gave something else: ${got}` : null;
}

const SHARE_DOORS: readonly Door[] = [
  { ...LINK_DOORS[1]!, route: 'shares/metadata/<hash>/<path>', call: (hash, path) => ({ route: `shares/metadata/${hash}${path}` }) },
  { ...LINK_DOORS[2]!, route: 'shares/get/<hash>/<path>', call: (hash, path) => ({ route: `shares/get/${hash}${path}` }) },
  {
    ...LINK_DOORS[2]!,
    name: 'get, short',
    route: 'get/<hash>/<path>',
    call: (hash, path) => ({ route: `get/${hash}${path}`, params: { for_view: true } }),
  },
  {
    ...LINK_DOORS[3]!,
    route: 'shares/get_preview',
    call: (hash, path) => ({ route: 'shares/get_preview', params: { invite_hash: hash, path } }),
  },
  { ...LINK_DOORS[4]!, route: 'shares/create_extra', call: (hash, path) => ({ route: 'shares/create_extra', params: { invite_hash: hash, path } }) },
];

/** Hashes of the shared folder and of invitations to it, of the share that anybody may view, and one that is none. */
const HASHES = ['share', 'open', 'waiting', 'declined', 'reader', 'revoked', 'exMember', 'none'] as const;

/** Everything behind the hashes of shares and invitations, for everybody who has found one. */
export function shareHashCases(): Case[] {
  const cases: Case[] = [];
  for (const door of SHARE_DOORS) {
    for (const hash of HASHES) {
      const open = hash === 'open';
      const inside = door.on.flatMap((kind): string[] => {
        if (kind === 'folder') return open ? [''] : ['', '/Sub/a'];
        return open ? [`/open.${kind}`] : [`/team.${kind}`, `/Sub/a/b/deep.${kind}`];
      });
      const outside = ['/../Private/private.png', '/../Beside/beside.png', '/Gone/gone.png', '/nothing.png', '/Private/private.png'];
      for (const who of ACCOUNTS) {
        for (const path of [...inside, ...outside]) {
          for (const spelling of [SPELLINGS[cases.length % SPELLINGS.length]!]) {
            cases.push({
              id: `${who}|hash ${hash}|${door.name}|${path}|${spelling.name}`,
              route: door.route,
              first: true,
              changes: false,
              verdict: opensTo(hash, who) && inside.includes(path) ? 'allowed' : 'absent',
              run: async (house) => {
                const value =
                  hash === 'share' ? house.shareHash : open ? house.openHash : hash === 'none' ? 'A'.repeat(32) : house.invitations[hash]!;
                const answer = await house.client.call(door.call(value, path, house), house.tokens[who], spelling);
                return shareVerdict(door, hash, who, outside.includes(path), answer, house);
              },
            });
          }
        }
      }
    }
  }
  return cases;
}

/** Whether a hash lets somebody in; an invitation that was taken back leads nowhere. */
function opensTo(hash: (typeof HASHES)[number], who: Account): boolean {
  const ended = ['none', 'revoked', 'exMember'].includes(hash);
  return hash === 'open' || (!ended && ['/Area/Team', '/Team'].some((path) => judge(who, path, 'see') === 'allowed'));
}

function shareVerdict(door: Door, hash: (typeof HASHES)[number], who: Account, outside: boolean, answer: HttpAnswer, house: House): string | null {
  const got = `got ${brief(answer)}`;
  if (opensTo(hash, who) && !outside) {
    if (answer.status > 299) return `must be taken, ${got}`;
    return door.gives?.(answer, house) === false ? `gave something else: ${got}` : null;
  }
  return answer.status === 404 ? null : `must be as unknown, ${got}`;
}
