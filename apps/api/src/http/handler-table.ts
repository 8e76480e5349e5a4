import type { Express, RequestHandler } from 'express';

type Layer = Express['router']['stack'][number];

/**
 * Handlers by the path that an entry sends a request to. Nest declares one Express route for each, and Express tries routes in turn: with hundreds of them
 * that is a good part of a short request. What is not found here goes the way of Express.
 */
export class HandlerTable {
  private readonly handlers = new Map<string, Layer['handle']>();

  /** Takes in the routes that Nest has declared. */
  fill(layers: readonly Layer[]): void {
    for (const { route, handle } of layers) if (route) this.handlers.set(route.path, handle);
  }

  /** To be used after the entries and before the routes. */
  readonly dispatch: RequestHandler = (request, response, next): void => {
    const handle = this.handlers.get(request.path);
    if (handle) handle(request, response, next);
    else next();
  };
}
