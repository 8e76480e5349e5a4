export { type DirectoryCommand, DirectorySignIn } from './directory/directory-sign-in.service.js';
export { IdentityProviders, type IdentityProviderView } from './oidc/identity-providers.service.js';
export { keptName, OidcSignIn, ROUND_TRIP_MS } from './oidc/oidc-sign-in.service.js';
export { SignInModule } from './sign-in.module.js';
