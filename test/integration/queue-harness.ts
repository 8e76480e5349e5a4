import 'reflect-metadata';

import { Writable } from 'node:stream';

import { type DynamicModule, type INestApplicationContext, Module, type Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import { AppConfig, ConfigModule } from '#libs/config';
import { DatabaseModule } from '#libs/database';
import { Logger, NestLogger, ObservabilityModule } from '#libs/observability';
import {
  HandlesJob,
  JOB_NAMES,
  type JobContext,
  type JobName,
  QueueModule,
  QueueWorkerModule,
  type Schedule,
  TASK_KINDS,
  type TaskKind,
  WorkerRuntime,
} from '#libs/queue';
import { HandlesTask, type TaskContext, TaskRunnerModule, TasksModule } from '#libs/tasks';

/** What the handlers of a test do; a job or task without an entry ends at once. */
export interface Behaviour {
  readonly jobs?: Partial<Record<JobName, (payload: unknown, context: JobContext) => Promise<void> | void>>;
  readonly failed?: (name: JobName, error: unknown) => void;
  readonly tasks?: Partial<Record<TaskKind, (input: unknown, context: TaskContext) => Promise<unknown>>>;
}

export interface Services {
  readonly databaseUrl: string;
  readonly redisUrl?: string | undefined;
}

/** Jobs that the task module handles itself. */
const OWN_JOBS: readonly JobName[] = ['tasks.run', 'tasks.sweep'];

function jobProvider(name: JobName, behaviour: Behaviour): Provider {
  class Handler {
    async handle(payload: unknown, context: JobContext): Promise<void> {
      await behaviour.jobs?.[name]?.(payload, context);
    }

    failed(_payload: unknown, error: unknown): Promise<void> {
      behaviour.failed?.(name, error);
      return Promise.resolve();
    }
  }
  HandlesJob(name)(Handler);
  return { provide: Symbol(name), useFactory: () => new Handler() };
}

function taskProvider(kind: TaskKind, behaviour: Behaviour): Provider {
  class Handler {
    async run(input: unknown, context: TaskContext): Promise<unknown> {
      return behaviour.tasks?.[kind]?.(input, context) ?? null;
    }
  }
  HandlesTask(kind)(Handler);
  return { provide: Symbol(kind), useFactory: () => new Handler() };
}

/** Providers that handle every job and task of the catalogue as `behaviour` says. */
export function handlers(behaviour: Behaviour): Provider[] {
  return [
    ...JOB_NAMES.filter((name) => !OWN_JOBS.includes(name)).map((name) => jobProvider(name, behaviour)),
    ...(Object.keys(TASK_KINDS) as TaskKind[]).map((kind) => taskProvider(kind, behaviour)),
  ];
}

@Module({})
class HarnessModule {
  static with(services: Services, logger: Logger, providers: Provider[] | undefined): DynamicModule {
    const env = { DATABASE_URL: services.databaseUrl, STOWAGE_SECRET_KEY: 'x'.repeat(32), REDIS_URL: services.redisUrl };
    const config = new AppConfig(env);
    return {
      module: HarnessModule,
      imports: [
        ConfigModule.forRoot(config),
        ObservabilityModule.forRoot(logger),
        DatabaseModule.forRoot({ url: services.databaseUrl, poolSize: 8, statementTimeoutMs: 60_000, applicationName: 'test' }),
        DatabaseModule,
        QueueModule,
        TasksModule,
        ...(providers ? [QueueWorkerModule, TaskRunnerModule] : []),
      ],
      providers: providers ?? [],
    };
  }
}

/** Everything a context logged, as parsed lines. */
export class LogLines {
  readonly lines: Record<string, unknown>[] = [];
  readonly logger = Logger.create(
    'debug',
    {},
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        for (const line of chunk.toString().split('\n')) if (line) this.lines.push(JSON.parse(line) as Record<string, unknown>);
        done();
      },
    }),
  );
}

async function create(services: Services, logs: LogLines, providers: Provider[] | undefined): Promise<INestApplicationContext> {
  return NestFactory.createApplicationContext(HarnessModule.with(services, logs.logger, providers), {
    logger: new NestLogger(logs.logger),
    abortOnError: false,
  });
}

/** A process that only leaves jobs, as the api does. */
export function createProducer(services: Services, logs = new LogLines()): Promise<INestApplicationContext> {
  return create(services, logs, undefined);
}

/** A worker that is not started yet. `providers` replaces the complete set of handlers. */
export function createWorker(
  services: Services,
  behaviour: Behaviour,
  logs = new LogLines(),
  providers = handlers(behaviour),
): Promise<INestApplicationContext> {
  return create(services, logs, providers);
}

/** A worker that takes jobs, and how to end it. */
export async function startWorker(
  services: Services,
  behaviour: Behaviour,
  options: { schedules?: readonly Schedule[]; logs?: LogLines } = {},
): Promise<{ app: INestApplicationContext; stop(): Promise<void> }> {
  const app = await createWorker(services, behaviour, options.logs);
  await app.get(WorkerRuntime).start(options.schedules ?? []);
  return {
    app,
    stop: async () => {
      await app.get(WorkerRuntime).stop(3_000);
      await app.close();
    },
  };
}

/** Looks until `look` gives something other than undefined or false; fails after `limitMs`. */
export async function eventually<T>(look: () => Promise<T | undefined | false> | T | undefined | false, limitMs = 20_000): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`this did not happen within ${limitMs} ms: ${look.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
