export { HandoverJobsModule, HandoverModule } from './handover.module.js';
export { type HandOver, HandoverService } from './handover.service.js';
export { HandoverTask } from './handover.task.js';
export { type AddMigration, type ListMigrations, MigrationService } from './migration.service.js';
export { MigrationTask } from './migration.task.js';
export type { Migration, MigrationStatus } from './repositories/migration.repository.js';
