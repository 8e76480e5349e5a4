import net from 'node:net';

/** Resolves with undefined when the address can be listened on, else with the error code (`EADDRINUSE`, `EACCES`, ...). */
export function portProblem(port, host) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', (error) => resolve(error.code ?? 'EUNKNOWN'));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** A TCP port on 127.0.0.1 that was free at this moment. */
export async function freePort() {
  return (await freePorts(1))[0];
}

/** `count` different free TCP ports on 127.0.0.1: all are held open until the last one is known. */
export async function freePorts(count) {
  const servers = [];
  try {
    for (let index = 0; index < count; index += 1) {
      const server = net.createServer();
      await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
      servers.push(server);
    }
    return servers.map((server) => server.address().port);
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

/** Resolves once a TCP connection to 127.0.0.1 works; rejects after `timeoutMs` or when `failed()` returns a reason. */
export async function waitForPort(port, { timeoutMs = 20_000, failed = () => undefined } = {}) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const reason = failed();
    if (reason) throw new Error(reason);
    const open = await new Promise((resolve) => {
      const socket = net.connect({ port, host: '127.0.0.1' });
      socket.once('connect', () => resolve(true) || socket.destroy()).once('error', () => resolve(false));
    });
    if (open) return;
    if (Date.now() > deadline) throw new Error(`nothing listens on port ${port} after ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
