import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import sharp from 'sharp';

import type { HttpAnswer } from '../http-session.js';
import { Subscriber } from '../subscriber.js';
import { brief, type Params } from './client.js';
import type { Case } from './grid.js';
import { type House, PASSWORD } from './house.js';
import type { Kind, Place, TreeNode } from './model.js';
import { type Representation, REPRESENTATIONS } from './representations.js';

/*
 * Policies as a dimension of their own: for each rule, given to a person and to a group of his, by each kind of program, what his rights would allow
 * anyway, in his own home and in a folder shared with him. Said from the contract, sections 13 and 22.
 */

type Rule = 'none' | 'can_download' | 'pc_can_download' | 'can_upload' | 'use_watermarks' | 'can_print' | 'mobile_restriction' | 'ip_restriction';
type Carrier = 'person' | 'group';
type Program = 'browser' | 'desktop' | 'phone';
type Use = 'bytes' | 'bringing';

interface Subject {
  readonly rule: Rule;
  readonly carrier: Carrier;
}

/** Programs by what they say of themselves, in the header of this API and in the common one. */
const HEADERS: Readonly<Record<Program, Readonly<Record<string, string>>>> = {
  browser: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/130' },
  desktop: { 'mountbit-user-agent': 'desktop-client-windows/3.1', 'user-agent': 'Mozilla/5.0' },
  phone: { 'user-agent': 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)' },
};
const RULES: readonly { readonly rule: Rule; readonly programs: readonly Program[] }[] = [
  { rule: 'none', programs: ['browser', 'desktop', 'phone'] },
  { rule: 'can_download', programs: ['browser', 'desktop'] },
  { rule: 'pc_can_download', programs: ['browser', 'desktop', 'phone'] },
  { rule: 'can_upload', programs: ['browser', 'desktop'] },
  { rule: 'use_watermarks', programs: ['browser'] },
  { rule: 'can_print', programs: ['browser'] },
  { rule: 'mobile_restriction', programs: ['browser', 'phone'] },
  { rule: 'ip_restriction', programs: ['browser'] },
];
const carriersOf = (rule: Rule): readonly Carrier[] => (rule === 'none' ? ['person'] : ['person', 'group']);
const SUBJECTS: readonly Subject[] = RULES.flatMap(({ rule }) => carriersOf(rule).map((carrier) => ({ rule, carrier })));

/** The rule that keeps a program of the person from a use, or from anything at all (`null`). */
function against(rule: Rule, program: Program, uses: readonly Use[]): Rule | null {
  if (rule === 'ip_restriction') return rule;
  if (rule === 'mobile_restriction') return program === 'phone' ? rule : null;
  if (rule === 'can_upload') return uses.includes('bringing') ? rule : null;
  if (rule === 'can_download') return uses.includes('bytes') ? rule : null;
  if (rule === 'pc_can_download') return uses.includes('bytes') && program === 'desktop' ? rule : null;
  return null;
}

/** What is shown has the person's name on it: he may not have the file itself, or must always be reminded. */
const isMarked = (rule: Rule, program: Program): boolean => rule === 'use_watermarks' || against(rule, program, ['bytes']) !== null;

/** What a representation is good for, beyond looking. */
function usesOf({ name, need }: Representation): readonly Use[] {
  if (name === 'office edit') return ['bytes', 'bringing'];
  if (name === 'copy from') return [];
  if (need === 'take' || need === 'publish') return ['bytes'];
  return ['upload into', 'upload over', 'delta upload', 'drop box'].includes(name) ? ['bringing'] : [];
}

const LEFT_OUT = ['withdraw a link', 'comment', 'move into'];
const ASKED = REPRESENTATIONS.filter(
  ({ name, trash, changes, need }) => !trash && !changes && need !== 'restore' && need !== 'rule' && !LEFT_OUT.includes(name),
);

/** What a person had before the rule was his. */
interface Kept {
  readonly archive: string;
  readonly built: string;
  readonly picture: string;
  readonly page: string;
  readonly view: { readonly token: string; readonly source: string };
  readonly edit: { readonly token: string; readonly source: string };
  readonly upload: { readonly url: string; readonly confirm: string };
  readonly link: string;
  readonly dropBox: string;
  readonly openHash: string;
}

interface Person {
  readonly token: string;
  readonly email: string;
  readonly kept: Kept;
}

interface PolicyPlace {
  readonly path: string;
  readonly node: (kind: Kind) => TreeNode;
}

