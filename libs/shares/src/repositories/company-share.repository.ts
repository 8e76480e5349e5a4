import { Injectable } from '@nestjs/common';

import { newHash } from '#libs/access';
import { Database } from '#libs/database';
import { newId } from '#libs/kernel';
import { MAX_DEPTH } from '#libs/nodes';

/** A folder that a company's people can ask for. */
export interface CompanyFolder {
  readonly nodeId: string;
  readonly ownerId: number;
  readonly publicName: string;
  readonly folderHash: string;
  readonly collaborators: number;
  readonly createdMs: number;
  readonly modifiedMs: number;
  /** What the asking account has to do with it: it has it, has asked for it, or neither. */
  readonly status: 'accepted' | 'requested' | 'waiting';
  /** In the owner's home. */
  readonly ownerPath: string;
}

export interface CompanyFolderFilter {
  readonly companyId: number;
  readonly accountId: number;
  readonly folderHash: string | null;
  readonly offset: number;
  readonly limit: number;
}

/** Somebody asks for a folder. */
export interface ShareRequest {
  readonly nodeId: string;
  readonly ownerId: number;
  readonly accountId: number;
  readonly hash: string;
  readonly message: string;
  readonly folderName: string;
}

/** Something of a company's people that others can get at. */
export interface Outgoing {
  readonly nodeId: string;
  readonly ownerId: number;
  readonly bytes: number;
  readonly createdMs: number;
  readonly modifiedMs: number;
  /** People who are not of the company can get at it. */
  readonly outside: boolean;
  readonly path: string;
}

export interface OutgoingFilter {
  readonly companyId: number;
  /** Part of the owner's name; empty = all. */
  readonly ownerName: string;
  readonly offset: number;
  readonly limit: number;
}

const MS = (column: string): string => `floor(extract(epoch FROM ${column}) * 1000)::bigint`;

/** The path in the owner's home of every `page.node_id`, as `place.path`. */
const PLACE = `
  walk AS (
    SELECT p.node_id AS start, n.parent_id AS up, '/' || n.name AS path, 0 AS depth FROM (SELECT DISTINCT node_id FROM page) p JOIN nodes n ON n.id = p.node_id
    UNION ALL
    SELECT w.start, n.parent_id, CASE WHEN n.parent_id IS NULL THEN '' ELSE '/' || n.name END || w.path, w.depth + 1
      FROM walk w JOIN nodes n ON n.id = w.up WHERE w.depth < ${MAX_DEPTH}
  ), place AS (SELECT start, path FROM walk WHERE up IS NULL)`;

const ACCEPTED = `
  SELECT i.account_id FROM grants g JOIN invitations i ON i.grant_id = g.id AND i.state = 'accepted'
   WHERE g.node_id = h.node_id
     AND (g.group_id IS NULL OR EXISTS (SELECT 1 FROM group_members m WHERE m.group_id = g.group_id AND m.account_id = i.account_id))`;

const FOLDERS = `
  WITH RECURSIVE page AS (
    SELECT h.node_id, h.public_name, h.folder_hash, h.published_at, s.account_id AS owner_id
      FROM accounts o JOIN spaces s ON s.account_id = o.id AND s.kind = 'account' JOIN nodes n ON n.space_id = s.id AND n.shared
      JOIN shares h ON h.node_id = n.id
     WHERE o.company_id = $1 AND o.state <> 'deleted' AND h.folder_hash IS NOT NULL AND ($3::text IS NULL OR h.folder_hash = $3) AND node_is_live(n.id)
     ORDER BY h.published_at DESC, h.node_id LIMIT $4 OFFSET $5
  ), ${PLACE}
  SELECT h.node_id AS "nodeId", h.owner_id AS "ownerId", h.public_name AS "publicName", h.folder_hash AS "folderHash",
         (SELECT count(DISTINCT a.account_id) FROM (${ACCEPTED}) a) AS collaborators, ${MS('h.published_at')} AS "createdMs", n.modified_ms AS "modifiedMs",
         CASE WHEN h.owner_id = $2 OR $2 IN (${ACCEPTED}) THEN 'accepted'
              WHEN EXISTS (SELECT 1 FROM share_requests r WHERE r.node_id = h.node_id AND r.account_id = $2) THEN 'requested' ELSE 'waiting' END AS status,
         place.path AS "ownerPath"
    FROM page h JOIN nodes n ON n.id = h.node_id JOIN place ON place.start = h.node_id ORDER BY h.published_at DESC, h.node_id`;

