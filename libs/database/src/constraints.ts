import type { DomainErrorCode } from '#libs/kernel';

/** What a violated constraint means to a user. Constraints that only a defect can violate are absent: they surface as INTERNAL. */
export const CONSTRAINT_ERRORS: Readonly<Record<string, readonly [DomainErrorCode, string]>> = {
  uq_nodes_sibling_name: ['NAME_TAKEN', 'Something with this name already exists in this folder.'],
  fk_comments_node: ['NODE_NOT_FOUND', 'The file was not found.'],
  uq_groups_name: ['GROUP_EXISTS', 'The company has a group of this name already.'],
  uq_companies_domain: ['NAME_TAKEN', 'Another company has this domain.'],
  uq_logins_value: ['LOGIN_TAKEN', 'This login is already in use.'],
  fk_nodes_parent: ['PARENT_NOT_FOUND', 'The folder does not exist any more.'],
  ck_quotas_limit: ['QUOTA_EXCEEDED', 'There is not enough space left.'],
};
