export { LedgerModule } from './ledger/ledger.module.js';
export { bytesOf, type Media, type MediaBytes, MEDIA, negated, NO_BYTES, totalBytes } from './ledger/media-bytes.js';
export { type Blob, BlobRepository } from './ledger/repositories/blob.repository.js';
export { type FileToWrite, FileWriter, type UploadToWrite, type WrittenFile } from './ledger/repositories/file-writer.repository.js';
export { type Quota, quotaExceeded, QuotaLedger } from './ledger/repositories/quota-ledger.repository.js';
export { type Tombstone, TombstoneRepository } from './ledger/repositories/tombstone.repository.js';
export { type StoredVersion, type Version, type VersionOrigin, VersionRepository } from './ledger/repositories/version.repository.js';
