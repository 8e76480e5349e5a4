import type { IncomingMessage } from 'node:http';

/** What a client asks for when it opens a websocket. */
export interface SubscribeRequest {
  readonly token: string | null;
  readonly ticket: string | null;
  /** Empty: from now on, and tell the cursor. Null: not asked for. */
  readonly cursor: string | null;
  /** Events since this time, in ms since the epoch. */
  readonly sinceMs: number | null;
}

/** The request, null when the path is another one, or what is wrong with it. */
export function readSubscribeRequest(target: string | undefined): SubscribeRequest | string | null {
  const [path = '', query = ''] = split(target ?? '');
  if (!isSubscribePath(path)) return null;
  const parameters = new URLSearchParams(query);
  const last = (name: string): string | null => parameters.getAll(name).at(-1) ?? null;
  const timestamp = last('timestamp') ?? '';
  if (!/^(\d{1,16}(\.\d*)?)?$/.test(timestamp)) return 'The timestamp must be milliseconds since the epoch.';
  const sinceMs = timestamp === '' ? null : Math.floor(Number(timestamp));
  return { token: last('token'), ticket: last('ticket'), cursor: last('cursor'), sinceMs };
}

/** `/subscribe`, with or without slashes at the end. */
export function isSubscribePath(target: string): boolean {
  return /^\/+subscribe\/*$/.test(split(target)[0] ?? '');
}

function split(target: string): string[] {
  const mark = target.indexOf('?');
  return mark < 0 ? [target] : [target.slice(0, mark), target.slice(mark + 1)];
}

/**
 * Whether a page may open a websocket. Browsers let every page connect anywhere and always tell their origin; what tells none is no browser, and
 * is let in by its token alone.
 */
export function isAllowedOrigin(headers: IncomingMessage['headers'], publicUrl: string, allowed: readonly string[]): boolean {
  const { origin } = headers;
  if (origin === undefined || allowed.includes('*')) return true;
  return origin === new URL(publicUrl).origin || allowed.includes(origin);
}

/** A websocket upgrade, and not some other one: HTTP clients offer HTTP/2 in the same way. */
export function wantsWebsocket(headers: IncomingMessage['headers']): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}
