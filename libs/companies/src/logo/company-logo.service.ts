import { Injectable } from '@nestjs/common';

import { AdminRights, companyNotFound } from '#libs/accounts';
import { BlobStore } from '#libs/blob-store';
import { AppConfig } from '#libs/config';
import { UnitOfWork } from '#libs/database';
import { UploadService, type UploadTarget } from '#libs/files';
import { type AccountActor, Clock, DomainError, isDomainError, isUuid, newId } from '#libs/kernel';
import { SpaceService, type UploadSession, UploadSessionRepository } from '#libs/nodes';
import { Pictures } from '#libs/previews';

import { CompanyRepository } from '../repositories/company.repository.js';
import { logoKey, LogoRepository } from '../repositories/logo.repository.js';

export interface LogoUpload extends UploadTarget {
  readonly tempName: string;
}

/** What the sender says about the bytes; absent = nothing. */
export interface LogoFacts {
  readonly sizeBytes?: number | undefined;
  /** MD5 as lower-case hex. */
  readonly md5?: string | undefined;
}

const CONTENT_TYPE = 'image/jpeg';
const MAX_LOGO_BYTES = 10 * 2 ** 20;
/** Time to make the picture and store it. */
const LEASE_MS = 15 * 60_000;

/**
 * Logos of companies. The bytes come as those of files do, by an upload session of the administrator, and never become a file; what is shown is a picture
 * made anew of them. COMPANY_NOT_FOUND for the companies of others, FORBIDDEN for who is no administrator.
 */
