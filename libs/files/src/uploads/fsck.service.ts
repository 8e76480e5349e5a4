import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';

import { Injectable } from '@nestjs/common';

import { BlobStore, type ListedBlob, type ListedMultipart } from '#libs/blob-store';
import { AppConfig } from '#libs/config';
import { isDomainError, randomHex } from '#libs/kernel';
import { LEDGER_CHECKS, LedgerAudit, type LedgerCheck, ObjectLedger } from '#libs/nodes';

export type FsckKind =
  | LedgerCheck
  /** An object that no ledger knows. */
  | 'unknown-object'
  /** A multipart upload that no ledger knows. */
  | 'unknown-multipart'
  /** Files need an object that is not there. */
  | 'missing-object'
  /** An unconfirmed upload has lost its bytes. */
  | 'missing-upload'
  /** A download (archive, listing, delta) has lost its bytes. */
  | 'missing-derived'
  /** An object of another size than its ledger says. */
  | 'wrong-size'
  /** An object whose bytes are not those that were received. */
  | 'wrong-content'
  /** An object that the store has but cannot read. */
  | 'unreadable';

export interface FsckFinding {
  readonly kind: FsckKind;
  readonly subject: string;
  readonly detail: string;
}

export interface FsckOptions {
  /** Also read every object and compare its SHA-256. */
  readonly deep: boolean;
  /** Move unknown objects out of the way, to keys below `quarantine/`. */
  readonly quarantine: boolean;
  readonly onFinding?: (finding: FsckFinding) => void;
}

export interface FsckReport {
  readonly objects: number;
  readonly blobs: number;
  readonly findings: readonly FsckFinding[];
}

interface Expected {
  readonly storeKey: string;
  readonly sizeBytes: number;
  readonly missing: 'missing-object' | 'missing-upload' | 'missing-derived';
  readonly sha256?: string;
}

const BATCH = 500;
const AT_ONCE = 16;
/** Younger objects may belong to work whose ledger entry is just changing hands. */
const MIN_GRACE_MS = 60_000;
const QUARANTINE = 'quarantine/';

/**
 * Compares ledger and store both ways while everything runs. Whatever looks wrong is looked at once more, in the opposite order, before it
 * is told: what only changed meanwhile is no finding. Nothing is ever overwritten or deleted.
 */
@Injectable()
export class FsckService {
  constructor(
    private readonly ledger: ObjectLedger,
    private readonly audit: LedgerAudit,
    private readonly store: BlobStore,
    private readonly config: AppConfig,
  ) {}

  async run(options: FsckOptions): Promise<FsckReport> {
    const findings: FsckFinding[] = [];
    const tell = (kind: FsckKind, subject: string, detail: string): void => {
      const finding = { kind, subject, detail };
      findings.push(finding);
      options.onFinding?.(finding);
    };
    const objects = await this.checkStore(tell, options.quarantine);
    await this.checkMultiparts(tell);
    const blobs = await this.checkBlobs(tell, options.deep);
    await this.checkExpected(tell);
    for (const check of LEDGER_CHECKS) for (const { subject, detail } of await this.audit.run(check)) tell(check, subject, detail);
    return { objects, blobs, findings };
  }

  private async checkStore(tell: Tell, quarantine: boolean): Promise<number> {
    const before = Date.now() - this.graceMs;
    let objects = 0;
    let batch: ListedBlob[] = [];
    const flush = async (): Promise<void> => {
      const known = await this.ledger.entries(batch.map((object) => object.key));
      for (const object of batch) if (!known.has(object.key)) await this.unknown(object, tell, quarantine);
      batch = [];
    };
    for await (const object of this.store.list()) {
      objects++;
      if (object.lastModifiedMs > before) continue;
      batch.push(object);
      if (batch.length === BATCH) await flush();
    }
    await flush();
    return objects;
  }

