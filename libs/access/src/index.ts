export { AccessModule } from './access.module.js';
export { AccessService, type NodeAction } from './access.service.js';
