import { Buckets } from '#libs/buckets';
import type { AccountActor } from '#libs/kernel';

import { CloudikeController, CurrentActor, ok, Params, Route } from '../http/index.js';
import { presentBucket } from './bucket.presenter.js';
import { CreateBucketDto, ListKeysDto, RevokeBucketDto } from './keys.dto.js';
import { ownAndCompany } from './own-and-company.js';

const WRITE = { auth: 'account', head: false } as const;

/** Buckets that people make for their programs (ours; contract 23). */
@CloudikeController('keys')
export class BucketsController {
  constructor(private readonly buckets: Buckets) {}

  @Route(ownAndCompany('buckets/create'), { ...WRITE, summary: 'A bucket, on a plan' })
  async create(@CurrentActor() actor: AccountActor, @Params(CreateBucketDto) { name, plan, userId }: CreateBucketDto) {
    return presentBucket(await this.buckets.create(actor, { name, plan: plan || undefined }, userId));
  }

  @Route(ownAndCompany('buckets/list'), { auth: 'account', summary: 'The buckets, with usage and plan' })
  async list(@CurrentActor() actor: AccountActor, @Params(ListKeysDto) { userId }: ListKeysDto) {
    return { content: (await this.buckets.ofAccount(actor, userId)).map(presentBucket) };
  }

  @Route(ownAndCompany('buckets/revoke'), { ...WRITE, summary: 'Remove a bucket for good; with force also one that holds files' })
  async revoke(@CurrentActor() actor: AccountActor, @Params(RevokeBucketDto) { name, force, userId }: RevokeBucketDto) {
    await this.buckets.remove(actor, name, { withFiles: force ?? false }, userId);
    return ok('The bucket was removed.');
  }
}
