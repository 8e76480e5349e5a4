/*
 * Routes that the matrix does not ask, and why. A route that is neither here nor in a case fails the spec: whoever adds one decides who may call it.
 */
export const NOT_IN_THE_MATRIX: Readonly<Record<string, string>> = {
  // signing in and out, and what an account keeps about itself: no node is named, and test/e2e/cloudike/accounts*.e2e-spec.ts try them
  ...reason('about the account of the caller alone', [
    'accounts/create_by_phone',
    'accounts/approve',
    'accounts/resend_message_for_approve',
    'accounts/getinvited',
    'accounts/recover_lost_password',
    'accounts/check',
    'accounts/change_profile',
    'accounts/permanent_tokens',
    'accounts/tokens',
    'accounts/remove_login',
    'accounts/add_email',
    'accounts/add_phone',
    'accounts/create_basic_auth',
    'accounts/get_basic_auth',
    'accounts/create_contacts_sync_auth',
    'accounts/get_contacts_sync_auth',
    'accounts/set_value',
    'accounts/get_value',
    'accounts/login_by_phone',
    'accounts/login_by_key',
    'accounts/generate_login_key',
    'accounts/logout',
    'accounts/authorize',
    'accounts/oauth_confirm',
    'accounts/kt_get_account',
    'accounts/google_url',
    'accounts/google_confirm',
    'accounts/oidc_start',
    'accounts/oidc_callback',
    'oauth/request_token',
    'oauth/authorize',
    'oauth/access_token',
    'accounts/totp/status',
    'accounts/totp/enrol',
    'accounts/totp/confirm',
    'accounts/totp/recovery_codes',
    'accounts/totp/disable',
    'request_token',
  ]),
  ...reason('what a device does about itself; tried by devices.e2e-spec.ts', ['accounts/token_wiped']),
  ...reason('what the caller answers to an offer, or says to the house; tried by soft.e2e-spec.ts and settings.e2e-spec.ts', [
    'accounts/accept_offer',
    'accounts/decline_offer',
    'accounts/feedback',
    'accounts/feedback_logs/<ticket>',
  ]),
  ...reason('values and versions of programs, which anybody may read; who may set them is tried by settings.e2e-spec.ts and soft.e2e-spec.ts', [
    'keyvalue/<key_name>',
    'soft/get_version',
    'soft/get_update',
  ]),
  ...reason('public by the contract: what the page of the sign-in shows; tried by company.e2e-spec.ts', [
    'company/domain/<domain>',
    'accounts/company/domain/<domain>',
    'company/logo/<logo_id>',
    'accounts/company/logo/<logo_id>',
  ]),
  ...reason('anybody may complain; tried by copyright.e2e-spec.ts', ['copyright/make_complaint']),
  ...reason('says only that there is no office server', ['wopi/no_office_server']),
  ...reason('a test event for the caller himself', ['check_ws']),
  ...reason('the events of events/ as a file, by the same reader; tried by events.e2e-spec.ts', ['get_log_file']),
  ...reason('the same as fileops/delete for the caller alone: it empties his own trash', ['trash/clear', 'fileops/purge', 'fileops/purgestatus']),
  ...reason('names of the own trash; trash/restore/<name>/from_shared is asked', ['trash/restore', 'trash/restore/<name>']),
  ...reason('starts a count under the path of fileops/folder_info, and forgets it when it was read', ['dir_size_calculate']),
};

/** Whether a route needs no case. */
export function isOutside(template: string): boolean {
  return NOT_IN_THE_MATRIX[template] !== undefined;
}

function reason(text: string, templates: readonly string[]): Record<string, string> {
  return Object.fromEntries(templates.map((template) => [template, text]));
}
