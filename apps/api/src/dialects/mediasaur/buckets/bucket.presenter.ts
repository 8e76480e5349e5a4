import type { CountedBucket } from '#libs/buckets';

const TEXT = { type: 'string' };
const NUMBER = { type: 'integer' };
const LIMIT = { type: 'integer', nullable: true };

export const BUCKET_SCHEMA = {
  type: 'object',
  properties: {
    id: TEXT,
    name: TEXT,
    created_at: { type: 'string', format: 'date-time' },
    usage: { type: 'object', properties: { storage_bytes: NUMBER, file_count: NUMBER, bandwidth_bytes: NUMBER } },
    pricing_plan: { type: 'object', properties: { id: TEXT, name: TEXT, storage_limit_bytes: LIMIT, bandwidth_limit_bytes: LIMIT } },
  },
};

/** A bucket with its usage and plan; a limit of null is none. */
export function presentBucket({ id, name, createdMs, usage, plan }: CountedBucket) {
  return {
    id,
    name,
    created_at: new Date(createdMs).toISOString(),
    usage: { storage_bytes: usage.storageBytes, file_count: usage.fileCount, bandwidth_bytes: usage.bandwidthBytes },
    pricing_plan: { id: plan.id, name: plan.name, storage_limit_bytes: plan.storageLimitBytes, bandwidth_limit_bytes: plan.bandwidthLimitBytes },
  };
}
