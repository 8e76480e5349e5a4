import { DomainError, randomHex } from '#libs/kernel';

/** One mail to one person. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
}

// One address, and nothing that could start a second one or another header.
const ADDRESS = /^[^\s\p{C}@<>()[\]\\,;:"]+@[^\s\p{C}@<>()[\]\\,;:"]+$/u;
const MAX_ADDRESS_BYTES = 254;
const ENCODED_WORD_BYTES = 42;

/** True for one plain e-mail address of at most 254 bytes, without display name, quotes or comments. */
export function isMailAddress(text: string): boolean {
  return Buffer.byteLength(text) <= MAX_ADDRESS_BYTES && ADDRESS.test(text);
}

/** The address in `Name <address>` or in a bare address. */
export function addressOf(mailbox: string): string {
  return /<([^<>]*)>\s*$/.exec(mailbox)?.[1] ?? mailbox.trim();
}

/**
 * The message as it travels (RFC 5322): 7bit when it is plain ASCII, else in `encoding`. Text of a user reaches a header only without control
 * characters, so it cannot add one. Throws INVALID_ARGUMENT for a recipient that is not one plain address.
 */
export function composeMessage(mail: Mail, from: string, date: Date, encoding: '8bit' | 'base64'): string {
  if (!isMailAddress(mail.to)) throw new DomainError('INVALID_ARGUMENT', 'This is not an e-mail address.');
  const domain = addressOf(from).split('@')[1] ?? 'localhost';
  const headers = [
    `From: ${mailbox(from)}`,
    `To: ${mail.to}`,
    `Subject: ${headerText(mail.subject)}`,
    `Date: ${date.toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${randomHex(16)}@${domain}>`,
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
  ];
  const text = part('text/plain', mail.text, encoding);
  if (mail.html === undefined) return [...headers, ...text].join('\r\n');
  const boundary = `=_${randomHex(16)}`;
  const html = part('text/html', mail.html, encoding);
  const body = [`--${boundary}`, ...text, `--${boundary}`, ...html, `--${boundary}--`, ''];
  return [...headers, `Content-Type: multipart/alternative; boundary="${boundary}"`, '', ...body].join('\r\n');
}

function part(type: string, content: string, encoding: '8bit' | 'base64'): string[] {
  const lines = content.replace(/\r\n?/g, '\n').split('\n');
  const used = isAscii(content) ? '7bit' : encoding;
  const body =
    used === 'base64'
      ? (Buffer.from(lines.join('\r\n'))
          .toString('base64')
          .match(/.{1,76}/g) ?? [])
      : lines;
  return [`Content-Type: ${type}; charset=utf-8`, `Content-Transfer-Encoding: ${used}`, '', ...body, ''];
}

/** `Name <address>` with the name fit for a header. */
function mailbox(text: string): string {
  const address = addressOf(text);
  const name = text.includes('<') ? text.slice(0, text.lastIndexOf('<')).trim() : '';
  return name === '' ? address : `${headerText(name)} <${address}>`;
}

/** Header text without control characters; beyond ASCII as encoded words (RFC 2047), which never split a character. */
function headerText(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  if (isAscii(plain) && !plain.includes('=?')) return plain;
  const chunks: string[] = [];
  let chunk = '';
  for (const character of plain) {
    if (Buffer.byteLength(chunk + character) > ENCODED_WORD_BYTES) {
      chunks.push(chunk);
      chunk = '';
    }
    chunk += character;
  }
  chunks.push(chunk);
  return chunks.map((piece) => `=?UTF-8?B?${Buffer.from(piece).toString('base64')}?=`).join('\r\n ');
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}
