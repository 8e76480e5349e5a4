import { Module } from '@nestjs/common';

import { AccountsModule } from '#libs/accounts';
import { CompaniesModule } from '#libs/companies';
import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';
import { SettingsModule } from '#libs/settings';

import { Directory } from './directory/directory.js';
import { DirectorySignIn } from './directory/directory-sign-in.service.js';
import { IdentityProviders } from './oidc/identity-providers.service.js';
import { OidcClient } from './oidc/oidc-client.js';
import { OidcSignIn } from './oidc/oidc-sign-in.service.js';
import { IdentityProviderRepository } from './oidc/repositories/identity-provider.repository.js';
import { OutboundHosts } from './outbound-hosts.js';

const SERVICES = [IdentityProviders, OidcSignIn, DirectorySignIn];

/** Sign-in by those who know a company's people: its identity provider, its directory; and by Google. */
@Module({
  imports: [DatabaseModule, AccountsModule, CompaniesModule, SettingsModule],
  providers: [{ provide: Clock, useClass: SystemClock }, OutboundHosts, OidcClient, Directory, IdentityProviderRepository, ...SERVICES],
  exports: SERVICES,
})
export class SignInModule {}
