import { Injectable, type LoggerService } from '@nestjs/common';
import { type DestinationStream, type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';

import { Correlation } from './correlation.js';
import { redact, scrubText } from './redaction.js';

export type LogFields = Readonly<Record<string, unknown>>;

/**
 * JSON lines on stdout: level (pino's number), time (ISO 8601), msg, `correlationId` of the running request or job, and the given fields, in which
 * secrets are hidden. Give an error as the field `error`; it is written as `err`.
 */
@Injectable()
export class Logger {
  private constructor(private readonly sink: PinoLogger) {}

  /** The logger of a process that drops lines below `level`. `destination` replaces stdout. */
  static create(level: string, base: LogFields = {}, destination?: DestinationStream): Logger {
    return new Logger(
      pino(
        {
          level,
          base: { pid: process.pid, ...base },
          timestamp: stdTimeFunctions.isoTime,
          formatters: { log: sanitised },
          mixin: () => {
            const correlationId = Correlation.current();
            return correlationId === undefined ? {} : { correlationId };
          },
        },
        destination ?? pino.destination({ fd: 1, sync: true }),
      ),
    );
  }

  /** The same logger with `fields` in every line. */
  with(fields: LogFields): Logger {
    return new Logger(this.sink.child(sanitised(fields)));
  }

  debug(message: string, fields: LogFields = {}): void {
    this.sink.debug(fields, scrubText(message));
  }

  info(message: string, fields: LogFields = {}): void {
    this.sink.info(fields, scrubText(message));
  }

  warn(message: string, fields: LogFields = {}): void {
    this.sink.warn(fields, scrubText(message));
  }

  error(message: string, fields: LogFields = {}): void {
    this.sink.error(fields, scrubText(message));
  }

  fatal(message: string, fields: LogFields = {}): void {
    this.sink.fatal(fields, scrubText(message));
  }
}

function sanitised({ error, ...fields }: LogFields): Record<string, unknown> {
  return { ...(redact(fields) as Record<string, unknown>), ...(error === undefined ? {} : { err: redact(error) }) };
}

/** Nest's own messages as lines of `Logger`. Start-up chatter is logged as debug. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.logger.debug(String(message), context(rest));
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.logger.debug(String(message), context(rest));
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.logger.debug(String(message), context(rest));
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.logger.warn(String(message), context(rest));
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.logger.error(message instanceof Error ? message.message : String(message), {
      ...context(rest),
      ...(message instanceof Error ? { error: message } : {}),
    });
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.error(message, ...rest);
  }
}

/** Nest gives the context name as last argument and sometimes a stack before it. */
function context(rest: readonly unknown[]): LogFields {
  const texts = rest.filter((item): item is string => typeof item === 'string');
  const error = rest.find((item) => item instanceof Error);
  const stack = texts.find((text) => text.includes('\n    at '));
  const name = texts.at(-1);
  return { ...(name !== undefined && name !== stack ? { context: name } : {}), ...(stack ? { stack } : {}), ...(error ? { error } : {}) };
}
