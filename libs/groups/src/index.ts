export { checkedIps } from './allowed-ips.js';
export { type GroupListener, GroupListeners } from './group-listeners.js';
export { GroupMembers, type MemberOutcome, type MembersPage } from './group-members.service.js';
export { type GroupOrder, type GroupPage, GroupService, type ListGroups } from './group.service.js';
export { GroupsModule } from './groups.module.js';
export type { Group, GroupPolicies } from './repositories/group.repository.js';
