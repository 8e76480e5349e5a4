import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

export interface Asked {
  readonly id: string;
  readonly versionNo: number;
  readonly format: string | null;
}

export interface FactsRow {
  id: string;
  public_hash: string | null;
  shared_hash: string | null;
  open_hash: boolean;
  company_published: boolean;
  state: 'new' | 'processing' | 'ready' | 'error' | 'unsupported' | null;
  kinds: string[] | null;
  metainfo: Record<string, string | number> | null;
}

/** Links, shares and previews that belong to nodes. */
@Injectable()
export class NodeFactsRepository {
  constructor(private readonly database: Database) {}

  /** A row for each node that is asked for; `public_hash` is the link that `viewerId` issued. */
  find(viewerId: number | null, nodes: readonly Asked[]): Promise<FactsRow[]> {
    return this.database.query<FactsRow & Record<string, unknown>>(
      `SELECT n.id, l.hash AS public_hash, s.hash AS shared_hash, coalesce(s.public_view OR s.open, false) AS open_hash,
              s.published_at IS NOT NULL AS company_published, p.state, p.kinds, p.metainfo
         FROM unnest($2::uuid[], $3::bigint[], $4::text[]) AS n (id, version_no, format)
         LEFT JOIN links l ON l.node_id = n.id AND l.issuer_id = $1
         LEFT JOIN shares s ON s.node_id = n.id
         LEFT JOIN versions v ON n.format IS NOT NULL AND v.node_id = n.id AND v.no = n.version_no
         LEFT JOIN previews p ON p.blob_id = v.blob_id AND p.format = n.format`,
      [viewerId, nodes.map((node) => node.id), nodes.map((node) => node.versionNo), nodes.map((node) => node.format)],
    );
  }
}
