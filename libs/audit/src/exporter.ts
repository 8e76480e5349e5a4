import { Injectable } from '@nestjs/common';

import { AdminRights } from '#libs/accounts';
import { type AccountActor, csvLine, DomainError } from '#libs/kernel';

import { type AuditFilter, AuditRepository, type ListedRecord } from './repositories/audit.repository.js';

const PAGE = 500;

export type AuditFormat = 'jsonl' | 'csv';

/** A file of records, made while it is sent: memory holds one page of them. */
export interface AuditExport {
  readonly contentType: string;
  readonly fileName: string;
  readonly body: AsyncIterable<Buffer>;
}

/** Hands records to those who may read them. */
@Injectable()
export class AuditExporter {
  constructor(
    private readonly records: AuditRepository,
    private readonly rights: AdminRights,
  ) {}

  /** All records that the filter finds, oldest first. FORBIDDEN for everybody but administrators of the system. */
  async ofSystem(actor: AccountActor, filter: AuditFilter, format: AuditFormat): Promise<AuditExport> {
    await this.rights.requireSystemAdmin(actor);
    return this.file(filter, format);
  }

  /**
   * The same of one company, by default the actor's own: what its people did, and what was done to it. FORBIDDEN for plain members, COMPANY_NOT_FOUND for
   * everybody else; INVALID_ARGUMENT without any company.
   */
  async ofCompany(actor: AccountActor, companyId: number | null, filter: AuditFilter, format: AuditFormat): Promise<AuditExport> {
    const id = companyId ?? actor.companyId;
    if (id === null) {
      await this.rights.requireAnyAdmin(actor);
      throw new DomainError('INVALID_ARGUMENT', 'Name a company: you are in none.');
    }
    await this.rights.requireCompanyAdmin(actor, id);
    return this.file({ ...filter, companyId: id }, format);
  }

  private file(filter: AuditFilter, format: AuditFormat): AuditExport {
    const write = WRITERS[format];
    return { contentType: write.contentType, fileName: `audit.${format}`, body: this.read(filter, write) };
  }

  private async *read(filter: AuditFilter, { head, line }: Writer): AsyncGenerator<Buffer> {
    if (head !== '') yield Buffer.from(head);
    for (let after: string | null = null; ;) {
      const page: ListedRecord[] = await this.records.page(filter, after, PAGE);
      if (page.length > 0) yield Buffer.from(page.map(line).join(''));
      if (page.length < PAGE) return;
      after = page.at(-1)!.id;
    }
  }
}

interface Writer {
  readonly contentType: string;
  readonly head: string;
  readonly line: (record: ListedRecord) => string;
}

/** The columns of an export, in their order. */
function fieldsOf(r: ListedRecord): Record<string, string | number | null> {
  return {
    id: r.id,
    time: new Date(r.atMs).toISOString(),
    action: r.action,
    outcome: r.outcome,
    error: r.error,
    dialect: r.dialect,
    user_id: r.actorId,
    impersonator_id: r.impersonatorId,
    company_id: r.companyId,
    credential: r.credential,
    client: r.client,
    address: r.address,
    request_id: r.requestId,
    position: r.position,
    hash: r.hash?.toString('hex') ?? null,
  };
}

const COLUMNS = [
  ...[
    'id',
    'time',
    'action',
    'outcome',
    'error',
    'dialect',
    'user_id',
    'impersonator_id',
    'company_id',
    'credential',
    'client',
    'address',
    'request_id',
  ],
  ...['position', 'hash', 'subjects', 'params'],
];

const WRITERS: Readonly<Record<AuditFormat, Writer>> = {
  jsonl: {
    contentType: 'application/jsonl; charset=utf-8',
    head: '',
    line: (record) => `${JSON.stringify(fieldsOf(record)).slice(0, -1)},"subjects":${record.subjects},"params":${record.params}}\n`,
  },
  csv: {
    contentType: 'text/csv; charset=utf-8',
    head: csvLine(COLUMNS),
    line: (record) => csvLine([...Object.values(fieldsOf(record)), record.subjects, record.params]),
  },
};
