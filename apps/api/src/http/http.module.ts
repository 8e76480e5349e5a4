import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';

import { RequestEntries } from './request-entries.js';
import { RouteDeclarations } from './route-declarations.js';

/** What all dialects share: the check that every route declares its access, and the list of entries. */
@Module({ imports: [DiscoveryModule], providers: [RouteDeclarations, RequestEntries], exports: [RequestEntries] })
export class HttpModule {}
