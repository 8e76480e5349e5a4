import { Injectable } from '@nestjs/common';

import { type Actor, Clock, forbiddenBy, OPEN_POLICY, type Policy, type PolicyReason, policyRefusal, type PolicyUse } from '#libs/kernel';

import { PolicyRepository } from './repositories/policy.repository.js';

/** The policies of accounts, and of their groups and companies, wherever somebody acts: what rights give, they may take. */
@Injectable()
export class Policies {
  constructor(
    private readonly rows: PolicyRepository,
    private readonly clock: Clock,
  ) {}

  /**
   * What is allowed to the actor: as it was read with his credential, else read now. Guests are judged by their pass, which counts what its issuer
   * may; the house by nothing.
   */
  async of(actor: Actor): Promise<Policy> {
    if (actor.kind !== 'account') return OPEN_POLICY;
    return actor.policy ?? this.rows.ofAccount(actor.accountId);
  }

  /** The rule that keeps the actor from something wherever his rights reach; null when none does. */
  async refusal(actor: Actor, use: PolicyUse): Promise<PolicyReason | null> {
    if (actor.kind !== 'account') return null;
    return policyRefusal(await this.of(actor), actor.client, use, this.clock.now());
  }

  /** FORBIDDEN (`details.reason` is the rule) when a rule keeps the actor from it. */
  async require(actor: Actor, use: PolicyUse): Promise<void> {
    const reason = await this.refusal(actor, use);
    if (reason !== null) throw forbiddenBy(reason);
  }

  /** FORBIDDEN when the company of `ownerId` lets its people share with their colleagues alone, and the other is none. */
  async requireSharing(ownerId: number, otherId: number): Promise<void> {
    if (!(await this.rows.reaches(ownerId, otherId))) throw forbiddenBy('sharing_outside_allow');
  }
}
