import { AuditModule } from '#libs/audit';

import { AuditController } from './audit.controller.js';

/** Controllers of the audit, and what they need. */
export const AUDIT_CONTROLLERS = [AuditController];
export const AUDIT_MODULES = [AuditModule];
