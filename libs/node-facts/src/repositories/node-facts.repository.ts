import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** A file whose previews are looked for. */
export interface AskedFile {
  readonly id: string;
  readonly versionNo: number;
  readonly format: string;
}

export interface Asked {
  readonly files: readonly AskedFile[];
  readonly sharedIds: readonly string[];
  readonly linkedIds: readonly string[];
}

/** What was found of one node; a node with several facts has several rows. */
export interface FactRow {
  id: string;
  /** Of a link or a share. */
  hash: string | null;
  /** Of a share: whoever knows the hash is let in, and that only to read. Null for everything else. */
  open: boolean | null;
  published: boolean | null;
  state: 'new' | 'processing' | 'ready' | 'error' | 'unsupported' | null;
  kinds: string[] | null;
  metainfo: Record<string, string | number> | null;
}

/** Links, shares and previews that belong to nodes. */
@Injectable()
export class NodeFactsRepository {
  constructor(private readonly database: Database) {}

  /** Links that `viewerId` issued, shares, and previews, in one statement. */
  find(viewerId: number | null, { files, sharedIds, linkedIds }: Asked): Promise<FactRow[]> {
    return this.database.query<FactRow & Record<string, unknown>>(
      `SELECT n.id, NULL::text AS hash, NULL::boolean AS open, NULL::boolean AS published, p.state, p.kinds, p.metainfo
         FROM unnest($1::uuid[], $2::bigint[], $3::text[]) AS n (id, version_no, format)
         JOIN versions v ON v.node_id = n.id AND v.no = n.version_no
         JOIN previews p ON p.blob_id = v.blob_id AND p.format = n.format
       UNION ALL
       SELECT node_id, hash, (public_view OR open) AND NOT open_can_write, published_at IS NOT NULL, NULL, NULL, NULL FROM shares WHERE node_id = ANY($4::uuid[])
       UNION ALL
       SELECT node_id, hash, NULL, NULL, NULL, NULL, NULL FROM links WHERE node_id = ANY($5::uuid[]) AND issuer_id = $6`,
      [files.map((file) => file.id), files.map((file) => file.versionNo), files.map((file) => file.format), sharedIds, linkedIds, viewerId],
    );
  }
}
