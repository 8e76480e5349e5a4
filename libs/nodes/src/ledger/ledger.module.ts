import { Module } from '@nestjs/common';

import { DatabaseModule } from '#libs/database';

import { BlobRepository } from './repositories/blob.repository.js';
import { FileWriter } from './repositories/file-writer.repository.js';
import { QuotaLedger } from './repositories/quota-ledger.repository.js';
import { TombstoneRepository } from './repositories/tombstone.repository.js';
import { UploadSessionRepository } from './repositories/upload-session.repository.js';
import { VersionRepository } from './repositories/version.repository.js';

/** The ledgers of bytes: quotas, blobs, versions, objects to be deleted. */
@Module({
  imports: [DatabaseModule],
  providers: [QuotaLedger, BlobRepository, VersionRepository, TombstoneRepository, UploadSessionRepository, FileWriter],
  exports: [QuotaLedger, BlobRepository, VersionRepository, TombstoneRepository, UploadSessionRepository, FileWriter],
})
export class LedgerModule {}
