/** change_profile: a password that is the one the account has already is no error, but is told. */
export function presentProfileChange({ passwordUnchanged }: { readonly passwordUnchanged: boolean }) {
  return passwordUnchanged
    ? { code: 'PasswordNotModified', description: 'The password is the one that the account has already.' }
    : { code: 'OK', description: 'The profile was changed.' };
}
