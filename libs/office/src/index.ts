export { OfficeLinks, type OfficeUrl, type OpenLink, wopiSource } from './office-links.service.js';
export { OfficeModule } from './office.module.js';
export { ProofCheck } from './proof-check.service.js';
export { decodeUtf7, encodeUtf7 } from './utf7.js';
export { WopiAccess, type WopiGrant, type WopiSession } from './wopi-access.service.js';
export { type RelativeFile, type RelativeTarget, type WopiBody, type WopiFile, WopiFiles } from './wopi-files.service.js';
export { WopiLocks } from './wopi-locks.service.js';
