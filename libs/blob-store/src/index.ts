export { BlobStoreModule, type BlobStoreSettings, createBlobStore } from './blob-store.module.js';
export {
  type BlobHead,
  BlobStore,
  type ByteRange,
  type DeleteOutcome,
  type Disposition,
  type ListedBlob,
  type ListedMultipart,
  type PartInfo,
  type PresignedPart,
  type PresignGetOptions,
  type PresignPartOptions,
  type PresignPutOptions,
  type PutOptions,
  type StoredBlob,
} from './blob-store.js';
export { contentDisposition } from './content-disposition.js';
export { DownloadGate, type DownloadPass } from './download-gate.js';
export { FilesystemBlobStore, type FilesystemBlobStoreOptions } from './filesystem-blob-store.js';
export { S3BlobStore, type S3BlobStoreOptions } from './s3-blob-store.js';
export { BLOB_PATH, type BlobGrant, SignedUrls, type SignedUrlsOptions } from './signed-urls.js';
export { UploadGate, type UploadSlot } from './upload-gate.js';
