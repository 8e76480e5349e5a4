export { type CreateFromDiff, DiffService } from './diffs/diff.service.js';
export { DiffsModule } from './diffs/diffs.module.js';
export { type DerivedLink, DerivedLinkService } from './downloads/derived-link.service.js';
export { DownloadService, type DownloadLink, type LinkRequest, type OpenedFile } from './downloads/download.service.js';
export { DownloadsModule } from './downloads/downloads.module.js';
export { FilesJobsModule, FilesModule } from './files.module.js';
export {
  BrowseService,
  folderEtag,
  type FolderListing,
  type GetNode,
  type ListFolder,
  type SearchNodes,
  type Totals,
} from './tree/browse.service.js';
export { CopyService, type CopyNode, type CopyPlan, type CopySteps } from './tree/copy.service.js';
export { type CreateFolder, type CreateFolderIn, FolderService } from './tree/folder.service.js';
export { FolderSizeService, FolderSizeTask } from './tree/folder-size.js';
export { type FullListingResult, FullListingService, FullListingTask } from './tree/full-listing.js';
export { type MoveMany, MoveManyService } from './tree/move-many.service.js';
export { type MoveNode, MoveService, type Precheck, type PrecheckResult, type RenameNode } from './tree/move.service.js';
export { TreeJobsModule, TreeModule } from './tree/tree.module.js';
export { BatchConfirmService, type ConfirmOutcome, type UploadName } from './uploads/batch-confirm.service.js';
export { ConfirmService, type ConfirmUpload } from './uploads/confirm.service.js';
export { type ArrivedFile, FileIntake, type IncomingFile } from './uploads/file-intake.service.js';
export { type FsckFinding, type FsckKind, type FsckOptions, type FsckReport, FsckService } from './uploads/fsck.service.js';
export type { IntakeTap } from './uploads/intake-taps.js';
export { type MultiConfirmEntry, type MultiConfirmResult, MultiConfirmService, MultiConfirmTask } from './uploads/multi-confirm.js';
export { SessionUploadGate } from './uploads/session-upload-gate.js';
export { StoreJanitor } from './uploads/store-janitor.js';
export type { CreateUpload } from './uploads/upload-command.js';
export { newStoreKey } from './uploads/temp-names.js';
export { UploadIntake } from './uploads/upload-intake.js';
export { type CreatedUpload, type OpenedUpload, UploadService, type UploadTarget } from './uploads/upload.service.js';
export { type TicketHolder, UploadTickets } from './uploads/upload-tickets.service.js';
export { UploadJobsModule, UploadsModule } from './uploads/uploads.module.js';
export { AccountOverview, type AccountOverviewView } from './overview/account-overview.service.js';
export { OverviewModule } from './overview/overview.module.js';
