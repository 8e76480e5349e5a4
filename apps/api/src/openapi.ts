import { AppConfig } from '#libs/config';
import { Logger } from '#libs/observability';

import { apiModule } from './api.module.js';
import { DOCUMENTS } from './documents.js';
import { createNestApp } from './http/nest-app.js';

/** The OpenAPI document of every dialect by its name. Nothing is connected: the modules are read, not started. */
export async function openApiDocuments(): Promise<Record<string, object>> {
  const logger = Logger.create('error');
  const config = new AppConfig({ STOWAGE_SECRET_KEY: 'documentation'.repeat(3), DATABASE_URL: 'postgres://localhost/documentation' });
  const app = await createNestApp(apiModule(config, logger), logger, { preview: true });
  return Object.fromEntries(DOCUMENTS.map(({ name, build }) => [name, build(app)]));
}
