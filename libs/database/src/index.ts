export { Database, poolOf, UnitOfWork } from './database.js';
export { DatabaseModule } from './database.module.js';
export { type DatabaseSettings, dataSourceOptions } from './data-source.options.js';
export { migrate } from './migrator.js';
export { translatePgError } from './pg-errors.js';
