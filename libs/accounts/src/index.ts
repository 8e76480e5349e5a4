export { AccountDirectory, type Person } from './account-directory.service.js';
export { AccountsModule } from './accounts.module.js';
export { AdminBootstrap } from './admin-bootstrap.service.js';
export { Authenticator } from './authenticator.service.js';
