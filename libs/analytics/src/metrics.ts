import { type Period, PERIODS } from './calendar.js';

// Each metric as an expression over the rows `f` of one period. Averages are of the whole, never averages of averages.

/** What is so at the end of a period. */
const STATES = {
  total_storage_size: 'sum(f.storage_bytes)',
  avg_storage_size_all: 'sum(f.storage_bytes) / nullif(sum(f.users), 0)',
  avg_storage_size: 'sum(f.storage_bytes) / nullif(sum(f.storing_users), 0)',
  storage_image_size: 'sum(f.image_bytes)',
  storage_audio_size: 'sum(f.audio_bytes)',
  storage_video_size: 'sum(f.video_bytes)',
  storage_other_size: 'sum(f.storage_bytes - f.image_bytes - f.audio_bytes - f.video_bytes)',
  total_files_count: 'sum(f.image_files + f.audio_files + f.video_files + f.other_files)',
  image_files_count: 'sum(f.image_files)',
  audio_files_count: 'sum(f.audio_files)',
  video_files_count: 'sum(f.video_files)',
  other_files_count: 'sum(f.other_files)',
  total_links_count: 'sum(f.links)',
  total_shares_count: 'sum(f.shares)',
  total_devices_count: 'sum(f.devices)',
} as const;

/** What happened in a period; and all users there are, which the contract offers among these. */
const EVENTS = {
  uniq_users_all: 'sum(f.users)',
  uniq_users: 'sum(f.active_users)',
  uniq_users_desktop: 'sum(f.active_desktop)',
  uniq_users_mobile: 'sum(f.active_mobile)',
  uniq_users_other: 'sum(f.active_other)',
  users_added_count: 'sum(f.users_added)',
  users_deleted_count: 'sum(f.users_deleted)',
  files_added_count: 'sum(f.files_added)',
  uploads_count: 'sum(f.uploads)',
  uploads_size: 'sum(f.uploaded_bytes)',
  downloads_count: 'sum(f.downloads)',
  downloads_size: 'sum(f.downloaded_bytes)',
  links_added_count: 'sum(f.links_added)',
  shares_added_count: 'sum(f.shares_added)',
  devices_added_count: 'sum(f.devices_added)',
} as const;

export type MetricName = keyof typeof STATES | keyof typeof EVENTS;

/** A metric as it is offered. */
export interface Metric {
  readonly name: MetricName;
  /** It tells a state, which the end of a period has, and not what happened in it. */
  readonly onlyCurrent: boolean;
  readonly periods: readonly Period[];
}

const EXPRESSIONS: ReadonlyMap<string, string> = new Map(Object.entries({ ...STATES, ...EVENTS }));

export const METRICS: readonly Metric[] = [...EXPRESSIONS.keys()].map((name) => ({
  name: name as MetricName,
  onlyCurrent: Object.hasOwn(STATES, name),
  periods: PERIODS,
}));

/** Whether there is a metric of this name. */
export function isMetric(name: string): name is MetricName {
  return EXPRESSIONS.has(name);
}

/** The metric as SQL; a constant of ours. */
export function expressionOf(name: MetricName): string {
  return EXPRESSIONS.get(name)!;
}
