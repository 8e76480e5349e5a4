import { Injectable } from '@nestjs/common';

import { Clock, DomainError } from '#libs/kernel';

import { OfficeDiscovery } from './discovery/office-discovery.service.js';
import { isProven, type Proof } from './proof.js';

/** Refuses calls that the configured office server has not signed. */
@Injectable()
export class ProofCheck {
  constructor(
    private readonly discovery: OfficeDiscovery,
    private readonly clock: Clock,
  ) {}

  /**
   * Passes when the office server signs nothing, or has signed this. INVALID_CREDENTIALS otherwise; BUSY when its keys cannot be read, because
   * a key that is missing is no reason to let anybody in.
   */
  async require(proof: Proof): Promise<void> {
    const known = await this.discovery.current();
    if (known === null || known.proofKeys.length === 0 || isProven(proof, known.proofKeys, this.clock.nowMs())) return;
    // The office server may have taken a new key since.
    const fresh = await this.discovery.refreshed();
    if (fresh && fresh !== known && isProven(proof, fresh.proofKeys, this.clock.nowMs())) return;
    throw new DomainError('INVALID_CREDENTIALS', 'The office server has not signed this request.');
  }
}