const OWNERS = `accounts o JOIN spaces s ON s.account_id = o.id AND s.kind = 'account'`;
const OF_COMPANY = `o.company_id = $1 AND ($2 = '' OR position(lower($2) IN lower(o.name)) > 0)`;
const OUTGOING = `p.node_id AS "nodeId", p.owner_id AS "ownerId", p.bytes, p.created AS "createdMs", p.modified AS "modifiedMs", p.outside, place.path`;

const OUT_SHARES = `
  WITH RECURSIVE page AS (
    SELECT n.id AS node_id, o.id AS owner_id, n.size_bytes AS bytes, ${MS('h.created_at')} AS created, n.modified_ms AS modified,
           h.open OR h.public_view OR EXISTS (
             SELECT 1 FROM grants g JOIN invitations i ON i.grant_id = g.id AND i.state <> 'declined' JOIN accounts a ON a.id = i.account_id
              WHERE g.node_id = n.id AND a.company_id IS DISTINCT FROM $1) AS outside
      FROM ${OWNERS} JOIN nodes n ON n.space_id = s.id AND n.shared JOIN shares h ON h.node_id = n.id
     WHERE ${OF_COMPANY} AND node_is_live(n.id) ORDER BY h.created_at DESC, n.id LIMIT $3 OFFSET $4
  ), ${PLACE}
  SELECT ${OUTGOING} FROM page p JOIN place ON place.start = p.node_id ORDER BY p.created DESC, p.node_id`;

const OUT_LINKS = `
  WITH RECURSIVE page AS (
    SELECT n.id AS node_id, o.id AS owner_id, n.size_bytes AS bytes, ${MS('l.created_at')} AS created, n.modified_ms AS modified, true AS outside
      FROM ${OWNERS} JOIN nodes n ON n.space_id = s.id AND n.linked JOIN links l ON l.node_id = n.id
     WHERE ${OF_COMPANY} AND node_is_live(n.id) ORDER BY l.created_at DESC, l.id LIMIT $3 OFFSET $4
  ), ${PLACE}
  SELECT ${OUTGOING} FROM page p JOIN place ON place.start = p.node_id ORDER BY p.created DESC, p.node_id`;

const REQUEST = `r.node_id AS "nodeId", s.account_id AS "ownerId", r.account_id AS "accountId", r.hash, r.message, n.name AS "folderName"`;
const REQUESTS = 'share_requests r JOIN nodes n ON n.id = r.node_id JOIN spaces s ON s.id = n.space_id';
/** Whoever has left the company meanwhile asks for nothing. */
const OF_COLLEAGUE = `EXISTS (SELECT 1 FROM accounts a JOIN accounts o ON o.company_id = a.company_id WHERE a.id = r.account_id AND a.state = 'active' AND o.id = s.account_id)`;

/** Folders offered to a company, and who asks for them. */
@Injectable()
export class CompanyShareRepository {
  constructor(private readonly database: Database) {}

  /** Offers the folder under a name; keeps the hash of one that is offered already, and answers it. */
  async publish(nodeId: string, publicName: string, at: Date): Promise<string> {
    const row = await this.database.queryOne<{ hash: string }>(
      `UPDATE shares SET public_name = $2, folder_hash = coalesce(folder_hash, $3), published_at = coalesce(published_at, $4) WHERE node_id = $1
       RETURNING folder_hash AS hash`,
      [nodeId, publicName, newHash(), at],
    );
    return row!.hash;
  }

