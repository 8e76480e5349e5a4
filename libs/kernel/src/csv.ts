/** One line of CSV (RFC 4180). Numbers and booleans as they are; null, undefined and anything else as nothing. */
export function csvLine(values: readonly unknown[]): string {
  return `${values.map(field).join(',')}\r\n`;
}

/** Texts are of users: spreadsheets take a field that begins like a formula for one, unless an apostrophe comes first. */
function field(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return '';
  const text = /^\s*[=+\-@\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
