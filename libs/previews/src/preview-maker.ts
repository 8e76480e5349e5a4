import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { Injectable } from '@nestjs/common';

import { BlobStore } from '#libs/blob-store';
import { AppConfig } from '#libs/config';
import { UnitOfWork } from '#libs/database';
import { Clock, isDomainError, newId } from '#libs/kernel';
import { ChangeLog, type NodeChange, NodeRepository } from '#libs/nodes';
import { Logger } from '#libs/observability';

import type { Making } from './formats.js';
import { Converter, MAX_INPUT_BYTES, type Output, readOutput, TEXT_BYTES, Unsupported } from './making/converter.js';
import { ProgramMissing, Programs } from './making/programs.js';
import { ConversionFailed, Sandbox } from './making/sandbox.js';
import { PreviewRepository, type Rendition, type Work } from './repositories/preview.repository.js';
import { RenditionRepository } from './repositories/rendition.repository.js';

/** A picture of more pixels is not looked at: 100 million are more than any camera has. */
const MAX_PIXELS = 100_000_000;
const HEAP_MEGABYTES = 192;
const OFFICE_FACTOR = 3;
/** Largest rendition, and largest file that a converter may write on its way. */
const MAX_FILE_BYTES = 512 * 2 ** 20;
/** A run may have several steps; after so long it is over for certain. */
const LEASE_MS = 15 * 60_000;
/** Every so often the turn goes by time alone, so that those who wait never keep all others out. */
const FAIR_EVERY = 4;
const MAX_ATTEMPTS = 3;
const REVIVE_AT_ONCE = 100;
/** So many files with one content learn of its preview; more have copies that nobody looks at. */
const TOLD_FILES = 50;
const PAGES: ReadonlySet<Making> = new Set<Making>(['pdf-pages', 'office-pages', 'text-pages']);

/** Makes previews, one at a time, in turns of companies. */
@Injectable()
export class PreviewMaker {
  private readonly sandbox: Sandbox;
  private readonly converter: Converter;
  private readonly logger: Logger;
  private count = 0;

  constructor(
    private readonly previews: PreviewRepository,
    private readonly renditions: RenditionRepository,
    private readonly store: BlobStore,
    private readonly unitOfWork: UnitOfWork,
    private readonly nodes: NodeRepository,
    private readonly changes: ChangeLog,
    private readonly clock: Clock,
    config: AppConfig,
    logger: Logger,
  ) {
    const { memoryBytes, timeoutMs, searchPath, programs } = config.previews;
    this.sandbox = new Sandbox(searchPath, { memoryBytes, timeoutMs, fileBytes: MAX_FILE_BYTES });
    const settings = { maxPixels: MAX_PIXELS, officeTimeoutMs: OFFICE_FACTOR * timeoutMs, heapMegabytes: HEAP_MEGABYTES };
    this.converter = new Converter(this.sandbox, new Programs(programs, searchPath), settings);
    this.logger = logger.with({ part: 'previews' });
  }

  /** Makes the preview whose turn it is; false when none waits. Whatever its content is, it ends with a state. */
  async makeNext(signal?: AbortSignal): Promise<boolean> {
    const fair = ++this.count % FAIR_EVERY === 0;
    const leaseUntil = new Date(this.clock.nowMs() + LEASE_MS);
    const work = await this.unitOfWork.run(() => this.previews.take(fair, this.clock.now(), leaseUntil));
    if (!work) return false;
    try {
      await this.make(work, signal);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (error instanceof Unsupported || error instanceof ProgramMissing) await this.end(work, 'unsupported', why);
      else if (error instanceof ConversionFailed) await this.end(work, 'error', why);
      else if (isDomainError(error, 'STORAGE_UNAVAILABLE') && error.details['missing'] === true)
        await this.end(work, 'error', 'its bytes are missing');
      else {
        // the store, the database or this process: the content waits again. A store that is away is no reason ever to give up.
        const counted = !isDomainError(error) && !(signal?.aborted ?? false);
        if (counted && work.attempt >= MAX_ATTEMPTS) await this.end(work, 'error', why);
        else await this.unitOfWork.run(() => this.previews.giveBack(work, counted, this.clock.now()));
        throw error;
      }
    }
    return true;
  }

