const SECRET_KEY =
  /^(authorization|proxy-authorization|cookie|set-cookie|.*-auth|.*password.*|.*secret.*|.*token|.*api_?key|.*access_?key.*|key|signature|sig)$/i;
const SECRET_PARAMETER = /([?&][^=&\s"]*(?:sig|signature|token|key|password|passwd|credential|secret|code)=)[^&\s"'<>]*/gi;
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]*:[^\s/]*@/gi;
const MAX_DEPTH = 6;
const HIDDEN = '[redacted]';

/** `text` without what a URL in it may carry: user and password, signatures, tokens and keys of the query. */
export function scrubText(text: string): string {
  return text.replace(URL_PASSWORD, `$1${HIDDEN}@`).replace(SECRET_PARAMETER, `$1${HIDDEN}`);
}

/** A copy of `value` that is fit for a log line: fields with secret names are hidden, URLs scrubbed, errors made plain. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return scrubText(value);
  if (typeof value === 'bigint') return value.toString();
  if (value === null || typeof value !== 'object') return value;
  if (depth >= MAX_DEPTH) return '[deep]';
  if (value instanceof Error) return plainError(value, depth);
  if (value instanceof Date) return value.toISOString();
  if (Buffer.isBuffer(value)) return `[${value.length} bytes]`;
  if (Array.isArray(value)) return value.slice(0, 100).map((item) => redact(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, SECRET_KEY.test(key) ? HIDDEN : redact(item, depth + 1)]));
}

function plainError(error: Error, depth: number): Record<string, unknown> {
  const { code, details, cause } = error as Error & { code?: unknown; details?: unknown };
  return {
    type: error.name,
    message: scrubText(error.message),
    ...(code === undefined ? {} : { code }),
    ...(details === undefined ? {} : { details: redact(details, depth + 1) }),
    ...(error.stack === undefined ? {} : { stack: scrubText(error.stack) }),
    ...(cause === undefined ? {} : { cause: redact(cause, depth + 1) }),
    ...(error instanceof AggregateError ? { errors: redact(error.errors, depth + 1) } : {}),
  };
}