@Injectable()
export class CompanyLogo {
  constructor(
    private readonly rights: AdminRights,
    private readonly companies: CompanyRepository,
    private readonly logos: LogoRepository,
    private readonly uploads: UploadService,
    private readonly sessions: UploadSessionRepository,
    private readonly spaces: SpaceService,
    private readonly pictures: Pictures,
    private readonly store: BlobStore,
    private readonly unitOfWork: UnitOfWork,
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {}

  /** Where the bytes go. TOO_LARGE over 10 MiB, QUOTA_EXCEEDED, FORBIDDEN. */
  async upload(actor: AccountActor, companyId: number, { sizeBytes, md5 }: LogoFacts): Promise<LogoUpload> {
    await this.rights.requireCompanyAdmin(actor, companyId);
    if ((sizeBytes ?? 0) > MAX_LOGO_BYTES) throw tooLarge();
    const home = await this.spaces.homeOf(actor.accountId);
    const plan = {
      startId: home.rootId,
      path: ['logo'],
      overwrite: false,
      expectedVersionNo: 0,
      createParents: false,
      clientCreatedMs: null,
      clientModifiedMs: null,
      deviceId: null,
      deviceReference: null,
      authorId: actor.accountId,
      onConflict: 'rename' as const,
      logoOf: companyId,
    };
    const declared = { sizeBytes: sizeBytes ?? null, md5: md5 ?? null };
    const { url, method, headers, tempName } = await this.uploads.open(actor.accountId, home.spaceId, plan, declared, false, sizeBytes ?? 0);
    return { url, method, headers, tempName };
  }

  /**
   * Makes what was uploaded the logo; saying it again for the same upload changes nothing. UPLOAD_NOT_FOUND, UPLOAD_INCOMPLETE, TOO_LARGE, SIZE_MISMATCH,
   * CHECKSUM_MISMATCH, INVALID_ARGUMENT for what is no picture.
   */
  async confirm(actor: AccountActor, companyId: number, tempName: string, facts: LogoFacts): Promise<void> {
    await this.rights.requireCompanyAdmin(actor, companyId);
    if ((await this.logos.uploadOf(companyId)) === tempName) return;
    const session = await this.received(actor, companyId, tempName, facts);
    const picture = await this.pictures.jpeg(await this.bytesOf(session));
    const logoId = newId(this.clock.nowMs());
    await this.logos.note(logoId, actor.accountId, CONTENT_TYPE, new Date(this.clock.nowMs() + LEASE_MS));
    try {
      const { sizeBytes } = await this.store.put(logoKey(logoId), picture, { contentType: CONTENT_TYPE, sizeBytes: picture.length });
      const published = await this.unitOfWork.run(async () => {
        if ((await this.companies.lock(companyId)) === null) throw companyNotFound();
        await this.rights.requireCompanyAdmin(actor, companyId);
        return this.logos.publish(companyId, logoId, tempName, sizeBytes);
      });
      if (!published) throw new DomainError('BUSY', 'This took too long; try again.');
    } catch (error) {
      await this.logos.giveUp(logoId, this.clock.now()).catch(() => undefined);
      throw error;
    }
    await this.sessions.endLease(tempName, this.clock.now());
  }

  /** Takes the logo away; its URL ends at once. */
  async clear(actor: AccountActor, companyId: number): Promise<void> {
    await this.unitOfWork.run(async () => {
      await this.rights.requireCompanyAdmin(actor, companyId);
      if ((await this.companies.lock(companyId)) === null) throw companyNotFound();
      await this.logos.clear(companyId);
    });
  }

  /** The bytes of a logo that a company has now, a JPEG. NODE_NOT_FOUND for any other. */
  async read(logoId: string): Promise<Buffer> {
    if (!isUuid(logoId) || !(await this.logos.isUsed(logoId))) throw gone();
    try {
      return await this.store.getWhole(logoKey(logoId));
    } catch (error) {
      if (isDomainError(error, 'STORAGE_UNAVAILABLE') && error.details['missing'] === true) throw gone();
      throw error;
    }
  }

  /** Where everybody can see a logo; empty without one. It changes with the logo, so it may be kept for ever. */
  urlOf(logoId: string | null): string {
    return logoId === null ? '' : `${this.config.http.publicUrl.replace(/\/+$/, '')}/api/1/company/logo/${logoId}/`;
  }

  private async received(actor: AccountActor, companyId: number, tempName: string, { sizeBytes, md5 }: LogoFacts): Promise<UploadSession> {
    const session = await this.sessions.find(tempName);
    const { logoOf } = (session?.command ?? {}) as { readonly logoOf?: unknown };
    if (session?.accountId !== actor.accountId || logoOf !== companyId) throw new DomainError('UPLOAD_NOT_FOUND', 'There is no such upload.');
    if (session.state === 'reserved') throw new DomainError('UPLOAD_INCOMPLETE', 'The bytes have not arrived.');
    if (session.state !== 'uploaded' || session.sizeBytes === null) throw new DomainError('UPLOAD_CLOSED', 'This upload has ended.');
    if (session.sizeBytes > MAX_LOGO_BYTES) throw tooLarge();
    const sizes = [sizeBytes, session.declaredBytes].filter((size) => size !== undefined && size !== null);
    if (sizes.some((size) => size !== session.sizeBytes)) throw new DomainError('SIZE_MISMATCH', 'The upload has another size.');
    const sums = [md5, session.declaredMd5].filter((sum) => sum !== undefined && sum !== null);
    if (sums.some((sum) => sum !== session.md5)) throw new DomainError('CHECKSUM_MISMATCH', 'The upload has another checksum.');
    return session;
  }

  private async bytesOf(session: UploadSession): Promise<Buffer> {
    try {
      return await this.store.getWhole(session.storeKey);
    } catch (error) {
      if (isDomainError(error, 'STORAGE_UNAVAILABLE') && error.details['missing'] === true)
        throw new DomainError('UPLOAD_INCOMPLETE', 'The bytes have not arrived.', {}, { cause: error });
      throw error;
    }
  }
}

function tooLarge(): DomainError {
  return new DomainError('TOO_LARGE', `A logo can have ${MAX_LOGO_BYTES} bytes at most.`);
}

function gone(): DomainError {
  return new DomainError('NODE_NOT_FOUND', 'There is no such logo.');
}
