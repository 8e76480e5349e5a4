import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { BlobStore } from '#libs/blob-store';
import { UnitOfWork } from '#libs/database';
import { type Actor, Call, Clock, DomainError, isDomainError } from '#libs/kernel';
import { type LocatedNode, NodeResolver, type UploadSession, UploadSessionRepository } from '#libs/nodes';

import { isOvertaking, Overtaken } from './overtaken.js';
import { isTempName } from './temp-names.js';
import { isStarter, planOf, starterOf } from './upload-command.js';
import { UploadPlaces } from './upload-places.js';
import { UploadWriter } from './upload-writer.js';

export interface ConfirmUpload {
  readonly accountId: number;
  readonly tempName: string;
  /** Who confirms; null: whoever knows the name of the upload. Whoever it is, the right of the one who started the upload counts. */
  readonly actor: Actor | null;
  /** Runs in the transaction that makes the file; what it throws undoes the file. Not for a repeat, which makes nothing. */
  readonly alongside?: (tempName: string) => Promise<void>;
}

/** Rounds of a confirm that others keep overtaking. */
const MAX_ROUNDS = 10;
/** How long to wait for another process that is putting the parts together. */
const ASSEMBLY_WAIT_MS = 200;
const ASSEMBLY_LOOKS = 50;

/** Makes uploads visible: a file, or a version of one. */
@Injectable()
export class ConfirmService {
  private readonly assemblies = new Map<string, Promise<void>>();

