import { Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';

import { Billing, CompanyLogo, CompanyService, CompanyStates } from '#libs/companies';
import { AppConfig } from '#libs/config';
import type { AccountActor } from '#libs/kernel';

import { CloudikeController, CurrentActor, ok, Params, Route, UrlSegment } from '../http/index.js';
import {
  AgreementDto,
  CompanyChangeDto,
  CompanyUserDto,
  LogoConfirmDto,
  LogoUploadDto,
  PaymentMethodDto,
  ReferenceDto,
  StatusDto,
} from './company.dto.js';
import { companyIdOf, underCompany } from './company-id.js';
import { presentCompany, presentDomain } from './company.presenter.js';
import { LogoSender } from './logo-sender.js';

const READ = { auth: 'account' } as const;
const WRITE = { auth: 'account', head: false } as const;

/** What a company shows and decides of itself (contract 2, 13 and 15). */
@CloudikeController('companies')
export class CompanyController {
  constructor(
    private readonly companies: CompanyService,
    private readonly states: CompanyStates,
    private readonly logos: CompanyLogo,
    private readonly billing: Billing,
    private readonly sender: LogoSender,
    private readonly config: AppConfig,
  ) {}

  @Route(underCompany('<company_id>'), { ...READ, summary: 'The company; its administrators see the settings' })
  async get(@CurrentActor() actor: AccountActor, @UrlSegment('company_id') companyId: string) {
    return presentCompany(await this.companies.get(actor, companyIdOf(companyId)), this.logoUrl);
  }

  @Route(underCompany('<company_id>/change'), {
    ...WRITE,
    summary: 'Change settings of the company',
    errors: { NAME_TAKEN: [403, 'AlreadyExists'] },
  })
  async change(@CurrentActor() actor: AccountActor, @UrlSegment('company_id') companyId: string, @Params(CompanyChangeDto) params: CompanyChangeDto) {
    return presentCompany(await this.companies.change(actor, companyIdOf(companyId), params), this.logoUrl);
  }

  @Route(underCompany('<company_id>/custom_user_agreement'), { ...WRITE, summary: 'An agreement of the company itself' })
  async agreement(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('company_id') companyId: string,
    @Params(AgreementDto) { value, show, agreement }: AgreementDto,
  ) {
    const change = { useCustomAgreement: value, customAgreementShown: show, customAgreement: agreement };
    return presentCompany(await this.companies.change(actor, companyIdOf(companyId), change), this.logoUrl);
  }

  @Route(underCompany('<company_id>/update_reference'), { ...WRITE, summary: 'The reference address of the company' })
  async reference(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('company_id') companyId: string,
    @Params(ReferenceDto) { referenceEmail }: ReferenceDto,
  ) {
    await this.companies.setReference(actor, companyIdOf(companyId), referenceEmail);
    return ok('The address was changed.');
  }

  @Route(underCompany('domain/<domain>'), { auth: 'public', summary: 'The company of a domain' })
  async byDomain(@UrlSegment('domain') domain: string) {
    return presentDomain(await this.companies.byDomain(domain), this.logoUrl);
  }

  @Route(underCompany('<company_id>/status'), { ...WRITE, summary: 'Read, or change, whether the company is open' })
  async status(@CurrentActor() actor: AccountActor, @UrlSegment('company_id') segment: string, @Params(StatusDto) { status }: StatusDto) {
    const companyId = companyIdOf(segment);
    return { company_id: companyId, status: await (status ? this.states.setStatus(actor, companyId, status) : this.states.status(actor, companyId)) };
  }

  @Route(underCompany('<company_id>/admin_change'), { ...WRITE, summary: 'Make a member the owner of the company' })
  async changeOwner(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('company_id') companyId: string,
    @Params(CompanyUserDto) { userId }: CompanyUserDto,
  ) {
    return presentCompany(await this.states.changeOwner(actor, companyIdOf(companyId), userId), this.logoUrl);
  }

  @Route(underCompany('<company_id>/logo_upload'), { ...WRITE, summary: 'Where to send a logo' })
  async uploadLogo(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('company_id') segment: string,
    @Params(LogoUploadDto) { size, checksum }: LogoUploadDto,
  ) {
    const companyId = companyIdOf(segment);
    const { url, method, headers, tempName } = await this.logos.upload(actor, companyId, { sizeBytes: size, md5: checksum });
    const base = this.config.http.publicUrl.replace(/\/+$/, '');
    const confirm = `${base}/api/1/company/${companyId}/logo_confirm/?temp_name=${encodeURIComponent(tempName)}`;
    return { url, method, headers, parameters: {}, confirm_url: confirm, temp_name: tempName };
  }

  @Route(underCompany('<company_id>/logo_confirm'), { ...WRITE, summary: 'Make what was sent the logo' })
  async confirmLogo(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('company_id') companyId: string,
    @Params(LogoConfirmDto) { tempName, size, checksum }: LogoConfirmDto,
  ) {
    await this.logos.confirm(actor, companyIdOf(companyId), tempName, { sizeBytes: size, md5: checksum });
    return ok('The logo was changed.');
  }

  @Route(underCompany('<company_id>/logo_clear'), { ...WRITE, summary: 'Take the logo away' })
  async clearLogo(@CurrentActor() actor: AccountActor, @UrlSegment('company_id') companyId: string) {
    await this.logos.clear(actor, companyIdOf(companyId));
    return ok('The logo was removed.');
  }

  @Route(underCompany('logo/<logo_id>'), { auth: 'public', summary: 'The picture of a logo' })
  async logo(@UrlSegment('logo_id') logoId: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    await this.sender.send(logoId, request, response);
  }

  @Route('info', { ...READ, summary: 'The ways to pay, and the one that was chosen' })
  async paymentInfo(@CurrentActor() actor: AccountActor) {
    return this.billing.profile(actor);
  }

  @Route('choose', { ...WRITE, summary: 'Choose a way to pay' })
  async choosePayment(@CurrentActor() actor: AccountActor, @Params(PaymentMethodDto) { method }: PaymentMethodDto) {
    await this.billing.choose(actor, method);
    return ok('The payment method was chosen.');
  }

  @Route(underCompany('<company_id>/delete_card_info'), { ...WRITE, summary: 'Forget the payment card' })
  async deleteCard(@CurrentActor() actor: AccountActor, @UrlSegment('company_id') companyId: string) {
    await this.billing.forgetCard(actor, companyIdOf(companyId));
    return ok('The card was forgotten.');
  }

  private readonly logoUrl = (logoId: string | null): string => this.logos.urlOf(logoId);
}
