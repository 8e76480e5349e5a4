import { type Ending, MemberRemoval } from '#libs/erasing';
import { AccountOverview } from '#libs/files';
import type { AccountActor } from '#libs/kernel';

import { presentAccount } from '../accounts/account.presenter.js';
import { CloudikeController, CurrentActor, Params, Route, UrlSegment } from '../http/index.js';
import { CompanyUserDto, RemoveUserDto } from './company.dto.js';
import { companyIdOf, underCompany } from './company-id.js';

const WRITE = { auth: 'account', head: false } as const;

/** How a member leaves a company for good (contract 13): removed, then confirmed or cancelled. */
@CloudikeController('companies')
export class MemberRemovalController {
  constructor(
    private readonly removal: MemberRemoval,
    private readonly overview: AccountOverview,
  ) {}

  @Route(underCompany('<company_id>/remove_user'), { ...WRITE, summary: 'Keep a member out until his removing is confirmed' })
  async remove(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('company_id') companyId: string,
    @Params(RemoveUserDto) { userId, needWipe = false, transferFile = false, transferLogin = '', autoRemove = false }: RemoveUserDto,
  ) {
    const heir = transferFile ? transferLogin : null;
    return this.present(
      await this.removal.remove(actor, { companyId: companyIdOf(companyId), accountId: userId, wipe: needWipe, heir, confirmed: autoRemove }),
    );
  }

  @Route(underCompany('<company_id>/confirm_user_removing'), { ...WRITE, summary: 'Remove the member with all he has, in the background' })
  async confirm(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('company_id') companyId: string,
    @Params(CompanyUserDto) { userId }: CompanyUserDto,
  ) {
    return this.present(await this.removal.confirm(actor, companyIdOf(companyId), userId));
  }

  @Route(underCompany('<company_id>/cancel_user_removing'), { ...WRITE, summary: 'Let a member back who was to be removed' })
  async cancel(@CurrentActor() actor: AccountActor, @UrlSegment('company_id') companyId: string, @Params(CompanyUserDto) { userId }: CompanyUserDto) {
    return this.present({ profile: await this.removal.cancel(actor, companyIdOf(companyId), userId), taskId: null });
  }

  private async present({ profile, taskId }: Ending) {
    return { ...presentAccount(await this.overview.of(profile)), ...(taskId === null ? {} : { taskid: taskId }) };
  }
}
