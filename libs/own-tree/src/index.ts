export { type ChangeItem, OwnTreeActions, type RemovedItems } from './own-tree-actions.service.js';
export { type FolderContent, type ItemKind, OwnTreeReader, type SizedFolder, type TreeUsage } from './own-tree-reader.service.js';
export { OwnTreeModule } from './own-tree.module.js';
