export { ArchiveNames, safeArchivePath, type SafeNameOptions } from './zip/safe-names.js';
export { type OpenContent } from './zip/zip-content.js';
export { deflateZip, type DeflateZipOptions } from './zip/zip-deflate.js';
export { type StoredEntry, type ZipEntry, ZipEntryLog } from './zip/zip-entry-log.js';
export { ZipLayout, type ZipLayoutOptions } from './zip/zip-layout.js';
export { streamZip, type StreamZipOptions } from './zip/zip-stream.js';
