import { DomainError } from '#libs/kernel';

const MAX_WAITING = 1_000;

/** Lets one piece of work a key run at a time in this process, in the order of arrival. */
export class Turnstile {
  private readonly tails = new Map<string, Promise<unknown>>();
  private waiting = 0;

  /** Runs `work` after all earlier work of `key`. BUSY when more than 1,000 wait. */
  async pass<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.tails.get(key);
    if (before !== undefined && this.waiting >= MAX_WAITING)
      throw new DomainError('BUSY', 'Too many people are signing in at the moment; try again.');
    this.waiting++;
    const mine = (before ?? Promise.resolve()).then(work, work);
    const tail = mine.catch(() => undefined);
    this.tails.set(key, tail);
    try {
      return await mine;
    } finally {
      this.waiting--;
      if (this.tails.get(key) === tail) this.tails.delete(key);
    }
  }
}