function placeAt(path: string): PolicyPlace {
  const place: Place = { name: 'kept', path, home: 'owner', trashed: false };
  return { path, node: (kind) => ({ place, kind, path: kind === 'folder' ? path : `${path}/kept.${kind}` }) };
}

const POLICY_PLACES: readonly PolicyPlace[] = [placeAt('/Own'), placeAt('/Lent')];

/** People with rules, made when the first case asks for them. */
class RuledPeople {
  private static readonly of = new WeakMap<House, Promise<RuledPeople>>();
  private readonly people = new Map<string, Person>();
  /** The picture without a mark. */
  plain: Buffer = Buffer.alloc(0);

  static in(house: House): Promise<RuledPeople> {
    let known = RuledPeople.of.get(house);
    if (!known) RuledPeople.of.set(house, (known = new RuledPeople(house).build()));
    return known;
  }

  private constructor(private readonly house: House) {}

  person({ rule, carrier }: Subject): Person {
    return this.people.get(`${rule} ${carrier}`)!;
  }

  /** A call in a person's name, with one of his programs. */
  async call<T>(token: string, route: string, params: Params = {}): Promise<T> {
    const answer = await this.house.client.call({ route, params }, token);
    if (answer.status > 299) throw new Error(`${route} ${JSON.stringify(params)} answered ${brief(answer)}`);
    return answer.json<T>();
  }

  private async build(): Promise<this> {
    const { house } = this;
    const picture = await sharp({ create: { width: 90, height: 70, channels: 3, background: '#c04020' } })
      .png()
      .toBuffer();
    const old = Buffer.from(`first version ${randomBytes(400).toString('hex')}`);
    const document = Buffer.from(`${old.toString()} and the second`);
    house.contents.set('kept.png', { bytes: picture, md5: '' });
    house.contents.set('kept.docx', { bytes: document, md5: '', old });
    const fill = async (token: string, path: string): Promise<void> => {
      await this.put(token, `${path}/kept.png`, picture);
      await this.put(token, `${path}/kept.docx`, old);
      await this.put(token, `${path}/kept.docx`, document);
    };
    const companyId = (await house.do<{ company_id: number }>('companyAdmin', 'accounts/get')).company_id;
    const hire = async (name: string): Promise<{ token: string; email: string; userId: number }> => {
      const email = `${name}-${randomBytes(6).toString('hex')}@example.org`;
      const made = await house.do<{ userid: number }>('companyAdmin', `company/${companyId}/create_user`, {
        login: `email:${email}`,
        name,
        password: PASSWORD,
      });
      const { token } = await this.call<{ token: string }>('', 'accounts/login', { login: `email:${email}`, password: PASSWORD });
      return { token, email, userId: made.userid };
    };
    const lender = await hire('lender');
    await fill(lender.token, '/Lent');
    await Promise.all(
      SUBJECTS.map(async ({ rule, carrier }) => {
        const { token, email, userId } = await hire(`${rule}-${carrier}`);
        await fill(token, '/Own');
        const share = { path: '/Lent', member_login: `email:${email}`, writer: true };
        const { hash } = await this.call<{ hash: string }>(lender.token, 'shares/add', share);
        await this.call(token, 'shares/accept', { hash });
        await this.call(token, 'fileops/folder_create', { path: '/Inbox' });
        const kept = await this.keep(token);
        await this.setRule(rule, carrier, userId);
        this.people.set(`${rule} ${carrier}`, { token, email, kept });
      }),
    );
    const { body } = await house.client.call({ route: 'files/get_preview', params: { path: '/Own/kept.png' } }, this.person(SUBJECTS[0]!).token);
    this.plain = body;
    // what the other processes knew of them is a second old at most
    await sleep(1_100);
    return this;
  }

  private async put(token: string, path: string, bytes: Buffer): Promise<void> {
    const { url, method, confirm_url } = await this.call<{ url: string; method: string; confirm_url: string }>(token, 'files/create', {
      path,
      size: bytes.length,
      overwrite: true,
    });
    await this.house.client.send(url, { method, headers: { 'content-length': String(bytes.length) }, body: bytes });
    const confirmed = await this.house.client.send(confirm_url, { method: 'POST' });
    if (confirmed.status !== 200) throw new Error(`confirm of ${path} answered ${brief(confirmed)}`);
  }

