import { Injectable } from '@nestjs/common';

import { AdminRights } from '#libs/accounts';
import { type AccountActor, Clock, DomainError } from '#libs/kernel';

import { SoftRepository, type SoftUpdate, type SoftVersion } from './repositories/soft.repository.js';

const PLATFORMS: readonly string[] = ['windows', 'mac', 'linux', 'android', 'ios'];
const MAX_LIST = 2_000;
const MAX_VERSION_BYTES = 64;
const MAX_LINK_BYTES = 2_048;

/** Which version of a client program there is, and for whom: set by administrators of the system, read by the programs. FORBIDDEN for unknown platforms. */
@Injectable()
export class SoftService {
  constructor(
    private readonly rows: SoftRepository,
    private readonly rights: AdminRights,
    private readonly clock: Clock,
  ) {}

  /** The newest version meant for the person; one that is being tried out only reaches its share of those who have signed in. FORBIDDEN also when there is none. */
  async version(actor: AccountActor | null, platform: string): Promise<SoftVersion> {
    const found = await this.rows.newestVersion(checkedPlatform(platform), actor?.accountId ?? null);
    if (found === null) throw new DomainError('FORBIDDEN', 'There is no version for this platform.');
    return found;
  }

  /** Sets a version: a new one becomes the newest, a known one is changed in its place. FORBIDDEN, INVALID_ARGUMENT. */
  async setVersion(actor: AccountActor, given: SoftVersion): Promise<SoftVersion> {
    await this.rights.requireSystemAdmin(actor);
    const platform = checkedPlatform(given.platform);
    const version = { ...given, platform, version: checkedVersion(given.version), link: checkedLink(given.link) };
    await this.rows.putVersion(version, this.clock.now());
    return version;
  }

  /** Versions of one or all platforms, newest first; 2,000 at most. FORBIDDEN. */
  async versions(actor: AccountActor, platform?: string): Promise<SoftVersion[]> {
    await this.rights.requireSystemAdmin(actor);
    return this.rows.listVersions(platform ? checkedPlatform(platform) : null, MAX_LIST);
  }

  /** The update meant for the person: the pair that is tried out for every account whose id is a multiple of `competition`, else the base pair. FORBIDDEN also when there is none. */
  async update(actor: AccountActor | null, platform: string): Promise<{ readonly version: string; readonly link: string }> {
    const found = await this.rows.newestUpdate(checkedPlatform(platform));
    if (found === null) throw new DomainError('FORBIDDEN', 'There is no update for this platform.');
    const tries = found.competition !== 0 && actor !== null && actor.accountId % found.competition === 0;
    return tries ? { version: found.versionExp, link: found.linkExp } : { version: found.versionBase, link: found.linkBase };
  }

  /** Sets an update, as `setVersion`. With a competition the pair to try out is required. FORBIDDEN, INVALID_ARGUMENT. */
  async setUpdate(actor: AccountActor, given: SoftUpdate): Promise<SoftUpdate> {
    await this.rights.requireSystemAdmin(actor);
    const platform = checkedPlatform(given.platform);
    const update = { ...given, platform, versionBase: checkedVersion(given.versionBase), linkBase: checkedLink(given.linkBase) };
    if (given.competition !== 0 || given.versionExp !== '' || given.linkExp !== '') {
      checkedVersion(given.versionExp);
      checkedLink(given.linkExp);
    }
    await this.rows.putUpdate(update, this.clock.now());
    return update;
  }

  /** Updates of one or all platforms, newest first; 2,000 at most. FORBIDDEN. */
  async updates(actor: AccountActor, platform?: string): Promise<SoftUpdate[]> {
    await this.rights.requireSystemAdmin(actor);
    return this.rows.listUpdates(platform ? checkedPlatform(platform) : null, MAX_LIST);
  }
}

function checkedPlatform(platform: string): string {
  if (PLATFORMS.includes(platform)) return platform;
  throw new DomainError('FORBIDDEN', `The platform must be one of ${PLATFORMS.join(', ')}.`);
}

function checkedVersion(version: string): string {
  if (version !== '' && Buffer.byteLength(version) <= MAX_VERSION_BYTES && !/[\p{Cc}\s]/u.test(version)) return version;
  throw new DomainError('INVALID_ARGUMENT', `A version has 1 to ${MAX_VERSION_BYTES} bytes without spaces.`);
}

function checkedLink(link: string): string {
  if (Buffer.byteLength(link) <= MAX_LINK_BYTES && /^https?:\/\/[^\s/]/i.test(link) && URL.canParse(link)) return link;
  throw new DomainError('INVALID_ARGUMENT', 'A link is an absolute http(s) URL.');
}
