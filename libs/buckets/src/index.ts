export type { Bucket, BucketFile, BucketHolder, BucketPage, BucketUsage, OpenedBucketFile } from './bucket.js';
export { BucketDownloads } from './bucket-downloads.service.js';
export { type ArrivedBucketFile, BucketFiles, type CopyIntoBucket, type FileChange, type FileWish } from './bucket-files.service.js';
export { BUCKET_PLANS, type BucketPlan } from './plans.js';
export { type BucketKey, Buckets } from './buckets.service.js';
export { BucketTokens, type UploadLeave } from './bucket-tokens.service.js';
export { BucketsModule } from './buckets.module.js';