  private async keep(token: string): Promise<Kept> {
    const [picture, document] = ['/Own/kept.png', '/Own/kept.docx'];
    const seen = await this.pictureOf(token, picture);
    const office = async (route: string) => {
      const { url, access_token } = await this.call<{ url: string; access_token: string }>(token, route, { path: document });
      return { token: access_token, source: new URL(url).searchParams.get('WOPISrc')! };
    };
    const upload = await this.call<{ url: string; confirm_url: string }>(token, 'files/create', { path: '/Own/late.bin', size: 5 });
    const link = await this.call<{ public_hash: string }>(token, 'links/create', { path: picture });
    await this.call(token, 'fileops/folder_create', { path: '/Box' });
    const box = await this.call<{ public_hash: string }>(token, 'links/create', { path: '/Box', upload_folder: true });
    await this.call(token, 'fileops/folder_create', { path: '/Open' });
    await this.put(token, '/Open/kept.bin', Buffer.from('open'));
    const open = await this.call<{ hash: string }>(token, 'shares/add', { path: '/Open', public_view: true });
    return {
      archive: (await this.call<{ hash: string }>(token, 'files/create_link_of_archive', { path: [picture] })).hash,
      built: await this.built(token, picture),
      picture: seen,
      page: (await this.call<{ url: string }>(token, 'kukudocs/view', { path: picture })).url,
      view: await office('wopi/view'),
      edit: await office('wopi/edit'),
      upload: { url: upload.url, confirm: upload.confirm_url },
      link: link.public_hash,
      dropBox: box.public_hash,
      openHash: open.hash,
    };
  }

  /** The id of a task that has built an archive. */
  private async built(token: string, path: string): Promise<string> {
    const { taskid } = await this.call<{ taskid: string }>(token, 'files/download_as_archive', { path: [path] });
    for (let tries = 0; tries < 600; tries++) {
      if ((await this.house.client.call({ route: `task/${taskid}` }, token)).status === 200) return taskid;
      await sleep(50);
    }
    throw new Error(`there is no archive of ${path}`);
  }

  /** The signed address of a picture, once it is made. */
  private async pictureOf(token: string, path: string): Promise<string> {
    for (let tries = 0; tries < 200; tries++) {
      await this.house.client.call({ route: 'files/get_preview', params: { path } }, token);
      const node = await this.call<{ extradata: { thumbnails?: { small?: { link: string } } } }>(token, `metadata${path}`);
      const link = node.extradata.thumbnails?.small?.link;
      if (link !== undefined) return link;
      await sleep(100);
    }
    throw new Error(`there is no preview of ${path}`);
  }

  private async setRule(rule: Rule, carrier: Carrier, userId: number): Promise<void> {
    const { house } = this;
    if (rule === 'none') return;
    const name = rule === 'ip_restriction' && carrier === 'group' ? 'group_ip_restriction' : rule;
    const value = !rule.includes('can_');
    const params: Params = rule === 'ip_restriction' ? { ip_restriction: true, allowed_ips: '192.0.2.0/24' } : { value };
    if (carrier === 'person') {
      const route = rule === 'mobile_restriction' ? `change_${rule}` : `change_user_${rule}`;
      await house.do('companyAdmin', `accounts/company/${route}`, { user_id: userId, ...params });
      return;
    }
    const { group_id: id } = await house.do<{ group_id: string }>('companyAdmin', 'groups/create', {
      name: `ruled ${rule} ${randomBytes(4).toString('hex')}`,
    });
    await house.do('companyAdmin', `groups/${id}/change_${name}`, params);
    await house.do('companyAdmin', `groups/${id}/add_user`, { user_ids: [String(userId)] });
  }
}

/** A refusal that names the rule. */
function refusedBy(rule: Rule, answer: HttpAnswer): string | null {
  if (answer.status === 403 && answer.json<{ reason?: string }>().reason === rule) return null;
  return `must be 403 by ${rule}, got ${brief(answer)}`;
}

const took = (answer: HttpAnswer): string | null => (answer.status < 300 ? null : `must be taken, got ${brief(answer)}`);
const closed = (answer: HttpAnswer): string | null => (answer.status >= 400 && answer.status < 500 ? null : `must be refused, got ${brief(answer)}`);

function marked(people: RuledPeople, isSo: boolean, answer: HttpAnswer): string | null {
  if (answer.status !== 200 || answer.headers['content-type'] !== 'image/jpeg') return `must be a picture, got ${brief(answer).slice(0, 80)}`;
  return answer.body.equals(people.plain) === isSo ? `must ${isSo ? '' : 'not '}have a mark` : null;
}

