import { Identities, ProfileService, SecondFactorService } from '#libs/accounts';
import type { AccountActor } from '#libs/kernel';
import { OwnTreeReader } from '#libs/own-tree';
import { ServiceKeys } from '#libs/service-keys';

import { CurrentActor } from '../../../http/dialect/request-decorators.js';
import { Route } from '../../../http/dialect/route.js';
import { KoneksiController } from '../http/controller.js';
import { answerOf, envelope } from '../http/envelope.js';
import { presentProfile } from './profile.presenter.js';

const NUMBER = { type: 'integer' };
const OBJECT = { type: 'object' };

@KoneksiController('account')
export class AccountController {
  constructor(
    private readonly profiles: ProfileService,
    private readonly identities: Identities,
    private readonly factors: SecondFactorService,
    private readonly reader: OwnTreeReader,
    private readonly keys: ServiceKeys,
  ) {}

  @Route('GET', 'profile/me', {
    auth: 'client',
    summary: 'Who the caller is, and what he may store',
    answer: answerOf({ type: 'object', properties: { user: OBJECT, profile: OBJECT, settings: OBJECT, role: OBJECT, limit: OBJECT } }),
  })
  async profile(@CurrentActor() actor: AccountActor) {
    const profile = await this.profiles.get(actor);
    const identity = (await this.identities.of([actor.accountId])).get(actor.accountId)!;
    const [{ enabled }, usage] = [await this.factors.state(actor), await this.reader.usage(actor)];
    return envelope('user info retrieved successfully', presentProfile(profile, identity.publicId, enabled, usage));
  }

  @Route('GET', 'dashboard/collect-metrics', {
    auth: 'client',
    summary: 'What the caller stores, in numbers; without the trash',
    answer: answerOf({
      type: 'object',
      properties: { byte_limit: NUMBER, byte_usage: NUMBER, directory_count: NUMBER, file_count: NUMBER, service_account_count: NUMBER },
    }),
  })
  async metrics(@CurrentActor() actor: AccountActor) {
    const { limitBytes, bytes, files, folders } = await this.reader.usage(actor);
    return envelope('metrics collected successfully', {
      byte_limit: limitBytes ?? 0,
      byte_usage: bytes,
      directory_count: folders,
      file_count: files,
      service_account_count: await this.keys.count(actor, 'client'),
    });
  }
}
