import {
  type BackendFactory,
  createPostgresBackend,
  createRedisBackend,
  type IQueueBackend,
  type JobProgress,
  type Processor,
  Queue,
  Worker,
  type WorkerOptions,
} from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';

import { AppConfig } from '#libs/config';
import { Logger } from '#libs/observability';

import type { QueueName } from '../catalogue.js';
import { pause, rateLimited } from './pause.js';

/** What travels: the payload and the id that ties log lines together. */
export interface JobEnvelope {
  readonly payload: unknown;
  readonly correlationId: string | null;
}

type Connection = NonNullable<WorkerOptions<unknown>['connection']>;
export type JobQueue = Queue<JobEnvelope, void, string, JobEnvelope, void, string, IQueueBackend, unknown>;
export type JobWorker = Worker<JobEnvelope, void, string, IQueueBackend, JobProgress, unknown>;
export type JobProcessor = Processor<JobEnvelope, void>;

/** Keys of one queue share a hash tag, so that a Redis cluster keeps them on one node. */
const PREFIX = 'stowage';
const bullName = (name: QueueName): string => `{stowage-${name}}`;

const SCHEMA = 'bullmq';
const ERROR_LOG_INTERVAL_MS = 10_000;
const ERROR_PAUSE_MS = 500;
/** A killed worker's job is free after the lock's end and found at the next look: within 12 s. */
const LOCK_MS = 9_000;
const STALLED_LOOK_MS = 3_000;
/** A job whose worker dies this often is given up by the queue; a task's own row then decides. */
const MAX_STALLED = 20;

/** Opens BullMQ queues and workers on Redis when one is configured, else on the schema `bullmq` of our PostgreSQL. */
export class BullConnections {
  private readonly clients: Redis[] = [];
  private readonly report: (key: string, error: unknown) => void;

  constructor(
    private readonly config: AppConfig,
    private readonly logger: Logger,
  ) {
    this.report = rateLimited(ERROR_LOG_INTERVAL_MS, (queue, error, swallowed) =>
      this.logger.warn('the job queue reports an error', { queue, error, swallowed }),
    );
  }

  /** The sending end of a queue. It fails fast while the store is away; the relay tries again. */
  queue(name: QueueName): JobQueue {
    const connection = this.connection({ enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: 5_000 }, 2);
    const queue: JobQueue = new Queue(bullName(name), { connection, prefix: PREFIX }, this.factory());
    queue.on('error', (error) => this.report(name, error));
    return queue;
  }

  /** The receiving end of a queue; it starts with `run()`. */
  worker(name: QueueName, processor: JobProcessor, concurrency: number): JobWorker {
    const connection = this.connection({ maxRetriesPerRequest: null }, 2);
    const options: WorkerOptions<unknown> = {
      connection,
      prefix: PREFIX,
      concurrency,
      autorun: false,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_LOOK_MS,
      maxStalledCount: MAX_STALLED,
      runRetryDelay: 1_000,
    };
    const worker: JobWorker = new Worker(bullName(name), processor, options, this.factory());
    worker.on('error', (error) => this.report(name, error));
    return worker;
  }

  /** Ends the connections that BullMQ does not own. */
  close(): void {
    for (const client of this.clients) client.disconnect();
  }

  private connection(redisOptions: RedisOptions, poolSize: number): Connection {
    if (!this.config.redis) {
      return {
        connectionString: this.config.database.url,
        schema: SCHEMA,
        migrate: true,
        max: poolSize,
        application_name: 'stowage-queue',
        connectionTimeoutMillis: 5_000,
        keepAlive: true,
      };
    }
    const client = new Redis(this.config.redis.url, { ...redisOptions, retryStrategy: (attempt) => Math.min(100 * attempt, 1_000) });
    client.on('error', (error) => this.report('redis', error));
    this.clients.push(client);
    return client;
  }

  private factory(): BackendFactory<IQueueBackend, unknown> {
    const create = (this.config.redis ? createRedisBackend : createPostgresBackend) as BackendFactory<IQueueBackend, unknown>;
    return (name, options, hints) => calm(create(name, options, hints));
  }
}

/** BullMQ asks for the next job again at once after an error that it does not know as a lost connection; a store that restarts would be hammered. */
function calm<B extends IQueueBackend>(backend: B): B {
  const moveToActive = backend.moveToActive.bind(backend);
  backend.moveToActive = (...args) =>
    moveToActive(...args).catch(async (error: unknown) => {
      await pause(ERROR_PAUSE_MS);
      throw error;
    });
  return backend;
}
