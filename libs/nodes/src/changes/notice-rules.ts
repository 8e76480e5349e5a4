import type { PersonalChangeType } from './change.js';

/**
 * What an event makes of the notices of those it is about. `ask`: they get a question. `accepted`, `declined`: the question of the one who
 * answers has this answer. `withdrawn`: the questions are gone. In all but the first, everybody else learns of it by a notice of its own.
 */
export type NoticeRule = 'ask' | 'accepted' | 'declined' | 'withdrawn';

const RULES: Partial<Record<PersonalChangeType, NoticeRule>> = {
  share_invitation_sent: 'ask',
  share_invitation_accepted: 'accepted',
  share_invitation_declined: 'declined',
  share_invitation_revoked: 'withdrawn',
  share_request_sent: 'ask',
  share_request_accepted: 'accepted',
  share_request_declined: 'declined',
  folder_collab_removed: 'withdrawn',
  folder_unshared: 'withdrawn',
  migration_sent: 'ask',
  migration_accepted: 'accepted',
  migration_rejected: 'declined',
  migration_removed: 'withdrawn',
};

/** The rule of an event type; undefined: it makes no notice. */
export function noticeRuleOf(type: PersonalChangeType): NoticeRule | undefined {
  return RULES[type];
}
