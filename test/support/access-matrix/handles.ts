import type { HttpAnswer } from '../http-session.js';
import { brief, type Call, SPELLINGS } from './client.js';
import type { Case } from './grid.js';
import type { House, Keepsakes } from './house.js';
import { type Account, ACCOUNTS, judge, UNKNOWN_TO_SERVER } from './model.js';

/** Accounts that have taken something in good time, and whether they may still have it. */
const HOLDERS: readonly Account[] = ['owner', 'reader', 'writer', 'indirect', 'groupMember', 'exMember', 'revoked', 'disabled', 'tokenless'];
const still = (who: Account): boolean => ['/Area/Team/team.png', '/Team/team.png'].some((path) => judge(who, path, 'take') === 'allowed');
const taken = (answer: HttpAnswer): string | null => (answer.status < 300 ? null : `must be taken, got ${brief(answer)}`);
const status = (answer: HttpAnswer, wanted: number): string | null => (answer.status === wanted ? null : `must be ${wanted}, got ${brief(answer)}`);

/** Of what was handed out, or is shown by a token: a credential that has ended is none, and what its holder may not see is not there. */
const ended = (who: Account): number => (UNKNOWN_TO_SERVER.includes(who) ? 401 : 404);

type Try = (house: House, kept: Keepsakes) => Promise<HttpAnswer>;

function urls(): readonly { readonly name: string; readonly route: string; readonly try: Try; readonly ended?: number }[] {
  const office = (suffix: string, request: { method?: string; headers?: Record<string, string> } = {}): Try => {
    return (house, { office: { fileId, token } }) => house.client.send(`/api/1/wopi/files/${fileId}${suffix}?access_token=${token}`, request);
  };
  return [
    {
      name: 'stream of an archive',
      route: 'files/download_as_archive_stream/<hash>',
      // its hash is no credential: a stream that has closed is as unknown as any
      ended: 404,
      try: (house, { archive }) => house.client.call({ route: `files/download_as_archive_stream/${archive}`, method: 'GET' }, null),
    },
    { name: 'picture of extradata', route: 'metadata/<path>', try: (house, { picture }) => house.client.send(picture) },
    { name: 'page of a document', route: 'kukudocs/view', try: (house, { page }) => house.client.send(page) },
    { name: 'CheckFileInfo', route: 'wopi/files/<file_id>', try: office('') },
    { name: 'GetFile', route: 'wopi/files/<file_id>/contents', try: office('/contents') },
    { name: 'GetFile, in part', route: 'wopi/files/<file_id>/contents', try: office('/contents', { headers: { range: 'bytes=0-3' } }) },
  ];
}

/** What was handed out earlier: it works as long as its holder has the right, whoever uses it, and not a moment longer. */
export function keepsakeCases(): Case[] {
  const cases: Case[] = [];
  for (const who of HOLDERS) {
    for (const url of urls()) {
      cases.push({
        id: `${who}|kept|${url.name}`,
        route: url.route,
        first: true,
        changes: false,
        run: async (house) => {
          const answer = await url.try(house, house.keepsakes[who]!);
          return still(who) ? taken(answer) : status(answer, url.ended ?? ended(who));
        },
      });
    }
    if (['reader', 'groupMember', 'exMember'].includes(who)) continue;
    // who is still a member ends his upload in the spec of uploads; here it would be used up
    if (still(who)) continue;
    cases.push({
      id: `${who}|kept|confirm_url`,
      route: 'files/confirm/<path>',
      first: true,
      changes: true,
      // it needs no credential; whose account is switched off brings nothing any more
      run: async (house) => status(await house.client.send(house.keepsakes[who]!.confirmUrl!, { method: 'POST' }), who === 'disabled' ? 403 : 404),
    });
  }
  return cases;
}

