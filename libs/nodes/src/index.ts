export {
  type ChangedNode,
  changeOf,
  type ChangeType,
  type JsonFacts,
  type NodeChange,
  type NodeChangeType,
  type PersonalChangeType,
} from './changes/change.js';
export { ChangeLog, CHANGES_CHANNEL, type PersonalChange, type PersonalNews } from './changes/change-log.js';
export { LedgerModule } from './ledger/ledger.module.js';
export { bytesOf, type Media, type MediaBytes, MEDIA, negated, NO_BYTES, totalBytes } from './ledger/media-bytes.js';
export { type Blob, BlobRepository } from './ledger/repositories/blob.repository.js';
export { type DerivedKind, type DerivedObject, DerivedObjectRepository } from './ledger/repositories/derived-object.repository.js';
export { type FileToWrite, FileWriter, type UploadToWrite } from './ledger/repositories/file-writer.repository.js';
export { LEDGER_CHECKS, LedgerAudit, type LedgerCheck, type LedgerFault } from './ledger/repositories/ledger-audit.repository.js';
export { type LedgerBlob, type LedgerEntry, ObjectLedger } from './ledger/repositories/object-ledger.repository.js';
export { type Quota, quotaExceeded, QuotaLedger } from './ledger/repositories/quota-ledger.repository.js';
export { type Tombstone, TombstoneRepository } from './ledger/repositories/tombstone.repository.js';
export {
  type NewUploadSession,
  type OpenOutcome,
  type UploadSession,
  UploadSessionRepository,
  type UploadState,
} from './ledger/repositories/upload-session.repository.js';
export { type StoredVersion, type Version, type VersionOrigin, VersionRepository } from './ledger/repositories/version.repository.js';
export { FolderLimits, type LimitCheck } from './folder-limits.js';
export { FreeNames } from './free-names.js';
export { FolderMaker, type MakeFolders } from './folder-maker.js';
export { mediaOf, mimeTypeOf } from './media.js';
export {
  checkName,
  extensionOf,
  fittingName,
  MAX_NAME_BYTES,
  nameKey,
  numberedCandidates,
  numberedName,
  pathKey,
  pathSegments,
  restoreKey,
  segmentKeys,
} from './names.js';
export {
  childPath,
  depthOf,
  type LocatedNode,
  MAX_DEPTH,
  type MountRow,
  type NodeKind,
  type NodeRef,
  type NodeView,
  pageRows,
  type PathStart,
  type PlacedNode,
  type Removal,
  type Resolution,
} from './node.js';
export { authorOf, NodeResolver, nodeNotFound, viewerOf } from './node-resolver.js';
export { NodesModule } from './nodes.module.js';
export { type PurgeStep, Purger } from './purger.js';
export { type CopiedBatch, type CopyPair, CopyRepository, type CopyTarget } from './repositories/copy.repository.js';
export { type ChildrenPage, type ListedPage, ListingRepository, type NodeOrder } from './repositories/listing.repository.js';
export { type Mount, MountRepository, type NewMount, type PlacedMount } from './repositories/mount.repository.js';
export { type FolderDelta, folderDelta } from './repositories/folder-delta.js';
export { NodeRepository } from './repositories/node.repository.js';
export { PurgeRepository } from './repositories/purge.repository.js';
export { type SearchPage, SearchRepository } from './repositories/search.repository.js';
export { type Space, SpaceRepository } from './repositories/space.repository.js';
export { type SubtreeFigures, SubtreeRepository } from './repositories/subtree.repository.js';
export { type ChangedRow, type TrashPage, TrashRepository } from './repositories/trash.repository.js';
export { type Home, SpaceService } from './space.service.js';
export { mountIntoShare, SpaceCrossing } from './space-crossing.js';
export { type Removed, TrashBin } from './trash-bin.js';
