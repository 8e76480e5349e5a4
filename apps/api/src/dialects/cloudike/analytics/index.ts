import { AnalyticsModule } from '#libs/analytics';

import { AnalyticsController } from './analytics.controller.js';

/** The controller of metrics and lists, and what it needs. */
export const ANALYTICS_CONTROLLERS = [AnalyticsController];
export const ANALYTICS_MODULES = [AnalyticsModule];
