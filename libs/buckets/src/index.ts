export type { Bucket, BucketFile, BucketHolder, BucketPage, BucketUsage, CountedBucket, OpenedBucketFile } from './bucket.js';
export { BucketDownloads } from './bucket-downloads.service.js';
export { type ArrivedBucketFile, BucketFiles, type CopyIntoBucket, type FileChange, type FileWish } from './bucket-files.service.js';
export { BUCKET_PLANS, type BucketPlan } from './plans.js';
export { type BucketKey, Buckets } from './buckets.service.js';
export { SweepBucketsJob } from './bucket-sweep.job.js';
export { BucketTokens, type UploadLeave } from './bucket-tokens.service.js';
export { BucketJobsModule, BucketsModule } from './buckets.module.js';
