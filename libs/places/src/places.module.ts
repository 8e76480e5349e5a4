import { Module } from '@nestjs/common';

import { AccessModule } from '#libs/access';
import { AccountsModule } from '#libs/accounts';
import { DatabaseModule } from '#libs/database';
import { FilesModule } from '#libs/files';
import { GroupsModule } from '#libs/groups';
import { LinksModule } from '#libs/links';
import { NodesModule } from '#libs/nodes';
import { SharesModule } from '#libs/shares';
import { TrashModule } from '#libs/trash';

import { GroupWelcome } from './group-welcome.js';
import { PlaceActions } from './place-actions.service.js';
import { PlaceFolders } from './place-folders.service.js';
import { PlaceReader } from './place-reader.service.js';
import { PlaceRepository } from './repositories/place.repository.js';

/** The tree for callers who know nodes by id and a few folders by what they are for. */
@Module({
  imports: [DatabaseModule, AccountsModule, GroupsModule, NodesModule, AccessModule, FilesModule, TrashModule, SharesModule, LinksModule],
  providers: [PlaceRepository, GroupWelcome, PlaceFolders, PlaceActions, PlaceReader],
  exports: [PlaceActions, PlaceReader],
})
export class PlacesModule {}