  /** Takes the offer back; false when there is none. */
  async hide(nodeId: string): Promise<boolean> {
    const changed = await this.database.run(
      'UPDATE shares SET public_name = NULL, folder_hash = NULL, published_at = NULL WHERE node_id = $1 AND folder_hash IS NOT NULL',
      [nodeId],
    );
    return changed === 1;
  }

  /** Offered folders of a company that are in place, the newest first. One statement. */
  async list({ companyId, accountId, folderHash, offset, limit }: CompanyFolderFilter): Promise<CompanyFolder[]> {
    return this.database.query<CompanyFolder & Record<string, unknown>>(FOLDERS, [companyId, accountId, folderHash, limit, offset]);
  }

  /** The hash of the request; null when the account asks already. */
  async request(nodeId: string, accountId: number, message: string, at: Date): Promise<string | null> {
    const row = await this.database.queryOne<{ hash: string }>(
      `INSERT INTO share_requests (id, node_id, account_id, hash, message, created_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING hash`,
      [newId(at.getTime()), nodeId, accountId, newHash(), message, at],
    );
    return row?.hash ?? null;
  }

  /** Takes away everything that was asked for a folder that is on offer, and tells what it was, with the name that the askers know. */
  async removeRequests(nodeId: string): Promise<ShareRequest[]> {
    return this.database.query<ShareRequest & Record<string, unknown>>(
      `WITH r AS (DELETE FROM share_requests WHERE node_id = $1 RETURNING *)
       SELECT r.node_id AS "nodeId", s.account_id AS "ownerId", r.account_id AS "accountId", r.hash, r.message, coalesce(h.public_name, n.name) AS "folderName"
         FROM r JOIN shares h ON h.node_id = r.node_id JOIN nodes n ON n.id = r.node_id JOIN spaces s ON s.id = n.space_id`,
      [nodeId],
    );
  }

  /** What the owner is asked for, oldest first. */
  async requestsTo(ownerId: number, limit: number): Promise<ShareRequest[]> {
    return this.database.query<ShareRequest & Record<string, unknown>>(
      `SELECT ${REQUEST} FROM ${REQUESTS} WHERE s.account_id = $1 AND node_is_live(n.id) AND ${OF_COLLEAGUE} ORDER BY r.created_at, r.id LIMIT $2`,
      [ownerId, limit],
    );
  }

  /** A request to this owner, by its own hash, or by the folder's and who asks. */
  async findRequest(ownerId: number, hash: string, accountId: number | null): Promise<ShareRequest | null> {
    return this.database.queryOne<ShareRequest & Record<string, unknown>>(
      `SELECT ${REQUEST} FROM ${REQUESTS} JOIN shares h ON h.node_id = r.node_id
        WHERE s.account_id = $1 AND (r.hash = $2 OR (h.folder_hash = $2 AND r.account_id = $3)) AND node_is_live(n.id) AND ${OF_COLLEAGUE} LIMIT 1`,
      [ownerId, hash, accountId],
    );
  }

  /** False when somebody else has taken it meanwhile. */
  async removeRequest(hash: string): Promise<boolean> {
    return (await this.database.run('DELETE FROM share_requests WHERE hash = $1', [hash])) === 1;
  }

  /** A page of what people of the company share, newest first. */
  async shared({ companyId, ownerName, offset, limit }: OutgoingFilter): Promise<Outgoing[]> {
    return this.database.query<Outgoing & Record<string, unknown>>(OUT_SHARES, [companyId, ownerName, limit, offset]);
  }

  /** A page of what people of the company have public links to, newest first. */
  async linked({ companyId, ownerName, offset, limit }: OutgoingFilter): Promise<Outgoing[]> {
    return this.database.query<Outgoing & Record<string, unknown>>(OUT_LINKS, [companyId, ownerName, limit, offset]);
  }
}