/** What is named by an id, a hash or a token of somebody else. Each is refused as an unknown one is. */
export function handleCases(): Case[] {
  const cases: Case[] = [];
  const strangers = ACCOUNTS.filter((who) => who !== 'owner');
  const add = (route: string, name: string, who: Account, call: (house: House) => Call, unknown: (house: House) => Call, wanted = 404): void => {
    for (const spelling of SPELLINGS) {
      cases.push({
        id: `${who}|handle|${name}|${spelling.name}`,
        route,
        first: spelling === SPELLINGS[0],
        changes: true,
        run: async (house) => {
          const answer = await house.client.call(call(house), house.tokens[who], spelling);
          if (UNKNOWN_TO_SERVER.includes(who)) return status(answer, 401);
          const key = `${who}|handle|${name}`;
          const other = await house.unknown(key, async () => brief(await house.client.call(unknown(house), house.tokens[who], spelling)));
          return status(answer, wanted) ?? (brief(answer) === other ? null : `must be as for an unknown one (${other}), got ${brief(answer)}`);
        },
      });
    }
  };
  const none = (text: string): string => text.replace(/[0-9a-f]/g, (digit) => (digit === '0' ? '1' : '0'));
  const of = (house: House): Keepsakes => house.keepsakes.owner!;
  for (const who of strangers) {
    add(
      'task/<taskid>',
      'task',
      who,
      (house) => ({ route: `task/${house.taskId}` }),
      (house) => ({ route: `task/${none(house.taskId)}` }),
    );
    add(
      'files/progress_download_streams/<hash>',
      'progress of an archive',
      who,
      (house) => ({ route: `files/progress_download_streams/${of(house).archive}` }),
      (house) => ({ route: `files/progress_download_streams/${none(of(house).archive)}` }),
    );
    add(
      'files/progress_download_streams',
      'progress of an archive, as a parameter',
      who,
      (house) => ({ route: 'files/progress_download_streams', params: { private_hash: of(house).archive } }),
      (house) => ({ route: 'files/progress_download_streams', params: { private_hash: none(of(house).archive) } }),
    );
    add(
      'metadata_full_listing',
      'full listing',
      who,
      (house) => ({ route: 'metadata_full_listing', params: { listing_request_id: of(house).listing } }),
      (house) => ({ route: 'metadata_full_listing', params: { listing_request_id: none(of(house).listing) } }),
    );
    add(
      'files/create_part',
      'part of an upload',
      who,
      (house) => ({ route: 'files/create_part', params: { temp_path: of(house).tempPath!, part_num: 1 } }),
      () => ({ route: 'files/create_part', params: { temp_path: 'nothing', part_num: 1 } }),
    );
    for (const answer of who === 'waiting' ? [] : (['accept', 'reject', 'remove'] as const)) {
      for (const spelling of SPELLINGS) {
        cases.push({
          id: `${who}|handle|${answer} what was given to somebody else|${spelling.name}`,
          route: `migration_contents/${answer}`,
          first: spelling === SPELLINGS[0],
          changes: true,
          run: async (house) => {
            const call = { route: `migration_contents/${answer}`, params: { hash: house.migrationHash } };
            const reply = await house.client.call(call, house.tokens[who], spelling);
            return status(reply, ended(who));
          },
        });
      }
    }
    for (const answer of ['accept', 'decline'] as const) {
      // the invitation is somebody else's
      if (who === 'waiting') continue;
      add(
        `shares/${answer}`,
        `${answer} an invitation`,
        who,
        (house) => ({ route: `shares/${answer}`, params: { hash: house.invitations.waiting! } }),
        () => ({ route: `shares/${answer}`, params: { hash: 'A'.repeat(32) } }),
        403,
      );
    }
    const sees = ['/Area/Team', '/Team'].some((path) => judge(who, path, 'see') === 'allowed');
    for (const [route, params] of [
      ['workflow/comment/edit', { text: 'changed' }],
      ['workflow/comment/delete', {}],
      ['workflow/comment/update_task_status', { status: 'done' }],
    ] as const) {
      if (sees) {
        for (const spelling of SPELLINGS) {
          cases.push({
            id: `${who}|handle|${route}|${spelling.name}`,
            route,
            first: spelling === SPELLINGS[0],
            changes: true,
            run: async (house) =>
              status(await house.client.call({ route, params: { ...params, id: of(house).comment } }, house.tokens[who], spelling), 403),
          });
        }
        continue;
      }
      add(
        route,
        route,
        who,
        (house) => ({ route, params: { ...params, id: of(house).comment } }),
        (house) => ({ route, params: { ...params, id: none(of(house).comment) } }),
      );
    }
  }
  return [...cases, ...ownComments(), ...officeCases()];
}

