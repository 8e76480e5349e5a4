export { FeedbackModule } from './feedback.module.js';
export { type FeedbackEntry, FeedbackService } from './feedback.service.js';
export type { FeedbackOrder } from './repositories/feedback.repository.js';
