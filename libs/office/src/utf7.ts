/** Characters that stand for themselves in UTF-7 (RFC 2152, set D and the space). */
const DIRECT = /^[A-Za-z0-9'(),\-./:? ]$/;
const BASE64 = /^[A-Za-z0-9+/]$/;

/** The text behind UTF-7, the encoding of names in WOPI headers; null when it is not well formed. */
export function decodeUtf7(encoded: string): string | null {
  let text = '';
  for (let at = 0; at < encoded.length; at++) {
    const character = encoded[at]!;
    if (character !== '+') {
      if (character > '\x7e' || character < ' ') return null;
      text += character;
      continue;
    }
    let end = at + 1;
    while (end < encoded.length && BASE64.test(encoded[end]!)) end++;
    const run = encoded.slice(at + 1, end);
    const closed = encoded[end] === '-';
    const piece = run === '' ? (closed ? '+' : null) : decodeRun(run);
    if (piece === null) return null;
    text += piece;
    at = closed ? end : end - 1;
  }
  return /[\ud800-\udfff]/u.test(text) ? null : text;
}

/** The text as UTF-7. */
export function encodeUtf7(text: string): string {
  let encoded = '';
  let run = '';
  const flush = (): void => {
    if (run === '+') encoded += '+-';
    else if (run !== '') encoded += `+${Buffer.from(run, 'utf16le').swap16().toString('base64').replace(/=+$/, '')}-`;
    run = '';
  };
  for (const character of text) {
    if (DIRECT.test(character)) {
      flush();
      encoded += character;
    } else run += character;
  }
  flush();
  return encoded;
}

/** Base64 without padding of UTF-16, most significant byte first; what is left of the last 6 bits must be zero. */
function decodeRun(run: string): string | null {
  const bytes = Buffer.from(run, 'base64');
  if (bytes.length % 2 === 1) {
    // three characters that carry 18 bits end in two spare ones, which Buffer may take for the start of a byte
    if (bytes.at(-1) !== 0) return null;
  }
  const whole = Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 2)));
  return whole.length === 0 ? null : whole.swap16().toString('utf16le');
}
