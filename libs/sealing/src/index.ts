export { MAX_SEALED_BYTES } from './cipher.js';
export { requireStrong } from './passphrase.js';
export { Sealing, type Unsealed } from './sealing.service.js';
export { SealingModule } from './sealing.module.js';
