import { UnitOfWork } from '#libs/database';
import { Clock } from '#libs/kernel';
import { Limiter } from '#libs/limiter';
import { HandlesJob, type JobContext, type JobHandler, type JobPayload } from '#libs/queue';

import { LOCK_MS, REPEAT_MS } from './login-tries.js';
import { NonceRepository } from './oauth1/repositories/nonce.repository.js';
import { SECRET_LIFE_MS } from './one-time-secrets.js';
import { AbandonedRepository } from './repositories/abandoned.repository.js';
import { LoginGuardRepository } from './repositories/login-guard.repository.js';
import { SecretRepository } from './repositories/secret.repository.js';
import { TokenRepository } from './repositories/token.repository.js';

const BATCH = 1_000;

/** Removes what has ended: tokens, one-time secrets, nonces of signed requests, registrations and logins that nobody confirmed, limiter slots, counts of failed logins. */
@HandlesJob('accounts.sweep')
export class SweepAccountsJob implements JobHandler<'accounts.sweep'> {
  constructor(
    private readonly tokens: TokenRepository,
    private readonly secrets: SecretRepository,
    private readonly nonces: NonceRepository,
    private readonly abandoned: AbandonedRepository,
    private readonly guards: LoginGuardRepository,
    private readonly limiter: Limiter,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  async handle(_payload: JobPayload<'accounts.sweep'>, context: Pick<JobContext, 'signal'>): Promise<void> {
    const now = this.clock.now();
    await inBatches(context.signal, () => this.tokens.removeExpired(now, BATCH));
    await inBatches(context.signal, () => this.secrets.removeExpired(now, BATCH));
    await inBatches(context.signal, () => this.nonces.removeExpired(now, BATCH));
    const madeBefore = new Date(now.getTime() - SECRET_LIFE_MS.confirm);
    await inBatches(context.signal, () => this.unitOfWork.run(() => this.abandoned.removeRegistrations(madeBefore, now, BATCH)));
    await this.abandoned.removeLogins(madeBefore, now);
    await this.guards.removeIdle(now, new Date(now.getTime() - LOCK_MS), new Date(now.getTime() - REPEAT_MS));
    await this.limiter.sweep();
  }
}

async function inBatches(signal: AbortSignal, remove: () => Promise<number>): Promise<void> {
  while ((await remove()) === BATCH) signal.throwIfAborted();
}
