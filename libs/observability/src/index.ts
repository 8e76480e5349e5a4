export { Correlation } from './correlation.js';
export { type HealthReport, HealthService } from './health.service.js';
export { observabilityHandler } from './http-handlers.js';
export { type LogFields, Logger, NestLogger } from './logger.js';
export { type JobOutcome, Metrics, type PoolFigures } from './metrics.js';
export { ObservabilityModule } from './observability.module.js';
export { redact, scrubText } from './redaction.js';
