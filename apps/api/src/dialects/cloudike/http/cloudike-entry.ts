import { Injectable, type Type } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { NextFunction, Request, Response } from 'express';

import { DomainError, isDomainError } from '#libs/kernel';

import { RequestEntries } from '../../../http/request-entries.js';
import { nameRoute } from '../../../http/request-facts.js';
import { pathSegments, type RouteMatch, RouteTable } from '../../../http/route-table.js';
import { setCors } from './cors.js';
import { sendError } from './errors.js';
import { type CloudikeRequest, INTERNAL_PREFIX, type RouteMetadata } from './route-metadata.js';
import { routesOf } from './routes-of.js';

/**
 * The way into the dialect: finds the route of a URL by the contract's own rules (aliases, slashes, `<path>` tails) and hands the request to Nest
 * under the handler's internal path. CORS and the answers for unknown routes and OPTIONS are given here.
 */
@Injectable()
export class CloudikeEntry {
  private readonly table = new RouteTable<RouteMetadata>();

  constructor(discovery: DiscoveryService, entries: RequestEntries) {
    entries.add((request, response, next) => this.handle(request, response, next));
    for (const { metatype } of discovery.getControllers()) {
      for (const route of routesOf(metatype as Type<unknown>)) this.table.add(route);
    }
  }

  /** Express middleware; everything outside /api/ goes on untouched. */
  handle(request: Request, response: Response, next: NextFunction): void {
    const { path } = request;
    if (path.startsWith(`/${INTERNAL_PREFIX}`)) {
      sendError(response, routeNotFound(path));
      return;
    }
    const version = /^\/+api\/+([01])(?:\/|$)/.exec(path);
    if (!version && !/^\/+api(?:\/|$)/.test(path)) {
      next();
      return;
    }
    setCors(response);
    if (request.method === 'OPTIONS') {
      nameRoute(request, 'OPTIONS /api');
      response.setHeader('Access-Control-Max-Age', '1728000');
      response.statusCode = 204;
      response.end();
      return;
    }
    try {
      const match = version && this.table.find(pathSegments(path.slice(version[0].length)));
      if (!match) throw routeNotFound(path);
      this.enter(request as CloudikeRequest, response, match, version[1] === '0' ? 0 : 1, next);
    } catch (error) {
      if (!isDomainError(error)) throw error;
      nameRoute(request, 'unknown');
      sendError(response, error);
    }
  }

  private enter(request: CloudikeRequest, response: Response, match: RouteMatch<RouteMetadata>, version: 0 | 1, next: NextFunction): void {
    const template = `/api/${version}/${match.template}`;
    nameRoute(request, template);
    const isRead = request.method === 'GET' || (request.method === 'HEAD' && match.route.head !== false);
    if (!isRead && request.method !== 'POST') {
      response.setHeader('Allow', 'GET, POST, OPTIONS');
      sendError(response, new DomainError('ROUTE_NOT_FOUND', `There is no route ${request.method} ${template}.`), {
        errors: { ROUTE_NOT_FOUND: [405, 'MethodNotAllowed'] },
      });
      return;
    }
    request.cloudike = { route: match.route, template, version, segments: match.segments, tail: match.tail, actor: null };
    const question = request.url.indexOf('?');
    request.url = `/${INTERNAL_PREFIX}/${match.route.name}${question < 0 ? '' : request.url.slice(question)}`;
    next();
  }
}

function routeNotFound(path: string): DomainError {
  return new DomainError('ROUTE_NOT_FOUND', `There is no route ${path.slice(0, 200)}.`);
}
