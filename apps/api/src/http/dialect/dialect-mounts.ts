import { Injectable, type Type } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';

import { AppConfig } from '#libs/config';
import { Clock, DomainError, isDomainError } from '#libs/kernel';

import { limitBodySilence } from '../body-time.js';
import { RequestEntries } from '../request-entries.js';
import { nameRoute } from '../request-facts.js';
import { pathSegments, RouteTable, type TableRoute } from '../route-table.js';
import { type SocketTaker, UpgradeEntries } from '../upgrade-entries.js';
import { type Dialect, type DialectRequest, type DialectRoute, type HttpMethod, internalPrefix } from './dialect.js';
import { dialectRoutesOf } from './route.js';
import { routeNotFound, sendDialectError } from './send-error.js';

/** All methods of one template. */
interface Resource extends TableRoute {
  readonly methods: Map<HttpMethod, DialectRoute>;
}

/** Where a request for a dialect points to: the path without prefix, or null when it is not for this dialect. */
type Place = (request: Pick<Request, 'path' | 'hostname'>) => string | null;

/**
 * The way into dialects: takes the requests of each by prefix, by paths that are its own on every host, and by a host name of its own
 * (STOWAGE_API_HOSTS), finds the route, and hands the request to Nest under the handler's internal path. Unknown routes, methods and OPTIONS are
 * answered here, in the dialect's form.
 */
@Injectable()
export class DialectMounts {
  constructor(
    private readonly entries: RequestEntries,
    private readonly upgrades: UpgradeEntries,
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {}

  /** Serves the routes of `controllers`; called once, when the dialect's module starts. */
  mount(dialect: Dialect, controllers: readonly Type<unknown>[]): void {
    const table = tableOf(dialectRoutesOf(controllers));
    const place = placeOf(dialect, this.config.apiHosts[dialect.name]);
    this.entries.addFirst((request, response, next) => {
      const path = place(request);
      if (path === null) next();
      else this.handle(dialect, table, path, request as DialectRequest, response, next);
    });
  }

  /** Lets `socket` have the websockets of one path of the dialect (`hubs/x`), wherever its routes are served. */
  mountSocket(dialect: Dialect, path: string, socket: SocketTaker): void {
    const place = placeOf(dialect, this.config.apiHosts[dialect.name]);
    const wanted = pathSegments(path).join('/');
    this.upgrades.add({
      ...socket,
      take: (request, ...rest) => {
        const [target = ''] = (request.url ?? '').split('?');
        const hostname = (request.headers.host ?? '').replace(/:\d+$/, '');
        const below = place({ path: target, hostname });
        if (below === null || !isPath(below, wanted)) return false;
        socket.take(request, ...rest);
        return true;
      },
    });
  }

  private handle(dialect: Dialect, table: RouteTable<Resource>, path: string, request: DialectRequest, response: Response, next: NextFunction): void {
    for (const [name, value] of Object.entries(dialect.headers)) response.setHeader(name, value);
    try {
      const match = table.find(pathSegments(path));
      if (!match) throw routeNotFound();
      const template = `${dialect.prefix}/${match.template}`;
      nameRoute(request, template);
      if (request.method === 'OPTIONS') return preflight(dialect, match.route, response);
      const route = routeFor(match.route, request.method);
      if (!route) {
        response.setHeader('Allow', allowed(match.route));
        return sendDialectError(response, dialect, new DomainError('ROUTE_NOT_FOUND', `There is no ${request.method} here.`), {
          errors: { ROUTE_NOT_FOUND: [405, 'MethodNotAllowed'] },
        });
      }
      if (route.streams) limitBodySilence(request);
      request.call = {
        dialect,
        route,
        segments: match.segments,
        tail: match.tail,
        arrivedMs: this.clock.nowMs(),
        actor: null,
        logins: [],
        about: {},
      };
      const question = request.url.indexOf('?');
      request.url = `/${internalPrefix(dialect.name)}/${route.name}${question < 0 ? '' : request.url.slice(question)}`;
      next();
    } catch (error) {
      if (!isDomainError(error)) throw error;
      nameRoute(request, `${dialect.prefix}/unknown`);
      sendDialectError(response, dialect, error);
    }
  }
}

function tableOf(routes: readonly DialectRoute[]): RouteTable<Resource> {
  const resources = new Map<string, Resource>();
  for (const route of routes) {
    const shape = route.template.replace(/<\w+>(?=\/|$)/g, (name) => (name === '<path>' ? name : '<>'));
    const known = resources.get(shape) ?? { name: route.template, templates: [route.template], methods: new Map<HttpMethod, DialectRoute>() };
    if (known.methods.has(route.method)) throw new Error(`Two routes claim ${route.method} ${route.template}`);
    known.methods.set(route.method, route);
    resources.set(shape, known);
  }
  const table = new RouteTable<Resource>();
  for (const resource of resources.values()) table.add(resource);
  return table;
}

/** Decides by literal beginnings alone: what is not a dialect's goes on untouched. */
function placeOf({ name, prefix, rootPaths, aliases = {}, hostPrefix }: Dialect, host: string | undefined): Place {
  const startOf = (start: string) => new RegExp(`^/*${start.slice(1)}(?=/|$)`);
  const [below, internal] = [startOf(prefix), startOf(`/${internalPrefix(name)}`)];
  const roots = rootPaths.map(
    (path) =>
      new RegExp(
        `^/+${path
          .replaceAll('.', String.raw`\.`)
          .split('/')
          .join('/+')}(?:/|$)`,
      ),
  );
  const onHost = hostPrefix === undefined ? null : startOf(hostPrefix);
  const others = Object.entries(aliases).map(([start, stands]) => ({ start: startOf(start), stands }));
  return ({ path, hostname }) => {
    // Nobody comes in by the paths that Nest knows.
    if (internal.test(path)) return '/~';
    if (below.test(path)) return path.replace(below, '');
    const alias = others.find(({ start }) => start.test(path));
    if (alias) return path.replace(alias.start, alias.stands);
    if (roots.some((root) => root.test(path))) return path;
    if (host === undefined || hostname?.toLowerCase() !== host || /^\/docs(\/|$)/.test(path)) return null;
    return onHost === null ? path : path.replace(onHost, '');
  };
}

/** Whether a path as it came is the wanted one. */
function isPath(path: string, wanted: string): boolean {
  try {
    return pathSegments(path).join('/') === wanted;
  } catch {
    return false;
  }
}

function routeFor({ methods }: Resource, method: string): DialectRoute | undefined {
  if (method !== 'HEAD') return methods.get(method as HttpMethod);
  const read = methods.get('GET');
  return read?.head === false ? undefined : read;
}

function allowed({ methods }: Resource): string {
  return [...methods.keys(), 'OPTIONS'].join(', ');
}

function preflight(dialect: Dialect, resource: Resource, response: Response): void {
  for (const [name, value] of Object.entries(dialect.preflight)) response.setHeader(name, value);
  response.setHeader('Access-Control-Allow-Methods', allowed(resource));
  response.statusCode = 204;
  response.end();
}
