import { Module } from '@nestjs/common';

import { AccountsModule } from '#libs/accounts';
import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';

import { KeyValues } from './key-values.service.js';
import { OfferService } from './offer.service.js';
import { KeyValueRepository } from './repositories/key-value.repository.js';
import { OfferRepository } from './repositories/offer.repository.js';
import { SettingRepository } from './repositories/setting.repository.js';
import { Settings } from './settings.service.js';

/** What administrators set for everybody: settings, key values, the offer. */
@Module({
  imports: [DatabaseModule, AccountsModule],
  providers: [{ provide: Clock, useClass: SystemClock }, SettingRepository, KeyValueRepository, OfferRepository, Settings, KeyValues, OfferService],
  exports: [Settings, KeyValues, OfferService],
})
export class SettingsModule {}
