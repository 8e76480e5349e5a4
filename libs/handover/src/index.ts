export { HandoverJobsModule, HandoverModule, HomeHandoverModule } from './handover.module.js';
export { type HandOver, HandoverService } from './handover.service.js';
export { HandoverTask } from './handover.task.js';
export { HomeHandover } from './home-handover.js';
export { type AddMigration, type ListMigrations, MigrationService } from './migration.service.js';
export { MigrationTask } from './migration.task.js';
export type { Migration, MigrationStatus } from './repositories/migration.repository.js';
