import { Injectable } from '@nestjs/common';
import { Counter, Histogram } from 'prom-client';

import { Metrics } from '#libs/observability';

/** Figures of the websockets of this process. */
@Injectable()
export class RealtimeMetrics {
  private readonly pushed: Counter;
  private readonly latency: Histogram;

  constructor(private readonly metrics: Metrics) {
    const registers = [metrics.registry];
    this.pushed = new Counter({ name: 'stowage_websocket_events_total', help: 'Events pushed to websockets.', registers });
    this.latency = new Histogram({
      name: 'stowage_websocket_push_seconds',
      help: 'Time between the moment a change was recorded and its push to a websocket, without what was asked for from the past.',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 15, 60],
      registers,
    });
  }

  watchSockets(count: () => number): void {
    this.metrics.gauge('stowage_websockets', 'Websockets of this process.', 'state', () => Promise.resolve({ open: count() }));
  }

  eventsPushed(count: number): void {
    this.pushed.inc(count);
  }

  pushedAfter(milliseconds: number): void {
    this.latency.observe(Math.max(0, milliseconds) / 1000);
  }
}