  /** Puts work again whose maker is gone. Returns how many. */
  async revive(): Promise<number> {
    return this.unitOfWork.run(() => this.previews.revive(this.clock.now(), MAX_ATTEMPTS, REVIVE_AT_ONCE));
  }

  private async make(work: Work, signal?: AbortSignal): Promise<void> {
    await this.sandbox.inFolder(async (folder) => {
      const input = join(folder, 'input');
      await this.fetch(work, input, signal);
      const { outputs, metainfo } = await this.converter.convert(work.making, input, folder, signal);
      await this.keep(work, outputs, metainfo, signal);
    });
  }

  /** Brings what is to be converted: the content, or for pages of an office document or a text the PDF that was made of it. */
  private async fetch({ blobId, making, storeKey, sizeBytes }: Work, file: string, signal?: AbortSignal): Promise<void> {
    let source = { storeKey, sizeBytes };
    if (making === 'office-pages' || making === 'text-pages') {
      const pdf = await this.renditions.find(blobId, making === 'office-pages' ? 'office' : 'text', 'pdf');
      if (!pdf) throw new Unsupported('there is no PDF of it');
      source = pdf;
    }
    if (source.sizeBytes > MAX_INPUT_BYTES[making]) throw new Unsupported('it is too large');
    const range = making === 'text' ? { start: 0, endInclusive: TEXT_BYTES - 1 } : {};
    await pipeline(await this.store.getRange(source.storeKey, range), createWriteStream(file, { mode: 0o600 }), signal ? { signal } : {});
  }

  private async keep(work: Work, outputs: readonly Output[], metainfo: object | null, signal?: AbortSignal): Promise<void> {
    const made = outputs.map((output) => ({ ...output, storeKey: `derived/${newId()}` }));
    const notes = made.map(({ kind, storeKey, contentType }): Rendition => ({ kind, storeKey, contentType, sizeBytes: 0 }));
    await this.renditions.note(notes, new Date(this.clock.nowMs() + LEASE_MS));
    const keys = made.map(({ storeKey }) => storeKey);
    try {
      const stored: Rendition[] = [];
      for (const { kind, storeKey, contentType, file } of made) {
        signal?.throwIfAborted();
        const { sizeBytes } = await this.store.put(storeKey, await readOutput({ kind, file, contentType }), { contentType });
        stored.push({ kind, storeKey, contentType, sizeBytes });
      }
      const published = await this.unitOfWork.run(async () => {
        const mine = await this.renditions.publish(work, stored, metainfo, this.clock.now());
        if (mine && !PAGES.has(work.making)) await this.tell(work, stored);
        return mine;
      });
      if (!published) await this.renditions.giveUp(keys, this.clock.now());
    } catch (error) {
      await this.renditions.giveUp(keys, this.clock.now()).catch(() => undefined);
      throw error;
    }
  }

  private async end(work: Work, state: 'error' | 'unsupported', reason: string): Promise<void> {
    this.logger.info('a content has no preview', { making: work.making, state, reason });
    await this.unitOfWork.run(() => this.previews.end(work, state, reason, this.clock.now()));
  }

  /** Tells of new previews in the feeds of the files that have this content, and makes listings with them new. */
  private async tell({ blobId }: Work, renditions: readonly Rendition[]): Promise<void> {
    const placed = [...(await this.nodes.locate(await this.previews.filesOf(blobId, TOLD_FILES), null)).values()].filter(({ live }) => live);
    const kinds = renditions.map(({ kind }) => kind);
    const changes = placed.flatMap(({ node }): NodeChange[] =>
      node.parentId === null
        ? []
        : [{ type: 'extradata_created', actorId: null, node, folderId: node.parentId, name: node.name, facts: { processed: kinds } }],
    );
    await this.changes.record(changes);
    await this.nodes.bumpFolders(changes.map(({ folderId }) => ({ folderId: folderId!, files: 0, folders: 0, bytes: 0 })));
  }
}
