import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { Response } from 'express';

import type { Logger } from '#libs/observability';

/** Answers what reached no dialect: unknown paths, and errors thrown outside of any handler. */
@Catch()
export class FallbackFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (error instanceof HttpException && error.getStatus() === 404) {
      response.status(404).json({ code: 'RouteNotFound', description: 'There is no such route.' });
      return;
    }
    this.logger.error('request failed outside of a route', { error });
    response.status(500).json({
      code: 'InternalError',
      description: `Something went wrong on the server (request ${String(response.getHeader('X-Request-Id') ?? 'unknown')}).`,
    });
  }
}
