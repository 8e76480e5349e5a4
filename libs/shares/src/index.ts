export { CompanyShareService, type OfferedFolder, type OutgoingItem, type PendingRequest } from './company-share.service.js';
export type { Whose } from './repositories/share-list.repository.js';
export { ShareAnswers } from './share-answers.js';
export { type OpenedShare, ShareDoor } from './share-door.js';
export type { FolderName } from './share-folders.js';
export { type Collaborator, type PendingInvitation, ShareListService } from './share-list.service.js';
export type { SubjectName } from './share-members.js';
export { type AddShare, memberRight, type Shared, ShareService, type ShareSubject } from './share.service.js';
export { SharesModule } from './shares.module.js';
