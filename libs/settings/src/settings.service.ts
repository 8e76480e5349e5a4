import { Injectable } from '@nestjs/common';

import { AdminRights } from '#libs/accounts';
import { type AccountActor, Clock, DomainError } from '#libs/kernel';

import { SettingRepository } from './repositories/setting.repository.js';
import { SETTING_DEFAULTS, type SettingName, type SettingValues } from './setting-names.js';

/** How old a value may be: a change reaches every process within this time, and this one at once. */
const FRESH_MS = 1_000;

/** Settings that take effect without a restart. */
@Injectable()
export class Settings {
  private known: { readonly values: Promise<SettingValues>; readonly readMs: number } | undefined;

  constructor(
    private readonly rows: SettingRepository,
    private readonly rights: AdminRights,
    private readonly clock: Clock,
  ) {}

  /** What the setting is now; up to a second old. */
  async get(name: SettingName): Promise<boolean> {
    return (await this.all())[name];
  }

  /** FORBIDDEN with this sentence while the setting is off. */
  async require(name: SettingName, sentence: string): Promise<void> {
    if (!(await this.get(name))) throw new DomainError('FORBIDDEN', sentence);
  }

  /** All of them, for administrators of the system. FORBIDDEN. */
  async list(actor: AccountActor): Promise<SettingValues> {
    await this.rights.requireSystemAdmin(actor);
    return this.read();
  }

  /** Changes one, as an administrator of the system, and answers all. FORBIDDEN. */
  async set(actor: AccountActor, name: SettingName, value: boolean): Promise<SettingValues> {
    await this.rights.requireSystemAdmin(actor);
    await this.rows.set(name, value, actor.accountId, this.clock.now());
    this.known = undefined;
    return this.read();
  }

  private all(): Promise<SettingValues> {
    const nowMs = this.clock.nowMs();
    if (this.known === undefined || nowMs - this.known.readMs >= FRESH_MS) {
      const entry = { values: this.read(), readMs: nowMs };
      entry.values.catch(() => {
        if (this.known === entry) this.known = undefined;
      });
      this.known = entry;
    }
    return this.known.values;
  }

  private async read(): Promise<SettingValues> {
    const stored = new Map((await this.rows.list()).map(({ name, value }) => [name, value]));
    const entries = Object.entries(SETTING_DEFAULTS).map(([name, fallback]) => {
      const value = stored.get(name);
      return [name, typeof value === 'boolean' ? value : fallback];
    });
    return Object.fromEntries(entries) as SettingValues;
  }
}
