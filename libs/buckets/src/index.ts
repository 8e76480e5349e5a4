export type { Bucket, BucketFile, BucketHolder, BucketPage, BucketUsage, OpenedBucketFile } from './bucket.js';
export { BucketDownloads } from './bucket-downloads.service.js';
export { BucketFiles, type CopyIntoBucket, type FileChange, type IncomingBucketFile } from './bucket-files.service.js';
export { BUCKET_PLANS, type BucketPlan } from './plans.js';
export { Buckets } from './buckets.service.js';
export { BucketsModule } from './buckets.module.js';
