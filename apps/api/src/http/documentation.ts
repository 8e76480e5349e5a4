import type { INestApplication } from '@nestjs/common';
import { type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';

/** The documentation of one dialect, made from its controllers. */
export interface DialectDocument {
  /** Name of the dialect in the address: /docs/<name>/openapi.json. */
  readonly name: string;
  readonly build: (app: INestApplication) => OpenAPIObject;
}

/** Serves /docs (Swagger UI from the installed package) and /docs/<dialect>/openapi.json. A document is built when it is first asked for. */
export function serveDocumentation(app: INestApplication, documents: readonly DialectDocument[]): void {
  for (const { name, build } of documents) {
    let built: OpenAPIObject | undefined;
    const document = () => (built ??= build(app));
    SwaggerModule.setup(`docs/${name}`, app, document, { ui: false, raw: ['json'], jsonDocumentUrl: `docs/${name}/openapi.json` });
  }
  const urls = documents.map(({ name }) => ({ name, url: `/docs/${name}/openapi.json` }));
  SwaggerModule.setup(
    'docs',
    app,
    { openapi: '3.0.0', info: { title: 'Stowage', version: '1' }, paths: {} },
    {
      raw: false,
      explorer: true,
      customSiteTitle: 'Stowage API',
      swaggerOptions: { urls },
    },
  );
}
