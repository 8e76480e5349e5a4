/** The key of a file as this API writes it. */
export function fileKey(fileId: string, secret: string): string {
  return `${fileId}_${secret}`;
}

/** The secret of such a key, if it is written for this file; undefined for any other text. */
export function secretOf(fileId: string, key: string | null): string | undefined {
  const start = `${fileId}_`;
  return key?.toLowerCase().startsWith(start) ? key.slice(start.length) : undefined;
}
