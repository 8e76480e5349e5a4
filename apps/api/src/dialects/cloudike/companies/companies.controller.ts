import { SignUpService } from '#libs/companies';
import { AccountOverview } from '#libs/files';
import type { AccountActor } from '#libs/kernel';

import { presentAccount } from '../accounts/account.presenter.js';
import { CloudikeController, CurrentActor, Params, Route, UrlSegment } from '../http/index.js';
import { companyIdOf } from './company-id.js';
import { CreateMemberDto } from './companies.dto.js';

/** Companies and their members (contract 13). */
@CloudikeController('companies')
export class CompaniesController {
  constructor(
    private readonly signUps: SignUpService,
    private readonly overview: AccountOverview,
  ) {}

  @Route(['company/<company_id>/create_user', 'accounts/company/<company_id>/create_user'], {
    auth: 'account',
    head: false,
    summary: 'Make a member of the company, who can sign in at once',
  })
  async createUser(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('company_id') companyId: string,
    @Params(CreateMemberDto) member: CreateMemberDto,
  ) {
    return presentAccount(await this.overview.of(await this.signUps.createMember(actor, companyIdOf(companyId), member)));
  }
}
