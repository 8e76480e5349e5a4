export { AdministrationModule } from './administration.module.js';
export { type UserChange, UserEditor } from './user-editor.service.js';
