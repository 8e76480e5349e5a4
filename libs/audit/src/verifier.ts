import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { Clock } from '#libs/kernel';

import { type AuditRecord, AuditSignatures, type ChainHead, GENESIS, type SealedRecord } from './record.js';
import { AuditRepository } from './repositories/audit.repository.js';

const PAGE = 1_000;
/** Sealing follows within seconds; a record that waits longer was kept from it, or nothing seals. */
const SEAL_LIMIT_MS = 10 * 60_000;

export type AuditFindingKind =
  /** A record says something else than when it was written. */
  | 'changed'
  /** A record that the installation did not write. */
  | 'forged'
  /** Places of the chain without a record. */
  | 'missing'
  /** A place or hash that does not follow from the record before. */
  | 'broken-link'
  /** Records at the end are gone. */
  | 'cut-tail'
  /** Records stand behind the end that was signed. */
  | 'beyond-head'
  /** The head is gone, or was not signed by the installation. */
  | 'bad-head'
  /** The chain does not go through a place and hash that were noted elsewhere. */
  | 'anchor'
  /** A record was written long ago and has no place. */
  | 'unsealed';

export interface AuditFinding {
  readonly kind: AuditFindingKind;
  /** Place in the chain, or id of a record without one. */
  readonly subject: string;
  readonly detail: string;
}

export interface AuditReport {
  readonly sealed: number;
  readonly unsealed: number;
  readonly basePosition: number;
  readonly position: number;
  /** Hash of the end in hex: note it elsewhere, and give it as an anchor later. */
  readonly hash: string;
  readonly findings: number;
}

export interface AuditCheck {
  /** A place and its hash from a log, an export or an earlier report. */
  readonly anchor?: { readonly position: number; readonly hash: string } | undefined;
  readonly onFinding: (finding: AuditFinding) => void;
}

/** Reads the whole chain at one moment and tells what does not hold. Memory stays flat. */
@Injectable()
export class AuditVerifier {
  constructor(
    private readonly records: AuditRepository,
    private readonly signatures: AuditSignatures,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  run(check: AuditCheck): Promise<AuditReport> {
    return this.unitOfWork.run(async () => {
      await this.records.freeze();
      let findings = 0;
      const tell = (kind: AuditFindingKind, subject: string | number, detail: string): void => {
        findings += 1;
        check.onFinding({ kind, subject: String(subject), detail });
      };
      const head = await this.records.head();
      if (head && !head.mac.equals(this.signatures.ofHead(head)))
        tell('bad-head', head.position, 'the signature of the head does not fit: it was changed, or the secret key is another one');
      const end = await this.readChain(head, check.anchor, tell);
      if (!head && end.sealed > 0) tell('bad-head', end.position, 'there are sealed records and no head');
      if (head && end.position < head.position) tell('cut-tail', end.position + 1, `${head.position - end.position} records at the end are gone`);
      const unsealed = await this.readUnsealed(tell);
      return { ...end, hash: end.hash.toString('hex'), unsealed, basePosition: head?.basePosition ?? 0, findings };
    });
  }

  private async readChain(head: ChainHead | null, anchor: AuditCheck['anchor'], tell: Tell) {
    let position = head?.basePosition ?? 0;
    let hash = head?.baseHash ?? GENESIS;
    let sealed = 0;
    let anchored = anchor?.position === position && anchor.hash === hash.toString('hex');
    // what stands before the base was to be removed
    for (let after = -1; ;) {
      const page = await this.records.sealedAfter(after, PAGE);
      for (const record of page) {
        sealed += 1;
        if (record.position <= position && sealed === 1) tell('broken-link', record.position, 'a record stands before the beginning of the chain');
        this.compare(record, position, hash, tell);
        if (head && record.position > head.position) tell('beyond-head', record.position, 'the record stands behind the signed end of the chain');
        ({ position, hash } = record);
        if (anchor?.position === position) anchored = anchor.hash === hash.toString('hex');
      }
      if (page.length < PAGE) break;
      after = position;
    }
    if (head && head.position === position && !head.hash.equals(hash)) tell('broken-link', position, 'the last hash is not the one of the head');
    if (anchor && !anchored) tell('anchor', anchor.position, 'the chain does not have this hash at this place');
    return { sealed, position, hash };
  }

  private compare(record: SealedRecord, position: number, hash: Buffer, tell: Tell): void {
    const { position: own, id, action } = record;
    const what = `${id} ${action}`;
    if (own > position + 1) tell('missing', position + 1, own === position + 2 ? 'a record is gone' : `${own - position - 1} records are gone`);
    const isLinked = this.signatures.link(hash, own, record).equals(record.hash);
    if (!record.mac.equals(this.signatures.ofRecord(record))) tell('changed', own, `${what}: the record is not what was written`);
    // behind a gap the hash before is not known; the gap is told already
    else if (own === position + 1 && !isLinked) tell('broken-link', own, `${what}: the hash does not follow from the record before`);
  }

  private async readUnsealed(tell: Tell): Promise<number> {
    const limitMs = this.clock.nowMs() - SEAL_LIMIT_MS;
    let count = 0;
    for (let after: string | undefined; ;) {
      const page: AuditRecord[] = await this.records.unsealed(PAGE, after);
      for (const record of page) {
        if (!record.mac.equals(this.signatures.ofRecord(record)))
          tell('forged', record.id, `${record.action}: the record was not written by this installation`);
        else if (record.atMs < limitMs) tell('unsealed', record.id, `${record.action}: the record has no place in the chain yet; does a worker run?`);
      }
      count += page.length;
      if (page.length < PAGE) return count;
      after = page.at(-1)!.id;
    }
  }
}

type Tell = (kind: AuditFindingKind, subject: string | number, detail: string) => void;
