import { Readable } from 'node:stream';

import { Injectable } from '@nestjs/common';

import { AdminRights, ProfileService } from '#libs/accounts';
import { BlobStore } from '#libs/blob-store';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, csvLine, DomainError, randomHex } from '#libs/kernel';
import { Limiter } from '#libs/limiter';
import { isMailAddress, Mailer, MAX_ATTACHMENT_BYTES } from '#libs/mail';
import { DerivedObjectRepository } from '#libs/nodes';
import { HandlesTask, type TaskContext, type TaskHandler, TaskService } from '#libs/tasks';

import { dayOf } from './calendar.js';
import { reportMail } from './report-mail.js';
import { ReportRepository } from './repositories/report.repository.js';

export const REPORT_TYPES = ['users', 'companies'] as const;
export type ReportType = (typeof REPORT_TYPES)[number];

const PAGE = 500;
const KEPT_MS = 24 * 3_600_000;
const HOUR_MS = 3_600_000;
const REPORTS_PER_HOUR = 20;
const CONTENT_TYPE = 'text/csv; charset=utf-8';

interface ReportInput {
  readonly type: ReportType;
  readonly email: string;
}

/** What a finished report is: an object in the store, noted as derived object, that expires after a day. */
export interface CsvReportResult {
  readonly storeKey: string;
  readonly sizeBytes: number;
  readonly rows: number;
}

/** Starts reports. */
@Injectable()
export class CsvReports {
  constructor(
    private readonly rights: AdminRights,
    private readonly profiles: ProfileService,
    private readonly tasks: TaskService,
    private readonly limiter: Limiter,
  ) {}

  /**
   * Starts the task `analytics.csv-report`: a list of users (of all, or of the company for its administrators) or of companies (for administrators of the
   * system, their default) that goes to `email`, else to the actor's own address. FORBIDDEN, INVALID_ARGUMENT, RATE_LIMITED (20 an hour).
   */
  async start(actor: AccountActor, wish: { readonly type?: string | undefined; readonly email?: string | undefined }): Promise<{ publicId: string }> {
    const own = await this.rights.requireAnyAdmin(actor);
    const type = wish.type || (own.isSystemAdmin ? 'companies' : 'users');
    if (!isReportType(type)) throw new DomainError('INVALID_ARGUMENT', `"type" is one of ${REPORT_TYPES.join(', ')}.`);
    if (type === 'companies' && !own.isSystemAdmin) throw new DomainError('FORBIDDEN', 'Only an administrator of the system may do this.');
    const email = wish.email || (await this.ownAddress(actor));
    if (!isMailAddress(email)) throw new DomainError('INVALID_ARGUMENT', '"email" is not an e-mail address.');
    const slot = await this.limiter.take(`csv-report:${actor.accountId}`, REPORTS_PER_HOUR, HOUR_MS);
    if (!slot.granted) throw new DomainError('RATE_LIMITED', 'Too many reports; try again later.', { retryAfterMs: slot.retryAfterMs });
    return this.tasks.start(actor, 'analytics.csv-report', { type, email } satisfies ReportInput);
  }

  private async ownAddress(actor: AccountActor): Promise<string> {
    const { logins } = await this.profiles.ofAccount(actor.accountId);
    const login = logins.find(({ kind, confirmedMs }) => kind === 'email' && confirmedMs !== null);
    if (!login) throw new DomainError('INVALID_ARGUMENT', 'The parameter "email" is required: this account has no confirmed address.');
    return login.value;
  }
}

/** Writes a report and leaves the mail that carries it. Memory stays flat: one page of rows. */
@HandlesTask('analytics.csv-report')
export class CsvReportTask implements TaskHandler<ReportInput> {
  constructor(
    private readonly rights: AdminRights,
    private readonly profiles: ProfileService,
    private readonly reports: ReportRepository,
    private readonly derived: DerivedObjectRepository,
    private readonly store: BlobStore,
    private readonly mailer: Mailer,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** A run after the mail was left does nothing more. */
  async run(input: ReportInput, context: TaskContext): Promise<CsvReportResult> {
    if (context.checkpoint !== null) return context.checkpoint as unknown as CsvReportResult;
    const { accountId } = context;
    if (accountId === null) throw new DomainError('TASK_FAILED', 'A report belongs to an account.');
    // what counts is what he administrates now
    const own = await this.rights.requireAnyAdmin({ kind: 'account', accountId, companyId: null, role: 'user', tokenId: null });
    if (input.type === 'companies' && !own.isSystemAdmin) throw new DomainError('FORBIDDEN', 'Only an administrator of the system may do this.');
    const companyId = own.isSystemAdmin ? null : own.companyId;
    const fileName = `${input.type}-${dayOf(this.clock.nowMs())}.csv`;
    const name = randomHex(16);
    const storeKey = `derived/${name.slice(0, 2)}/${name}`;
    const expiresAt = new Date(this.clock.nowMs() + KEPT_MS);
    await this.derived.insert({ storeKey, accountId, kind: 'listing', fileName, contentType: CONTENT_TYPE, expiresAt });
    const counted = { rows: 0 };
    const { sizeBytes } = await this.store.put(storeKey, Readable.from(this.write(input.type, companyId, context, counted)), {
      contentType: CONTENT_TYPE,
    });
    const result: CsvReportResult = { storeKey, sizeBytes, rows: counted.rows };
    const { account } = await this.profiles.ofAccount(accountId);
    await this.unitOfWork.run(async () => {
      if (!(await this.derived.markReady(storeKey, sizeBytes))) throw new DomainError('TASK_FAILED', 'The report expired before it was complete.');
      const fits = sizeBytes <= MAX_ATTACHMENT_BYTES;
      const attachment = fits ? { attachment: { storeKey, fileName, contentType: CONTENT_TYPE } } : {};
      await this.mailer.send({ to: input.email, ...reportMail(account.lang, fileName, counted.rows, fits), ...attachment });
      await context.saveProgress(99, result);
    });
    return result;
  }

  private async *write(type: ReportType, companyId: number | null, context: TaskContext, counted: { rows: number }): AsyncGenerator<Buffer> {
    const table = this.reports[type];
    const total = await table.count(companyId);
    yield Buffer.from(csvLine(table.columns));
    for (let afterId = 0; ;) {
      const page = await table.page(afterId, companyId, PAGE);
      if (page.length === 0) return;
      yield Buffer.from(page.map(csvLine).join(''));
      counted.rows += page.length;
      afterId = Number(page.at(-1)![0]);
      await context.throwIfCancelled();
      await context.saveProgress(Math.min(98, (counted.rows / (total + 1)) * 98));
    }
  }
}

function isReportType(text: string): text is ReportType {
  return (REPORT_TYPES as readonly string[]).includes(text);
}
