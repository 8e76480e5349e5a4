export { type KeyRights, type KeyValue, KeyValues } from './key-values.service.js';
export { OfferService } from './offer.service.js';
export { SETTING_NAMES, type SettingName } from './setting-names.js';
export { Settings } from './settings.service.js';
export { SettingsModule } from './settings.module.js';
