import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { Clock } from '#libs/kernel';
import { Logger } from '#libs/observability';

import { AuditSignatures, type ChainHead, GENESIS, type SealedRecord } from './record.js';
import { AuditRepository } from './repositories/audit.repository.js';

const BATCH = 500;

/** Links the records to a chain after their transactions: no change waits for the record of another one. */
@Injectable()
export class AuditChain {
  constructor(
    private readonly records: AuditRepository,
    private readonly signatures: AuditSignatures,
    private readonly unitOfWork: UnitOfWork,
    private readonly logger: Logger,
    private readonly clock: Clock,
  ) {}

  /**
   * Seals every record that is committed; how many. The order of the chain is the order of sealing, so a transaction that ends late gets a later place
   * and nothing comes between. Safe in several processes.
   */
  async seal(signal?: AbortSignal): Promise<number> {
    let sealed = 0;
    for (;;) {
      const head = await this.sealBatch();
      if (head === null) return sealed;
      sealed += head.count;
      // what stands in logs elsewhere cannot be cut off with the chain
      this.logger.info('audit records were sealed', { count: head.count, position: head.position, hash: head.hash.toString('hex') });
      if (head.count < BATCH) return sealed;
      signal?.throwIfAborted();
    }
  }

  private sealBatch(): Promise<(ChainHead & { readonly count: number }) | null> {
    return this.unitOfWork.run(async () => {
      await this.records.lock();
      const found = await this.records.unsealed(BATCH);
      if (found.length === 0) return null;
      const before = (await this.records.head()) ?? { basePosition: 0, baseHash: GENESIS, position: 0, hash: GENESIS };
      let { position, hash } = before;
      const linked = found.map((record): SealedRecord => {
        position += 1;
        hash = this.signatures.link(hash, position, record);
        return { ...record, position, hash };
      });
      await this.records.seal(linked);
      const head = await this.setHead({ basePosition: before.basePosition, baseHash: before.baseHash, position, hash });
      return { ...head, count: linked.length };
    });
  }

  /** Removes sealed records older than `beforeMs`, at most `limit`; how many. The chain begins behind them from then on, and its signed head says so. */
  async expire(beforeMs: number, limit: number): Promise<number> {
    return this.unitOfWork.run(async () => {
      await this.records.lock();
      const head = await this.records.head();
      const last = head && (await this.records.lastBefore(head.basePosition, beforeMs, limit));
      if (!head || !last) return 0;
      await this.setHead({ ...head, basePosition: last.position, baseHash: last.hash });
      return this.records.removeUpTo(last.position);
    });
  }

  private async setHead(head: Omit<ChainHead, 'mac'>): Promise<ChainHead> {
    const signed = { ...head, mac: this.signatures.ofHead(head) };
    await this.records.setHead(signed, this.clock.now());
    return signed;
  }
}
