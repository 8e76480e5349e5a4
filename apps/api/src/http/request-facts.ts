import type { IncomingMessage } from 'node:http';

const routes = new WeakMap<IncomingMessage, string>();

/** Notes the route template of a request; metrics and the access log label it with that, never with the path itself. */
export function nameRoute(request: IncomingMessage, template: string): void {
  routes.set(request, template);
}

/** The noted template, or `other`. */
export function routeOf(request: IncomingMessage): string {
  return routes.get(request) ?? 'other';
}
