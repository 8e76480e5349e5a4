export type { NewServiceKey, ProvenKey, ServiceKey, ServiceKeyKind } from './service-key.js';
export { ServiceKeys } from './service-keys.service.js';
export { ServiceKeysModule } from './service-keys.module.js';
