/*
 * Who may do what, as the contract says it (docs/contracts/cloudike.md 9 to 14 and 20), and nothing of how the product decides it. Paths of the
 * tree are those of the owner's home, but for `/Mine`, which lies in the colleague's.
 */

export const ACCOUNTS = [
  'owner',
  'reader',
  'writer',
  'indirect',
  'groupMember',
  'exMember',
  'waiting',
  'declined',
  'revoked',
  'colleague',
  'foreigner',
  'disabled',
  'tokenless',
  'anonymous',
  'companyAdmin',
  'otherAdmin',
  'systemAdmin',
] as const;
export type Account = (typeof ACCOUNTS)[number];

/** What nobody's credential is good for any more, or never was. */
export const UNKNOWN_TO_SERVER: readonly Account[] = ['disabled', 'tokenless', 'anonymous'];

export type Level = 'read' | 'write' | 'own';
export interface Grant {
  readonly on: string;
  /** Where it stands in the receiver's home. */
  readonly mount: string;
  readonly level: Level;
}

/** What is shared with whom, and still is. */
export const GRANTS: Partial<Record<Account, Grant>> = {
  reader: { on: '/Area/Team', mount: '/Team', level: 'read' },
  writer: { on: '/Area/Team', mount: '/Team', level: 'write' },
  groupMember: { on: '/Area/Team', mount: '/Team', level: 'read' },
  indirect: { on: '/Area', mount: '/Area', level: 'write' },
};

export type Kind = 'folder' | 'png' | 'docx';
export interface Place {
  readonly name: string;
  readonly path: string;
  readonly home: 'owner' | 'colleague';
  readonly trashed: boolean;
}

export const PLACES: readonly Place[] = [
  { name: 'above', path: '/Area', home: 'owner', trashed: false },
  { name: 'team', path: '/Area/Team', home: 'owner', trashed: false },
  { name: 'deep', path: '/Area/Team/Sub/a/b', home: 'owner', trashed: false },
  { name: 'gone', path: '/Area/Team/Gone', home: 'owner', trashed: true },
  { name: 'beside', path: '/Area/Beside', home: 'owner', trashed: false },
  { name: 'private', path: '/Private', home: 'owner', trashed: false },
  { name: 'open', path: '/Open', home: 'owner', trashed: false },
  { name: 'mine', path: '/Mine', home: 'colleague', trashed: false },
];

export interface TreeNode {
  readonly place: Place;
  readonly kind: Kind;
  /** In the home it lies in. */
  readonly path: string;
}

/** Every place is a folder with a picture, and a document that has two versions. */
export const NODES: readonly TreeNode[] = PLACES.flatMap((place) => [
  { place, kind: 'folder' as const, path: place.path },
  { place, kind: 'png' as const, path: `${place.path}/${place.name}.png` },
  { place, kind: 'docx' as const, path: `${place.path}/${place.name}.docx` },
]);

/** A folder without anything of its own that stands on the way to a place. */
const WAYS = ['/Area/Team/Sub', '/Area/Team/Sub/a'];

/** What may be needed: `take` = the bytes, `publish` = a link to them, `add` = make something in it, `restore` = take it back from the trash, `rule` = decide who else has it. */
export type Need = 'see' | 'take' | 'publish' | 'change' | 'add' | 'remove' | 'restore' | 'rule';
export type Verdict = 'allowed' | 'forbidden' | 'absent' | 'unauthenticated';

const MAY: Readonly<Record<Level, readonly Need[]>> = {
  read: ['see', 'take', 'publish'],
  write: ['see', 'take', 'publish', 'change', 'add', 'remove', 'restore'],
  own: ['see', 'take', 'publish', 'change', 'add', 'remove', 'restore', 'rule'],
};
/** In the trash a collaborator who may remove sees things, to take them back. */
const IN_TRASH: Readonly<Record<Level, readonly Need[]>> = { read: [], write: ['see', 'restore'], own: ['see', 'take', 'remove', 'restore'] };

export interface Found {
  readonly home: 'owner' | 'colleague';
  readonly path: string;
  readonly level: Level;
  /** It is what was shared itself, as it stands in the receiver's home. */
  readonly isMount: boolean;
}

const below = (path: string, top: string): boolean => path === top || path.startsWith(`${top}/`);

/** What a path means in an account's home. Null: nothing that was there at the beginning. */
export function find(account: Account, path: string): Found | null {
  const grant = GRANTS[account];
  if (grant && below(path, grant.mount)) {
    return { home: 'owner', path: grant.on + path.slice(grant.mount.length), level: grant.level, isMount: path === grant.mount };
  }
  if (account === 'owner') return { home: 'owner', path, level: 'own', isMount: false };
  if (account === 'colleague') return { home: 'colleague', path, level: 'own', isMount: false };
  return null;
}

function nodeAt(home: string, path: string): { readonly trashed: boolean } | null {
  const node = NODES.find((each) => each.place.home === home && each.path === path);
  if (node) return node.place;
  return home === 'owner' && WAYS.includes(path) ? { trashed: false } : null;
}

/** What is to be answered when an account asks for what stands at a path of its home; `trash`: the call also looks into the trash. */
export function judge(account: Account, path: string, need: Need, trash = false): Verdict {
  if (UNKNOWN_TO_SERVER.includes(account)) return 'unauthenticated';
  const found = find(account, path);
  const node = found && nodeAt(found.home, found.path);
  if (!found || !node || (node.trashed && !trash)) return 'absent';
  const may = (node.trashed ? IN_TRASH : MAY)[found.level];
  if (!may.includes('see')) return 'absent';
  return may.includes(need) ? 'allowed' : 'forbidden';
}

/** A path of the same length that leads nowhere: what is visible of the way stays, the rest is made up. */
export function nowhere(account: Account, path: string): string {
  const names = path.split('/').slice(1);
  const visible = names.findLastIndex((_, index) => judge(account, `/${names.slice(0, index + 1).join('/')}`, 'see') === 'allowed');
  const kept = visible === names.length - 1 ? visible : visible + 1;
  const extension = /\.\w+$/.exec(path)?.[0] ?? '';
  const made = names.map((name, index) => (index < kept ? name : index === names.length - 1 ? `nothing${extension}` : 'nothing'));
  return `/${made.join('/')}`;
}

/** The path of a node as an account may try it: as the owner knows it, or as if the account had (or still had) the shared folder in its root. */
export function lanes(node: TreeNode): readonly { readonly lane: string; readonly path: string }[] {
  const mounted = node.path.replace(/^\/Area(?=\/)/, '');
  const own = { lane: 'owner-path', path: node.path };
  return mounted === node.path ? [own] : [own, { lane: 'mount-path', path: mounted }];
}

/** The path by which an account sees a node of the owner's home, null when by none. */
export function seenAt(account: Account, node: TreeNode): string | null {
  return lanes(node).find(({ path }) => judge(account, path, 'see') === 'allowed' && find(account, path)?.path === node.path)?.path ?? null;
}
