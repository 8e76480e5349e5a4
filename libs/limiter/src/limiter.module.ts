import { Module } from '@nestjs/common';

import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';

import { Limiter } from './limiter.js';
import { SlotRepository } from './repositories/slot.repository.js';

@Module({ imports: [DatabaseModule], providers: [{ provide: Clock, useClass: SystemClock }, SlotRepository, Limiter], exports: [Limiter] })
export class LimiterModule {}
