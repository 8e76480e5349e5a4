import type { AccountOverviewView } from '#libs/files';
import type { Group, GroupPage, MemberOutcome } from '#libs/groups';

import { presentAccount } from '../accounts/account.presenter.js';

/** The group object; its id is a text, as in the source's lists. */
export function presentGroup(group: Group) {
  return {
    group_id: String(group.id),
    name: group.name,
    company_id: group.companyId,
    members_count: group.membersCount,
    can_print: group.canPrint,
    can_download: group.canDownload,
    can_upload: group.canUpload,
    pc_can_download: group.pcCanDownload,
    use_watermarks: group.useWatermarks,
    mobile_restriction: group.mobileRestriction,
    ip_restriction: group.ipRestriction,
    allowed_ips: group.allowedIps,
  };
}

/** A page of groups. `members`: the first members of each, when they were asked for. */
export function presentGroups(page: GroupPage, offset: number, limit: number, members: ReadonlyMap<number, readonly AccountOverviewView[]> | null) {
  return {
    count: page.count,
    limit,
    offset,
    groups: page.groups.map(presentGroup),
    ...(members && {
      group_users: page.groups.map((group) => ({
        group_id: String(group.id),
        count: group.membersCount,
        users: (members.get(group.id) ?? []).map(presentAccount),
      })),
    }),
  };
}

/** What became of each account that was to be added or removed. */
export function presentMembership(outcomes: readonly MemberOutcome[], done: 'added' | 'removed') {
  return outcomes.map(({ accountId, error }) =>
    error === null ? { userid: accountId, status: done } : { userid: accountId, status: 'error', code: 403, message: error.message },
  );
}
