import { type CipherGCM, createCipheriv, createDecipheriv, type DecipherGCM, randomBytes } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';

import type { KeySettings } from '#libs/accounts';
import { DomainError } from '#libs/kernel';

/** What it takes, with the passphrase, to open a sealed content. None of it is secret. */
export interface Seal extends KeySettings {
  readonly salt: Buffer;
  readonly nonce: Buffer;
  readonly tag: Buffer;
}

export const KEY_BYTES = 32;
const ALGORITHM = 'aes-256-gcm';
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** RFC 9106 for machines without memory to spare: 64 MiB, three passes; one lane, because many people share the cores. */
const SETTINGS: KeySettings = { memoryKib: 65_536, passes: 3, lanes: 1 };

/** Largest content that is sealed, in bytes: opening it means reading it twice. */
export const MAX_SEALED_BYTES = 50 * 1024 * 1024;

/** A seal that is not closed yet. */
export type OpenSeal = Omit<Seal, 'tag'>;

/** Salt and nonce of a content of its own. */
export function newSeal(): OpenSeal {
  return { ...SETTINGS, salt: randomBytes(SALT_BYTES), nonce: randomBytes(NONCE_BYTES) };
}

/** Turns bytes into as many sealed ones; `tag` is there at their end. TOO_LARGE (`details.maxBytes`). */
export class SealingStream extends Transform {
  tag: Buffer | null = null;
  private readonly cipher: CipherGCM;
  private bytes = 0;

  constructor(key: Buffer, nonce: Buffer) {
    super();
    this.cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.length;
    if (this.bytes <= MAX_SEALED_BYTES) done(null, this.cipher.update(chunk));
    else done(new DomainError('TOO_LARGE', `A file of more than ${MAX_SEALED_BYTES} bytes cannot be sealed.`, { maxBytes: MAX_SEALED_BYTES }));
  }

  override _flush(done: TransformCallback): void {
    this.push(this.cipher.final());
    this.tag = this.cipher.getAuthTag();
    done();
  }
}

/** Turns sealed bytes back; its end fails when the key or a byte is another one. */
export function unsealing(key: Buffer, { nonce, tag }: Pick<Seal, 'nonce' | 'tag'>): DecipherGCM {
  return createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES }).setAuthTag(tag);
}
