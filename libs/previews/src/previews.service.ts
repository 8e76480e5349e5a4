import { setTimeout as sleep } from 'node:timers/promises';
import { Readable } from 'node:stream';

import { Injectable } from '@nestjs/common';

import { AccessService, Policies } from '#libs/access';
import { AccountDirectory } from '#libs/accounts';
import { BlobStore } from '#libs/blob-store';
import { UnitOfWork } from '#libs/database';
import { BrowseService } from '#libs/files';
import { type Actor, Clock, DomainError } from '#libs/kernel';
import { type LocatedNode, type NodeRef, type StoredVersion, VersionRepository } from '#libs/nodes';
import { Outbox } from '#libs/queue';

import { type Format, formatOf, type Making, pagesOf } from './formats.js';
import { type Preview, PreviewRepository, type Rendition } from './repositories/preview.repository.js';
import { RenditionRepository } from './repositories/rendition.repository.js';
import { watermarked, watermarkTag } from './watermark.js';

/** What was made is made again on request, but not more often than this. */
const AGAIN_MS = 10 * 60_000;
const LOOK_EVERY_MS = 150;
/** How long a call waits for a preview that is being made. */
const WAIT_MS = 8_000;

export interface PreviewRequest {
  /** A version of the file; the current one when absent. */
  readonly versionNo?: number | undefined;
}

export interface OpenRequest extends PreviewRequest {
  /** `small`, `middle`, `preview`, `pdf`, or `page-<n>`. */
  readonly kind: string;
  /** Default 8 seconds; 0 = not at all. */
  readonly waitMs?: number;
}

/** A rendition that may be shown to the actor who asked. */
export interface OpenPreview {
  readonly node: LocatedNode;
  readonly contentType: string;
  /** Null when it is known only once the body is there. */
  readonly sizeBytes: number | null;
  /** The same only for the same bytes. */
  readonly etag: string;
  readonly body: () => Promise<Readable>;
}

/** A document as pictures to be shown one below the other. */
export interface DocumentView {
  readonly node: LocatedNode;
  readonly versionNo: number;
  readonly state: 'ready' | 'processing';
  /** Kinds for `open`, in their order. */
  readonly pictures: readonly string[];
  /** False: who looks at it may not print. */
  readonly mayPrint: boolean;
}

interface Subject {
  readonly node: LocatedNode;
  readonly version: StoredVersion;
  readonly format: Format | null;
}

