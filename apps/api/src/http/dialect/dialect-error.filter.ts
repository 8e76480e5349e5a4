import { type ArgumentsHost, Catch, type ExceptionFilter, Injectable } from '@nestjs/common';
import type { Response } from 'express';

import { Logger } from '#libs/observability';

import type { DialectRequest } from './dialect.js';
import { sendDialectError, toDomainError } from './send-error.js';

/** Says every error in the form of the call's dialect; what no use case threw on purpose is logged and answered without detail. */
@Catch()
@Injectable()
export class DialectErrorFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const { call } = http.getRequest<Partial<DialectRequest>>();
    const response = http.getResponse<Response>();
    const refusal = toDomainError(error);
    if (!call) {
      // who did not come in by an entry asked for a path that nobody serves
      response.status(404).json({ code: 'RouteNotFound', description: 'There is no such route.' });
      return;
    }
    if (refusal.code === 'INTERNAL')
      this.logger.error('request failed', { error: refusal.cause ?? refusal, dialect: call.dialect.name, route: call.route.name });
    sendDialectError(response, call.dialect, refusal, call.route);
  }
}
