import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';

import { Clock, SystemClock } from '#libs/kernel';

import { DialectMounts } from './dialect/dialect-mounts.js';
import { RequestEntries } from './request-entries.js';
import { RouteDeclarations } from './route-declarations.js';
import { UpgradeEntries } from './upgrade-entries.js';

/** What all dialects share: the check that every route declares its access, the list of entries, and the way into dialects. */
@Module({
  imports: [DiscoveryModule],
  providers: [RouteDeclarations, RequestEntries, UpgradeEntries, DialectMounts, { provide: Clock, useClass: SystemClock }],
  exports: [RequestEntries, UpgradeEntries, DialectMounts],
})
export class HttpModule {}
