import { Module } from '@nestjs/common';

import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';
import { LimiterModule } from '#libs/limiter';
import { MailModule } from '#libs/mail';

import { AccountDirectory } from './account-directory.service.js';
import { ActivityRecorder } from './activity-recorder.js';
import { AdminBootstrap } from './admin-bootstrap.service.js';
import { Authenticator } from './authenticator.service.js';
import { CredentialVerifier } from './credential-verifier.service.js';
import { PasswordHasher } from './password-hasher.js';
import { AccountRepository } from './repositories/account.repository.js';
import { LoginGuardRepository } from './repositories/login-guard.repository.js';
import { SecretRepository } from './repositories/secret.repository.js';
import { TokenRepository } from './repositories/token.repository.js';

/** Accounts, their logins, passwords, tokens and one-time secrets. */
@Module({
  imports: [DatabaseModule, LimiterModule, MailModule],
  providers: [
    { provide: Clock, useClass: SystemClock },
    AccountRepository,
    LoginGuardRepository,
    SecretRepository,
    TokenRepository,
    PasswordHasher,
    ActivityRecorder,
    CredentialVerifier,
    Authenticator,
    AccountDirectory,
    AdminBootstrap,
  ],
  exports: [Authenticator, AccountDirectory, AdminBootstrap],
})
export class AccountsModule {}
