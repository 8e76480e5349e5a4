export type { SoftUpdate, SoftVersion } from './repositories/soft.repository.js';
export { SoftModule } from './soft.module.js';
export { SoftService } from './soft.service.js';
