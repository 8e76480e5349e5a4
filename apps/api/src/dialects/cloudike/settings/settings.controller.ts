import { type AccountActor, DomainError } from '#libs/kernel';
import { KeyValues, OfferService, Settings } from '#libs/settings';

import { CloudikeController, CurrentActor, OptionalActor, Params, Reply, Route, UrlSegment } from '../http/index.js';
import { KeyValueDto, SettingDto } from './settings.dto.js';

/** The page is an administrator's text on our own address: it may look as it likes, and do nothing. */
const PAGE_HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src https: data:",
  'X-Content-Type-Options': 'nosniff',
};

/** What administrators of the system set for everybody (contract 7 and 13). */
@CloudikeController('settings')
export class SettingsController {
  constructor(
    private readonly settings: Settings,
    private readonly keyValues: KeyValues,
    private readonly offers: OfferService,
  ) {}

  @Route('admin/settings', { auth: 'account', head: false, summary: 'Settings that take effect at once; with a name one is changed' })
  async setting(@CurrentActor() actor: AccountActor, @Params(SettingDto) { name, value }: SettingDto) {
    if (name === undefined) return { settings: await this.settings.list(actor) };
    if (value === undefined) throw new DomainError('INVALID_ARGUMENT', 'The parameter "value" is required.');
    return { settings: await this.settings.set(actor, name, value) };
  }

  @Route('keyvalue/<key_name>', { auth: 'optional', head: false, summary: 'The value of a key; with a value it is set' })
  async keyValue(@OptionalActor() actor: AccountActor | null, @UrlSegment('key_name') key: string, @Params(KeyValueDto) params: KeyValueDto) {
    if (params.value === undefined) return this.keyValues.get(actor, key);
    await this.keyValues.set(actor, key, params.value, params.rights);
    return { key, changed: true };
  }

  @Route('accounts/get_offer', { auth: 'optional', summary: 'The agreement of the caller as a page; empty when there is none' })
  async offer(@OptionalActor() actor: AccountActor | null) {
    return Reply.json(200, await this.offers.text(actor), PAGE_HEADERS);
  }

  @Route('accounts/accept_offer', { auth: 'account', head: false, summary: 'Accept the offer' })
  async accept(@CurrentActor() actor: AccountActor) {
    await this.offers.accept(actor);
    return { accepted: true };
  }

  @Route('accounts/decline_offer', {
    auth: 'account',
    head: false,
    summary: 'Take the acceptance of the offer back, where the setting can_decline_offer allows it',
    errors: { FORBIDDEN: [405, 'MethodNotAllowed'] },
  })
  async decline(@CurrentActor() actor: AccountActor) {
    await this.offers.decline(actor);
    return { accepted: false };
  }
}
