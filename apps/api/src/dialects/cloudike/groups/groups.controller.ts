import { AccountOverview, type AccountOverviewView } from '#libs/files';
import { type Group, GroupMembers, type GroupOrder, type GroupPolicies, GroupService } from '#libs/groups';
import { type AccountActor, DomainError } from '#libs/kernel';

import { CloudikeController, CurrentActor, Params, Route, UrlSegment } from '../http/index.js';
import { presentAccount } from '../accounts/account.presenter.js';
import { presentGroup, presentGroups, presentMembership } from './group.presenter.js';
import { GroupNameDto, GroupPageDto, IpRestrictionDto, ListGroupsDto, MembersDto, PolicyDto, RenameGroupDto } from './groups.dto.js';

const WRITE = { auth: 'account', head: false, errors: { FORBIDDEN: [403, 'GroupForbidden'] } } as const;
const READ = { auth: 'account', errors: { FORBIDDEN: [403, 'GroupForbidden'] } } as const;
const ORDERS: readonly GroupOrder[] = ['name', '-name', 'members_count', '-members_count'];

/** Groups of a company (contract 7). */
@CloudikeController('groups')
export class GroupsController {
  constructor(
    private readonly groups: GroupService,
    private readonly members: GroupMembers,
    private readonly overview: AccountOverview,
  ) {}

  @Route('groups/create', { ...WRITE, summary: 'Make a group' })
  async create(@CurrentActor() actor: AccountActor, @Params(GroupNameDto) params: GroupNameDto) {
    return presentGroup(await this.groups.create(actor, params));
  }

  @Route('groups/delete', { ...WRITE, summary: 'Remove a group; what was shared with it is no longer' })
  async remove(@CurrentActor() actor: AccountActor, @Params(GroupNameDto) params: GroupNameDto) {
    return presentGroup(await this.groups.remove(actor, params));
  }

  @Route('groups/list', { ...READ, summary: 'The groups of the company' })
  async list(@CurrentActor() actor: AccountActor, @Params(ListGroupsDto) { orderBy, offset = 0, limit = 0, companyId, includeUsers }: ListGroupsDto) {
    const order = ORDERS.find((known) => known === orderBy) ?? 'name';
    const page = await this.groups.list(actor, { companyId, orderBy: order, offset, limit });
    return presentGroups(page, offset, limit, includeUsers ? await this.firstMembers(page.groups) : null);
  }

  @Route('groups/<group_id>/change', { ...WRITE, summary: 'Give a group another name' })
  async rename(@CurrentActor() actor: AccountActor, @UrlSegment('group_id') groupId: string, @Params(RenameGroupDto) { name }: RenameGroupDto) {
    return presentGroup(await this.groups.rename(actor, idOf(groupId), name));
  }

  @Route('groups/<group_id>/add_user', { ...WRITE, summary: 'Put people into a group' })
  async addUsers(@CurrentActor() actor: AccountActor, @UrlSegment('group_id') groupId: string, @Params(MembersDto) { userIds }: MembersDto) {
    return presentMembership(await this.members.add(actor, idOf(groupId), userIds), 'added');
  }

  @Route('groups/<group_id>/remove_user', { ...WRITE, summary: 'Take people out of a group' })
  async removeUsers(@CurrentActor() actor: AccountActor, @UrlSegment('group_id') groupId: string, @Params(MembersDto) { userIds }: MembersDto) {
    return presentMembership(await this.members.remove(actor, idOf(groupId), userIds), 'removed');
  }

  @Route('groups/<group_id>/users', { ...READ, summary: 'The members of a group' })
  async users(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('group_id') groupId: string,
    @Params(GroupPageDto) { offset = 0, limit = 0 }: GroupPageDto,
  ) {
    const page = await this.members.list(actor, idOf(groupId), offset, limit);
    const users = (await this.overview.ofMany(page.profiles)).map(presentAccount);
    return { users, limit: page.limit, offset: page.offset, count: page.count };
  }

  @Route('groups/<group_id>/change_can_print', { ...WRITE, summary: 'Whether members may print' })
  changeCanPrint(@CurrentActor() actor: AccountActor, @UrlSegment('group_id') groupId: string, @Params(PolicyDto) { value }: PolicyDto) {
    return this.setPolicies(actor, groupId, { canPrint: value });
  }

  @Route('groups/<group_id>/change_can_download', { ...WRITE, summary: 'Whether members may download' })
  changeCanDownload(@CurrentActor() actor: AccountActor, @UrlSegment('group_id') groupId: string, @Params(PolicyDto) { value }: PolicyDto) {
    return this.setPolicies(actor, groupId, { canDownload: value });
  }

  @Route('groups/<group_id>/change_can_upload', { ...WRITE, summary: 'Whether members may upload' })
  changeCanUpload(@CurrentActor() actor: AccountActor, @UrlSegment('group_id') groupId: string, @Params(PolicyDto) { value }: PolicyDto) {
    return this.setPolicies(actor, groupId, { canUpload: value });
  }

  @Route('groups/<group_id>/change_pc_can_download', { ...WRITE, summary: 'Whether programs on computers may download' })
  changePcCanDownload(@CurrentActor() actor: AccountActor, @UrlSegment('group_id') groupId: string, @Params(PolicyDto) { value }: PolicyDto) {
    return this.setPolicies(actor, groupId, { pcCanDownload: value });
  }

  @Route('groups/<group_id>/change_use_watermarks', { ...WRITE, summary: 'Whether members see watermarks' })
  changeUseWatermarks(@CurrentActor() actor: AccountActor, @UrlSegment('group_id') groupId: string, @Params(PolicyDto) { value }: PolicyDto) {
    return this.setPolicies(actor, groupId, { useWatermarks: value });
  }

  @Route('groups/<group_id>/change_mobile_restriction', { ...WRITE, summary: 'Whether mobile programs are restricted' })
  changeMobileRestriction(@CurrentActor() actor: AccountActor, @UrlSegment('group_id') groupId: string, @Params(PolicyDto) { value }: PolicyDto) {
    return this.setPolicies(actor, groupId, { mobileRestriction: value });
  }

  @Route(['groups/<group_id>/change_group_ip_restriction', 'groups/<group_id>/change_ip_restriction'], {
    ...WRITE,
    summary: 'From which addresses members may come',
  })
  changeIpRestriction(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('group_id') groupId: string,
    @Params(IpRestrictionDto) params: IpRestrictionDto,
  ) {
    if (params.ipRestriction === undefined && params.allowedIps === undefined)
      throw new DomainError('INVALID_ARGUMENT', 'One of the parameters "ip_restriction" and "allowed_ips" is required.');
    return this.setPolicies(actor, groupId, params);
  }

  private async setPolicies(actor: AccountActor, groupId: string, change: Partial<GroupPolicies>) {
    return presentGroup(await this.groups.setPolicies(actor, idOf(groupId), change));
  }

  private async firstMembers(groups: readonly Group[]): Promise<Map<number, AccountOverviewView[]>> {
    const first = await this.members.firstOf(groups);
    const people = new Map([...first.values()].flat().map((profile) => [profile.account.id, profile]));
    const views = new Map((await this.overview.ofMany([...people.values()])).map((view) => [view.profile.account.id, view]));
    return new Map([...first].map(([groupId, profiles]) => [groupId, profiles.map(({ account }) => views.get(account.id)!)]));
  }
}

/** A group's id of a URL. What no id can be names no group, like an unknown one. */
function idOf(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}
