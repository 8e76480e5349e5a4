import { closeSync, fsync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

const fsyncOf = promisify(fsync);

/** Creates and syncs directories, each no more often than needed. */
export class Directories {
  private readonly known = new Set<string>();
  private readonly syncs = new Map<string, { running: Promise<void>; next: Promise<void> | null }>();

  /** Makes `path` exist durably. */
  async ensure(path: string): Promise<void> {
    if (this.known.has(path)) return;
    const first = await mkdir(path, { recursive: true });
    if (first !== undefined) await this.sync(dirname(path));
    this.known.add(path);
  }

  /** Lets the next `ensure` look again. */
  forget(path: string): void {
    this.known.delete(path);
  }

  /** fsync of a directory. Callers that arrive while one runs share the one after it, which begins after their change. */
  sync(path: string): Promise<void> {
    const entry = this.syncs.get(path);
    if (entry === undefined) {
      const running = this.run(path);
      this.syncs.set(path, { running, next: null });
      return running;
    }
    entry.next ??= entry.running.then(
      () => this.run(path),
      () => this.run(path),
    );
    return entry.next;
  }

  private async run(path: string): Promise<void> {
    try {
      // Opening and closing take less time than handing them to a thread; waiting for the disk does not.
      const descriptor = openSync(path, 'r');
      try {
        await fsyncOf(descriptor);
      } finally {
        closeSync(descriptor);
      }
    } finally {
      const entry = this.syncs.get(path);
      if (entry?.next) this.syncs.set(path, { running: entry.next, next: null });
      else this.syncs.delete(path);
    }
  }
}