/** Every representation that changes nothing, of what the person has a right to. */
function representationCases(): Case[] {
  const cases: Case[] = [];
  for (const { rule, programs } of RULES) {
    for (const carrier of carriersOf(rule)) {
      for (const program of programs) {
        // where the person has his right from does not depend on where he has the rule from
        for (const place of carrier === 'person' ? POLICY_PLACES : POLICY_PLACES.slice(1)) {
          for (const what of ASKED) {
            const node = place.node(what.on[0]!);
            if (what.notOnMounts && node.kind === 'folder') continue;
            const refuser = against(rule, program, usesOf(what));
            cases.push({
              id: `${rule}|policy|${what.name}|${carrier}|${program}|${place.path}`,
              route: what.route,
              first: true,
              changes: false,
              run: async (house) => {
                const people = await RuledPeople.in(house);
                const call = what.call({ who: 'owner', node, path: node.path }, house);
                const answer = await house.client.call({ ...call, headers: HEADERS[program] }, people.person({ rule, carrier }).token);
                if (refuser !== null) return refusedBy(refuser, answer);
                return what.name === 'preview' ? marked(people, isMarked(rule, program), answer) : took(answer);
              },
            });
          }
        }
      }
    }
  }
  return cases;
}

interface Relic {
  readonly name: string;
  readonly route: string;
  readonly uses: readonly Use[];
  /** It is not the person who comes with it: rules about programs and addresses are not about him. */
  readonly byOthers?: boolean;
  /** It is the program and the address that had it which count. */
  readonly byOffice?: boolean;
  readonly ask: (house: House, kept: Kept, headers: Record<string, string>, email: string) => Promise<HttpAnswer>;
  readonly check?: (people: RuledPeople, rule: Rule, program: Program, answer: HttpAnswer) => string | null;
}

const RELICS: readonly Relic[] = [
  {
    name: 'archive link',
    route: 'files/download_as_archive_stream/<hash>',
    uses: ['bytes'],
    ask: (house, { archive }, headers) => house.client.call({ route: `files/download_as_archive_stream/${archive}`, method: 'GET', headers }, null),
  },
  {
    name: 'signed picture',
    route: 'files/get_preview',
    uses: [],
    ask: (house, { picture }, headers) => house.client.send(picture, { headers }),
    check: (people, rule, program, answer) => marked(people, isMarked(rule, program), answer),
  },
  {
    name: 'page of a document',
    route: 'kukudocs/view',
    uses: [],
    ask: (house, { page }, headers) => house.client.send(page, { headers }),
    check: (_, rule, __, answer) =>
      answer.body.includes('<body class="screen">') === (rule === 'can_print') ? took(answer) : 'must be printed only by who may print',
  },
  {
    name: 'office contents',
    route: 'wopi/files/<file_id>/contents',
    uses: ['bytes'],
    byOffice: true,
    ask: (house, { view }) => house.client.send(`${view.source}/contents?access_token=${view.token}`),
  },
  {
    name: 'office facts',
    route: 'wopi/files/<file_id>',
    uses: ['bytes'],
    byOffice: true,
    ask: (house, { edit }) => house.client.send(`${edit.source}?access_token=${edit.token}`),
    check: (_, rule, __, answer) => {
      const facts = answer.json<{ DisablePrint: boolean; UserCanWrite: boolean; WatermarkText?: string }>();
      const wanted = [rule === 'can_print', rule !== 'can_upload', rule === 'use_watermarks'];
      const told = [facts.DisablePrint, facts.UserCanWrite, facts.WatermarkText !== undefined];
      return String(told) === String(wanted) ? null : `print, write, mark must be ${String(wanted)}, are ${String(told)}`;
    },
  },
  {
    name: 'office save',
    route: 'wopi/files/<file_id>/contents',
    uses: ['bytes', 'bringing'],
    byOffice: true,
    ask: (house, { edit }) =>
      house.client.send(`${edit.source}/contents?access_token=${edit.token}`, {
        method: 'POST',
        headers: { 'x-wopi-override': 'PUT', 'x-wopi-lock': 'none', 'content-length': '1' },
        body: 'x',
      }),
    // allowed, it is held up by the missing lock
    check: (_, __, ___, answer) => (answer.status === 409 ? null : `must miss its lock, got ${brief(answer)}`),
  },
  {
    name: 'upload under way',
    route: 'files/create',
    uses: ['bringing'],
    byOthers: true,
    ask: (house, { upload }) => house.client.send(upload.url, { method: 'PUT', headers: { 'content-length': '5' }, body: 'bytes' }),
  },
  {
    name: 'public link',
    route: 'links/get/<hash>/<path>',
    uses: ['bytes'],
    byOthers: true,
    ask: (house, { link }) => house.client.call({ route: `links/get/${link}` }, null),
  },
  {
    name: 'drop box',
    route: 'links/file_create/<hash>',
    uses: ['bringing'],
    byOthers: true,
    ask: (house, { dropBox }) => house.client.call({ route: `links/file_create/${dropBox}`, params: { path: '/left.txt', size: 1 } }, null),
  },
  {
    name: 'open share',
    route: 'shares/get/<hash>/<path>',
    uses: ['bytes'],
    byOthers: true,
    ask: (house, { openHash }) => house.client.call({ route: `shares/get/${openHash}/kept.bin` }, null),
  },
];

