export { VersionService } from './version.service.js';
export { VersionsModule } from './versions.module.js';
