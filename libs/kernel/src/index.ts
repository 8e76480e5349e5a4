export { type AccountActor, type AccountRole, type Actor, type GuestActor, type PassKind, type SystemActor, SYSTEM_ACTOR } from './actor.js';
export { Call, type Caller, type Holder } from './call.js';
export { Clock, SystemClock } from './clock.js';
export { csvLine } from './csv.js';
export { decodeCursor, encodeCursor } from './cursor.js';
export { DOMAIN_ERROR_CODES, DomainError, type DomainErrorCode, isDomainError } from './domain-error.js';
export { type Viewer, viewerFrom, viewerText } from './viewer.js';
export { isUuid, newId, randomHex, randomUrlSafe, sha256 } from './ids.js';
export { SecretSeal } from './secret-seal.js';
export {
  type Client,
  type ClientKind,
  clientKindOf,
  CLOSED_POLICY,
  forbiddenBy,
  OPEN_POLICY,
  type Policy,
  type PolicyReason,
  policyRefusal,
  type PolicyUse,
} from './policy.js';
