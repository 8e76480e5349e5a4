import type { Schedule } from '#libs/queue';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Everything that happens by the clock. Each entry runs once a period in the whole installation. */
export const SCHEDULES: readonly Schedule[] = [
  { job: 'tasks.sweep', everyMs: 30 * SECOND },
  { job: 'uploads.reap', everyMs: MINUTE },
  { job: 'blobs.collect', everyMs: MINUTE },
  { job: 'blobs.delete-tombstones', everyMs: MINUTE },
  { job: 'derived.expire', everyMs: 5 * MINUTE },
  { job: 'trash.expire', everyMs: 10 * MINUTE },
  { job: 'accounts.sweep', everyMs: 10 * MINUTE },
  { job: 'accounts.erase-due', everyMs: 10 * MINUTE },
  { job: 'events.expire', everyMs: 10 * MINUTE },
  { job: 'audit.seal', everyMs: 5 * SECOND },
  { job: 'audit.expire', everyMs: 60 * MINUTE },
  { job: 'analytics.roll-up', everyMs: 60 * MINUTE },
  { job: 'previews.scan', everyMs: 5 * SECOND },
  { job: 'content-ids.make', everyMs: MINUTE },
  { job: 'rooms.sweep', everyMs: 10 * SECOND },
  { job: 'buckets.sweep', everyMs: MINUTE },
];
