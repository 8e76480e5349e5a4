import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';

import type { CustomFetch } from 'openid-client';

import { type OutboundHosts, unavailable } from '../outbound-hosts.js';

const TIMEOUT_MS = 5_000;
/** Discovery documents and key sets are a few KiB. */
const MAX_BYTES = 1_048_576;
const NO_BODY = new Set([204, 205, 304]);

type FetchOptions = Parameters<CustomFetch>[1];

/**
 * A fetch that connects only to addresses that `hosts` allows, follows no redirect, and ends after 5 seconds or 1 MiB. Plain http only to hosts that the
 * operator has listed. PROVIDER_UNAVAILABLE.
 */
export function guardedFetch(hosts: OutboundHosts): CustomFetch {
  return async (text, options) => {
    const url = new URL(text);
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && hosts.isListed(url.hostname))) {
      throw unavailable('An identity provider is reached by https.');
    }
    return send(url, await hosts.addressOf(url.hostname), options, hosts.ca);
  };
}

function send(url: URL, address: string, { method, headers, body, signal }: FetchOptions, ca: string[] | undefined): Promise<Response> {
  const secure = url.protocol === 'https:';
  const name = url.hostname.replace(/^\[|\]$/g, '');
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(unavailable('The identity provider does not answer.', error));
    const outgoing = (secure ? requestHttps : requestHttp)({
      host: address,
      port: url.port || (secure ? 443 : 80),
      path: `${url.pathname}${url.search}`,
      method,
      headers: { ...headers, host: url.host },
      agent: false,
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      ...(secure ? { servername: isIP(name) ? '' : name, ca } : {}),
    });
    outgoing.once('error', fail);
    outgoing.once('response', (answer) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_BYTES) answer.destroy(new Error(`more than ${MAX_BYTES} bytes`));
        else chunks.push(chunk);
      });
      answer.once('error', fail);
      answer.once('end', () => {
        const status = answer.statusCode ?? 502;
        const pairs = Object.entries(answer.headers).flatMap(([key, value]): [string, string][] =>
          value === undefined ? [] : [[key, String(value)]],
        );
        resolve(new Response(NO_BODY.has(status) ? null : Buffer.concat(chunks), { status, headers: pairs }));
      });
    });
    outgoing.end(body instanceof URLSearchParams ? body.toString() : (body as string | Uint8Array | undefined));
  });
}
