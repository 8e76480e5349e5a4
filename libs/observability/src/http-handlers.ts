import type { IncomingMessage, ServerResponse } from 'node:http';

import { HealthService } from './health.service.js';
import { Metrics } from './metrics.js';

/**
 * A plain node handler for `/health/live`, `/health/ready` and `/metrics`; both apps mount it before everything else.
 * Ready is 200 while the process does its work, also when it is degraded, else 503; the body tells each check.
 * It returns true when the request was one of these and is being answered.
 */
export function observabilityHandler(health: HealthService, metrics: Metrics): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    const path = request.url?.split('?', 1)[0];
    if (path !== '/health/live' && path !== '/health/ready' && path !== '/metrics') return false;
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      send(request, response, 405, 'application/json', '{"status":"method not allowed"}');
    } else if (path === '/health/live') {
      send(request, response, 200, 'application/json', '{"status":"ok"}');
    } else {
      void (path === '/metrics' ? answerMetrics(metrics, request, response) : answerReady(health, request, response)).catch(() => response.destroy());
    }
    return true;
  };
}

async function answerReady(health: HealthService, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const report = await health.report();
  send(request, response, report.status === 'unavailable' ? 503 : 200, 'application/json', JSON.stringify(report));
}

async function answerMetrics(metrics: Metrics, request: IncomingMessage, response: ServerResponse): Promise<void> {
  send(request, response, 200, metrics.registry.contentType, await metrics.registry.metrics());
}

function send(request: IncomingMessage, response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' });
  response.end(request.method === 'HEAD' ? undefined : body);
}
