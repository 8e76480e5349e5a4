import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import type { NodeView } from '../node.js';
import { type MountTarget, mountTargetIn, toNode } from './node-columns.js';

export type NodeOrder = 'name' | 'modified' | 'size';

export interface ChildrenPage {
  readonly dirsOnly: boolean;
  /** Also what was trashed out of this folder. */
  readonly includeRemoved: boolean;
  readonly orderBy: NodeOrder;
  readonly descending: boolean;
  readonly offset: number;
  /** 0 = all. */
  readonly limit: number;
  /** Sort value and id of the last entry before the page; replaces `offset`. */
  readonly after: { readonly value: string | number; readonly id: string } | null;
  readonly viewerId: number | null;
  /** Leaves mounts out: to a guest they are not there. */
  readonly withoutMounts?: boolean;
}

/** A page of a folder. Hidden mounts take a place in it without being shown, so it may have fewer entries than its limit. */
export interface ListedPage {
  readonly entries: readonly NodeView[];
  readonly isLast: boolean;
  /** The last one in place, shown or not: the next page begins after it. Null when the page is empty. */
  readonly last: NodeView | null;
}

/** What differs between the entries of one folder; the rest is the folder's. */
type EntryRow = Omit<
  NodeView,
  'spaceId' | 'ownerId' | 'parentId' | 'removal' | 'removedAtMs' | 'trashName' | 'restorePath' | 'shared' | 'linked' | 'limitBytes' | 'mount'
> &
  Partial<Pick<NodeView, 'removal' | 'removedAtMs' | 'trashName' | 'restorePath'>> & { readonly special: Special | null };

/** What few entries have. */
interface Special {
  readonly shared: boolean;
  readonly linked: boolean;
  readonly limitBytes: number | null;
  readonly mount: MountTarget | false | null;
}

// Plain columns and no more of them than needed: packing them into one JSON or text column was measured to take longer in PostgreSQL than
// it saves here.
const COLUMNS = `n.id, n.kind, n.name, n.current_version_no AS "versionNo", n.size_bytes AS "sizeBytes", n.md5, n.mime_type AS "mimeType",
  n.client_created_ms AS "clientCreatedMs", n.client_modified_ms AS "clientModifiedMs", n.created_ms AS "createdMs", n.modified_ms AS "modifiedMs",
  n.author_id AS "authorId", n.revision, n.child_files AS "childFiles", n.child_folders AS "childFolders", n.child_bytes AS "childBytes",
  f.node_id IS NOT NULL AS favorite,
  CASE WHEN n.shared OR n.linked OR n.limit_bytes IS NOT NULL OR n.mount_of IS NOT NULL
       THEN json_build_object('shared', n.shared, 'linked', n.linked, 'limitBytes', n.limit_bytes, 'mount',
              CASE WHEN n.mount_of IS NOT NULL THEN ${mountTargetIn('$1', '$2')} END) END AS special`;
const REMOVED_COLUMNS = `n.removal, (extract(epoch FROM n.removed_at) * 1000)::bigint AS "removedAtMs", n.trash_name AS "trashName", n.restore_path AS "restorePath"`;

const SORT = {
  name: { column: 'name_key', type: 'text' },
  modified: { column: 'modified_ms', type: 'bigint' },
  size: { column: 'size_bytes', type: 'bigint' },
} as const;

/** Listings of folders. */
@Injectable()
export class ListingRepository {
  private readonly statements = new Map<string, string>();

  constructor(private readonly database: Database) {}

  /** Direct children of a folder in one statement, mounts as the folders they stand for. Ties are broken by id. */
  async page(folder: NodeView, wanted: ChildrenPage): Promise<ListedPage> {
    // One more than asked for tells whether there is another page.
    const { page, backwards } = fromNearerEnd(folder, wanted.limit === 0 ? wanted : { ...wanted, limit: wanted.limit + 1 });
    const values: unknown[] = [folder.id, page.viewerId, page.limit === 0 ? null : page.limit];
    if (page.after) values.push(page.after.value, ...(byNameAlone(page) ? [] : [page.after.id]));
    else if (page.offset > 0) values.push(page.offset);
    const rows = await this.database.query<EntryRow>(this.statement(page), values);
    if (backwards) rows.reverse();
    const isLast = wanted.limit === 0 || rows.length <= wanted.limit;
    if (!isLast) rows.pop();
    const last = rows[rows.length - 1];
    const entries: NodeView[] = [];
    for (const row of rows) if (isShown(row, page)) entries.push(toView(row, folder));
    return { entries, isLast, last: last ? toView(last, folder) : null };
  }

