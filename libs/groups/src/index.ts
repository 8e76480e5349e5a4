export { checkedIps } from './allowed-ips.js';
export { GroupDirectory } from './group-directory.service.js';
export { type GroupListener, GroupListeners } from './group-listeners.js';
export { GroupMembers, type MemberOutcome, type MembersPage } from './group-members.service.js';
export { type GroupOrder, type GroupPage, GroupService, type ListGroups } from './group.service.js';
export { GroupsModule } from './groups.module.js';
export type { Group, GroupPolicies } from './repositories/group.repository.js';
export type { GroupIdentity } from './repositories/group-identity.repository.js';
