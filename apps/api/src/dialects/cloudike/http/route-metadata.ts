import type { Request } from 'express';

import type { AccountActor, DomainErrorCode } from '#libs/kernel';

import type { RouteAudit } from '../../../http/recorded-call.js';
import type { ParamBag } from './param-bag.js';

/** Path prefix under which Nest keeps the handlers of this dialect; not reachable from outside (see cloudike-entry.ts). */
export const INTERNAL_PREFIX = '~cloudike';

export const ROUTE_METADATA = Symbol('cloudike:route');

export type RouteAuth = 'public' | 'account' | 'optional';

/** What `@Route` declared. */
export interface RouteMetadata {
  readonly name: string;
  readonly templates: readonly string[];
  readonly auth: RouteAuth;
  readonly audit: RouteAudit;
  readonly summary?: string;
  /** True: also for the token of a device that is to be wiped. */
  readonly wiped?: boolean;
  /** True: also for who has yet to set up the second factor that their company demands. */
  readonly enrols?: boolean;
  /** False: HEAD is refused, because the call uses something up. */
  readonly head?: boolean;
  readonly errors?: Partial<Record<DomainErrorCode, readonly [status: number, code: string]>>;
}

/** What the entry found out about a request before Nest saw it. */
export interface CloudikeCall {
  readonly route: RouteMetadata;
  /** `/api/1/metadata/<path>`: the label of metrics and logs. */
  readonly template: string;
  readonly version: 0 | 1;
  /** Values of the `<name>` segments, decoded. */
  readonly segments: Readonly<Record<string, string>>;
  /** Decoded segments of `<path>`. */
  readonly tail: readonly string[];
  /** The body, when it is a form that was read to check a signature. */
  form?: string;
  /** Query and body, when they have been read. */
  params?: ParamBag;
  /** Set by the guard; null = nobody signed in. */
  actor: AccountActor | null;
  /** The actor is a device that is to be wiped; only on routes that let such in. */
  wiped?: boolean;
}

export interface CloudikeRequest extends Request {
  cloudike: CloudikeCall;
}