/** An author who is out of the house changes and removes nothing there. */
function ownComments(): Case[] {
  const authors: readonly Account[] = ['revoked', 'exMember'];
  return authors.flatMap((who) =>
    (['workflow/comment/edit', 'workflow/comment/delete'] as const).map((route) => ({
      id: `${who}|own comment|${route}`,
      route,
      first: true,
      changes: true,
      run: async (house: House) =>
        status(await house.client.call({ route, params: { id: house.keepsakes[who]!.comment, text: 'changed' } }, house.tokens[who]), 404),
    })),
  );
}

/** A token of an office server opens the one file that it was made for. */
function officeCases(): Case[] {
  const cases: Case[] = [];
  const files = ['private', 'beside', 'open', 'deep'] as const;
  for (const who of HOLDERS) {
    for (const place of files) {
      for (const [suffix, route] of [
        ['', 'wopi/files/<file_id>'],
        ['/contents', 'wopi/files/<file_id>/contents'],
      ] as const) {
        for (const version of ['', '_1']) {
          cases.push({
            id: `${who}|office token|${place}${version}${suffix}`,
            route,
            first: true,
            changes: false,
            run: async (house) => {
              const path = { private: '/Private', beside: '/Area/Beside', open: '/Open', deep: '/Area/Team/Sub/a/b' }[place];
              const opened = await house.fileId(`${path}/${place}.docx`);
              const { token } = house.keepsakes[who]!.office;
              return status(await house.client.send(`/api/1/wopi/files/${opened}${version}${suffix}?access_token=${token}`), 401);
            },
          });
        }
      }
    }
    for (const token of ['', 'A'.repeat(43), 'x']) {
      cases.push({
        id: `${who}|office token|none ${token.length}`,
        route: 'wopi/files/<file_id>/contents',
        first: true,
        changes: false,
        run: async (house) => {
          const { fileId } = house.keepsakes[who]!.office;
          return status(await house.client.send(`/api/1/wopi/files/${fileId}/contents?access_token=${token}`, { headers: auth(house, who) }), 401);
        },
      });
    }
    cases.push({
      id: `${who}|office token|PutFile of a view`,
      route: 'wopi/files/<file_id>/contents',
      first: true,
      changes: true,
      run: async (house) => {
        const { fileId, token } = house.keepsakes[who]!.office;
        const headers = { 'x-wopi-override': 'PUT', 'content-length': '1' };
        const url = `/api/1/wopi/files/${fileId}/contents?access_token=${token}`;
        return status(await house.client.send(url, { method: 'POST', headers, body: 'x' }), ended(who));
      },
    });
  }
  return cases;
}

function auth(house: House, who: Account): Record<string, string> {
  const token = house.tokens[who];
  return token === null ? {} : { 'mountbit-auth': token };
}

/** Knowing the checksum and the size of a file gives no bytes: only who has them at home, or may read them where he writes, is spared the upload. */
export function dedupCases(): Case[] {
  const cases: Case[] = [];
  for (const place of ['team', 'deep', 'beside', 'private', 'open', 'gone', 'above'] as const) {
    for (const who of ACCOUNTS) {
      if (UNKNOWN_TO_SERVER.includes(who)) continue;
      for (const spelling of SPELLINGS) {
        cases.push({
          id: `${who}|checksum|${place}|${spelling.name}`,
          route: 'files/create',
          first: spelling === SPELLINGS[0],
          changes: true,
          run: async (house) => {
            const { bytes, md5 } = house.contents.get(`${place}.secret`)!;
            const params = { path: `/Inbox/same${house.next()}.bin`, size: bytes.length, checksum: md5 };
            const answer = await house.client.call({ route: 'files/create', params }, house.tokens[who], spelling);
            return status(answer, who === 'owner' ? 201 : 200);
          },
        });
      }
    }
  }
  // into the shared folder: what lies outside of it is as unknown as ever
  for (const place of ['beside', 'private', 'open', 'above'] as const) {
    for (const spelling of SPELLINGS) {
      cases.push({
        id: `writer|checksum into the share|${place}|${spelling.name}`,
        route: 'files/create',
        first: spelling === SPELLINGS[0],
        changes: true,
        run: async (house) => {
          const { bytes, md5 } = house.contents.get(`${place}.secret`)!;
          const params = { path: `/Team/same${house.next()}.bin`, size: bytes.length, checksum: md5 };
          return status(await house.client.call({ route: 'files/create', params }, house.tokens.writer, spelling), 200);
        },
      });
    }
  }
  return cases;
}
