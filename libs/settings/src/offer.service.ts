import { Injectable } from '@nestjs/common';

import { AppConfig } from '#libs/config';
import { type AccountActor, Clock, sha256 } from '#libs/kernel';

import { KeyValues } from './key-values.service.js';
import { OfferRepository } from './repositories/offer.repository.js';
import { Settings } from './settings.service.js';

/** The key value that holds the text. */
const OFFER_KEY = 'offer';

/**
 * The agreement that people are asked to accept: a page of HTML under the key `offer`, in place of which a company may have one of its own (custom_user_agreement)
 * for its people.
 */
@Injectable()
export class OfferService {
  constructor(
    private readonly keyValues: KeyValues,
    private readonly offers: OfferRepository,
    private readonly settings: Settings,
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {}

  /** The page for somebody, whatever the rights of its key; null = nobody who has signed in. Empty when there is none. */
  async text(actor: AccountActor | null): Promise<string> {
    return this.textOf(actor === null ? '' : (await this.offers.standing(actor.accountId)).companyText);
  }

  /** Where the page is read, while there is one whose text of now the account has not accepted; empty otherwise. Two statements. */
  async dueUrl(accountId: number): Promise<string> {
    const { accepted, companyText } = await this.offers.standing(accountId);
    const text = await this.textOf(companyText);
    if (text === '' || accepted?.equals(sha256(text)) === true) return '';
    return `${this.config.http.publicUrl}/api/1/accounts/get_offer/`;
  }

  /** Notes that the actor accepts the text of now. */
  async accept(actor: AccountActor): Promise<void> {
    await this.offers.accept(actor.accountId, sha256(await this.text(actor)), this.clock.now());
  }

  /** Takes an acceptance back. FORBIDDEN unless the setting `can_decline_offer` allows it. */
  async decline(actor: AccountActor): Promise<void> {
    await this.settings.require('can_decline_offer', 'The offer cannot be declined here.');
    await this.offers.decline(actor.accountId);
  }

  private async textOf(companyText: string): Promise<string> {
    if (companyText !== '') return companyText;
    const value = await this.keyValues.read(OFFER_KEY);
    return typeof value === 'string' ? value : '';
  }
}
