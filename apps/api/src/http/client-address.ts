import type { IncomingMessage } from 'node:http';

const LOOPBACK = /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/;

/** Address of the client, as Express tells it with `trust proxy: loopback`: what a proxy on this machine says of it, else the peer's own. */
export function clientAddress(request: IncomingMessage): string {
  const forwarded = request.headers['x-forwarded-for']?.toString() ?? '';
  const way = [request.socket.remoteAddress ?? '', ...forwarded.split(',').reverse()]
    .map((address) => address.trim())
    .filter((address) => address !== '');
  return way.find((address) => !LOOPBACK.test(address)) ?? way.at(-1) ?? '';
}
