import { FeedbackModule } from '#libs/feedback';
import { SettingsModule } from '#libs/settings';

import { FeedbackController } from './feedback.controller.js';
import { SettingsController } from './settings.controller.js';

/** Controllers of settings, key values, the offer and feedback, and what they need. */
export const SETTINGS_CONTROLLERS = [SettingsController, FeedbackController];
export const SETTINGS_MODULES = [SettingsModule, FeedbackModule];
