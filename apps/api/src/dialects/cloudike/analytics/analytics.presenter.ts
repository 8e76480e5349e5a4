import type { Metric, MetricPoint } from '#libs/analytics';

/** A metric as analytics/get_metrics offers it. */
export function presentMetric({ name, onlyCurrent, periods }: Metric) {
  return { only_current: onlyCurrent, name, periods };
}

/** A value of a metric; a text, as the contract has it. */
export function presentPoint({ value, timeSeconds }: MetricPoint) {
  return { value, time: timeSeconds };
}
