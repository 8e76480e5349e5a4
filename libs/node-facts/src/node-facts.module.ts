import { Module } from '@nestjs/common';

import { DatabaseModule } from '#libs/database';
import { PreviewLinksModule } from '#libs/previews';

import { NodeFacts } from './node-facts.service.js';
import { NodeFactsRepository } from './repositories/node-facts.repository.js';

/** Links, shares and previews of nodes, for those who show nodes. */
@Module({ imports: [DatabaseModule, PreviewLinksModule], providers: [NodeFacts, NodeFactsRepository], exports: [NodeFacts] })
export class NodeFactsModule {}
