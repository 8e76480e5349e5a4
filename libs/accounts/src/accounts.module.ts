import { Module } from '@nestjs/common';

import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';
import { LimiterModule } from '#libs/limiter';
import { MailModule } from '#libs/mail';

import { AccountDirectory } from './account-directory.service.js';
import { AccountLoginsService } from './account-logins.service.js';
import { AccountValueService } from './account-value.service.js';
import { ActivityRecorder } from './activity-recorder.js';
import { AddressLimit } from './address-limit.js';
import { AccountAccess } from './admin/account-access.service.js';
import { AccountStates } from './admin/account-states.service.js';
import { Impersonation } from './admin/impersonation.service.js';
import { LoginLocks } from './admin/login-locks.js';
import { AdminRepository } from './admin/repositories/admin.repository.js';
import { UserSearchRepository } from './admin/repositories/user-search.repository.js';
import { RoleService } from './admin/role.service.js';
import { SystemAdmins } from './admin/system-admins.js';
import { UserInviter } from './admin/user-inviter.js';
import { UserSearch } from './admin/user-search.service.js';
import { AdminBootstrap } from './admin-bootstrap.service.js';
import { AdminRights } from './admin-rights.js';
import { Arrivals } from './arrivals/arrivals.service.js';
import { PersonLinkRepository } from './arrivals/repositories/person-link.repository.js';
import { Authenticator } from './authenticator.service.js';
import { CredentialVerifier } from './credential-verifier.service.js';
import { Devices } from './devices.service.js';
import { AccountSecretEntity } from './entities/account-secrets.entity.js';
import { AccountValueEntity } from './entities/account-values.entity.js';
import { LoginEntity } from './entities/logins.entity.js';
import { Identities } from './identities.service.js';
import { LoginTries } from './login-tries.js';
import { LoginService } from './login.service.js';
import { OauthService } from './oauth.service.js';
import { Oauth1Service } from './oauth1/oauth1.service.js';
import { NonceRepository } from './oauth1/repositories/nonce.repository.js';
import { SignedRequests } from './oauth1/signed-requests.js';
import { OneTimeSecrets } from './one-time-secrets.js';
import { FormerPasswords } from './former-passwords.js';
import { PasswordHasher } from './password-hasher.js';
import { ProfileService } from './profile.service.js';
import { ProgramTokens } from './program-tokens.service.js';
import { RecoveryService } from './recovery.service.js';
import { RegistrationService } from './registration.service.js';
import { AccountDayRepository } from './repositories/account-day.repository.js';
import { AbandonedRepository } from './repositories/abandoned.repository.js';
import { AccountRepository } from './repositories/account.repository.js';
import { AdminRightsRepository } from './repositories/admin-rights.repository.js';
import { DeviceRepository } from './repositories/device.repository.js';
import { IdentityRepository } from './repositories/identity.repository.js';
import { LoginGuardRepository } from './repositories/login-guard.repository.js';
import { OwnPoliciesRepository } from './repositories/own-policies.repository.js';
import { SecretRepository } from './repositories/secret.repository.js';
import { TokenKeyRepository } from './repositories/token-key.repository.js';
import { TokenRepository } from './repositories/token.repository.js';
import { ValueRepository } from './repositories/value.repository.js';
import { SecondFactorRepository } from './second-factor/repositories/second-factor.repository.js';
import { SecondFactorCodes } from './second-factor/second-factor-codes.js';
import { SecondFactorService } from './second-factor/second-factor.service.js';
import { SessionService } from './session.service.js';
import { SweepAccountsJob } from './sweep.job.js';
import { TokenKeys } from './token-keys.service.js';
import { UsedTokens } from './used-tokens.js';

const SERVICES = [
  AddressLimit,
  Authenticator,
  AccountDirectory,
  AdminBootstrap,
  AdminRights,
  LoginService,
  OauthService,
  Oauth1Service,
  UsedTokens,
  RegistrationService,
  RecoveryService,
  SessionService,
  ProfileService,
  AccountLoginsService,
  AccountValueService,
  Devices,
  SystemAdmins,
  AccountStates,
  AccountAccess,
  RoleService,
  Impersonation,
  UserInviter,
  UserSearch,
  LoginTries,
  SecondFactorService,
  Arrivals,
  Identities,
  TokenKeys,
  ProgramTokens,
];

/** Accounts, their logins, passwords, tokens and one-time secrets. */
@Module({
  imports: [DatabaseModule.forEntities([AccountSecretEntity, AccountValueEntity, LoginEntity]), LimiterModule, MailModule],
  providers: [
    { provide: Clock, useClass: SystemClock },
    AbandonedRepository,
    AccountDayRepository,
    AccountRepository,
    AdminRepository,
    AdminRightsRepository,
    DeviceRepository,
    UserSearchRepository,
    LoginLocks,
    LoginGuardRepository,
    SecretRepository,
    TokenRepository,
    TokenKeyRepository,
    IdentityRepository,
    OwnPoliciesRepository,
    ValueRepository,
    NonceRepository,
    SignedRequests,
    PasswordHasher,
    FormerPasswords,
    ActivityRecorder,
    CredentialVerifier,
    SecondFactorCodes,
    SecondFactorRepository,
    PersonLinkRepository,
    OneTimeSecrets,
    SweepAccountsJob,
    ...SERVICES,
  ],
  exports: [...SERVICES, PasswordHasher, OwnPoliciesRepository],
})
export class AccountsModule {}
