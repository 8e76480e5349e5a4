import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { DomainError } from '#libs/kernel';

export interface Hashes {
  readonly md5: string;
  readonly sha256: string;
  readonly crc32: number;
}

/** Up to this size hashing costs less than handing the bytes to a thread. */
export const INLINE_HASH_BYTES = 1024 * 1024;

/** Hashes of a small body, on the calling thread. */
export function hashInline(body: Buffer): Hashes {
  return { md5: createHash('md5').update(body).digest('hex'), sha256: createHash('sha256').update(body).digest('hex'), crc32: crc32(body) };
}

// Plain text, because a thread needs a JavaScript file and the sources also run as they stand (tests).
// md5 costs about what sha256 and crc32 cost together twice over, so the kinds are split that way over two threads.
const WORKER_SOURCE = `
const { parentPort } = require('node:worker_threads');
const { createHash } = require('node:crypto');
const { crc32 } = require('node:zlib');
const runs = new Map();
parentPort.on('message', ({ run, kind, memory, length, own, last, seq }) => {
  if (kind === 'drop') { runs.delete(run); return; }
  let state = runs.get(run);
  if (!state) runs.set(run, (state = kind === 'md5' ? { md5: createHash('md5') } : { sha256: createHash('sha256'), crc: 0 }));
  const bytes = memory && new Uint8Array(memory, 0, length);
  const answer = { seq };
  if (bytes && state.md5) {
    state.md5.update(bytes);
    if (own) answer.own = createHash('md5').update(bytes).digest('base64');
  } else if (bytes) {
    state.sha256.update(bytes);
    state.crc = crc32(bytes, state.crc);
  }
  if (last) {
    runs.delete(run);
    if (state.md5) answer.md5 = state.md5.digest('hex');
    else { answer.sha256 = state.sha256.digest('hex'); answer.crc32 = state.crc; }
  }
  parentPort.postMessage(answer);
});
`;

interface Answer {
  readonly seq: number;
  readonly own?: string;
  readonly md5?: string;
  readonly sha256?: string;
  readonly crc32?: number;
}

type Kind = 'md5' | 'sha256';

/** One worker thread and the answers it owes. Holds the process open only while it owes one. */
class HashThread {
  private readonly worker: Worker;
  private readonly owed = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();
  private seq = 0;
  broken = false;

  constructor() {
    this.worker = new Worker(WORKER_SOURCE, { eval: true, name: 'blob-hash', execArgv: [] });
    this.worker.unref();
    this.worker.on('message', (answer: Answer) => {
      const waiting = this.owed.get(answer.seq);
      this.owed.delete(answer.seq);
      if (this.owed.size === 0) this.worker.unref();
      waiting?.resolve(answer);
    });
    this.worker.on('error', (error) => this.fail(error));
    this.worker.on('exit', () => this.fail(new Error('exited')));
  }

  ask(message: Record<string, unknown>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.broken) return reject(new DomainError('INTERNAL', 'A hashing thread ended'));
      const seq = ++this.seq;
      this.owed.set(seq, { resolve, reject });
      this.worker.ref();
      this.worker.postMessage({ ...message, seq });
    });
  }

  tell(message: Record<string, unknown>): void {
    if (!this.broken) this.worker.postMessage(message);
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }

  private fail(cause: Error): void {
    this.broken = true;
    for (const { reject } of this.owed.values()) reject(new DomainError('INTERNAL', 'A hashing thread ended', {}, { cause }));
    this.owed.clear();
  }
}

/** The hashing of one body, slab after slab. The caller may reuse a slab once its `update` has resolved. */
export class HashRun {
  constructor(
    private readonly id: number,
    private readonly threads: Readonly<Record<Kind, HashThread>>,
  ) {}

  /** Adds `length` bytes of `memory`. Resolves with the slab's own md5 (base64, for Content-MD5) when `ownMd5` is set. */
  async update(memory: SharedArrayBuffer, length: number, ownMd5 = false): Promise<string | undefined> {
    const [md5] = await Promise.all([
      this.threads.md5.ask({ run: this.id, kind: 'md5', memory, length, own: ownMd5 }),
      this.threads.sha256.ask({ run: this.id, kind: 'sha256', memory, length }),
    ]);
    return md5.own;
  }

  async digest(): Promise<Hashes> {
    const [md5, other] = await Promise.all([
      this.threads.md5.ask({ run: this.id, kind: 'md5', last: true }),
      this.threads.sha256.ask({ run: this.id, kind: 'sha256', last: true }),
    ]);
    return { md5: md5.md5!, sha256: other.sha256!, crc32: other.crc32! };
  }

  /** Forgets an unfinished body. */
  drop(): void {
    this.threads.md5.tell({ run: this.id, kind: 'drop' });
    this.threads.sha256.tell({ run: this.id, kind: 'drop' });
  }
}

/** Threads that hash large bodies while they are transferred: one for md5, one for sha256 and crc32, started at first use. */
export class HashPool {
  private threads: Record<Kind, HashThread> | null = null;
  private runs = 0;

  open(): HashRun {
    if (this.threads === null || this.threads.md5.broken || this.threads.sha256.broken) {
      this.threads = { md5: new HashThread(), sha256: new HashThread() };
    }
    return new HashRun(++this.runs, this.threads);
  }

  async close(): Promise<void> {
    const threads = this.threads;
    this.threads = null;
    if (threads !== null) await Promise.all([threads.md5.end(), threads.sha256.end()]);
  }
}
