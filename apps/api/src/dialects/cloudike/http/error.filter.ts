import { type ArgumentsHost, Catch, type ExceptionFilter, Injectable } from '@nestjs/common';
import type { Response } from 'express';

import { Logger } from '#libs/observability';

import { sendError, toDomainError } from './errors.js';
import type { CloudikeRequest } from './route-metadata.js';

/** Says every error in the form of the dialect; what no use case threw on purpose is logged and answered without detail. */
@Catch()
@Injectable()
export class CloudikeErrorFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const { cloudike } = http.getRequest<Partial<CloudikeRequest>>();
    const refusal = toDomainError(error);
    if (refusal.code === 'INTERNAL') this.logger.error('request failed', { error: refusal.cause ?? refusal, route: cloudike?.template });
    sendError(http.getResponse<Response>(), refusal, cloudike?.route);
  }
}
