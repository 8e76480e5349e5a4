import { Buckets } from '#libs/buckets';
import type { AccountActor } from '#libs/kernel';
import { ServiceKeys } from '#libs/service-keys';

import { CloudikeController, CurrentActor, ok, Params, Route } from '../http/index.js';
import { ownAndCompany } from './own-and-company.js';
import { presentKey, presentNewKey } from './key.presenter.js';
import { CreateApiKeyDto, CreateKeyDto, ListKeysDto, RevokeKeyDto } from './keys.dto.js';

const READ = { auth: 'account' } as const;
const WRITE = { auth: 'account', head: false } as const;

/** Credentials that people make for programs (ours; contract 23). */
@CloudikeController('keys')
export class ServiceKeysController {
  constructor(
    private readonly keys: ServiceKeys,
    private readonly buckets: Buckets,
  ) {}

  @Route(ownAndCompany('service_accounts/create'), { ...WRITE, summary: 'A pair of Client-ID and Client-Secret for a program' })
  async createClient(@CurrentActor() actor: AccountActor, @Params(CreateKeyDto) { name, userId }: CreateKeyDto) {
    return presentNewKey(await this.keys.create(actor, { kind: 'client', name }, userId), 'client_secret');
  }

  @Route(ownAndCompany('service_accounts/list'), { ...READ, summary: 'The pairs for programs' })
  async listClients(@CurrentActor() actor: AccountActor, @Params(ListKeysDto) { userId }: ListKeysDto) {
    return { content: (await this.keys.list(actor, 'client', userId)).map(presentKey) };
  }

  @Route(ownAndCompany('service_accounts/revoke'), { ...WRITE, summary: 'End a pair for a program' })
  async revokeClient(@CurrentActor() actor: AccountActor, @Params(RevokeKeyDto) { id, userId }: RevokeKeyDto) {
    await this.keys.revoke(actor, 'client', id, userId);
    return ok('The service account was revoked.');
  }

  @Route(ownAndCompany('api_keys/create'), { ...WRITE, summary: 'A key for buckets' })
  async createStorage(@CurrentActor() actor: AccountActor, @Params(CreateApiKeyDto) { name, buckets, userId }: CreateApiKeyDto) {
    const key = await this.buckets.createKey(actor, { name, buckets: buckets ?? null }, userId);
    return { ...presentNewKey(key, 'api_key'), buckets: key.buckets };
  }

  @Route(ownAndCompany('api_keys/list'), { ...READ, summary: 'The keys for buckets' })
  async listStorage(@CurrentActor() actor: AccountActor, @Params(ListKeysDto) { userId }: ListKeysDto) {
    const keys = await this.buckets.listKeys(actor, userId);
    return { content: keys.map((key) => ({ ...presentKey(key), buckets: key.buckets })) };
  }

  @Route(ownAndCompany('api_keys/revoke'), { ...WRITE, summary: 'End a key for buckets' })
  async revokeStorage(@CurrentActor() actor: AccountActor, @Params(RevokeKeyDto) { id, userId }: RevokeKeyDto) {
    await this.keys.revoke(actor, 'storage', id, userId);
    return ok('The key was revoked.');
  }

  @Route(ownAndCompany('developer_keys/create'), { ...WRITE, summary: 'A key for programs that make sessions' })
  async createDeveloper(@CurrentActor() actor: AccountActor, @Params(CreateKeyDto) { name, userId }: CreateKeyDto) {
    return presentNewKey(await this.keys.create(actor, { kind: 'developer', name }, userId), 'developer_key');
  }

  @Route(ownAndCompany('developer_keys/list'), { ...READ, summary: 'The keys for programs that make sessions' })
  async listDeveloper(@CurrentActor() actor: AccountActor, @Params(ListKeysDto) { userId }: ListKeysDto) {
    return { content: (await this.keys.list(actor, 'developer', userId)).map(presentKey) };
  }

  @Route(ownAndCompany('developer_keys/revoke'), { ...WRITE, summary: 'End a key for programs that make sessions' })
  async revokeDeveloper(@CurrentActor() actor: AccountActor, @Params(RevokeKeyDto) { id, userId }: RevokeKeyDto) {
    await this.keys.revoke(actor, 'developer', id, userId);
    return ok('The key was revoked.');
  }
}
