import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, describe, expect, it } from 'vitest';

import { AppConfig } from '#libs/config';
import { Clock } from '#libs/kernel';
import { Logger } from '#libs/observability';

import { OfficeDiscovery } from './office-discovery.service.js';

const HOUR_MS = 3_600_000;
const DOCUMENT =
  '<wopi-discovery><net-zone name="external-http"><app name="a"><action name="edit" ext="x" urlsrc="u"/></app></net-zone></wopi-discovery>';

class HandClock extends Clock {
  ms = 0;
  nowMs(): number {
    return this.ms;
  }
}

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((closed) => (server ? server.close(closed) : closed(null)));
});

/** An office server whose answers the test decides, and how often it was asked. */
async function office(answer: RequestListener): Promise<{ discovery: OfficeDiscovery; clock: HandClock; asked: () => number }> {
  let asked = 0;
  server = createServer((request, response) => {
    asked += 1;
    answer(request, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hosting/discovery`;
  const config = new AppConfig({ DATABASE_URL: 'postgres://x', STOWAGE_SECRET_KEY: 'x'.repeat(32), STOWAGE_WOPI_DISCOVERY_URL: url });
  const clock = new HandClock();
  return { discovery: new OfficeDiscovery(config, clock, Logger.create('silent')), clock, asked: () => asked };
}

describe('the discovery document', () => {
  it('is read once by all who come together, and again after an hour', async () => {
    const { discovery, clock, asked } = await office((_, response) => response.end(DOCUMENT));
    const found = await Promise.all(Array.from({ length: 10 }, () => discovery.current()));
    expect(found[9]?.zones).toHaveLength(1);
    clock.ms = HOUR_MS - 1;
    await discovery.current();
    expect(asked()).toBe(1);
    clock.ms = HOUR_MS;
    await discovery.current();
    expect(asked()).toBe(2);
  });

  it('stays known while the office server is away', async () => {
    let status = 200;
    const { discovery, clock, asked } = await office((_, response) => response.writeHead(status).end(DOCUMENT));
    const known = await discovery.current();
    status = 500;
    clock.ms = 2 * HOUR_MS;
    expect(await discovery.current()).toBe(known);
    expect(await discovery.refreshed()).toBe(known);
    expect(asked()).toBe(2);
    status = 200;
    clock.ms += 30_000;
    expect(await discovery.refreshed()).not.toBe(known);
  });

  it.each([
    ['an error', (_: unknown, response: { writeHead(status: number): { end(): void } }) => response.writeHead(404).end()],
    ['a page', (_: unknown, response: { end(text: string): void }) => response.end('<html></html>')],
    ['more than anybody needs', (_: unknown, response: { end(bytes: Buffer): void }) => response.end(Buffer.alloc(9 * 1024 * 1024, 60))],
  ])('that is %s is none: nothing is let through', async (_, answer) => {
    const { discovery, clock, asked } = await office(answer);
    await expect(discovery.current()).rejects.toMatchObject({ code: 'BUSY' });
    await expect(discovery.current()).rejects.toMatchObject({ code: 'BUSY' });
    expect(asked()).toBe(1);
    clock.ms += 1_000;
    await expect(discovery.current()).rejects.toMatchObject({ code: 'BUSY' });
    expect(asked()).toBe(2);
  });

  it('is null without an office server', async () => {
    const config = new AppConfig({ DATABASE_URL: 'postgres://x', STOWAGE_SECRET_KEY: 'x'.repeat(32) });
    const discovery = new OfficeDiscovery(config, new HandClock(), Logger.create('silent'));
    expect([await discovery.current(), await discovery.refreshed()]).toEqual([null, null]);
  });
});
