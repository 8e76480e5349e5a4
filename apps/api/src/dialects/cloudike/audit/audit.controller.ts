import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';

import { type AuditExport, AuditExporter, type AuditFilter } from '#libs/audit';
import type { AccountActor } from '#libs/kernel';

import { underCompany } from '../companies/company-id.js';
import { CloudikeController, CurrentActor, Params, Route } from '../http/index.js';
import { AuditDto, CompanyAuditDto } from './audit.dto.js';

/** Who changed what, for administrators: a file that is made while it is sent. */
@CloudikeController('audit')
export class AuditController {
  constructor(private readonly exporter: AuditExporter) {}

  @Route('admin/audit', { auth: 'account', summary: 'Audit records of the system as JSON lines or CSV' })
  async system(@CurrentActor() actor: AccountActor, @Params(AuditDto) params: AuditDto, @Req() request: Request, @Res() response: Response) {
    await send(await this.exporter.ofSystem(actor, filterOf(params), params.format || 'jsonl'), request, response);
  }

  @Route(underCompany('audit'), { auth: 'account', summary: 'Audit records of a company as JSON lines or CSV' })
  async company(
    @CurrentActor() actor: AccountActor,
    @Params(CompanyAuditDto) params: CompanyAuditDto,
    @Req() request: Request,
    @Res() response: Response,
  ) {
    await send(await this.exporter.ofCompany(actor, params.companyId ?? null, filterOf(params), params.format || 'jsonl'), request, response);
  }
}

function filterOf({ from, to, account, action, outcome }: AuditDto): AuditFilter {
  return { fromMs: from, toMs: to, accountId: account, action: action || undefined, outcome: outcome || undefined };
}

async function send({ contentType, fileName, body }: AuditExport, request: Request, response: Response): Promise<void> {
  response.set({ 'Content-Type': contentType, 'Content-Disposition': `attachment; filename="${fileName}"` });
  if (request.method === 'HEAD') response.end();
  // when it breaks off, so does the answer: nobody takes half a file for the whole
  else await pipeline(Readable.from(body), response);
}
