import { createHmac, hkdfSync } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import { AppConfig } from '#libs/config';

/** `changed`: something was; `unchanged`: the call was granted and there was nothing to change; `refused`: a sign-in that failed. */
export type AuditOutcome = 'changed' | 'unchanged' | 'refused';

/** What a record says. `subjects` and `params` are JSON texts, because texts are what is signed. */
export interface AuditContent {
  readonly id: string;
  readonly atMs: number;
  /** Name of the route, `Fileops.rename`. */
  readonly action: string;
  readonly outcome: AuditOutcome;
  /** Code of the refusal. */
  readonly error: string | null;
  readonly dialect: string;
  readonly actorId: number | null;
  /** The administrator who acted as `actorId`. */
  readonly impersonatorId: number | null;
  readonly companyId: number | null;
  /** `token:<id>`, `basic`, `pair`, `link:<id>`, `share:<id>`; never the secret itself. */
  readonly credential: string | null;
  readonly client: string;
  readonly address: string;
  readonly requestId: string;
  readonly subjects: string;
  readonly params: string;
}

/** A record as it is kept. */
export interface AuditRecord extends AuditContent {
  readonly mac: Buffer;
  readonly xid: string;
}

/** A record with its place in the chain. */
export interface SealedRecord extends AuditRecord {
  readonly position: number;
  readonly hash: Buffer;
}

/** Begin and end of the chain. What stood before the base has been removed by age. */
export interface ChainHead {
  readonly basePosition: number;
  readonly baseHash: Buffer;
  readonly position: number;
  readonly hash: Buffer;
  readonly mac: Buffer;
}

/** Hash before the first record of all. */
export const GENESIS = Buffer.alloc(32);

/** The keyed hashes of records, chain and head. The keys come from the secret of the installation: whoever has only the database can make none. */
@Injectable()
export class AuditSignatures {
  private readonly keys: Readonly<Record<'record' | 'chain' | 'head' | 'name', Buffer>>;

  constructor({ secretKey }: AppConfig) {
    const key = (use: string): Buffer => Buffer.from(hkdfSync('sha256', secretKey, '', `stowage-audit-${use}`, 32));
    this.keys = { record: key('record'), chain: key('chain'), head: key('head'), name: key('name') };
  }

  /** 32 bytes over everything that the record says. */
  ofRecord(record: AuditContent): Buffer {
    return createHmac('sha256', this.keys.record).update(canonical(record)).digest();
  }

  /** Hash of the chain at `position`: over the hash before it, the place and the whole record. */
  link(previous: Buffer, position: number, record: AuditRecord): Buffer {
    const { xid, mac } = record;
    return createHmac('sha256', this.keys.chain)
      .update(previous)
      .update(JSON.stringify([position, xid, mac.toString('hex')]))
      .update(canonical(record))
      .digest();
  }

  ofHead({ basePosition, baseHash, position, hash }: Omit<ChainHead, 'mac'>): Buffer {
    const parts = [basePosition, baseHash.toString('hex'), position, hash.toString('hex')];
    return createHmac('sha256', this.keys.head).update(JSON.stringify(parts)).digest();
  }

  /** Stands for a login that was typed: the same for the same text, and telling nothing else. 16 hex characters. */
  ofName(text: string): string {
    return createHmac('sha256', this.keys.name).update(text.trim().toLowerCase()).digest('hex').slice(0, 16);
  }
}

/** One text for one content, whatever reads it back. */
function canonical(r: AuditContent): string {
  return JSON.stringify([
    r.id,
    r.atMs,
    r.action,
    r.outcome,
    r.error,
    r.dialect,
    r.actorId,
    r.impersonatorId,
    r.companyId,
    r.credential,
    r.client,
    r.address,
    r.requestId,
    r.subjects,
    r.params,
  ]);
}
