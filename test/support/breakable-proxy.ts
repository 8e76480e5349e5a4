import { type AddressInfo, connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

/** A TCP proxy in front of a service, that can be made to fail as the service would. */
export class BreakableProxy {
  private readonly sockets = new Set<Socket>();
  private mode: 'open' | 'closed' | 'hanging' = 'open';

  private constructor(private readonly server: Server) {}

  /** A proxy on a free port of 127.0.0.1 for the host and port of `target`, or for PostgreSQL's Unix socket; `url` is `target` by way of it. */
  static async inFrontOf(target: string): Promise<{ proxy: BreakableProxy; url: string }> {
    const service = placeOf(new URL(target));
    const server = createServer();
    const proxy = new BreakableProxy(server);
    server.on('connection', (client) => proxy.forward(client, service));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = new URL(target);
    for (const name of ['host', 'port']) url.searchParams.delete(name);
    url.hostname = '127.0.0.1';
    url.port = String((server.address() as AddressInfo).port);
    return { proxy, url: url.toString() };
  }

  /** As if the service was killed: connections end, new ones are ended at once. */
  kill(): void {
    this.mode = 'closed';
    for (const socket of this.sockets) socket.destroy();
  }

  /** As if the service hung: connections stay, nothing comes back. */
  hang(): void {
    this.mode = 'hanging';
  }

  /** The service is back. */
  restore(): void {
    for (const socket of this.sockets) socket.destroy();
    this.mode = 'open';
  }

  async close(): Promise<void> {
    this.kill();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private forward(client: Socket, to: NetConnectOpts): void {
    this.sockets.add(client);
    client.on('error', () => undefined).on('close', () => this.sockets.delete(client));
    if (this.mode === 'closed') {
      client.destroy();
      return;
    }
    const service = connect(to);
    service.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.on('close', () => service.destroy()).on('data', (data) => void service.write(data));
    service.on('data', (data) => {
      if (this.mode === 'open') client.write(data);
    });
  }
}

/** Connection strings of PostgreSQL name a socket's folder by the parameter `host`, its number by `port`. */
function placeOf({ hostname, port, searchParams }: URL): NetConnectOpts {
  const folder = searchParams.get('host');
  return folder ? { path: join(folder, `.s.PGSQL.${searchParams.get('port') ?? port}`) } : { host: hostname, port: Number(port) };
}
