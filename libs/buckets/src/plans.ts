import { DomainError } from '#libs/kernel';

/** What a bucket may hold, and what may leave it in a month (UTC). Null = not limited but by the quota of its owner. */
export interface BucketPlan {
  readonly id: string;
  readonly name: string;
  readonly storageLimitBytes: number | null;
  readonly bandwidthLimitBytes: number | null;
}

const GIB = 1024 ** 3;

/** The plans that a bucket can be on; the first is taken where none is named. */
export const BUCKET_PLANS: readonly BucketPlan[] = [
  { id: 'unlimited', name: 'Unlimited', storageLimitBytes: null, bandwidthLimitBytes: null },
  { id: 'free', name: 'Free', storageLimitBytes: 5 * GIB, bandwidthLimitBytes: 25 * GIB },
  { id: 'pro', name: 'Pro', storageLimitBytes: 250 * GIB, bandwidthLimitBytes: 1024 * GIB },
  { id: 'business', name: 'Business', storageLimitBytes: 2048 * GIB, bandwidthLimitBytes: 10_240 * GIB },
];

/** The plan of this id. INVALID_ARGUMENT. */
export function planOf(id: string = BUCKET_PLANS[0]!.id): BucketPlan {
  const plan = BUCKET_PLANS.find((each) => each.id === id);
  if (!plan) throw new DomainError('INVALID_ARGUMENT', `A plan is one of ${BUCKET_PLANS.map((each) => each.id).join(', ')}.`);
  return plan;
}
