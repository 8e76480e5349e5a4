import type { OpenAPIObject } from '@nestjs/swagger';
import type { Type } from '@nestjs/common';

import type { Dialect, DialectRoute, Schema } from './dialect.js';
import { dialectRoutesOf } from './route.js';

/** The OpenAPI document of a dialect, made from what its routes declare. */
export function dialectDocument(dialect: Dialect, controllers: readonly Type<unknown>[]): OpenAPIObject {
  const paths: Record<string, Record<string, Schema>> = {};
  const routes = dialectRoutesOf(controllers).sort((a, b) => (a.template < b.template ? -1 : 1));
  for (const route of routes) {
    const path = `/${route.template.replace(/<(\w+)>/g, '{$1}')}`;
    (paths[path] ??= {})[route.method.toLowerCase()] = operation(dialect, route);
  }
  return {
    openapi: '3.0.0',
    info: { title: `Stowage: ${dialect.title}`, description: dialect.description, version: '1', contact: {} },
    servers: [{ url: dialect.prefix }, ...(dialect.rootPaths.length > 0 ? [{ url: '/' }] : []), ...wholeAliases(dialect)],
    tags: [],
    paths,
    components: { securitySchemes: dialect.securitySchemes, schemas: { Error: dialect.errorSchema } },
  } as unknown as OpenAPIObject;
}

/** Other prefixes under which all routes are served. */
function wholeAliases({ aliases = {} }: Dialect): Schema[] {
  return Object.entries(aliases).flatMap(([start, stands]) => (stands === '' ? [{ url: start }] : []));
}

function operation(dialect: Dialect, route: DialectRoute): Schema {
  const status = route.status ?? 200;
  const inPath = [...route.template.matchAll(/<(\w+)>/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
  const inQuery = Object.entries(route.query ?? {}).map(([name, schema]) => ({ name, in: 'query', required: false, schema }));
  const inHeaders = Object.entries(route.headers ?? {}).map(([name, schema]) => ({ name, in: 'header', required: false, schema }));
  const schemes = [route.auth, ...(dialect.pairedSchemes?.[route.auth] ?? [])];
  const success = { description: route.summary, ...(route.answer ? { content: { 'application/json': { schema: route.answer } } } : {}) };
  return {
    operationId: `${route.method} ${route.template}`.toLowerCase().replace(/\W+/g, '_').replace(/_$/, ''),
    summary: route.summary,
    tags: [route.tag],
    security: dialect.securitySchemes[route.auth] ? [Object.fromEntries(schemes.map((scheme) => [scheme, []]))] : [],
    parameters: [...inPath, ...inQuery, ...inHeaders],
    ...(route.body ? { requestBody: { content: Object.fromEntries(route.body.types.map((type) => [type, { schema: route.body!.schema }])) } } : {}),
    responses: { [status]: success, ...refusals(dialect, route) },
  };
}

function refusals(dialect: Dialect, route: DialectRoute): Schema {
  const codes = new Set(route.refusals ?? []);
  if (route.auth !== 'public') codes.add('UNAUTHENTICATED');
  const byStatus = new Map<number, Set<string>>();
  for (const code of codes) {
    const [status, name] = route.errors?.[code] ?? [dialect.errors[code].status, dialect.errors[code].code];
    byStatus.set(status, (byStatus.get(status) ?? new Set<string>()).add(name));
  }
  const said = [...byStatus].sort(([a], [b]) => a - b).map(([status, names]) => [status, refusal([...names].sort().join(', '))]);
  return { ...Object.fromEntries(said), default: refusal('Any other refusal') } as Schema;
}

function refusal(description: string): Schema {
  return { description, content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } };
}
