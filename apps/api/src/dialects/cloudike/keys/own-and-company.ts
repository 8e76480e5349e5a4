/** The spellings of a route: of the caller's own, and under the prefixes that administrators use. */
export function ownAndCompany(path: string): string[] {
  return [`accounts/${path}`, `company/${path}`, `accounts/company/${path}`];
}
