/** The hash as the value of an ETag header. */
export function etagHeader(hash: string): string {
  return `"${hash}"`;
}

/**
 * The hash that a client says it knows: the `hash` parameter, or the first tag of If-None-Match. Quotes and the mark of weak tags do not count.
 * Undefined when it knows none.
 */
export function knownHash(parameter: string | undefined, ifNoneMatch: string | undefined): string | undefined {
  const given = parameter || ifNoneMatch?.split(',', 1)[0];
  return (
    given
      ?.trim()
      .replace(/^W\//i, '')
      .replace(/^"(.*)"$/s, '$1') || undefined
  );
}
