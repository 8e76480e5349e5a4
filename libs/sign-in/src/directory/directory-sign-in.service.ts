import { Injectable } from '@nestjs/common';

import {
  type ArrivalRules,
  Arrivals,
  type ClientInfo,
  type Comparison,
  type LoginName,
  LoginTries,
  type ProvenPerson,
  SecondFactorService,
  type Session,
  SessionService,
  type TokenWish,
} from '#libs/accounts';
import { CompanyService, SignUpService } from '#libs/companies';
import { UnitOfWork } from '#libs/database';
import { DomainError, isDomainError, sha256 } from '#libs/kernel';
import { isMailAddress } from '#libs/mail';

import { Directory, type DirectoryPerson, type DirectorySettings } from './directory.js';

const MAX_NAME_BYTES = 256;
const MAX_PASSWORD_BYTES = 4_096;

export interface DirectoryCommand extends TokenWish {
  /** As the directory knows it; with `@` and the domain of a company when that is not named otherwise. */
  readonly name: string;
  readonly password: string;
  readonly companyId?: number | undefined;
  readonly domain?: string | undefined;
  readonly otp?: string | undefined;
}

interface Found {
  readonly companyId: number;
  readonly directory: DirectorySettings;
}

/** Sign-in of members by the directory of their company. */
@Injectable()
export class DirectorySignIn {
  constructor(
    private readonly directory: Directory,
    private readonly companies: CompanyService,
    private readonly signUp: SignUpService,
    private readonly arrivals: Arrivals,
    private readonly tries: LoginTries,
    private readonly secondFactor: SecondFactorService,
    private readonly sessions: SessionService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * Signs in by name and password; whom the company does not know yet becomes a member. INVALID_CREDENTIALS, also for a company that is unknown or has no
   * directory; LAST_ATTEMPT, LOGIN_LOCKED, RATE_LIMITED, PROVIDER_UNAVAILABLE, SECOND_FACTOR_REQUIRED, SECOND_FACTOR_WRONG; for whom the directory
   * knows ACCOUNT_DISABLED, FORBIDDEN (an account that no directory opens), QUOTA_EXCEEDED, LOGIN_TAKEN; INVALID_ARGUMENT for what is missing or too long.
   */
  async signIn(command: DirectoryCommand, client: ClientInfo): Promise<Session> {
    const { password } = command;
    const { name, domain } = splitName(command);
    if (name === '' || password === '') throw new DomainError('INVALID_ARGUMENT', 'Name and password are required.');
    if (Buffer.byteLength(name) > MAX_NAME_BYTES || Buffer.byteLength(password) > MAX_PASSWORD_BYTES || /\p{Cc}/u.test(name)) {
      throw new DomainError('INVALID_ARGUMENT', 'The name or the password is too long, or has control characters.');
    }
    const found = await this.find(command.companyId, domain);
    // directories compare names without case
    const key = `ldap:${found?.companyId ?? `${domain.toLowerCase()}#`}/${name.normalize('NFKC').toLowerCase()}`;
    const person = await this.tries.attempt({ key, holder: key, ip: client.ip, secret: password }, async (): Promise<Comparison<DirectoryPerson>> => {
      const known = found && (await this.directory.authenticate(found.directory, name, password));
      return known ? { end: 'right', value: known } : { end: 'wrong' };
    });
    return this.arrive(found!.companyId, name, person, command, client);
  }

  private async arrive(
    companyId: number,
    name: string,
    { subject, email, name: shown }: DirectoryPerson,
    command: DirectoryCommand,
    client: ClientInfo,
  ) {
    const login = email !== null && isMailAddress(email) ? email : null;
    const person: ProvenPerson = { subject, email: login, name: shown, scope: `company:${companyId}`, issuer: 'ldap' };
    const rules: ArrivalRules = {
      companyId,
      mayLink: true,
      create: (own) => this.signUp.joinProven(companyId, { login: own ?? ownLogin(companyId, name), name: shownName(shown || name) }),
    };
    // codes are counted outside of the transaction that lets the person in
    const expected = await this.arrivals.expected(person, rules);
    if (expected !== null) await this.secondFactor.require(expected, command.otp || undefined, client.ip);
    return this.unitOfWork.run(async () => {
      const accountId = await this.arrivals.of(person, rules);
      if (accountId !== expected && (await this.secondFactor.isOn(accountId)))
        throw new DomainError('BUSY', 'The account has just changed; try again.');
      return this.sessions.open(accountId, command, client);
    });
  }

  /** Null for a company that is unknown or asks no directory. */
  private async find(companyId: number | undefined, domain: string): Promise<Found | null> {
    try {
      const id = companyId ?? (domain === '' ? 0 : (await this.companies.byDomain(domain)).id);
      const directory = await this.companies.directoryOf(id);
      return directory && { companyId: id, directory };
    } catch (error) {
      if (isDomainError(error, 'COMPANY_NOT_FOUND')) return null;
      throw error;
    }
  }
}

/** `somebody@company.example` names the company too, where nothing else does. */
function splitName({ name: text, companyId, domain }: DirectoryCommand): { name: string; domain: string } {
  const at = text.lastIndexOf('@');
  if (companyId !== undefined || domain || at === -1) return { name: text.trim(), domain: domain?.trim() ?? '' };
  return { name: text.slice(0, at).trim(), domain: text.slice(at + 1).trim() };
}

/** The login of a member whom the directory gives no address. */
function ownLogin(companyId: number, name: string): LoginName {
  const value = `${companyId}/${name.replace(/[\p{C}:@]/gu, '_')}`;
  const short = Buffer.byteLength(value) > 200 ? `${companyId}/${sha256(name).toString('hex')}` : value;
  return { kind: 'ldap', value: short, valueKey: short.normalize('NFC').toLowerCase() };
}

function shownName(name: string): string {
  return Buffer.from(name.replace(/[\p{Cc}\p{Cs}]+/gu, ' ').trim())
    .subarray(0, 256)
    .toString('utf8')
    .replace(/\uFFFD+$/u, '');
}
