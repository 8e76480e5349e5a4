import { CompanyMembers, CompanyQuotas, MEMBER_ORDERS, MemberDoor, type MemberPolicies, type MemberResult, MemberRules } from '#libs/companies';
import { type AccountProfile, ProfileService } from '#libs/accounts';
import { AccountOverview, type AccountOverviewView } from '#libs/files';
import type { AccountActor } from '#libs/kernel';

import { presentAccount } from '../accounts/account.presenter.js';
import { CloudikeController, CurrentActor, ok, Params, Route, UrlSegment } from '../http/index.js';
import {
  CompanyUsersDto,
  InviteDto,
  ListUsersDto,
  MemberExpiryDto,
  MemberIpDto,
  MemberRuleDto,
  MembersQuotaDto,
  RequestQuotaDto,
} from './company.dto.js';
import { limitOf } from './company-admin.controller.js';
import { companyIdOf, underCompany } from './company-id.js';
import { presentMembers, presentResults } from './company.presenter.js';

const READ = { auth: 'account' } as const;
const WRITE = { auth: 'account', head: false } as const;

/** A rule's route: with and without the id of the company. */
const rule = (...names: readonly string[]) => underCompany(...names.flatMap((name) => [name, `<company_id>/${name}`]));

/** The people of a company (contract 2 and 13). */
@CloudikeController('companies')
export class MembersController {
  constructor(
    private readonly members: CompanyMembers,
    private readonly door: MemberDoor,
    private readonly rules: MemberRules,
    private readonly quotas: CompanyQuotas,
    private readonly profiles: ProfileService,
    private readonly overview: AccountOverview,
  ) {}

  @Route(underCompany('<company_id>/users'), { ...READ, summary: 'Members of the company, and people who are invited' })
  async users(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('company_id') companyId: string,
    @Params(ListUsersDto) { offset = 0, limit = 0, orderBy, name = '' }: ListUsersDto,
  ) {
    const order = MEMBER_ORDERS.find((known) => known === orderBy) ?? 'userid';
    const page = await this.members.list(actor, companyIdOf(companyId), { text: name, orderBy: order, offset, limit });
    const joined = page.members.filter((member) => member.invitedUntilMs === null).map((member) => member.profile);
    return presentMembers(page, offset, await this.viewsOf(joined));
  }

  @Route([...underCompany('<company_id>/invite_user'), 'admin/company/<company_id>/invite_user'], {
    ...WRITE,
    summary: 'Invite somebody to the company by mail',
  })
  async invite(@CurrentActor() actor: AccountActor, @UrlSegment('company_id') companyId: string, @Params(InviteDto) params: InviteDto) {
    return this.present(await this.door.invite(actor, companyIdOf(companyId), params));
  }

  @Route([...underCompany('<company_id>/invite_user/cancel'), 'admin/company/<company_id>/invite_user/cancel'], {
    ...WRITE,
    summary: 'Take an invitation back',
  })
  async cancelInvitation(@CurrentActor() actor: AccountActor, @UrlSegment('company_id') companyId: string, @Params(InviteDto) { email }: InviteDto) {
    return this.present(await this.door.cancelInvitation(actor, companyIdOf(companyId), email));
  }

  @Route(underCompany('<company_id>/users_enable'), { ...WRITE, summary: 'Let members in again' })
  async enable(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('company_id') companyId: string,
    @Params(CompanyUsersDto) { userId }: CompanyUsersDto,
  ) {
    return this.presentAll(await this.door.enable(actor, companyIdOf(companyId), userId));
  }

  @Route(underCompany('<company_id>/users_disable'), { ...WRITE, summary: 'Keep members out' })
  async disable(@CurrentActor() actor: AccountActor, @UrlSegment('company_id') companyId: string, @Params(CompanyUsersDto) params: CompanyUsersDto) {
    const options = { reason: params.reason ?? '', wipe: params.remoteWipe ?? false };
    return this.presentAll(await this.door.disable(actor, companyIdOf(companyId), params.userId, options));
  }

  @Route(rule('change_users_quota'), { ...WRITE, summary: 'What members may store' })
  async changeQuotas(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('company_id') segment: string | undefined,
    @Params(MembersQuotaDto) { usersId, quotaSize, hardQuotaSize, companyId }: MembersQuotaDto,
  ) {
    const company = meant(segment, companyId) ?? (await this.profiles.ofAccount(actor.accountId)).account.companyId ?? 0;
    const softLimitBytes = limitOf(quotaSize) ?? null;
    const limitBytes = limitOf(hardQuotaSize ?? quotaSize) ?? null;
    return this.presentAll(await this.quotas.changeMembers(actor, company, usersId, { softLimitBytes, limitBytes }));
  }

