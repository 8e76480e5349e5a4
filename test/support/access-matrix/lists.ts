import { setTimeout as sleep } from 'node:timers/promises';

import type { HttpAnswer } from '../http-session.js';
import { Subscriber } from '../subscriber.js';
import { brief, type Params, type Spelling, SPELLINGS } from './client.js';
import type { Case } from './grid.js';
import type { House } from './house.js';
import { type Account, ACCOUNTS, find, judge, NODES, PLACES, seenAt, UNKNOWN_TO_SERVER } from './model.js';

const SIGNED_IN = ACCOUNTS.filter((who) => !UNKNOWN_TO_SERVER.includes(who));
const status = (answer: HttpAnswer, wanted: number): string | null => (answer.status === wanted ? null : `must be ${wanted}, got ${brief(answer)}`);

interface Row {
  readonly path?: string;
  readonly name?: string;
  readonly restore_path?: string;
}

/** What is asked without naming a node, once for every account and spelling; `check` looks at a good answer. */
function each(
  route: string,
  name: string,
  params: Params,
  check: (who: Account, answer: HttpAnswer, house: House) => string | null,
  accounts: readonly Account[] = ACCOUNTS,
): Case[] {
  return accounts.flatMap((who) =>
    SPELLINGS.map((spelling: Spelling) => ({
      id: `${who}|list|${name}|${spelling.name}`,
      route,
      first: spelling === SPELLINGS[0],
      changes: false,
      run: async (house: House) => {
        const answer = await house.client.call({ route: route.replace('/<path>', ''), params }, house.tokens[who], spelling);
        if (UNKNOWN_TO_SERVER.includes(who)) return status(answer, 401);
        return status(answer, 200) ?? check(who, answer, house);
      },
    })),
  );
}

