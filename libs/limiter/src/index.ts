export { Limiter, type LimiterSlot } from './limiter.js';
export { LimiterModule } from './limiter.module.js';
