import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { from, lastValueFrom, type Observable } from 'rxjs';

import { AuditRecorder, type CallFacts } from '#libs/audit';
import { Correlation } from '#libs/observability';

import { auditedParams } from './audited-params.js';
import type { CloudikeRequest } from './route-metadata.js';

/** Gives every call that may change something its audit record, in the transaction of the change. */
@Injectable()
export class RecordInterceptor implements NestInterceptor {
  constructor(private readonly recorder: AuditRecorder) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<CloudikeRequest>();
    const { audit } = request.cloudike.route;
    if (audit === 'none' || audit === 'derived') return next.handle();
    const work = (): Promise<unknown> => lastValueFrom(next.handle() as Observable<unknown>, { defaultValue: undefined });
    return from(this.recorder.run(factsOf(request), { signsIn: audit === 'sign-in' }, work));
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
    params: () => request.cloudike.audited ?? auditedParams(request.cloudike),
  };
}

/** `Fileops.move` for `FileopsController.move`. */
export function actionOf(routeName: string): string {
  return routeName.replace('Controller.', '.');
}
