import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { Observable } from 'rxjs';

import { AuditRecorder, type CallFacts } from '#libs/audit';
import { Correlation } from '#libs/observability';

import { recordedCall } from '../../../http/recorded-call.js';
import { auditedParams } from './audited-params.js';
import type { CloudikeRequest } from './route-metadata.js';

/** Gives every call that may change something its audit record, in the transaction of the change. */
@Injectable()
export class RecordInterceptor implements NestInterceptor {
  constructor(private readonly recorder: AuditRecorder) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<CloudikeRequest>();
    return recordedCall(this.recorder, request.cloudike.route.audit, () => factsOf(request), next);
  }
}

/** What a record says of the request. `action`: another name than that of the route. */
export function factsOf(request: CloudikeRequest, action = actionOf(request.cloudike.route.name)): CallFacts {
  return {
    action,
    dialect: 'cloudike',
    client: request.headers['mountbit-user-agent']?.toString() ?? request.headers['user-agent'] ?? '',
    address: request.ip ?? '',
    requestId: Correlation.current() ?? '',
    actor: () => request.cloudike.actor,
    params: () => auditedParams(request.cloudike),
  };
}

/** `Fileops.move` for `FileopsController.move`. */
export function actionOf(routeName: string): string {
  return routeName.replace('Controller.', '.');
}