  constructor(
    private readonly sessions: UploadSessionRepository,
    private readonly resolver: NodeResolver,
    private readonly places: UploadPlaces,
    private readonly writer: UploadWriter,
    private readonly access: AccessService,
    private readonly store: BlobStore,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * The file that the upload has become; repeating it gives the same answer. UPLOAD_NOT_FOUND, UPLOAD_INCOMPLETE, SIZE_MISMATCH,
   * CHECKSUM_MISMATCH, NAME_TAKEN, VERSION_CONFLICT, VERSION_INVALID, PARENT_NOT_FOUND, QUOTA_EXCEEDED: then the upload stays as it is and
   * can be sent and confirmed again. NODE_NOT_FOUND when the confirmed file is gone, or the place is closed to whoever started the upload;
   * FORBIDDEN when he may still see it, but not write there.
   */
  async confirm(command: ConfirmUpload): Promise<LocatedNode> {
    let overtaken: Overtaken | undefined;
    for (let round = 1; round <= MAX_ROUNDS; round++) {
      const session = await this.sessionOf(command);
      if (session.state === 'committed') return this.confirmed(session, command);
      try {
        return await this.write(session, command);
      } catch (error) {
        // A parallel repeat may have confirmed this very upload, which makes its own file the conflict.
        const now = await this.sessions.find(command.tempName);
        if (now?.state === 'committed') return this.confirmed(now, command);
        if (!(error instanceof Overtaken)) throw error;
        overtaken = error;
      }
    }
    // What has the name without being seen: a mount whose folder is not in place.
    if (isDomainError(overtaken?.cause, 'NAME_TAKEN')) throw overtaken.cause;
    throw new DomainError('BUSY', 'Too many changes at the same place; try again.');
  }

  private async sessionOf({ accountId, tempName, actor }: ConfirmUpload): Promise<UploadSession> {
    const session = isTempName(tempName) ? await this.sessions.find(tempName) : null;
    if (!session || session.accountId !== accountId || session.state === 'abandoned' || (actor?.kind === 'guest' && !isStarter(session, actor))) {
      throw new DomainError('UPLOAD_NOT_FOUND', 'There is no such upload.');
    }
    if (!session.accountActive && actor?.kind !== 'system') throw new DomainError('FORBIDDEN', 'This account may not upload.');
    const { diff, guest } = planOf(session);
    // whoever confirms without showing a pass or a credential is told by the upload
    if (guest && actor === null) Call.identify({ ...guest, companyId: session.companyId });
    if (diff && session.state !== 'committed' && diff.made?.storeKey !== session.storeKey) {
      throw new DomainError('UPLOAD_NOT_FOUND', 'This upload brings a delta and is confirmed as one.');
    }
    return session;
  }

  private async confirmed(session: UploadSession, { actor }: ConfirmUpload): Promise<LocatedNode> {
    const starter = starterOf(session);
    // A guest's pass may open a folder only for bringing: he is told about his own files all the same.
    const asker = starter.kind === 'guest' ? starter : (actor ?? starter);
    const placed = await this.resolver.find(asker, { id: session.nodeId ?? '' });
    if (!placed) throw new DomainError('NODE_NOT_FOUND', 'The file was removed after its upload.');
    await this.access.require(asker, asker.kind === 'guest' ? 'node.create' : 'node.read', [placed.node]);
    return placed.node;
  }

  private async write(session: UploadSession, { actor, alongside }: ConfirmUpload): Promise<LocatedNode> {
    const resolution = await this.places.find(session, actor);
    if (session.state === 'reserved') {
      await this.assemble(session);
      throw new Overtaken();
    }
    verifyDeclared(session);
    const place = await this.places.place(planOf(session), resolution);
    try {
      if (!alongside) return await this.writer.fromSession({ session, place });
      return await this.unitOfWork.run(async () => {
        const node = await this.writer.fromSession({ session, place });
        await alongside(session.tempName);
        return node;
      });
    } catch (error) {
      throw isOvertaking(error) ? new Overtaken('the place changed', { cause: error }) : error;
    }
  }

  /** Has the parts put together, once per process and upload at a time. UPLOAD_INCOMPLETE when nothing has arrived. */
  private async assemble(session: UploadSession): Promise<void> {
    const running = this.assemblies.get(session.tempName);
    if (running) return running;
    const work = this.assembleParts(session).finally(() => this.assemblies.delete(session.tempName));
    this.assemblies.set(session.tempName, work);
    return work;
  }

  private async assembleParts({ tempName, storeKey, multipartId, declaredBytes }: UploadSession): Promise<void> {
    if (multipartId === null) throw new DomainError('UPLOAD_INCOMPLETE', 'The bytes of this upload have not arrived.');
    const parts = await this.store.listParts(storeKey, multipartId);
    if (parts) {
      const sum = parts.reduce((bytes, part) => bytes + part.sizeBytes, 0);
      // Judged while the parts are still open, so that a wrong one can be replaced.
      if (parts.length > 0 && declaredBytes !== null && sum !== declaredBytes) throw sizeMismatch(declaredBytes, sum);
      await this.sessions.growReservation(tempName, sum);
    }
    try {
      const blob = await this.store.completeMultipart(storeKey, multipartId);
      await this.sessions.stored(tempName, storeKey, blob, this.clock.now());
    } catch (error) {
      if (!isDomainError(error, 'UPLOAD_NOT_FOUND')) throw error;
      await this.waitForOther(tempName, error);
    }
  }

  /** Another process is putting the parts together: they are no upload any more and not yet an object. */
  private async waitForOther(tempName: string, error: DomainError): Promise<void> {
    for (let look = 0; look < ASSEMBLY_LOOKS; look++) {
      const session = await this.sessions.find(tempName);
      if (!session || session.state !== 'reserved') return;
      await new Promise((resolve) => setTimeout(resolve, ASSEMBLY_WAIT_MS));
    }
    throw error;
  }
}

/** SIZE_MISMATCH or CHECKSUM_MISMATCH when the bytes are not those that were announced at creation. */
export function verifyDeclared({ declaredBytes, declaredMd5, sizeBytes, md5 }: UploadSession): void {
  if (declaredBytes !== null && declaredBytes !== sizeBytes) throw sizeMismatch(declaredBytes, sizeBytes ?? 0);
  if (declaredMd5 !== null && declaredMd5 !== md5) {
    throw new DomainError('CHECKSUM_MISMATCH', 'The bytes received do not have the announced checksum.', { declaredMd5, md5 });
  }
}

function sizeMismatch(declaredBytes: number, sizeBytes: number): DomainError {
  return new DomainError('SIZE_MISMATCH', `${sizeBytes} bytes were received, ${declaredBytes} were announced.`, { declaredBytes, sizeBytes });
}
