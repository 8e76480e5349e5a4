export interface ResolvedRange {
  readonly start: number;
  readonly endInclusive: number;
}

/**
 * The one range a `Range` header asks for, cut to the size: null when the whole is to be sent (no header, another unit, malformed, several
 * ranges - all of which RFC 9110 section 14.2 lets a server ignore), 'unsatisfiable' when it lies outside.
 */
export function resolveRange(header: string | undefined, sizeBytes: number): ResolvedRange | 'unsatisfiable' | null {
  const match = header === undefined ? null : /^bytes=(\d{0,16})-(\d{0,16})$/i.exec(header.replace(/\s/g, ''));
  if (!match || (match[1] === '' && match[2] === '')) return null;
  if (match[1] === '') {
    const suffix = Number(match[2]);
    if (suffix === 0 || sizeBytes === 0) return 'unsatisfiable';
    return { start: Math.max(0, sizeBytes - suffix), endInclusive: sizeBytes - 1 };
  }
  const start = Number(match[1]);
  const end = match[2] === '' ? Infinity : Number(match[2]);
  if (end < start) return null;
  return start >= sizeBytes ? 'unsatisfiable' : { start, endInclusive: Math.min(end, sizeBytes - 1) };
}

/** True when an If-None-Match or If-Match header names `etag` (quoted). `weak` ignores the weakness mark, as If-None-Match does. */
export function matchesETag(header: string, etag: string, weak: boolean): boolean {
  if (header.trim() === '*') return true;
  return header.split(',').some((candidate) => {
    const value = candidate.trim();
    return value === etag || (weak && value === `W/${etag}`);
  });
}
