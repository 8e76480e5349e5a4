/** Every setting that administrators change while the house runs, with what it is until they do. */
export const SETTING_DEFAULTS = {
  /** People may register by themselves; invitations and administrators work in any case. */
  registration_open: true,
  /** People may take back that they accepted the offer. */
  can_decline_offer: false,
  /** People may leave feedback. */
  feedback_enabled: true,
  /** An answer to feedback names a URL for the log of the program. */
  feedback_logs_enabled: true,
} as const satisfies Readonly<Record<string, boolean>>;

export type SettingName = keyof typeof SETTING_DEFAULTS;
export type SettingValues = Readonly<Record<SettingName, boolean>>;

export const SETTING_NAMES = Object.keys(SETTING_DEFAULTS) as SettingName[];
