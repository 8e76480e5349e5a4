export { AccessModule } from './access.module.js';
export { AccessService, type Explanation, type NodeAction, type Seer } from './access.service.js';
export type { OpenPass } from './repositories/pass.repository.js';
export type { ReasonRow } from './repositories/right.repository.js';
export { covers, FULL_RIGHT, type Right } from './right.js';
