import { createHmac, randomBytes } from 'node:crypto';
import { type Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';

import { PasswordHasher } from '#libs/accounts';
import { BlobStore } from '#libs/blob-store';
import type { IntakeTap } from '#libs/files';
import { DomainError, isDomainError } from '#libs/kernel';
import { Limiter } from '#libs/limiter';
import type { StoredVersion } from '#libs/nodes';

import { KEY_BYTES, newSeal, type Seal, SealingStream, unsealing } from './cipher.js';
import { requireStrong } from './passphrase.js';
import { SealRepository } from './repositories/seal.repository.js';

/** A sealed content that its passphrase has opened. */
export interface Unsealed {
  readonly sizeBytes: number;
  /** The bytes as they were before they were sealed, from the first. Whoever does not read them destroys them. */
  readonly body: Readable;
}

const TRIES_PER_WINDOW = 10;
const WINDOW_MS = 15 * 60_000;
const PROVEN_MS = 5 * 60_000;
const MAX_PROVEN = 10_000;

/**
 * Contents sealed with a passphrase (AES-256-GCM, the key by argon2id) before they are stored. The passphrase is kept nowhere: without it a sealed
 * content is lost. To everything else it is a content like any other, of the same size; its versions and copies are sealed as it is.
 */
@Injectable()
export class Sealing {
  private readonly proofKey = randomBytes(32);
  /** Passphrases that have fitted, as digests that only this process can make: what is right takes no try. */
  private readonly proven = new LRUCache<string, true>({ max: MAX_PROVEN, ttl: PROVEN_MS });
  private readonly running = new Map<string, Promise<Buffer>>();

  constructor(
    private readonly seals: SealRepository,
    private readonly store: BlobStore,
    private readonly hasher: PasswordHasher,
    private readonly limiter: Limiter,
  ) {}

  /**
   * Seals one file that is brought through this process; for `FileIntake.take`, before taps that look at what is stored. INVALID_ARGUMENT
   * (`details.field` = passphrase) for one that is too weak; the upload fails with TOO_LARGE (`details.maxBytes`) beyond 50 MiB.
   */
  async tap(passphrase: string): Promise<IntakeTap> {
    requireStrong(passphrase, 'passphrase');
    const seal = newSeal();
    const stream = new SealingStream(await this.hasher.key(passphrase, seal.salt, seal, KEY_BYTES), seal.nonce);
    return { stream, made: (tempName) => this.keep(tempName, stream.tag && { ...seal, tag: stream.tag }) };
  }

  /** Those of the files whose current content is sealed. */
  async of(fileIds: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set(fileIds.length === 0 ? [] : await this.seals.sealedOf(fileIds));
  }

  /** True when this content is sealed. */
  async isSealed({ blobId }: Pick<StoredVersion, 'blobId'>): Promise<boolean> {
    return (await this.seals.ofBlob(blobId)) !== null;
  }

  /**
   * The content as it was before it was sealed; null when it is not sealed. Nothing comes out before all of it has been checked. PASSPHRASE_WRONG
   * (`details.reason` PassphraseRequired or WrongPassphrase); after ten wrong ones from one address for one content in 15 minutes RATE_LIMITED.
   */
  async open(
    version: Pick<StoredVersion, 'blobId' | 'storeKey' | 'sizeBytes'>,
    passphrase: string | undefined,
    address: string,
  ): Promise<Unsealed | null> {
    const seal = await this.seals.ofBlob(version.blobId);
    if (seal === null) return null;
    if (passphrase === undefined || passphrase === '') {
      throw new DomainError('PASSPHRASE_WRONG', 'This file needs its passphrase.', { reason: 'PassphraseRequired' });
    }
    const key = await this.keyOf(version, seal, passphrase, address);
    const body = unsealing(key, seal);
    pipeline(await this.store.getRange(version.storeKey), body).catch(() => undefined);
    return { sizeBytes: version.sizeBytes, body };
  }

  private async keep(tempName: string, seal: Seal | null): Promise<void> {
    // A sealed content without its seal could never be opened again.
    if (seal === null || !(await this.seals.keepOfUpload(tempName, seal))) throw new DomainError('INTERNAL', 'a seal has no content');
  }

  /** The key that opens the content for certain. One guess, however often it is sent at the same time, is one try. */
  private keyOf(version: Pick<StoredVersion, 'blobId' | 'storeKey'>, seal: Seal, passphrase: string, address: string): Promise<Buffer> {
    const proof = createHmac('sha256', this.proofKey).update(`${version.blobId}\0${passphrase}`).digest('base64');
    const guess = `${address}\0${proof}`;
    let key = this.running.get(guess);
    if (!key) {
      key = this.tried(version, seal, passphrase, address, proof).finally(() => this.running.delete(guess));
      this.running.set(guess, key);
    }
    return key;
  }

  private async tried(
    version: Pick<StoredVersion, 'blobId' | 'storeKey'>,
    seal: Seal,
    passphrase: string,
    address: string,
    proof: string,
  ): Promise<Buffer> {
    const slot = this.proven.has(proof) ? null : await this.limiter.take(`sealed:${version.blobId}:${address}`, TRIES_PER_WINDOW, WINDOW_MS);
    if (slot?.granted === false) {
      throw new DomainError('RATE_LIMITED', 'Too many wrong passphrases for this file; try again later.', { retryAfterMs: slot.retryAfterMs });
    }
    try {
      const key = await this.hasher.key(passphrase, seal.salt, seal, KEY_BYTES);
      await this.prove(version.storeKey, key, seal);
      this.proven.set(proof, true);
      await slot?.release();
      return key;
    } catch (error) {
      // What failed was not the passphrase.
      if (!isDomainError(error, 'PASSPHRASE_WRONG')) await slot?.release();
      throw error;
    }
  }

  /** Reads the whole content and keeps nothing of it: only its end tells whether the key and every byte are right. */
  private async prove(storeKey: string, key: Buffer, seal: Seal): Promise<void> {
    const sealed = await this.store.getRange(storeKey);
    const decipher = unsealing(key, seal);
    let broken = false;
    decipher.once('error', () => (broken = !sealed.errored));
    try {
      await pipeline(sealed, decipher, new Writable({ write: (_chunk, _encoding, done) => done() }));
    } catch (error) {
      if (!broken) throw error;
      throw new DomainError('PASSPHRASE_WRONG', 'This is not the passphrase of the file.', { reason: 'WrongPassphrase' });
    }
  }
}
