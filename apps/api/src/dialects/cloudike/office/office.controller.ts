import { type AccountActor, DomainError } from '#libs/kernel';
import { OfficeLinks } from '#libs/office';

import { type Caller, CloudikeController, CurrentActor, CurrentCaller, Params, Route } from '../http/index.js';
import { OfficeEditDto, OfficeLinkDto, OfficeViewDto } from './office.dto.js';
import { presentOfficeUrl } from './office.presenter.js';

const WRITE = { auth: 'account', head: false } as const;

/** Documents in the browser (contract 7, MSOFFICE). */
@CloudikeController('wopi')
export class OfficeController {
  constructor(private readonly office: OfficeLinks) {}

  @Route('wopi/view', { ...WRITE, summary: 'Where a document can be looked at' })
  async view(@CurrentActor() actor: AccountActor, @Params(OfficeViewDto) { path, version }: OfficeViewDto) {
    return presentOfficeUrl(await this.office.view(actor, { node: { path }, versionNo: version }));
  }

  @Route('wopi/edit', { ...WRITE, summary: 'Where a document can be edited' })
  async edit(@CurrentActor() actor: AccountActor, @Params(OfficeEditDto) { path }: OfficeEditDto) {
    return presentOfficeUrl(await this.office.edit(actor, { path }));
  }

  @Route('wopi/link/view', { auth: 'public', head: false, summary: 'Where a document behind a public link can be looked at' })
  async viewLink(@CurrentCaller() { ip }: Caller, @Params(OfficeLinkDto) { hash, path = [], password }: OfficeLinkDto) {
    return presentOfficeUrl(await this.office.viewLink(hash, { path, password, ip }));
  }

  @Route('wopi/no_office_server', { auth: 'public', summary: 'What the URLs lead to when no office server is configured' })
  nowhere(): never {
    throw new DomainError('NO_PREVIEW', 'No office server is configured here, so documents cannot be opened in the browser.');
  }
}
