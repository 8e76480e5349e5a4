import type { Readable } from 'node:stream';

import { Injectable } from '@nestjs/common';

import { BlobStore } from '#libs/blob-store';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, Call, DomainError, isDomainError } from '#libs/kernel';
import { type LocatedNode, NodeRepository, quotaExceeded, UploadSessionRepository } from '#libs/nodes';

import { ConfirmService } from './confirm.service.js';
import { type IntakeTap, tapped } from './intake-taps.js';
import { planUpload } from './upload-command.js';
import { UploadIntake } from './upload-intake.js';
import { UploadPlaces } from './upload-places.js';
import { type OpenedUpload, UploadService } from './upload.service.js';

/** What the bytes become. */
export interface IncomingFile {
  /** A folder, in which `name` is made or gets a new version; or a file, which gets a new version whatever `name` says. */
  readonly target: Pick<LocatedNode, 'id' | 'kind'>;
  readonly name: string;
  /** Folders between the target folder and the file, made where they are missing. */
  readonly below?: readonly string[];
  readonly body: Readable;
  /** Bytes of the body, when they are known. */
  readonly sizeBytes: number | null;
  /** What a name that is taken leads to: a new version of the file, NAME_TAKEN, or a number behind it. Default `version`. */
  readonly onConflict?: 'version' | 'fail' | 'rename';
  /** What the bytes go through, one after the other, before they are stored. They must keep the number of bytes when `sizeBytes` is given. */
  readonly taps?: readonly IntakeTap[];
}

/** Bytes that have arrived and are durable; nobody sees them before they are confirmed. */
export interface ArrivedFile {
  readonly upload: OpenedUpload;
  readonly taps: readonly IntakeTap[];
}

/** Takes whole files whose bytes come through this process, in two steps, so that a request that breaks off behind a file shows none of its files. */
@Injectable()
export class FileIntake {
  constructor(
    private readonly uploads: UploadService,
    private readonly intake: UploadIntake,
    private readonly confirms: ConfirmService,
    private readonly nodes: NodeRepository,
    private readonly places: UploadPlaces,
    private readonly sessions: UploadSessionRepository,
    private readonly store: BlobStore,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Stores the bytes. As UploadService.create and UploadIntake.take; NODE_NOT_FOUND when the target is gone. */
  take(actor: AccountActor, file: IncomingFile): Promise<ArrivedFile> {
    // Nothing is changed for anybody before it is confirmed.
    return Call.aside(() => this.arrive(actor, file));
  }

  /**
   * Sends what has arrived through other taps, when only after its bytes it is known that it needs them. What was stored before is replaced, and deleted
   * at once. As `take`; UPLOAD_NOT_FOUND when it has ended.
   */
  again({ upload }: ArrivedFile, taps: readonly IntakeTap[]): Promise<ArrivedFile> {
    return Call.aside(async () => {
      const session = await this.sessions.find(upload.tempName);
      if (session?.state !== 'uploaded') throw new DomainError('UPLOAD_NOT_FOUND', 'There is no such upload.');
      const stored = await this.store.getRange(session.storeKey);
      const arrived = await this.bring(upload, stored, null, taps).finally(() => stored.destroy());
      // It may be what a tap was to keep from being stored. Should this fail, the object has a tombstone.
      await this.store.delete(session.storeKey).catch(() => undefined);
      return arrived;
    });
  }

  private async arrive(
    actor: AccountActor,
    { target, name, below = [], body, sizeBytes, onConflict = 'version', taps = [] }: IncomingFile,
  ): Promise<ArrivedFile> {
    const place = target.kind === 'folder' ? { folderId: target.id, path: [...below, name] } : await this.placeOf(target.id);
    const created = await this.uploads.create(actor, {
      ...place,
      overwrite: target.kind === 'file' || onConflict === 'version',
      ...(target.kind === 'folder' && onConflict === 'rename' ? { onConflict } : {}),
      createParents: below.length > 0,
      multipart: false,
      ...(sizeBytes === null ? {} : { sizeBytes }),
    });
    // Only a file whose checksum was announced is found without its bytes.
    if (created.kind === 'deduplicated') throw new DomainError('INTERNAL', 'an upload without a checksum was deduplicated');
    return this.bring(created, body, sizeBytes, taps);
  }

  private async bring(upload: OpenedUpload, body: Readable, sizeBytes: number | null, taps: readonly IntakeTap[]): Promise<ArrivedFile> {
    const flow = tapped(body, taps);
    try {
      await this.intake.take(upload, flow.body, sizeBytes);
    } catch (error) {
      flow.close();
      // What a body of unknown size is measured against is the space that is left, unless a tap has refused it.
      throw isDomainError(error, 'TOO_LARGE') && flow.body.errored !== error ? quotaExceeded() : error;
    }
    return { upload, taps };
  }

  /** Sends bytes that have arrived elsewhere: into a folder for which the same account pays. As UploadService.create; UPLOAD_NOT_FOUND. */
  async redirect(
    actor: AccountActor,
    { upload }: ArrivedFile,
    { folderId, path }: { readonly folderId: string; readonly path: readonly string[] },
  ): Promise<void> {
    const asked = planUpload({ path, overwrite: true, createParents: path.length > 1, multipart: false }, actor);
    const { plan, place } = await this.places.begin(actor, asked, folderId);
    const redirected = await Call.aside(() => this.sessions.redirect(upload.tempName, place.folder.spaceId, plan));
    if (!redirected) throw new DomainError('UPLOAD_NOT_FOUND', 'There is no such upload.');
  }

  /** Makes the files, all of them or none. As ConfirmService.confirm. */
  async confirm(actor: AccountActor, files: readonly ArrivedFile[]): Promise<LocatedNode[]> {
    const make = ({ upload, taps }: ArrivedFile) =>
      this.confirms.confirm({
        accountId: actor.accountId,
        tempName: upload.tempName,
        actor,
        ...(taps.length === 0 ? {} : { alongside: tellAll(taps) }),
      });
    const [only, ...more] = files;
    if (only && more.length === 0) return [await make(only)];
    return this.unitOfWork.run(async () => {
      const made: LocatedNode[] = [];
      for (const file of files) made.push(await make(file));
      return made;
    });
  }

  /** Where a file stands now, by its own name: that of the row, not of a mount. */
  private async placeOf(fileId: string): Promise<{ folderId: string; path: readonly string[] }> {
    const [file] = await this.nodes.byIds([fileId]);
    if (!file?.parentId || file.removal !== null) throw new DomainError('NODE_NOT_FOUND', 'The file was not found.');
    return { folderId: file.parentId, path: [file.name] };
  }
}

function tellAll(taps: readonly IntakeTap[]): (tempName: string) => Promise<void> {
  return async (tempName) => {
    for (const tap of taps) await tap.made(tempName);
  };
}
