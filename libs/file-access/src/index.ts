export { DeclaredTypes } from './declared-types.service.js';
export { FileAccessModule } from './file-access.module.js';
export { type FileDoorKey, FileDoor, type OpenedFileDoor } from './file-door.js';
export { type AccessFacts, type AccessMode, FileSharing, type ShareFile } from './file-sharing.service.js';
export type { Recipient } from './repositories/file-access.repository.js';
