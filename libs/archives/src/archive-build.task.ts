import { addAbortSignal, Readable } from 'node:stream';

import { BlobStore } from '#libs/blob-store';
import { UnitOfWork } from '#libs/database';
import { Clock, DomainError, isDomainError, randomHex } from '#libs/kernel';
import { DerivedObjectRepository } from '#libs/nodes';
import { HandlesTask, TaskCancelledError, type TaskContext, type TaskHandler } from '#libs/tasks';

import { ArchiveContents } from './archive-contents.js';
import { type ArchiveBuildInput, ArchiveService } from './archive.service.js';
import { ArchiveStreamRepository } from './repositories/archive-stream.repository.js';
import { deflateZip } from './zip/zip-deflate.js';
import { ZipEntryLog } from './zip/zip-entry-log.js';

const KEPT_MS = 24 * 3_600_000;
const LOOK_MS = 500;
const CONTENT_TYPE = 'application/zip';

/** What a finished `archives.build` is: an object in the store, noted as derived object, that expires after a day. */
export interface ArchiveBuildResult {
  readonly storeKey: string;
  readonly fileName: string;
  readonly sizeBytes: number;
  readonly files: number;
}

/** Writes an archive into one object of the store. A run after a kill begins anew and puts its archive in the place of the unfinished one. */
@HandlesTask('archives.build')
export class ArchiveBuildTask implements TaskHandler<ArchiveBuildInput> {
  constructor(
    private readonly archives: ArchiveService,
    private readonly contents: ArchiveContents,
    private readonly streams: ArchiveStreamRepository,
    private readonly derived: DerivedObjectRepository,
    private readonly store: BlobStore,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** NODE_NOT_FOUND when a chosen node is gone or may not be downloaded any more. */
  async run(input: ArchiveBuildInput, context: TaskContext): Promise<ArchiveBuildResult> {
    const storeKey = await this.reserve(input, context);
    try {
      return await this.build(storeKey, input, context);
    } catch (error) {
      // After any other error another run may go on with the object.
      if (error instanceof TaskCancelledError || isFinal(error)) await this.derived.giveUp(storeKey, this.clock.now());
      throw error;
    }
  }

  /** The key of the object, in the ledger before its first byte, and the same for every run of the task. */
  private async reserve({ fileName }: ArchiveBuildInput, context: TaskContext): Promise<string> {
    const known = (context.checkpoint as { readonly storeKey?: string } | null)?.storeKey;
    if (known !== undefined && (await this.derived.renew(known, this.expiresAt()))) return known;
    const random = randomHex(16);
    const storeKey = `derived/${random.slice(0, 2)}/${random}`;
    await this.unitOfWork.run(async () => {
      await this.derived.insert({
        storeKey,
        accountId: context.accountId ?? context.guest?.issuerId ?? 0,
        kind: 'archive',
        fileName,
        contentType: CONTENT_TYPE,
        expiresAt: this.expiresAt(),
      });
      await context.saveProgress(0, { storeKey });
    });
    return storeKey;
  }

  private async build(storeKey: string, { roots, windows, fileName }: ArchiveBuildInput, context: TaskContext): Promise<ArchiveBuildResult> {
    const accountId = context.guest?.issuerId ?? context.accountId;
    const account = accountId === null ? null : await this.streams.findOwner(accountId, this.clock.now());
    if (!account) throw new DomainError('FORBIDDEN', 'This account may not download any more.');
    const owner = context.guest ?? account;
    const { nodes, mountedIds } = await this.archives.requireRoots(owner, roots);
    const log = new ZipEntryLog();
    const { files, bytes } = await this.contents.collect(roots, mountedIds, windows, log);
    await context.throwIfCancelled();
    let read = 0;
    const zip = deflateZip(log, this.contents.open, { readAhead: this.contents.readAhead, onContent: (count) => void (read += count) });
    addAbortSignal(context.signal, zip);
    const failure: { error?: unknown } = {};
    const body = Readable.from(
      watched(zip, () => (bytes === 0 ? 0 : Math.min(99, (read / bytes) * 100)), context, failure),
      { highWaterMark: 2 },
    );
    try {
      const { sizeBytes } = await this.store.put(storeKey, body, { contentType: CONTENT_TYPE });
      if (!(await this.derived.markReady(storeKey, sizeBytes))) throw new DomainError('TASK_FAILED', 'The archive expired before it was complete.');
      await this.archives.recordDownload(owner, nodes);
      return { storeKey, fileName, sizeBytes, files };
    } catch (error) {
      // What ended the source says more than what the store made of it.
      throw failure.error ?? error;
    } finally {
      body.destroy();
      zip.destroy();
    }
  }

  private expiresAt(): Date {
    return new Date(this.clock.nowMs() + KEPT_MS);
  }
}

/** The archive as it is, with a look at the task in between. What ends it is kept in `failure`. */
async function* watched(zip: Readable, percent: () => number, context: TaskContext, failure: { error?: unknown }): AsyncGenerator<Buffer> {
  let looked = performance.now();
  try {
    for await (const bytes of zip as AsyncIterable<Buffer>) {
      yield bytes;
      if (performance.now() - looked < LOOK_MS) continue;
      await context.throwIfCancelled();
      await context.saveProgress(percent());
      looked = performance.now();
    }
  } catch (error) {
    failure.error = context.signal.aborted ? context.signal.reason : error;
    throw failure.error;
  }
}

/** Errors after which the task is not run again. */
function isFinal(error: unknown): boolean {
  return isDomainError(error) && !['BUSY', 'STORAGE_UNAVAILABLE', 'INTERNAL'].includes(error.code);
}
