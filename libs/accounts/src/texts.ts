import { DomainError } from '#libs/kernel';
import { MAIL_LANGUAGES } from '#libs/mail';

export const MAX_NAME_BYTES = 256;
const MAX_JSON_BYTES = 65_536;
const MAX_DESCRIPTION_CHARACTERS = 256;
/** Deeper values would exhaust the stack of what reads them: this process, PostgreSQL, clients. */
const MAX_JSON_DEPTH = 100;

/** A person's or company's name without spaces around it. INVALID_ARGUMENT for more than 256 bytes or control characters. */
export function checkedName(text: string, what = 'A name'): string {
  const name = text.trim();
  if (Buffer.byteLength(name) > MAX_NAME_BYTES || /\p{Cc}/u.test(name)) {
    throw new DomainError('INVALID_ARGUMENT', `${what} has at most ${MAX_NAME_BYTES} bytes and no control characters.`);
  }
  return name;
}

/** One of the languages that Stowage speaks. INVALID_ARGUMENT. */
export function checkedLanguage(text: string): string {
  const known = MAIL_LANGUAGES.find((lang) => lang === text.toLowerCase());
  if (known === undefined) throw new DomainError('INVALID_ARGUMENT', `The language must be one of ${MAIL_LANGUAGES.join(', ')}.`);
  return known;
}

/** A name of the tz database (Europe/Moscow, UTC). INVALID_ARGUMENT. */
export function checkedTimezone(text: string): string {
  try {
    // A bare offset (+03:00) is accepted by newer engines, but it is no name of a zone.
    if (/^[A-Za-z][\w+/-]{1,63}$/.test(text)) {
      new Intl.DateTimeFormat('en', { timeZone: text });
      return text;
    }
  } catch {
    // falls through to the one refusal below
  }
  throw new DomainError('INVALID_ARGUMENT', 'The time zone must be a name of the tz database, for example Europe/Moscow.');
}

/** Text for a list of devices, on one line: white space and control characters become one space, the rest is cut at 256 characters. */
export function shownText(text: string): string {
  return [...text.replace(/[\s\p{Cc}\p{Cs}]+/gu, ' ').trim()].slice(0, MAX_DESCRIPTION_CHARACTERS).join('');
}

/**
 * `value` as JSON text. INVALID_ARGUMENT when it is larger than 64 KiB, nested more than 100 deep, or holds what PostgreSQL cannot keep (NUL, half a
 * surrogate pair).
 */
export function checkedJson(value: unknown): string {
  if (isDeeper(value)) throw new DomainError('INVALID_ARGUMENT', `The value must not be nested more than ${MAX_JSON_DEPTH} deep.`);
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined || Buffer.byteLength(text) > MAX_JSON_BYTES || /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/i.test(text)) {
    throw new DomainError('INVALID_ARGUMENT', 'The value must be JSON of at most 65536 bytes, without NUL characters and broken Unicode.');
  }
  return text;
}

/** Level by level, because recursion would not survive what it looks for. */
function isDeeper(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; depth <= MAX_JSON_DEPTH; depth++) {
    level = level.flatMap((item): unknown[] => (typeof item === 'object' && item !== null ? Object.values(item) : []));
    if (level.length === 0) return false;
  }
  return true;
}