  @Route(underCompany('<company_id>/request_quota'), { ...WRITE, summary: 'Ask for more space, or mark such a request as seen' })
  async requestQuota(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('company_id') segment: string,
    @Params(RequestQuotaDto) { userId, comment = '', viewed }: RequestQuotaDto,
  ) {
    const companyId = companyIdOf(segment);
    if (viewed) await this.quotas.markViewed(actor, companyId, userId);
    else await this.quotas.request(actor, companyId, userId, comment);
    return ok(viewed ? 'The request was marked as seen.' : 'The administrators were told.');
  }

  @Route(rule('change_user_can_print'), { ...WRITE, summary: 'Whether a member may print' })
  changeCanPrint(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('company_id') company: string | undefined,
    @Params(MemberRuleDto) dto: MemberRuleDto,
  ) {
    return this.setPolicies(actor, company, dto, { canPrint: dto.value });
  }

  @Route(rule('change_user_can_download'), { ...WRITE, summary: 'Whether a member may download' })
  changeCanDownload(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('company_id') company: string | undefined,
    @Params(MemberRuleDto) dto: MemberRuleDto,
  ) {
    return this.setPolicies(actor, company, dto, { canDownload: dto.value });
  }

  @Route(rule('change_user_can_upload'), { ...WRITE, summary: 'Whether a member may upload' })
  changeCanUpload(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('company_id') company: string | undefined,
    @Params(MemberRuleDto) dto: MemberRuleDto,
  ) {
    return this.setPolicies(actor, company, dto, { canUpload: dto.value });
  }

  @Route(rule('change_user_pc_can_download'), { ...WRITE, summary: 'Whether programs on computers of a member may download' })
  changePcCanDownload(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('company_id') company: string | undefined,
    @Params(MemberRuleDto) dto: MemberRuleDto,
  ) {
    return this.setPolicies(actor, company, dto, { pcCanDownload: dto.value });
  }

  @Route(rule('change_user_use_watermarks', 'change_use_watermarks'), { ...WRITE, summary: 'Whether a member sees watermarks' })
  changeUseWatermarks(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('company_id') company: string | undefined,
    @Params(MemberRuleDto) dto: MemberRuleDto,
  ) {
    return this.setPolicies(actor, company, dto, { useWatermarks: dto.value });
  }

  @Route(rule('change_mobile_restriction', 'change_user_mobile_restriction'), {
    ...WRITE,
    summary: 'Whether mobile programs of a member are restricted',
  })
  changeMobileRestriction(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('company_id') company: string | undefined,
    @Params(MemberRuleDto) dto: MemberRuleDto,
  ) {
    return this.setPolicies(actor, company, dto, { mobileRestriction: dto.value });
  }

  @Route(rule('change_user_ip_restriction'), { ...WRITE, summary: 'From which addresses a member may come' })
  changeIpRestriction(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('company_id') company: string | undefined,
    @Params(MemberIpDto) dto: MemberIpDto,
  ) {
    return this.setPolicies(actor, company, dto, { ipRestriction: dto.ipRestriction, allowedIps: dto.allowedIps });
  }

  @Route(['accounts/change_admin_rights', 'accounts/company/change_admin_rights', 'company/change_admin_rights'], {
    ...WRITE,
    summary: 'Whether a member administrates the company',
  })
  async changeAdminRights(@CurrentActor() actor: AccountActor, @Params(MemberRuleDto) { userId, value, companyId }: MemberRuleDto) {
    return this.present(await this.rules.setAdmin(actor, { accountId: userId, companyId }, value));
  }

  @Route(rule('change_user_expired'), { ...WRITE, summary: 'Until when a member gets in' })
  async changeExpired(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('company_id') segment: string | undefined,
    @Params(MemberExpiryDto) { userId, expired, companyId }: MemberExpiryDto,
  ) {
    return this.present(await this.rules.setExpiry(actor, { accountId: userId, companyId: meant(segment, companyId) }, expired));
  }

  private async setPolicies(
    actor: AccountActor,
    segment: string | undefined,
    { userId, companyId }: MemberRuleDto | MemberIpDto,
    change: MemberPolicies,
  ) {
    return this.present(await this.rules.setPolicies(actor, { accountId: userId, companyId: meant(segment, companyId) }, change));
  }

  private async present(profile: AccountProfile) {
    return presentAccount(await this.overview.of(profile));
  }

  private async presentAll(results: readonly MemberResult[]) {
    const profiles = results.flatMap(({ profile }) => (profile === null ? [] : [profile]));
    return presentResults(results, await this.viewsOf(profiles));
  }

  private async viewsOf(profiles: readonly AccountProfile[]): Promise<Map<number, AccountOverviewView>> {
    return new Map((await this.overview.ofMany(profiles)).map((view) => [view.profile.account.id, view]));
  }
}

/** The company that a call names: in its URL, or in its parameters. */
function meant(segment: string | undefined, companyId: number | undefined): number | undefined {
  return segment === undefined ? companyId : companyIdOf(segment);
}
