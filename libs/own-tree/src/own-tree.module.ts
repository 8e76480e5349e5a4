import { Module } from '@nestjs/common';

import { AccessModule } from '#libs/access';
import { DatabaseModule } from '#libs/database';
import { FilesModule } from '#libs/files';
import { NodesModule } from '#libs/nodes';
import { TrashModule } from '#libs/trash';

import { OwnTreeActions } from './own-tree-actions.service.js';
import { OwnTreeReader } from './own-tree-reader.service.js';

/** The tree of an account for callers to whom a file or folder is an id, and its name a text that need not be the only one of its kind. */
@Module({
  imports: [DatabaseModule, NodesModule, AccessModule, FilesModule, TrashModule],
  providers: [OwnTreeReader, OwnTreeActions],
  exports: [OwnTreeReader, OwnTreeActions],
})
export class OwnTreeModule {}
