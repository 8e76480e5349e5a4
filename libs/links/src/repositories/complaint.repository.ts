import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

export type ComplaintStatus = 'new' | 'accepted' | 'declined';

/** What somebody says about content that a link gives out. */
export interface ComplaintForm {
  readonly contentType: string;
  /** Public links, as they were written. */
  readonly urls: readonly string[];
  readonly description: string;
  readonly copyrightHolder: string;
  readonly name: string;
  /** Full name, typed as signature. */
  readonly sign: string;
  readonly email: string;
  readonly position: string;
  readonly phone: string;
  readonly fax: string;
  readonly address: string;
  readonly city: string;
  readonly region: string;
  readonly postcode: number | null;
  readonly country: string;
}

export interface Complaint extends ComplaintForm {
  readonly id: number;
  readonly status: ComplaintStatus;
  readonly createdMs: number;
}

export const COMPLAINT_ORDERS = {
  complaintId: 'id',
  created: 'created_at',
  status: 'status',
  contentType: 'content_type',
  copyrightHolder: 'copyright_holder',
  name: 'name',
  email: 'email',
} as const;
export type ComplaintOrder = keyof typeof COMPLAINT_ORDERS;

/** Texts that a list can be narrowed by. */
const FILTERS = {
  contentType: 'content_type',
  copyrightHolder: 'copyright_holder',
  name: 'name',
  email: 'email',
  position: 'position',
  phone: 'phone',
  fax: 'fax',
  address: 'address',
  city: 'city',
  region: 'region',
  country: 'country',
  status: 'status',
} as const;

export type ComplaintFilter = { readonly [F in keyof typeof FILTERS]?: string | undefined } & {
  readonly id?: number | undefined;
  readonly postcode?: number | undefined;
};

export interface ComplaintPage {
  readonly filter: ComplaintFilter;
  readonly orderBy: ComplaintOrder;
  readonly descending: boolean;
  readonly offset: number;
  readonly limit: number;
}

const COLUMNS = `id, status, content_type AS "contentType", urls, description, copyright_holder AS "copyrightHolder", name, sign, email, position, phone, fax,
  address, city, region, postcode, country, (extract(epoch FROM created_at) * 1000)::bigint AS "createdMs"`;

type Row = Complaint & Record<string, unknown>;

/** Complaints, the links they name, and what accepted ones block. */
@Injectable()
export class ComplaintRepository {
  constructor(private readonly database: Database) {}

  /** Those of the hashes that are links, with what they lead to. */
  linksOf(hashes: readonly string[]): Promise<{ hash: string; nodeId: string }[]> {
    return this.database.query(`SELECT hash, node_id AS "nodeId" FROM links WHERE hash = ANY($1::text[])`, [hashes]);
  }

  async insert(form: ComplaintForm, links: readonly { readonly hash: string; readonly nodeId: string }[], createdAt: Date): Promise<Complaint> {
    const complaint = await this.database.queryOne<Row>(
      `INSERT INTO complaints (content_type, urls, description, copyright_holder, name, sign, email, position, phone, fax, address, city, region,
                               postcode, country, created_at)
       VALUES ($1, $2::text[], $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) RETURNING ${COLUMNS}`,
      [
        form.contentType,
        form.urls,
        form.description,
        form.copyrightHolder,
        form.name,
        form.sign,
        form.email,
        form.position,
        form.phone,
        form.fax,
        form.address,
        form.city,
        form.region,
        form.postcode,
        form.country,
        createdAt,
      ],
    );
    await this.database.run(
      'INSERT INTO complaint_links (complaint_id, hash, node_id) SELECT $1, l.hash, l.node_id FROM unnest($2::text[], $3::uuid[]) AS l (hash, node_id)',
      [complaint!.id, links.map(({ hash }) => hash), links.map(({ nodeId }) => nodeId)],
    );
    return complaint!;
  }

  /** One page, and how many fit the filter in all. Texts fit when they hold the filter's, whatever the case. */
  async page({ filter, orderBy, descending, offset, limit }: ComplaintPage): Promise<{ complaints: Complaint[]; count: number }> {
    const values: unknown[] = [];
    const conditions: string[] = [];
    for (const [name, column] of Object.entries(FILTERS)) {
      const text = filter[name as keyof typeof FILTERS];
      if (text === undefined || text === '') continue;
      values.push(text);
      conditions.push(column === 'status' ? `status = $${values.length}` : `strpos(lower(${column}), lower($${values.length})) > 0`);
    }
    for (const name of ['id', 'postcode'] as const) {
      if (filter[name] === undefined) continue;
      values.push(filter[name]);
      conditions.push(`${name} = $${values.length}`);
    }
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const direction = descending ? 'DESC' : 'ASC';
    const total = await this.database.queryOne<{ count: number }>(`SELECT count(*) AS count FROM complaints ${where}`, values);
    const complaints = await this.database.query<Row>(
      `SELECT ${COLUMNS} FROM complaints ${where} ORDER BY ${COMPLAINT_ORDERS[orderBy]} ${direction}, id ${direction}
        LIMIT $${values.length + 1} OFFSET $${values.length + 2}`,
      [...values, limit, offset],
    );
    return { complaints, count: total!.count };
  }

  /** Null when there is none. The row stays locked until the end of the transaction. */
  setStatus(id: number, status: ComplaintStatus): Promise<Complaint | null> {
    return this.database.queryOne<Row>(`UPDATE complaints SET status = $2 WHERE id = $1 RETURNING ${COLUMNS}`, [id, status]);
  }

  /** Blocks the links of a complaint, or lets those go that no accepted complaint names. The links are locked first: of two who judge at once, the second sees what the first did. */
  async settle(complaintId: number, now: Date): Promise<void> {
    await this.database.run(
      `SELECT 1 FROM links l JOIN complaint_links named ON named.hash = l.hash WHERE named.complaint_id = $1 ORDER BY l.id FOR UPDATE OF l`,
      [complaintId],
    );
    await this.database.run(
      `UPDATE links l SET blocked_at = CASE WHEN held.yes THEN coalesce(l.blocked_at, $2) END
         FROM complaint_links named
         CROSS JOIN LATERAL (SELECT EXISTS (SELECT 1 FROM complaint_links other JOIN complaints c ON c.id = other.complaint_id AND c.status = 'accepted'
                                             WHERE other.hash = named.hash) AS yes) held
        WHERE named.complaint_id = $1 AND l.hash = named.hash AND (l.blocked_at IS NOT NULL) <> held.yes`,
      [complaintId, now],
    );
  }

  /** True when an accepted complaint names a link to one of the nodes, also one that was deleted since. */
  async isHeld(nodeIds: readonly string[]): Promise<boolean> {
    const row = await this.database.queryOne(
      `SELECT 1 AS found FROM complaint_links named JOIN complaints c ON c.id = named.complaint_id AND c.status = 'accepted'
        WHERE named.node_id = ANY($1::uuid[]) LIMIT 1`,
      [nodeIds],
    );
    return row !== null;
  }
}
