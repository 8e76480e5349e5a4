import { Module } from '@nestjs/common';

import { DatabaseModule } from '#libs/database';

import { BlobRepository } from './repositories/blob.repository.js';
import { DerivedObjectRepository } from './repositories/derived-object.repository.js';
import { FileWriter } from './repositories/file-writer.repository.js';
import { LedgerAudit } from './repositories/ledger-audit.repository.js';
import { ObjectLedger } from './repositories/object-ledger.repository.js';
import { QuotaLedger } from './repositories/quota-ledger.repository.js';
import { TombstoneRepository } from './repositories/tombstone.repository.js';
import { UploadSessionRepository } from './repositories/upload-session.repository.js';
import { VersionRepository } from './repositories/version.repository.js';

const LEDGERS = [
  QuotaLedger,
  BlobRepository,
  VersionRepository,
  TombstoneRepository,
  UploadSessionRepository,
  DerivedObjectRepository,
  ObjectLedger,
  LedgerAudit,
  FileWriter,
];

/** The ledgers of bytes: quotas, blobs, versions, uploads under way, objects made for a download, objects to be deleted. */
@Module({ imports: [DatabaseModule], providers: LEDGERS, exports: LEDGERS })
export class LedgerModule {}
