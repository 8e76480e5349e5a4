import http from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
  /** The body as JSON; throws when it is not. */
  json<T = Record<string, unknown>>(): T;
}

export type FormValue = string | number | boolean | undefined;

export interface HttpRequest {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer | string | Readable;
  /** Receives the body instead of `HttpAnswer.body`. */
  readonly sink?: NodeJS.WritableStream;
}

/** Keep-alive HTTP without the cost of fetch: thousands of small requests are what the tests and benches send. */
export class HttpSession {
  private readonly agent: http.Agent;

  constructor(
    readonly baseUrl: string,
    private readonly defaultHeaders: Record<string, string> = {},
    maxSockets = 32,
  ) {
    this.agent = new http.Agent({ keepAlive: true, maxSockets });
  }

  /** The same server with further headers on every request. */
  with(headers: Record<string, string>): HttpSession {
    return new HttpSession(this.baseUrl, { ...this.defaultHeaders, ...headers }, this.agent.maxSockets);
  }

  /** Sends one request. `target` is absolute, or a path below the base URL. From a URL of bytes it goes on to the store, as every client does. */
  async send(target: string, request: HttpRequest = {}): Promise<HttpAnswer> {
    const url = new URL(target, this.baseUrl);
    const own = url.origin === new URL(this.baseUrl).origin;
    return new Promise<HttpAnswer>((resolve, reject) => {
      const outgoing = http.request(
        url,
        { method: request.method ?? 'GET', agent: this.agent, headers: { ...(own ? this.defaultHeaders : {}), ...request.headers } },
        (incoming) => {
          const { statusCode = 0, headers } = incoming;
          if (statusCode === 302 && url.pathname.startsWith('/blobs/')) {
            incoming.resume();
            this.send(headers.location ?? '', request).then(resolve, reject);
            return;
          }
          if (request.sink && statusCode < 300) {
            pipeline(incoming, request.sink).then(() => resolve(answer(statusCode, headers, Buffer.alloc(0))), reject);
            return;
          }
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('end', () => resolve(answer(statusCode, headers, Buffer.concat(chunks))));
          incoming.on('error', reject);
        },
      );
      outgoing.on('error', reject);
      if (request.body instanceof Readable) pipeline(request.body, outgoing).catch(reject);
      else outgoing.end(request.body);
    });
  }

  /** POST with form-encoded parameters, a list as a repeated key; throws unless the status is one of `expected`. */
  async form<T = Record<string, unknown>>(
    path: string,
    parameters: Record<string, FormValue | readonly FormValue[]>,
    expected: readonly number[] = [200],
  ): Promise<T> {
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) {
      for (const item of [value].flat()) if (item !== undefined) body.append(name, String(item));
    }
    const reply = await this.send(path, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: body.toString() });
    return expectStatus(reply, path, expected).json<T>();
  }

  /** GET that must answer one of `expected`; the JSON body. */
  async get<T = Record<string, unknown>>(path: string, expected: readonly number[] = [200]): Promise<T> {
    return expectStatus(await this.send(path), path, expected).json<T>();
  }

  close(): void {
    this.agent.destroy();
  }
}

function answer(status: number, headers: http.IncomingHttpHeaders, body: Buffer): HttpAnswer {
  return { status, headers, body, json: <T>() => JSON.parse(body.toString('utf8')) as T };
}

function expectStatus(reply: HttpAnswer, path: string, expected: readonly number[]): HttpAnswer {
  if (expected.includes(reply.status)) return reply;
  throw new Error(`${path} answered ${reply.status}, not ${expected.join(' or ')}: ${reply.body.toString('utf8').slice(0, 500)}`);
}
