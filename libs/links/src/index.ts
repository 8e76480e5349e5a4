export { type AddResult, type AddToStorage, AddToStorageService, AddToStorageTask } from './add-to-storage.js';
export { ComplaintService } from './complaint.service.js';
export type { Link, LinkRights } from './link.js';
export { LinkDoor, type LinkKey, type OpenedLink } from './link-door.js';
export { type CreateLink, type LinkedNode, LinkService } from './link.service.js';
export { LinkUsage } from './link-usage.js';
export { LinkJobsModule, LinksModule } from './links.module.js';
export type {
  Complaint,
  ComplaintFilter,
  ComplaintForm,
  ComplaintOrder,
  ComplaintPage,
  ComplaintStatus,
} from './repositories/complaint.repository.js';
