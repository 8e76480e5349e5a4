/** The spellings of a company's route: clients use both prefixes. */
export function underCompany(...paths: readonly string[]): string[] {
  return paths.flatMap((path) => [`company/${path}`, `accounts/company/${path}`]);
}

/** A company's id of a URL. What no id can be names no company, like an unknown one. */
export function companyIdOf(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}
