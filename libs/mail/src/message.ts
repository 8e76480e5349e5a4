import { DomainError, randomHex } from '#libs/kernel';

/** One mail to one person. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
  readonly attachment?: MailAttachment;
}

/** A file that travels with a mail: an object of the store, which must live until the mail is delivered. The name is plain ASCII of ours. */
export interface MailAttachment {
  readonly storeKey: string;
  readonly fileName: string;
  readonly contentType: string;
}

// One address, and nothing that could start a second one or another header.
const ADDRESS = /^[^\s\p{C}@<>()[\]\\,;:"]+@[^\s\p{C}@<>()[\]\\,;:"]+$/u;
const MAX_ADDRESS_BYTES = 254;
const ENCODED_WORD_BYTES = 42;
const FILE_NAME = /^[\w.-]{1,100}$/;

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
 * characters, so it cannot add one. `attached` are the bytes of the mail's attachment. Throws INVALID_ARGUMENT for a recipient that is not one plain address.
 */
export function composeMessage(mail: Mail, from: string, date: Date, encoding: '8bit' | 'base64', attached: Buffer | null = null): string {
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
  const body = textOf(mail, encoding);
  if (!mail.attachment || attached === null) return [...headers, ...body].join('\r\n');
  const boundary = `=_${randomHex(16)}`;
  const parts = [`--${boundary}`, ...body, `--${boundary}`, ...attachment(mail.attachment, attached), `--${boundary}--`, ''];
  return [...headers, `Content-Type: multipart/mixed; boundary="${boundary}"`, '', ...parts].join('\r\n');
}

/** The text of the mail, and its HTML when there is one: headers and body of a part. */
function textOf(mail: Mail, encoding: '8bit' | 'base64'): string[] {
  const text = part('text/plain', mail.text, encoding);
  if (mail.html === undefined) return text;
  const boundary = `=_${randomHex(16)}`;
  const html = part('text/html', mail.html, encoding);
  const body = [`--${boundary}`, ...text, `--${boundary}`, ...html, `--${boundary}--`, ''];
  return [`Content-Type: multipart/alternative; boundary="${boundary}"`, '', ...body];
}

function attachment({ fileName, contentType }: MailAttachment, bytes: Buffer): string[] {
  if (!FILE_NAME.test(fileName)) throw new Error('an attachment needs a plain name');
  return [
    `Content-Type: ${contentType}`,
    'Content-Transfer-Encoding: base64',
    `Content-Disposition: attachment; filename="${fileName}"`,
    '',
    ...lines64(bytes),
    '',
  ];
}

/** Base64 in lines of 76 characters. */
function lines64(bytes: Buffer): string[] {
  return bytes.toString('base64').match(/.{1,76}/g) ?? [];
}

function part(type: string, content: string, encoding: '8bit' | 'base64'): string[] {
  const lines = content.replace(/\r\n?/g, '\n').split('\n');
  const used = isAscii(content) ? '7bit' : encoding;
  const body = used === 'base64' ? lines64(Buffer.from(lines.join('\r\n'))) : lines;
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