/** What was had before the rule came. */
function relicCases(): Case[] {
  const cases: Case[] = [];
  for (const { rule, programs } of RULES) {
    for (const carrier of carriersOf(rule)) {
      for (const program of programs) {
        for (const relic of RELICS) {
          const isOpen = relic.byOthers === true || relic.byOffice === true;
          // programs do not matter here: it was a browser that had it
          if (isOpen && program !== programs[0]) continue;
          const there = relic.byOthers && rule === 'ip_restriction' ? null : against(rule, isOpen ? 'browser' : program, relic.uses);
          cases.push({
            id: `${rule}|policy of what is had|${relic.name}|${carrier}|${program}`,
            route: relic.route,
            first: true,
            changes: false,
            run: async (house) => {
              const people = await RuledPeople.in(house);
              const { kept, email } = people.person({ rule, carrier });
              const answer = await relic.ask(house, kept, HEADERS[program], email);
              if (relic.name === 'office save' && rule === 'can_upload')
                return closed(answer) ?? (answer.status === 409 ? 'must not come to the lock' : null);
              if (there !== null) return closed(answer);
              return relic.check ? relic.check(people, rule, program, answer) : took(answer);
            },
          });
        }
      }
    }
  }
  return cases;
}

/** Whatever needs a person at all: signing in, the websocket, an archive that is built, things of others for his own tree. */
function entryCases(): Case[] {
  const cases: Case[] = [];
  const add = (
    name: string,
    route: string,
    uses: readonly Use[],
    ask: (house: House, person: Person, headers: Record<string, string>) => Promise<HttpAnswer | string | null>,
  ): void => {
    for (const { rule, programs } of RULES) {
      for (const carrier of carriersOf(rule)) {
        for (const program of programs) {
          const refuser = against(rule, program, uses);
          cases.push({
            id: `${rule}|policy|${name}|${carrier}|${program}`,
            route,
            first: true,
            changes: false,
            run: async (house) => {
              const answer = await ask(house, (await RuledPeople.in(house)).person({ rule, carrier }), HEADERS[program]);
              if (typeof answer === 'string' || answer === null)
                return (answer === 'refused 403') === (refuser !== null) ? null : `must be ${refuser ?? 'let in'}, was ${answer}`;
              return refuser === null ? took(answer) : refusedBy(refuser, answer);
            },
          });
        }
      }
    }
  };
  add('login', 'accounts/login', [], (house, { email }, headers) =>
    house.client.call({ route: 'accounts/login', params: { login: `email:${email}`, password: PASSWORD }, headers }, null),
  );
  add('websocket', 'subscribe/ticket', [], (house, { token }, headers) =>
    Subscriber.open(house.stack.baseUrl, `token=${token}`, { ...headers, 'x-forwarded-for': '10.0.0.1' }).then(
      (opened) => opened.close().then(() => null),
      (error: Error) => error.message,
    ),
  );
  add('built archive', 'task/<taskid>', ['bytes'], (house, { token, kept }, headers) =>
    house.client.call({ route: `task/${kept.built}`, headers }, token),
  );
  add('things of a link', 'links/add_to_storage/<hash>', ['bringing'], (house, { token }, headers) =>
    house.client.call({ route: `links/add_to_storage/${house.links.good}`, params: { target_path: '/Inbox', path: ['/pic.png'] }, headers }, token),
  );
  return cases;
}

/** Begins to make the people with rules, who take their time, while other questions are asked; what fails is told by the cases. */
export function prepareRuledPeople(house: House): void {
  RuledPeople.in(house).catch(() => undefined);
}

/** All questions about policies. */
export function policyCases(): Case[] {
  return [...representationCases(), ...relicCases(), ...entryCases()];
}