/** Previews as people see them. Whoever may read a file may see its pictures; where his account or his right says so, with his name on them. */
@Injectable()
export class Previews {
  constructor(
    private readonly browse: BrowseService,
    private readonly access: AccessService,
    private readonly policies: Policies,
    private readonly versions: VersionRepository,
    private readonly previews: PreviewRepository,
    private readonly renditions: RenditionRepository,
    private readonly directory: AccountDirectory,
    private readonly store: BlobStore,
    private readonly outbox: Outbox,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** Has the previews of a file made, or made again. False: there is nothing to do. NODE_NOT_FOUND, NOT_A_FILE, VERSION_NOT_FOUND. */
  async start(actor: Actor, ref: NodeRef, request: PreviewRequest = {}): Promise<{ started: boolean }> {
    const { version, format } = await this.subject(actor, ref, request);
    if (format === null) return { started: false };
    if (await this.urge(version, format, AGAIN_MS)) return { started: true };
    const known = await this.previews.find(version.blobId, format);
    return { started: known?.state === 'new' || known?.state === 'processing' };
  }

  /**
   * A rendition. NO_PREVIEW when there is none: `details.reason` says whether it is still being made (`processing`), the content is broken (`error`), or
   * of a kind that cannot be shown (`unsupported`). Else as `start`, and FORBIDDEN for a PDF that its viewer may not have.
   */
  async open(actor: Actor, ref: NodeRef, request: OpenRequest): Promise<OpenPreview> {
    const { kind, waitMs = WAIT_MS } = request;
    const subject = await this.subject(actor, ref, request);
    const { node, version, format } = subject;
    const making = format !== null && kind.startsWith('page-') ? pagesOf(format) : format;
    if (making === null) throw noPreview('unsupported');
    const mark = await this.markOf(actor, node);
    if (kind === 'pdf' && mark !== null)
      throw new DomainError('FORBIDDEN', 'Your rights allow the pictures of this document, not the document itself.');
    const found = (await this.renditions.find(version.blobId, making, kind)) ?? (await this.made(version, making, kind, waitMs));
    return this.shown(node, found, mark);
  }

  /**
   * The pages of a document, or the one picture of anything else. It is `processing` when that takes longer than `waitMs`: ask again. NO_PREVIEW where
   * nothing can be shown; else as `start`.
   */
  async view(actor: Actor, ref: NodeRef, { versionNo, waitMs = WAIT_MS }: PreviewRequest & { readonly waitMs?: number } = {}): Promise<DocumentView> {
    const { node, version, format } = await this.subject(actor, ref, { versionNo });
    if (format === null) throw noPreview('unsupported');
    const until = this.clock.nowMs() + waitMs;
    const base = await this.ended(version, format, until);
    const mayPrint = (await this.policies.refusal(actor, 'print')) === null;
    const view = (state: DocumentView['state'], pictures: readonly string[]): DocumentView => ({
      node,
      versionNo: version.no,
      state,
      pictures,
      mayPrint,
    });
    if (base === null) return view('processing', []);
    const pages = pagesOf(format);
    const drawn = pages !== null && base.state === 'ready' ? await this.ended(version, pages, until) : base;
    if (drawn === null) return view('processing', []);
    if (pages !== null && drawn.state === 'ready') return view('ready', drawn.kinds);
    if (base.kinds.includes('preview')) return view('ready', ['preview']);
    throw noPreview(base.state);
  }

  private async subject(actor: Actor, ref: NodeRef, { versionNo }: PreviewRequest): Promise<Subject> {
    const node = await this.browse.get(actor, { node: ref, includeRemoved: 'id' in ref });
    if (node.kind !== 'file') throw new DomainError('NOT_A_FILE', 'A folder has no preview.');
    const no = versionNo ?? node.versionNo;
    const version = Number.isSafeInteger(no) && no > 0 ? await this.versions.find(node.id, no) : null;
    if (!version) throw new DomainError('VERSION_NOT_FOUND', 'The file has no such version.');
    return { node, version, format: formatOf(version.mimeType, version.sizeBytes) };
  }

  /** The name that must stand on what the actor sees; null when he may have the file itself. A guest has no name and no such duty. */
  private async markOf(actor: Actor, node: LocatedNode): Promise<string | null> {
    if (actor.kind !== 'account') return null;
    const [policy, rights] = [await this.policies.of(actor), await this.access.effectiveRights(actor, [node])];
    if (!policy.useWatermarks && rights.get(node.id)?.download === true) return null;
    const person = (await this.directory.find([actor.accountId])).get(actor.accountId);
    const login = person?.login.slice(person.login.indexOf(':') + 1) ?? '';
    return [person?.name, login].filter(Boolean).join(' ') || `user ${actor.accountId}`;
  }

  private shown(node: LocatedNode, { storeKey, contentType, sizeBytes }: Rendition, mark: string | null): OpenPreview {
    const etag = storeKey.slice(storeKey.lastIndexOf('/') + 1);
    if (mark === null) return { node, contentType, sizeBytes, etag, body: () => this.store.getRange(storeKey) };
    const tag = watermarkTag(etag, mark);
    const body = async (): Promise<Readable> =>
      Readable.from([await watermarked(() => this.store.getWhole(storeKey), mark, tag)], { objectMode: false });
    return { node, contentType: 'image/jpeg', sizeBytes: null, etag: tag, body };
  }

  /** A rendition that is not there yet. Throws NO_PREVIEW when it does not come. */
  private async made(version: StoredVersion, making: Making, kind: string, waitMs: number): Promise<Rendition> {
    const preview = await this.ended(version, making, this.clock.nowMs() + waitMs);
    const found = preview?.state === 'ready' ? await this.renditions.find(version.blobId, making, kind) : null;
    if (found) return found;
    throw noPreview(preview === null ? 'processing' : preview.state === 'ready' ? 'unsupported' : preview.state);
  }

  /** The preview once its run has ended, started here when nobody has; null when it has not ended by then. */
  private async ended(version: StoredVersion, making: Making, untilMs: number): Promise<Preview | null> {
    let preview = await this.previews.find(version.blobId, making);
    if (preview === null || (preview.state === 'new' && preview.kinds.length === 0)) await this.urge(version, making, AGAIN_MS);
    for (;;) {
      if (preview && (preview.kinds.length > 0 || (preview.state !== 'new' && preview.state !== 'processing'))) {
        return preview.kinds.length > 0 ? { ...preview, state: 'ready' } : preview;
      }
      if (this.clock.nowMs() + LOOK_EVERY_MS > untilMs) return null;
      await sleep(LOOK_EVERY_MS);
      preview = await this.previews.find(version.blobId, making);
    }
  }

  private async urge({ blobId, spaceId }: StoredVersion, making: Making, againMs: number): Promise<boolean> {
    const tenantId = await this.previews.tenantOf(spaceId);
    return this.unitOfWork.run(async () => {
      const again = new Date(this.clock.nowMs() - againMs);
      const urged = await this.previews.urge({ blobId, making, tenantId }, again, this.clock.now());
      if (urged) await this.outbox.add('previews.make', {});
      return urged;
    });
  }
}

function noPreview(reason: Preview['state']): DomainError {
  const texts = {
    new: 'The preview is being made; ask again in a moment.',
    processing: 'The preview is being made; ask again in a moment.',
    error: 'No preview could be made of this content.',
    unsupported: 'There is no preview of this kind of content here.',
    ready: 'There is no such preview of this content.',
  };
  return new DomainError('NO_PREVIEW', texts[reason], { reason });
}
