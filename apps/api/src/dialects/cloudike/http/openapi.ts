import type { INestApplication, Type } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';

import { CLOUDIKE_ERRORS } from './errors.js';
import { INTERNAL_PREFIX, type RouteAuth, type RouteMetadata } from './route-metadata.js';
import { routesOf } from './routes-of.js';

type Paths = OpenAPIObject['paths'];
type Operation = NonNullable<Paths[string]['post']>;
type Parameters = NonNullable<Operation['parameters']>;
interface ObjectSchema {
  readonly properties?: Record<string, { readonly description?: string }>;
  readonly required?: readonly string[];
}

const SECURITY: Readonly<Record<RouteAuth, Operation['security']>> = {
  public: [],
  account: [{ token: [] }, { basic: [] }],
  optional: [{}, { token: [] }, { basic: [] }],
};

/** The OpenAPI document of the dialect: what @nestjs/swagger finds in the controllers, told in the paths and methods that clients use. */
export function cloudikeDocument(app: INestApplication, module: Type<unknown>, controllers: readonly Type<unknown>[]): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setTitle('Stowage: Cloudike API')
    .setDescription(
      'Every route is also served under /api/0, by GET and by POST, with and without a trailing slash. Parameters come from the query, a form, a multipart form or a JSON object; ' +
        'the body wins. Lists are repeated names, name[] or JSON arrays; times are milliseconds since the epoch.',
    )
    .setVersion('1')
    .addApiKey({ type: 'apiKey', in: 'header', name: 'Mountbit-Auth' }, 'token')
    .addBasicAuth({ type: 'http', scheme: 'basic' }, 'basic')
    .build();
  const found = SwaggerModule.createDocument(app, builder, { include: [module] });
  const schemas = { ...found.components?.schemas, Error: ERROR_SCHEMA };
  const paths: Paths = {};
  for (const route of controllers.flatMap(routesOf).sort((a, b) => (a.templates[0]! < b.templates[0]! ? -1 : 1))) {
    const source = found.paths[`/${INTERNAL_PREFIX}/${route.name}`]?.post;
    if (!source) continue;
    for (const template of route.templates) {
      paths[`/api/1/${template.replace(/<(\w+)>/g, '{$1}')}`] = {
        get: operation('get', template, route, source, schemas as Record<string, ObjectSchema>),
        post: operation('post', template, route, source, schemas as Record<string, ObjectSchema>),
      };
    }
  }
  return { ...found, paths, components: { ...found.components, schemas } };
}

const ERROR_SCHEMA = {
  type: 'object',
  required: ['code', 'description'],
  properties: { code: { type: 'string', example: 'NotFound' }, description: { type: 'string' } },
};

function operation(
  method: 'get' | 'post',
  template: string,
  route: RouteMetadata,
  source: Operation,
  schemas: Record<string, ObjectSchema>,
): Operation {
  const inPath: Parameters = [...template.matchAll(/<(\w+)>/g)].map(([, name]) => ({
    name: name!,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const schemaName = refOf(source);
  const schema = schemaName === undefined ? undefined : schemas[schemaName];
  const content = { schema: { $ref: `#/components/schemas/${schemaName}` } };
  return {
    operationId: `${method} ${template}`.replace(/\W+/g, '_').replace(/^_|_$/g, ''),
    ...(route.summary ? { summary: route.summary } : {}),
    tags: source.tags,
    security: SECURITY[route.auth],
    parameters: method === 'get' && schema ? [...inPath, ...inQuery(schema)] : inPath,
    ...(method === 'post' && schema
      ? { requestBody: { content: { 'application/x-www-form-urlencoded': content, 'multipart/form-data': content, 'application/json': content } } }
      : {}),
    responses: responses(route),
  };
}

/** Name of the schema of the parameters, when the handler takes any. */
function refOf(source: Operation): string | undefined {
  const body = source.requestBody as { content?: Record<string, { schema?: { $ref?: string } }> } | undefined;
  return Object.values(body?.content ?? {})[0]
    ?.schema?.$ref?.split('/')
    .at(-1);
}

function inQuery({ properties = {}, required = [] }: ObjectSchema): Parameters {
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    ...(description ? { description } : {}),
    schema,
  }));
}

function responses(route: RouteMetadata): Operation['responses'] {
  const refusals = new Map<number, Set<string>>();
  const say = (status: number, code: string) => refusals.set(status, (refusals.get(status) ?? new Set<string>()).add(code));
  say(400, CLOUDIKE_ERRORS.INVALID_ARGUMENT.code);
  if (route.auth !== 'public') say(401, CLOUDIKE_ERRORS.UNAUTHENTICATED.code);
  for (const [status, code] of Object.values(route.errors ?? {})) say(status, code);
  const refused = [...refusals].map(([status, codes]) => [String(status), refusal([...codes].sort().join(', '))] as const);
  return {
    '200': { description: 'Done; the fields are those of the contract.' },
    ...Object.fromEntries(refused),
    default: refusal('Any other refusal'),
  };
}

function refusal(description: string) {
  return { description, content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } };
}
