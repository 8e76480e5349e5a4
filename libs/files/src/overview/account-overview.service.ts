import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';

import { type AccountProfile, ProfileService } from '#libs/accounts';
import { AppConfig } from '#libs/config';
import { type AccountActor, Clock } from '#libs/kernel';
import { type Media, type Quota, QuotaLedger, SpaceRepository } from '#libs/nodes';

import { OverviewRepository, type PlacedBytes } from './repositories/overview.repository.js';
import { RosterRepository } from './repositories/roster.repository.js';

export interface FileTypeFigures {
  readonly files: number;
  readonly bytes: number;
}

/** An account and what it stores, in bytes. */
export interface AccountOverviewView {
  readonly profile: AccountProfile;
  /** `limitBytes` null = not limited. `usedBytes` counts every version, the trash included. */
  readonly quota: Quota;
  /** Current versions in the trash; up to 15 seconds old. */
  readonly trashBytes: number;
  /** Versions that are not current; up to 15 seconds old. */
  readonly overheadBytes: number;
  /** Live files by kind of content, when asked for. */
  readonly fileTypes: Readonly<Partial<Record<Media, FileTypeFigures>>> | null;
}

const FRESH_MS = 15_000;

/** Account, quota and use of storage in one view. */
@Injectable()
export class AccountOverview {
  private readonly placed = new LRUCache<number, { readonly bytes: PlacedBytes; readonly usedBytes: number; readonly readMs: number }>({
    max: 20_000,
  });

  constructor(
    private readonly profiles: ProfileService,
    private readonly quotas: QuotaLedger,
    private readonly spaces: SpaceRepository,
    private readonly figures: OverviewRepository,
    private readonly roster: RosterRepository,
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {}

  /** The overview of `userId` for those who may see it, else of the actor (as `ProfileService.get`). `fileTypes` visits every file. */
  async get(actor: AccountActor, options: { readonly userId?: number | undefined; readonly fileTypes?: boolean } = {}): Promise<AccountOverviewView> {
    return this.of(await this.profiles.get(actor, options.userId), options.fileTypes ?? false);
  }

  /** The overview of an account that the caller holds already. */
  async of(profile: AccountProfile, fileTypes = false): Promise<AccountOverviewView> {
    const { id } = profile.account;
    const [quota, home] = await Promise.all([this.quotas.get(id), this.spaces.findHome(id)]);
    // The home is made at the first use; an administrator may have set a quota before.
    if (home === null) return { ...(await this.ofMany([profile]))[0]!, fileTypes: fileTypes ? {} : null };
    const placed = await this.placedBytes(id, home, quota.usedBytes);
    const overheadBytes = Math.max(0, quota.usedBytes - placed.liveBytes - placed.trashBytes);
    const types = fileTypes ? await this.figures.fileTypes(home.rootId) : null;
    return {
      profile,
      quota,
      trashBytes: placed.trashBytes,
      overheadBytes,
      fileTypes: types && Object.fromEntries(types.map(({ media, files, bytes }) => [media, { files, bytes }])),
    };
  }

  /** The overviews of many accounts that the caller holds already, in one statement and without file types. */
  async ofMany(profiles: readonly AccountProfile[]): Promise<AccountOverviewView[]> {
    if (profiles.length === 0) return [];
    const rows = new Map((await this.roster.figures(profiles.map(({ account }) => account.id))).map((row) => [row.accountId, row]));
    return profiles.map((profile) => {
      const row = rows.get(profile.account.id)!;
      const usedBytes = row.usedBytes ?? 0;
      const { imageBytes: image, audioBytes: audio, videoBytes: video, softLimitBytes, reservedBytes, trashBytes } = row;
      // Quota and home are made at the first use.
      const limitBytes = row.usedBytes === null ? this.config.accounts.defaultQuotaBytes || null : row.limitBytes;
      const media = { image, audio, video, other: usedBytes - image - audio - video };
      const overheadBytes = Math.max(0, usedBytes - row.liveBytes - trashBytes);
      return { profile, quota: { limitBytes, softLimitBytes, usedBytes, reservedBytes, media }, trashBytes, overheadBytes, fileTypes: null };
    });
  }

  private async placedBytes(accountId: number, home: { spaceId: string; rootId: string }, usedBytes: number): Promise<PlacedBytes> {
    const nowMs = this.clock.nowMs();
    const known = this.placed.get(accountId);
    if (known !== undefined && known.usedBytes === usedBytes && nowMs - known.readMs < FRESH_MS) return known.bytes;
    const bytes = await this.figures.placedBytes(home.spaceId, home.rootId);
    this.placed.set(accountId, { bytes, usedBytes, readMs: nowMs });
    return bytes;
  }
}
