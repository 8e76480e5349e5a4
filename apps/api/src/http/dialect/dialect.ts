import type { Request } from 'express';

import type { AccountActor, DomainError, DomainErrorCode } from '#libs/kernel';

import type { RouteAudit } from '../recorded-call.js';

export interface WireError {
  readonly status: number;
  readonly code: string;
}

/** How an API says every refusal. Exhaustive by type: a new code does not compile until the API has decided. */
export type ErrorTable = Readonly<Record<DomainErrorCode, WireError>>;

/** Parts of an OpenAPI document, as plain data. */
export type Schema = Readonly<Record<string, unknown>>;

/** One API whose routes have a method and a path each: where it is served, and in which form it answers. */
export interface Dialect {
  /** In addresses (/docs/<name>/openapi.json), settings (STOWAGE_API_HOSTS), logs and records. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Without a slash at the end. On a host name of its own the same routes are served without it. */
  readonly prefix: string;
  /** First segments (`auth`, `api/nodes`) that are served without prefix on every host; nothing else may use them. */
  readonly rootPaths: readonly string[];
  /** Further beginnings of paths on every host, and what each stands for below the prefix: `{ '/api/x': '', '/open/files': '/public/files' }`. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** On a host name of its own the routes are served below this too. */
  readonly hostPrefix?: string;
  readonly errors: ErrorTable;
  /** Body of a refusal. `message` is for people, and says nothing about the inside of the house. */
  readonly errorBody: (wire: WireError, message: string, error: DomainError) => Readonly<Record<string, unknown>>;
  /** Content type of refusals; default application/json. */
  readonly errorType?: string;
  /** On every answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** On answers to OPTIONS, beside `headers` and Access-Control-Allow-Methods. */
  readonly preflight: Readonly<Record<string, string>>;
  /** securitySchemes of the OpenAPI document, and the name of each by what routes call `auth`; absent there: no credential. */
  readonly securitySchemes: Readonly<Record<string, Schema>>;
  /** Security schemes that are shown together with another one: `{ client: ['clientSecret'] }`. */
  readonly pairedSchemes?: Readonly<Record<string, readonly string[]>>;
  readonly errorSchema: Schema;
}

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface DialectRouteOptions {
  /** Name of the credential: `public` = none, else one of the dialect's security schemes. The dialect's guard reads it. */
  readonly auth: string;
  readonly summary: string;
  /** Status of success; default 200. 204 has no body. */
  readonly status?: number;
  /** False: HEAD is refused, because the call uses something up. */
  readonly head?: boolean;
  /** What a call means for the audit. Default: `change`, and `none` for GET. */
  readonly audit?: RouteAudit;
  /** The body may take as long as it keeps coming. */
  readonly streams?: boolean;
  readonly query?: Readonly<Record<string, Schema>>;
  /** Headers that the route reads, beside the credential. */
  readonly headers?: Readonly<Record<string, Schema>>;
  readonly body?: { readonly types: readonly string[]; readonly schema: Schema };
  /** Schema of the answer; absent for bytes and empty answers. */
  readonly answer?: Schema;
  /** Refusals that this route documents. */
  readonly refusals?: readonly DomainErrorCode[];
  /** Where the route says one of them in another way than the table. */
  readonly errors?: Partial<Record<DomainErrorCode, readonly [status: number, code: string]>>;
}

/** A route as declared. */
export interface DialectRoute extends DialectRouteOptions {
  /** `NodesController.describe`. */
  readonly name: string;
  readonly method: HttpMethod;
  /** `api/nodes/<node>/path`; see RouteTable. */
  readonly template: string;
  readonly tag: string;
}

/** What the entry found out about a request before Nest saw it. */
export interface DialectCall {
  readonly dialect: Dialect;
  readonly route: DialectRoute;
  readonly segments: Readonly<Record<string, string>>;
  readonly tail: readonly string[];
  /** When the request arrived, in ms since the epoch. */
  readonly arrivedMs: number;
  /** Set by the dialect's guard, or by a handler that finds out itself; null = nobody signed in. */
  actor: AccountActor | null;
  /** Names that somebody tried to sign in by; the audit record keeps a hash of them. */
  readonly logins: string[];
  /** What the audit record keeps of the body: ids, names, flags; set by the handler. Never a secret, never a text of a person's own. */
  readonly about: Record<string, unknown>;
}

export interface DialectRequest extends Request {
  call: DialectCall;
}

/** The metadata key of what `@Route` declared. */
export const DIALECT_ROUTE = Symbol('http:dialect-route');

/** Path prefix under which Nest keeps the handlers of a dialect; not reachable from outside. */
export function internalPrefix(name: string): string {
  return `~${name}`;
}
