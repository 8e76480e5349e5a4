/*
 * Routes that the matrix does not ask, and why. A route that is neither here nor in a case fails the spec: whoever adds one decides who may call it.
 */
export const NOT_IN_THE_MATRIX: Readonly<Record<string, string>> = {
  // signing in and out, and what an account keeps about itself: no node is named, and test/e2e/cloudike/accounts*.e2e-spec.ts try them
  ...reason('about the account of the caller alone', [
    'accounts/create',
    'accounts/create_by_phone',
    'accounts/approve',
    'accounts/resend_message_for_approve',
    'accounts/getinvited',
    'accounts/recover_lost_password',
    'accounts/check',
    'accounts/get',
    'accounts/change_profile',
    'accounts/permanent_tokens',
    'accounts/tokens',
    'accounts/remove_permanent_token',
    'accounts/remove_token',
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
    'accounts/oauth_url',
    'accounts/authorize',
    'accounts/oauth_confirm',
    'accounts/kt_get_account',
    'accounts/login_by_ldap',
    'accounts/google_url',
    'accounts/google_confirm',
    'accounts/oidc_start',
    'accounts/oidc_callback',
    'accounts/totp/status',
    'accounts/totp/enrol',
    'accounts/totp/confirm',
    'accounts/totp/recovery_codes',
    'accounts/totp/disable',
    'accounts/totp/reset',
    'request_token',
  ]),
  ...reason('makes an account; tried by create-user.e2e-spec.ts', ['company/<company_id>/create_user', 'accounts/company/<company_id>/create_user']),
  ...reason('anybody may complain; tried by copyright.e2e-spec.ts', ['copyright/make_complaint']),
  ...reason('says only that there is no office server', ['wopi/no_office_server']),
  ...reason('a test event for the caller himself', ['check_ws']),
  ...reason('the events of events/ as a file, by the same reader; tried by events.e2e-spec.ts', ['get_log_file']),
  ...reason('the same as fileops/delete for the caller alone: it empties his own trash', ['trash/clear', 'fileops/purge', 'fileops/purgestatus']),
  ...reason('names of the own trash; trash/restore/<name>/from_shared is asked', ['trash/restore', 'trash/restore/<name>']),
  ...reason('confirms uploads one by one as files/confirm does; tried by uploads-many.int-spec.ts', ['files/multi_confirm']),
  ...reason('the second half of files/create_from_diff, judged as files/confirm; tried by diff.int-spec.ts', ['files/confirm_from_diff/<path>']),
  ...reason('starts a count under the path of fileops/folder_info, and forgets it when it was read', ['dir_size_calculate']),
  ...reason('asked with files/create_part of the other kind of caller; tried by links.e2e-spec.ts', [
    'links/file_create_part/<hash>',
    'links/upload_folders/file_create_part/<hash>',
  ]),
};

/** Families of routes that name no file and no folder. What they ask of their callers is tried by the specs of their own parts. */
const FAMILIES: readonly RegExp[] = [
  // a company as a whole, its people and its money
  /^(accounts\/)?company\/(?!admin\/shares)/,
  /^(info|choose|accounts\/change_admin_rights)$/,
  // figures of the house or of a company, and lists of people and companies by mail; tried by analytics.e2e-spec.ts
  /^(analytics\/|csv_download$)/,
  // records of what was changed; tried by audit.e2e-spec.ts
  /^admin\/audit$/,
  // programs and their versions, offers, feedback, values of programs, ends of tokens
  /^(soft|keyvalue)\//,
  /^accounts\/(get_offer|accept_offer|decline_offer|feedback|feedback_logs|feedback_list|token_wiped|cancel_token_remote_wipe|remote_wipe)/,
];

/** Whether a route needs no case: it is listed above, or one of a family that names no node. */
export function isOutside(template: string): boolean {
  return NOT_IN_THE_MATRIX[template] !== undefined || FAMILIES.some((family) => family.test(template));
}

function reason(text: string, templates: readonly string[]): Record<string, string> {
  return Object.fromEntries(templates.map((template) => [template, text]));
}
