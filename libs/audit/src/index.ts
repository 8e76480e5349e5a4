export { AuditChainModule, AuditJobsModule, AuditModule } from './audit.module.js';
export { AuditChain } from './chain.service.js';
export { type AuditExport, AuditExporter, type AuditFormat } from './exporter.js';
export { type AuditOutcome } from './record.js';
export { type AuditParams, AuditRecorder, type CallFacts } from './recorder.js';
export { type AuditFilter } from './repositories/audit.repository.js';
export { type AuditFinding, type AuditReport, AuditVerifier } from './verifier.js';
