import type { CountedBucket } from '#libs/buckets';

/** A bucket with its usage and plan; a limit of null is none. */
export function presentBucket({ id, name, createdMs, usage, plan }: CountedBucket) {
  return {
    id,
    name,
    created: createdMs,
    usage: { storage_bytes: usage.storageBytes, file_count: usage.fileCount, bandwidth_bytes: usage.bandwidthBytes },
    plan: { id: plan.id, name: plan.name, storage_limit_bytes: plan.storageLimitBytes, bandwidth_limit_bytes: plan.bandwidthLimitBytes },
  };
}
