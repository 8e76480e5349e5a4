import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';

import { HttpModule } from '../../../http/http.module.js';
import { CloudikeEntry } from './cloudike-entry.js';

/** The framework of the dialect. The module that declares controllers imports it and provides `CloudikeCredentials`. */
@Module({ imports: [DiscoveryModule, HttpModule], providers: [CloudikeEntry], exports: [CloudikeEntry] })
export class CloudikeHttpModule {}