  private async unknown({ key, sizeBytes }: ListedBlob, tell: Tell, quarantine: boolean): Promise<void> {
    // It may have been deleted, object and entry, between the listing and the question.
    if ((await this.store.head(key)) === null || (await this.ledger.entries([key])).size > 0) return;
    if (!quarantine) return tell('unknown-object', key, `${sizeBytes} bytes that no ledger knows`);
    const target = `${QUARANTINE}${randomHex(16)}`;
    await this.ledger.addQuarantined(target, key, sizeBytes);
    await this.store.copy(key, target);
    const copy = await this.store.head(target);
    if (copy?.sizeBytes !== sizeBytes) return tell('unreadable', key, `could not be set aside: the copy ${target} is not complete`);
    await this.store.delete(key);
    tell('unknown-object', key, `${sizeBytes} bytes that no ledger knows, set aside as ${target}`);
  }

  private async checkMultiparts(tell: Tell): Promise<void> {
    const before = Date.now() - this.graceMs;
    const old: ListedMultipart[] = [];
    for await (const multipart of this.store.listMultiparts()) if (multipart.startedMs <= before) old.push(multipart);
    for (let at = 0; at < old.length; at += BATCH) {
      const batch = old.slice(at, at + BATCH);
      const known = await this.ledger.entries(batch.map((multipart) => multipart.key));
      for (const { key, uploadId } of batch) {
        const entry = known.get(key);
        if (entry && entry.kind !== 'blob' && (entry.multipartId === null || entry.multipartId === uploadId)) continue;
        if ((await this.store.listParts(key, uploadId)) !== null) tell('unknown-multipart', key, `multipart upload ${uploadId} that no ledger knows`);
      }
    }
  }

  private async checkBlobs(tell: Tell, deep: boolean): Promise<number> {
    let blobs = 0;
    for (let after: string | null = null; ;) {
      const page = await this.ledger.blobsAfter(after, BATCH);
      await each(page, ({ storeKey, sizeBytes, sha256 }) =>
        this.checkOne({ storeKey, sizeBytes, missing: 'missing-object', ...(deep ? { sha256 } : {}) }, tell),
      );
      blobs += page.length;
      if (page.length < BATCH) return blobs;
      after = page[page.length - 1]!.id;
    }
  }

  private async checkExpected(tell: Tell): Promise<void> {
    for (let after = ''; ;) {
      const page = await this.ledger.expectedAfter(after, BATCH);
      await each(page, ({ storeKey, sizeBytes, kind }) =>
        this.checkOne({ storeKey, sizeBytes, missing: kind === 'session' ? 'missing-upload' : 'missing-derived' }, tell),
      );
      if (page.length < BATCH) return;
      after = page[page.length - 1]!.storeKey;
    }
  }

  private async checkOne({ storeKey, sizeBytes, missing, sha256 }: Expected, tell: Tell): Promise<void> {
    const head = await this.store.head(storeKey);
    if (head?.sizeBytes !== sizeBytes) {
      // Deleted or replaced since the page was read? Then the ledger says something else by now.
      const entry = (await this.ledger.entries([storeKey])).get(storeKey);
      if (!entry || entry.kind === 'tombstone' || entry.sizeBytes === null) return;
      if (head === null) tell(missing, storeKey, `${sizeBytes} bytes are gone`);
      else tell('wrong-size', storeKey, `${head.sizeBytes} bytes instead of ${sizeBytes}`);
    } else if (sha256 !== undefined) await this.checkContent(storeKey, sha256, tell);
  }

  private async checkContent(storeKey: string, sha256: string, tell: Tell): Promise<void> {
    const hash = createHash('sha256');
    try {
      await pipeline(await this.store.getRange(storeKey), hash);
    } catch (error) {
      if (isDomainError(error) && error.details.missing === true) return;
      return tell('unreadable', storeKey, error instanceof Error ? error.message : String(error));
    }
    const found = hash.digest('hex');
    if (found !== sha256) tell('wrong-content', storeKey, `SHA-256 ${found} instead of ${sha256}`);
  }

  private get graceMs(): number {
    return Math.max(this.config.files.blobGraceSeconds * 1000, MIN_GRACE_MS);
  }
}

type Tell = (kind: FsckKind, subject: string, detail: string) => void;

/** Runs `work` on every item, a few at once. */
async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let index = next++; index < items.length; index = next++) await work(items[index]!);
    }),
  );
}