  /** The text depends on the kind of page alone, so that each of them is prepared once. */
  private statement(page: ChildrenPage): string {
    const key = `${page.orderBy} ${page.descending} ${page.dirsOnly} ${page.includeRemoved} ${page.after !== null} ${page.offset > 0}`;
    let text = this.statements.get(key);
    if (text === undefined) this.statements.set(key, (text = statementText(page)));
    return text;
  }
}

/** The last page of a long listing is read from the end, like the first one from the beginning: the folder's row knows how many there are. */
function fromNearerEnd(folder: NodeView, page: ChildrenPage): { page: ChildrenPage; backwards: boolean } {
  const total = page.dirsOnly ? folder.childFolders : folder.childFiles + folder.childFolders;
  if (page.after || page.includeRemoved || page.limit === 0 || page.offset <= total / 2 || page.offset >= total) return { page, backwards: false };
  const limit = Math.min(page.limit, total - page.offset);
  return { page: { ...page, descending: !page.descending, offset: total - page.offset - limit, limit }, backwards: true };
}

/** Names of live siblings differ, so no second sort column is needed and the index serves the order as it is. */
function byNameAlone({ orderBy, includeRemoved }: ChildrenPage): boolean {
  return orderBy === 'name' && !includeRemoved;
}

function statementText(page: ChildrenPage): string {
  const { column, type } = SORT[page.orderBy];
  const direction = page.descending ? 'DESC' : 'ASC';
  const beyond = page.descending ? '<' : '>';
  const alone = byNameAlone(page);
  const where = (n: string): string =>
    `${n}.parent_id = $1 AND ${page.includeRemoved ? `(${n}.removal IS NULL OR ${n}.removal = 'trashed')` : `${n}.removal IS NULL`}` +
    (page.dirsOnly ? ` AND ${n}.kind = 'folder'` : '');
  const order = (n: string): string => `${n}.${column} ${direction}` + (alone ? '' : `, ${n}.id ${direction}`);
  const select = `SELECT ${COLUMNS}${page.includeRemoved ? `, ${REMOVED_COLUMNS}` : ''}`;
  const favorites = 'LEFT JOIN favorites f ON f.node_id = n.id AND f.account_id = $2';
  const rest = `ORDER BY ${order('n')} LIMIT $3::bigint`;
  if (page.after) {
    const after = alone ? `n.${column} ${beyond} $4::${type}` : `(n.${column}, n.id) ${beyond} ($4::${type}, $5::uuid)`;
    return `${select} FROM nodes n ${favorites} WHERE ${where('n')} AND ${after} ${rest}`;
  }
  if (page.offset === 0) return `${select} FROM nodes n ${favorites} WHERE ${where('n')} ${rest}`;
  // What is skipped is read from the index alone; only the rows of the page are fetched.
  if (alone) {
    const first = `SELECT c.${column} FROM nodes c WHERE ${where('c')} ORDER BY ${order('c')} LIMIT 1 OFFSET $4::bigint`;
    return `${select} FROM nodes n ${favorites} WHERE ${where('n')} AND n.${column} ${beyond}= (${first}) ${rest}`;
  }
  const ids = `SELECT c.id FROM nodes c WHERE ${where('c')} ORDER BY ${order('c')} LIMIT $3::bigint OFFSET $4::bigint`;
  return `${select} FROM (${ids}) c JOIN nodes n ON n.id = c.id ${favorites} ORDER BY ${order('n')}`;
}

function isShown({ special }: EntryRow, page: ChildrenPage): boolean {
  return special === null || special.mount === null || (special.mount !== false && page.withoutMounts !== true);
}

function toView(row: EntryRow, folder: NodeView): NodeView {
  const { special } = row;
  const view: NodeView = {
    id: row.id,
    spaceId: folder.spaceId,
    ownerId: folder.ownerId,
    parentId: folder.id,
    kind: row.kind,
    name: row.name,
    versionNo: row.versionNo,
    sizeBytes: row.sizeBytes,
    md5: row.md5,
    mimeType: row.mimeType,
    clientCreatedMs: row.clientCreatedMs,
    clientModifiedMs: row.clientModifiedMs,
    createdMs: row.createdMs,
    modifiedMs: row.modifiedMs,
    authorId: row.authorId,
    revision: row.revision,
    childFiles: row.childFiles,
    childFolders: row.childFolders,
    childBytes: row.childBytes,
    favorite: row.favorite,
    removal: row.removal ?? null,
    removedAtMs: row.removedAtMs ?? null,
    trashName: row.trashName ?? null,
    restorePath: row.restorePath ?? null,
    shared: special?.shared ?? false,
    linked: special?.linked ?? false,
    limitBytes: special?.limitBytes ?? null,
    mount: null,
  };
  return special !== null && special.mount !== null ? toNode({ ...view, mount: special.mount }) : view;
}
