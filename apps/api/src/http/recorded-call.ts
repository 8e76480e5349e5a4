import type { CallHandler } from '@nestjs/common';
import { from, lastValueFrom, type Observable } from 'rxjs';

import type { AuditRecorder, CallFacts } from '#libs/audit';

/**
 * What a call of a route means for the audit. `change`: it may change something, so it has one record; `sign-in`: it proves who somebody is, and has one also
 * when it fails; `derived`: it writes only what is made from what the caller may read, ends by itself, and belongs to nobody else (previews, tickets, counts of
 * downloads); `none`: it reads. See docs/decisions/audit.md.
 */
export type RouteAudit = 'change' | 'sign-in' | 'derived' | 'none';

/** The answer of a handler, whose call has its audit record in the transaction of the change if it may change something. */
export function recordedCall(recorder: AuditRecorder, audit: RouteAudit, facts: () => CallFacts, next: CallHandler): Observable<unknown> {
  if (audit === 'none' || audit === 'derived') return next.handle();
  const work = (): Promise<unknown> => lastValueFrom(next.handle() as Observable<unknown>, { defaultValue: undefined });
  return from(recorder.run(facts(), { signsIn: audit === 'sign-in' }, work));
}
