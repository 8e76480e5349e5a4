import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];
const JOB_BUCKETS = [0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200];

/** What a PostgreSQL pool tells about itself. */
export interface PoolFigures {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

export type JobOutcome = 'completed' | 'retried' | 'failed' | 'returned';

/** The Prometheus figures of one process. Names start with `stowage_`; durations are in seconds, sizes in bytes. */
@Injectable()
export class Metrics {
  readonly registry = new Registry();
  private readonly requests = new Histogram({
    name: 'stowage_http_request_duration_seconds',
    help: 'Duration of HTTP requests by route template.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: REQUEST_BUCKETS,
    registers: [this.registry],
  });
  private readonly jobs = new Histogram({
    name: 'stowage_job_duration_seconds',
    help: 'Run time of jobs by outcome.',
    labelNames: ['job', 'outcome'] as const,
    buckets: JOB_BUCKETS,
    registers: [this.registry],
  });
  private readonly waits = new Histogram({
    name: 'stowage_job_wait_seconds',
    help: 'Time between the moment a job was due and its start.',
    labelNames: ['job'] as const,
    buckets: JOB_BUCKETS,
    registers: [this.registry],
  });
  private readonly bytesCounter = new Counter({
    name: 'stowage_bytes_total',
    help: 'Content bytes received (in) and sent (out).',
    labelNames: ['direction'] as const,
    registers: [this.registry],
  });
  private readonly auditedCalls = new Counter({
    name: 'stowage_audited_calls_total',
    help: 'Calls that may change something, by how they ended. All but "passed over" have one audit record each.',
    labelNames: ['action', 'result'] as const,
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** One answered request; `route` is the template, never the URL, so that the number of series stays bounded. */
  httpRequest(labels: { readonly method: string; readonly route: string; readonly status: number }, seconds: number): void {
    this.requests.observe({ method: labels.method, route: labels.route, status: String(labels.status) }, seconds);
  }

  /** One run of a job's handler. */
  jobRun(job: string, outcome: JobOutcome, seconds: number): void {
    this.jobs.observe({ job, outcome }, seconds);
  }

  /** How long a job waited past the time it was due. */
  jobWait(job: string, seconds: number): void {
    this.waits.observe({ job }, Math.max(0, seconds));
  }

  /** Content bytes that passed through this process. */
  bytes(direction: 'in' | 'out', count: number): void {
    this.bytesCounter.inc({ direction }, count);
  }

  /** One call that has an audit record, or (`passed over`) a refused sign-in of which there were too many. `undone`: refused after a change. */
  auditedCall(action: string, result: 'granted' | 'undone' | 'refused' | 'passed over'): void {
    this.auditedCalls.inc({ action, result });
  }

  /** Reports the connections of the PostgreSQL pool at every scrape. */
  watchPool(pool: PoolFigures): void {
    this.gauge('stowage_pg_pool_connections', 'Connections of the PostgreSQL pool; waiting counts callers.', 'state', () =>
      Promise.resolve({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    );
  }

  /** A gauge with one label whose values are read at every scrape. A failing read leaves the gauge out of that scrape. */
  gauge(name: string, help: string, label: string, read: () => Promise<Readonly<Record<string, number>>>): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect: async () => {
        const values = await read().catch(() => ({}));
        gauge.reset();
        for (const [key, value] of Object.entries(values)) gauge.set({ [label]: key }, value);
      },
    });
  }
}