/** A path in an answer is somebody's business: of his own doing, or visible to him by the model. */
function strange(who: Account, path: string): boolean {
  if (!/\/(above|team|deep|gone|beside|private|open|mine)\.(png|docx|secret)$/.test(path) || /^\/(Inbox|Incoming)\//.test(path)) return false;
  return judge(who, path.replace(/secret$/, 'png'), 'see') !== 'allowed';
}

const noStrangers = (who: Account, answer: HttpAnswer, pick: (body: never) => readonly Row[]): string | null => {
  const told = pick(answer.json<never>()).map((row) => row.path ?? row.restore_path ?? '');
  const bad = told.filter((path) => strange(who, path));
  return bad.length > 0 ? `must not tell ${bad.join(' ')}` : null;
};

function searchCases(): Case[] {
  return NODES.flatMap((node) => {
    const name = node.path.slice(node.path.lastIndexOf('/') + 1);
    return each('files/search', `search ${node.place.name}.${node.kind}`, { query: name, limit: 2000 }, (who, answer) => {
      const found = answer.json<{ content: Row[] }>().content.map(({ path }) => path!);
      const wanted = node.place.home === 'colleague' ? (who === 'colleague' ? node.path : null) : seenAt(who, node);
      if (wanted !== null && !node.place.trashed && !found.includes(wanted)) return `must find ${wanted}, found ${found.slice(0, 20).join(' ')}`;
      return noStrangers(who, answer, (body: { content: Row[] }) => body.content);
    });
  });
}

function listCases(): Case[] {
  return [
    ...each('files/favorites', 'favourites', {}, (who, answer) => noStrangers(who, answer, (body: Row[]) => body)),
    ...each('links', 'links', {}, (who, answer, house) => {
      // nor links of his own to what he has lost
      if (who !== 'owner' && Object.values(house.links).some((hash) => answer.body.includes(hash))) return 'must not tell these links';
      return noStrangers(who, answer, (body: Row[]) => body);
    }),
    ...each('trash', 'trash', {}, (who, answer) => {
      const names = answer.json<{ content: Row[] }>().content.map(({ name }) => name);
      return who !== 'owner' && names.includes('Gone') ? 'must not tell what others have removed' : null;
    }),
    ...each('shares', 'shares', {}, (who, answer) => {
      const told = answer.json<Row[]>().map(({ path }) => path!);
      const bad = told.filter((path) => ['/Area', '/Area/Team', '/Team', '/Open'].includes(path) && judge(who, path, 'see') !== 'allowed');
      return bad.length > 0 ? `must not tell ${bad.join(' ')}` : null;
    }),
    ...each('shares/invites', 'invitations', {}, (who, answer, house) => {
      const told = answer.json<{ hash: string }[]>().some(({ hash }) => hash === house.invitations.waiting);
      return told === (who === 'waiting') ? null : `must ${told ? 'not ' : ''}tell the invitation`;
    }),
    ...each('metadata/<path>', 'home', { listing: true }, (who, answer) => {
      const told = answer.json<{ content: Row[] }>().content.map(({ path }) => path!);
      const bad = told.filter((path) => ['/Area', '/Team', '/Open', '/Private', '/Mine'].includes(path) && judge(who, path, 'see') !== 'allowed');
      return bad.length > 0 ? `must not hold ${bad.join(' ')}` : null;
    }),
    ...each('events_len', 'number of events', {}, (_, answer) => (answer.json<{ total: number }>().total >= 0 ? null : 'tells no number')),
    ...each('notices', 'notices', {}, () => null),
    ...each('files/progress_download_streams', 'archive streams', {}, (who, answer, house) => {
      const told = answer.json<{ private_hash: string }[]>().map(({ private_hash: hash }) => hash);
      const bad = ACCOUNTS.filter((other) => other !== who && house.keepsakes[other] && told.includes(house.keepsakes[other].archive));
      return bad.length > 0 ? `must not tell those of ${bad.join(' ')}` : null;
    }),
    ...each('migration_contents', 'what is given away', {}, (who, answer, house) =>
      who !== 'owner' && who !== 'waiting' && answer.body.includes(house.migrationHash) ? 'must not tell what others give away' : null,
    ),
    ...each('shares/company/requests', 'requests', {}, () => null),
  ].flat();
}

/** Routes of administrators: only for those of the owner's company and of the system; to administrators elsewhere the owner is unknown. */
function adminCases(): Case[] {
  const cases: Case[] = [];
  const routes: readonly {
    route: string;
    params: (house: House) => Params;
    allowed: readonly Account[];
    unknown: readonly Account[];
  }[] = [
    ...['company/admin/shares/collaborators', 'accounts/company/admin/shares/collaborators', 'shares/collaborators'].map((route) => ({
      route,
      params: (house: House) => ({ path: '/Area/Team', userid: house.users.owner.userId }),
      allowed: ['owner', 'companyAdmin', 'systemAdmin'] as const,
      unknown: ['otherAdmin'] as const,
    })),
    ...['company/admin/shares/remove', 'accounts/company/admin/shares/remove', 'shares/remove'].map((route) => ({
      route,
      params: (house: House) => ({ path: '/Area/Team', userid: house.users.owner.userId, member_login: `email:${house.users.reader.email}` }),
      allowed: [],
      unknown: ['otherAdmin'] as const,
    })),
    ...['company/admin/shares/unshare', 'accounts/company/admin/shares/unshare', 'shares/unshare', 'shares/sizelimit'].map((route) => ({
      route,
      params: (house: House) => ({ path: '/Area/Team', userid: house.users.owner.userId, enable: false }),
      allowed: [],
      unknown: ['otherAdmin'] as const,
    })),
    ...['groups/<group_id>/users'].map((route) => ({
      route,
      params: () => ({}),
      allowed: ['companyAdmin', 'systemAdmin'] as const,
      unknown: ['otherAdmin'] as const,
    })),
    ...['change', 'add_user', 'remove_user', 'change_can_print', 'change_can_download', 'change_can_upload', 'change_pc_can_download'].map(
      (name) => ({
        route: `groups/<group_id>/${name}`,
        params: (house: House) => ({ name: 'other', user_ids: String(house.users.reader.userId), value: true }),
        allowed: [],
        unknown: ['otherAdmin'] as const,
      }),
    ),
    ...['change_use_watermarks', 'change_mobile_restriction', 'change_group_ip_restriction', 'change_ip_restriction'].map((name) => ({
      route: `groups/<group_id>/${name}`,
      params: () => ({ value: true, ip_restriction: false, allowed_ips: '' }),
      allowed: [],
      unknown: ['otherAdmin'] as const,
    })),
    { route: 'groups/list', params: () => ({}), allowed: ['companyAdmin', 'otherAdmin'], unknown: ['systemAdmin'] },
    { route: 'groups/create', params: () => ({ name: 'mine now' }), allowed: [], unknown: [] },
    { route: 'groups/delete', params: () => ({ name: 'no such group' }), allowed: [], unknown: ['companyAdmin', 'otherAdmin'] },
    { route: 'copyright/get_complaints', params: () => ({}), allowed: ['systemAdmin'], unknown: [] },
    { route: 'copyright/edit_complaint', params: () => ({ complaint_id: 999_999, status: 'accepted' }), allowed: [], unknown: ['systemAdmin'] },
    { route: 'shares/company/shared', params: () => ({}), allowed: ['companyAdmin', 'otherAdmin'], unknown: [] },
  ];
  const rulers: readonly Account[] = ['owner', 'companyAdmin', 'systemAdmin', 'otherAdmin'];
  for (const { route, params, allowed, unknown } of routes) {
    for (const who of ACCOUNTS) {
      // who may do it is seen in the specs of these routes, with what it leads to
      const mayTry = allowed.length > 0 || unknown.includes(who) || !rulers.includes(who);
      if (!mayTry) continue;
      for (const spelling of SPELLINGS) {
        cases.push({
          id: `${who}|admin|${route}|${spelling.name}`,
          route,
          first: spelling === SPELLINGS[0],
          changes: allowed.length === 0,
          run: async (house) => {
            const call = { route: route.replace('<group_id>', String(house.groupId)), params: params(house) };
            const answer = await house.client.call(call, house.tokens[who], spelling);
            if (UNKNOWN_TO_SERVER.includes(who)) return status(answer, 401);
            if (allowed.includes(who)) return status(answer, 200);
            return status(answer, unknown.includes(who) ? 404 : 403);
          },
        });
      }
    }
  }
  return cases;
}

/** A folder that is offered to a company is there for its people, and for nobody else. */
function offerCases(): Case[] {
  const cases: Case[] = [];
  const staff = SIGNED_IN.filter((who) => !['writer', 'foreigner', 'otherAdmin', 'systemAdmin'].includes(who));
  for (const who of ACCOUNTS) {
    for (const route of [
      'shares/company/get/<folder_hash>',
      'shares/company/get/one/<folder_hash>',
      'shares/company/get/one',
      'shares/company/get',
    ] as const) {
      for (const spelling of SPELLINGS) {
        cases.push({
          id: `${who}|offer|${route}|${spelling.name}`,
          route,
          first: spelling === SPELLINGS[0],
          changes: false,
          run: async (house) => {
            const params: Params = route.includes('<') ? {} : { folder_hash: house.offerHash };
            const call = { route: route.replace('<folder_hash>', house.offerHash), params };
            const answer = await house.client.call(call, house.tokens[who], spelling);
            if (UNKNOWN_TO_SERVER.includes(who)) return status(answer, 401);
            const told = answer.status === 200 && answer.body.includes(house.offerHash);
            if (staff.includes(who)) return told ? null : `must tell the offer, got ${brief(answer)}`;
            if (told) return `must not tell the offer, got ${brief(answer)}`;
            // the list is that of the asker's own company
            return status(answer, route === 'shares/company/get' ? 200 : 404);
          },
        });
      }
    }
    for (const route of ['shares/company/request', 'shares/company/accept', 'shares/company/hide'] as const) {
      if (staff.includes(who) && (route === 'shares/company/request' || who === 'owner')) continue;
      if (who === 'companyAdmin' || who === 'systemAdmin') continue;
      for (const spelling of SPELLINGS) {
        cases.push({
          id: `${who}|offer|${route}|${spelling.name}`,
          route,
          first: spelling === SPELLINGS[0],
          changes: true,
          run: async (house) => {
            const params = { folder_hash: house.offerHash, user_id: house.users.foreigner.userId };
            const answer = await house.client.call({ route, params }, house.tokens[who], spelling);
            if (UNKNOWN_TO_SERVER.includes(who)) return status(answer, 401);
            return status(answer, 404);
          },
        });
      }
    }
  }
  return cases;
}

/** A listing of everything holds what its owner sees, and nothing else. */
function fullListingCases(): Case[] {
  return SIGNED_IN.map((who) => ({
    id: `${who}|full listing`,
    route: 'metadata_full_listing',
    first: true,
    changes: false,
    run: async (house: House) => {
      const { listing_request_id: id } = await house.do<{ listing_request_id: string }>(who, 'metadata_full_listing');
      const { url } = await house.finished<{ url: string }>(who, 'metadata_full_listing', { listing_request_id: id });
      const text = (await house.client.send(url)).body.toString();
      const told = [...text.matchAll(/"path":"([^"]+)"/g)].map(([, path]) => path!);
      const missing = NODES.filter(({ place }) => !place.trashed && place.home === 'owner')
        .map((node) => seenAt(who, node))
        .filter((path) => path !== null && !told.includes(path));
      const bad = told.filter((path) => strange(who, path));
      return missing.length + bad.length > 0 ? `must hold ${missing.join(' ')}, and not ${bad.join(' ')}` : null;
    },
  }));
}

/** What the owner does somewhere is told to those who see the place, in the feed and on websockets, and to nobody else. */
function eventCases(): Case[] {
  return [false, true].map((pushed) => ({
    id: pushed ? 'everybody|events|websocket' : 'everybody|events|feed',
    route: pushed ? 'subscribe/ticket' : 'events',
    first: true,
    changes: true,
    run: async (house: House) => {
      const listeners = new Map<Account, Subscriber>();
      const wrong: string[] = [];
      for (const who of pushed ? ACCOUNTS : []) {
        const token = house.tokens[who];
        const opened = await Subscriber.listening(house.stack.baseUrl, `token=${token ?? ''}`).catch(() => null);
        if ((opened === null) !== UNKNOWN_TO_SERVER.includes(who)) wrong.push(`${who} ${opened ? 'was' : 'was not'} let in`);
        if (opened) listeners.set(who, opened);
      }
      const mark = `event${house.next()}`;
      const live = PLACES.filter(({ trashed }) => !trashed);
      for (const place of live) await house.do(place.home, 'fileops/folder_create', { path: `${place.path}/${mark}-${place.name}` });
      if (pushed) await sleep(1_000);
      for (const who of SIGNED_IN) {
        const told = pushed
          ? (listeners.get(who)?.events ?? []).map(({ path }) => path)
          : await house.do<{ path: string }[] | { content: { path: string }[] }>(who, 'events', { limit: 100, type: ['folder_created'] });
        const text = JSON.stringify(told);
        for (const place of live) {
          const own = place.home === 'colleague' ? who === 'colleague' : seenAt(who, { place, kind: 'folder', path: place.path }) !== null;
          if (text.includes(`${mark}-${place.name}`) !== own) wrong.push(`${who} ${own ? 'must' : 'must not'} be told of ${place.name}`);
        }
      }
      await Promise.all([...listeners.values()].map((listener) => listener.close()));
      return wrong.length > 0 ? wrong.join('; ') : null;
    },
  }));
}

/** What is in the trash of a share: seen, undeleted and restored by those who may remove things there. */
function trashCases(): Case[] {
  const cases: Case[] = [];
  for (const who of SIGNED_IN.filter((each) => each !== 'colleague')) {
    for (const way of ['list', 'undelete', 'undelete many', 'restore'] as const) {
      const route = {
        list: 'trash/from_shared/<path>',
        undelete: 'fileops/undelete',
        'undelete many': 'fileops/multi/undelete',
        restore: 'trash/restore/<name>/from_shared/<path>',
      }[way];
      for (const lane of ['/Area/Team', '/Team']) {
        const may = judge(who, lane, 'restore') === 'allowed';
        const sees = judge(who, lane, 'see') === 'allowed';
        cases.push({
          id: `${who}|trash of the share|${way}|${lane}`,
          route,
          first: true,
          changes: true,
          run: async (house) => {
            const name = `trash${house.next()}`;
            const there = `/Area/Team/${name}`;
            await house.do('owner', 'fileops/folder_create', { path: there });
            await house.do('owner', 'fileops/delete', { path: there });
            if (who === 'indirect' && lane === '/Area/Team' && (way === 'list' || way === 'restore')) return null;
            const asked = {
              list: { route: `trash/from_shared${lane}` },
              undelete: { route, params: { path: `${lane}/${name}` } },
              'undelete many': { route, params: { path: [`${lane}/${name}`] } },
              restore: { route: `trash/restore/${name}/from_shared${lane}` },
            }[way];
            const answer = await house.client.call(asked, house.tokens[who]);
            if (way === 'restore' && answer.status === 200) await house.finished(who, `task/${answer.json<{ taskid: string }>().taskid}`);
            const back = await house.stands('owner', there);
            if (way === 'list')
              return may === (answer.status === 200 && answer.body.includes(name)) ? null : `must ${may ? '' : 'not '}be told, got ${brief(answer)}`;
            if (back !== may) return `must ${may ? '' : 'not '}come back, got ${brief(answer)}`;
            if (may || way === 'undelete many') return null;
            // what he sees he may not restore; by its path nothing is told of what he may not undelete
            return status(answer, sees && way === 'restore' ? 403 : 404);
          },
        });
      }
    }
  }
  return cases;
}

/** A listing that looks into the trash tells what has been removed from a folder to those who may take it back, and to nobody else. */
function removedCases(): Case[] {
  const team = NODES.find(({ place, kind }) => place.name === 'team' && kind === 'folder')!;
  return SIGNED_IN.flatMap((who) => {
    const path = seenAt(who, team);
    if (path === null) return [];
    return [
      {
        id: `${who}|list|removed from the share`,
        route: 'metadata/<path>',
        first: true,
        changes: false,
        run: async (house: House) => {
          const { content } = await house.do<{ content: Row[] }>(who, `metadata${path}`, { listing: true, deleted: true });
          const told = content.some((row) => (row.restore_path ?? row.path) === `${path}/Gone`);
          return told === (judge(who, `${path}/Gone`, 'see', true) === 'allowed') ? null : `must ${told ? 'not ' : ''}tell what was removed`;
        },
      },
    ];
  });
}

/** Several nodes in one call: each is judged for itself. */
function bulkCases(): Case[] {
  const cases: Case[] = [];
  for (const who of SIGNED_IN) {
    for (const node of NODES.filter(({ place }) => place.name !== 'mine')) {
      for (const path of [node.path, node.path.replace(/^\/Area(?=\/)/, '')]) {
        if (judge(who, path, 'remove') === 'allowed' || find(who, path)?.isMount) continue;
        cases.push({
          id: `${who}|bulk|multi/delete|${path}`,
          route: 'fileops/multi/delete',
          first: true,
          changes: true,
          run: async (house) => {
            const answer = await house.client.call({ route: 'fileops/multi/delete', params: { path: [path] } }, house.tokens[who]);
            if (answer.status !== 200) return status(answer, 200);
            return answer.json<{ success: number }>().success === 0 ? null : `must refuse each, got ${brief(answer)}`;
          },
        });
      }
    }
  }
  return cases;
}

/** What is asked about everything at once, and about what has no path. */
export function setCases(): Case[] {
  return [
    ...searchCases(),
    ...listCases(),
    ...fullListingCases(),
    ...eventCases(),
    ...adminCases(),
    ...offerCases(),
    ...trashCases(),
    ...removedCases(),
    ...bulkCases(),
  ];
}
