import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { Correlation } from '#libs/observability';

import type { JobName, JobPayload } from './catalogue.js';
import { OutboxRepository } from './repositories/outbox.repository.js';

/** Where use cases leave their jobs. */
@Injectable()
export class Outbox {
  private notifying: Promise<void> | undefined;
  private again = false;

  constructor(
    private readonly repository: OutboxRepository,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * Leaves a job in the surrounding transaction: it reaches the queue if and only if that commits. `delayMs` counts from now.
   * Only PostgreSQL is touched, so this works while the queue's own store is away.
   */
  async add<N extends JobName>(name: N, payload: JobPayload<N>, options: { readonly delayMs?: number } = {}): Promise<void> {
    await this.repository.insert(name, payload, Correlation.current(), options.delayMs ?? 0);
    await this.unitOfWork.afterCommit(() => this.wakeRelay());
  }

  /**
   * Not a part of the transaction: PostgreSQL serialises all commits that carry a NOTIFY, flush to disk included. A lost wake-up costs at
   * most the relay's poll interval. Wake-ups that arrive while one is on its way become one.
   */
  private wakeRelay(): void {
    if (this.notifying) {
      this.again = true;
      return;
    }
    this.notifying = this.repository
      .notify()
      .catch(() => undefined)
      .then(() => {
        this.notifying = undefined;
        if (!this.again) return;
        this.again = false;
        this.wakeRelay();
      });
  }
}
