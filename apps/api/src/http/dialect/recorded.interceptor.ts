import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { Observable } from 'rxjs';

import { AuditRecorder, type CallFacts } from '#libs/audit';
import { Correlation } from '#libs/observability';

import { recordedCall } from '../recorded-call.js';
import type { DialectRequest } from './dialect.js';

/** Gives every call that may change something its audit record, in the transaction of the change. */
@Injectable()
export class RecordedInterceptor implements NestInterceptor {
  constructor(private readonly recorder: AuditRecorder) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<DialectRequest>();
    const { route } = request.call;
    const audit = route.audit ?? (route.method === 'GET' ? 'none' : 'change');
    return recordedCall(this.recorder, audit, () => factsOf(request), next);
  }
}

/** Segments of the path are ids, but those that are secrets: they end in `token` or `key`. */
function factsOf({ call, headers, ip }: DialectRequest): CallFacts {
  const ids = Object.entries(call.segments).filter(([name]) => !/(?:token|key)$/.test(name));
  return {
    action: call.route.name.replace('Controller', ''),
    dialect: call.dialect.name,
    client: headers['user-agent'] ?? '',
    address: ip ?? '',
    requestId: Correlation.current() ?? '',
    actor: () => call.actor,
    params: () => ({ kept: { ...Object.fromEntries(ids), ...call.about }, logins: call.logins }),
  };
}
