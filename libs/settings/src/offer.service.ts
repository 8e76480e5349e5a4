import { Injectable } from '@nestjs/common';

import { AppConfig } from '#libs/config';
import { type AccountActor, Clock, sha256 } from '#libs/kernel';

import { KeyValues } from './key-values.service.js';
import { OfferRepository } from './repositories/offer.repository.js';
import { Settings } from './settings.service.js';

/** The key value that holds the text. */
const OFFER_KEY = 'offer';

/** The agreement that the house offers to its users: one page of HTML under the key `offer`. */
@Injectable()
export class OfferService {
  constructor(
    private readonly keyValues: KeyValues,
    private readonly offers: OfferRepository,
    private readonly settings: Settings,
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {}

  /** The page, whatever the rights of its key; empty when there is none. */
  async text(): Promise<string> {
    const value = await this.keyValues.read(OFFER_KEY);
    return typeof value === 'string' ? value : '';
  }

  /** Where the offer is read, while there is one whose text of now the account has not accepted; empty otherwise. */
  async dueUrl(accountId: number): Promise<string> {
    const text = await this.text();
    if (text === '' || (await this.offers.accepted(accountId))?.equals(sha256(text)) === true) return '';
    return `${this.config.http.publicUrl}/api/1/accounts/get_offer/`;
  }

  /** Notes that the actor accepts the text of now. */
  async accept(actor: AccountActor): Promise<void> {
    await this.offers.accept(actor.accountId, sha256(await this.text()), this.clock.now());
  }

  /** Takes an acceptance back. FORBIDDEN unless the setting `can_decline_offer` allows it. */
  async decline(actor: AccountActor): Promise<void> {
    await this.settings.require('can_decline_offer', 'The offer cannot be declined here.');
    await this.offers.decline(actor.accountId);
  }
}
