import { type BucketHolder, Buckets } from '#libs/buckets';

import { Segment } from '../../../http/dialect/request-decorators.js';
import { Route } from '../../../http/dialect/route.js';
import { Holder } from '../auth/bearer.js';
import { MediasaurController } from '../http/controller.js';
import { BUCKET_SCHEMA, presentBucket } from './bucket.presenter.js';

@MediasaurController('buckets')
export class BucketsController {
  constructor(private readonly buckets: Buckets) {}

  @Route('GET', 'buckets', {
    auth: 'key',
    summary: 'All buckets that the key reaches, with usage and plan',
    answer: { type: 'object', properties: { buckets: { type: 'array', items: BUCKET_SCHEMA } } },
  })
  async list(@Holder() holder: BucketHolder) {
    return { buckets: (await this.buckets.list(holder)).map(presentBucket) };
  }

  @Route('GET', 'buckets/<bucket_name>', { auth: 'key', summary: 'One bucket', answer: BUCKET_SCHEMA, refusals: ['NODE_NOT_FOUND'] })
  async get(@Holder() holder: BucketHolder, @Segment('bucket_name') name: string) {
    return presentBucket(await this.buckets.describe(holder, name));
  }
}
