import { BrowseService, CopyService, FolderService, MoveService } from '#libs/files';
import type { AccountActor } from '#libs/kernel';

import { CloudikeController, CurrentActor, Params, Route } from '../http/index.js';
import { presentTotals } from '../presenters/listing.presenter.js';
import { NodeWire } from '../presenters/node-wire.js';
import { FolderCreateDto, MoveDto, PathDto, PrecheckDto, RenameDto, SetFavoriteDto } from './fileops.dto.js';

@CloudikeController('fileops')
export class FileopsController {
  constructor(
    private readonly folders: FolderService,
    private readonly browse: BrowseService,
    private readonly moves: MoveService,
    private readonly copies: CopyService,
    private readonly wire: NodeWire,
  ) {}

  @Route('fileops/folder_create', {
    auth: 'account',
    head: false,
    summary: 'Make a folder, with the folders above it',
    errors: { NAME_TAKEN: [403, 'FolderAlreadyCreated'], NOT_A_FOLDER: [403, 'NotAFolder'] },
  })
  async folderCreate(@CurrentActor() actor: AccountActor, @Params(FolderCreateDto) { path, created, modified }: FolderCreateDto) {
    return this.wire.node(
      actor,
      await this.folders.create(actor, { path, createParents: true, clientCreatedMs: created, clientModifiedMs: modified }),
    );
  }

  @Route('fileops/folder_info', {
    auth: 'account',
    summary: 'Size of a folder and number of items in it',
    errors: { NOT_A_FOLDER: [400, 'InvalidParameters'] },
  })
  async folderInfo(@CurrentActor() actor: AccountActor, @Params(PathDto) { path }: PathDto) {
    return presentTotals(await this.browse.totals(actor, { path }));
  }

  @Route('fileops/precheck', { auth: 'account', summary: 'Whether a move, copy or upload would meet something' })
  async precheck(@CurrentActor() actor: AccountActor, @Params(PrecheckDto) { toPath, fromPath, name, type, size }: PrecheckDto) {
    const { exists, overWritable, copyable } = await this.moves.precheck(actor, {
      targetFolder: { path: toPath },
      sources: fromPath?.map((path) => ({ path })),
      names: name,
      sizeBytes: size,
      operation: operationOf(type, fromPath !== undefined),
    });
    return { exists, over_writable: overWritable, copyable };
  }

  @Route('fileops/move', { auth: 'account', head: false, summary: 'Put a file or folder into another folder' })
  async move(@CurrentActor() actor: AccountActor, @Params(MoveDto) { fromPath, toPath, overwrite = true }: MoveDto) {
    const command = { source: { path: fromPath }, targetFolder: { path: toPath }, onConflict: overwrite ? 'replace' : 'fail' } as const;
    return this.wire.node(actor, await this.moves.move(actor, command));
  }

  @Route('fileops/copy', { auth: 'account', head: false, summary: 'Copy a file or folder; a taken name gets a number' })
  async copy(@CurrentActor() actor: AccountActor, @Params(MoveDto) { fromPath, toPath, overwrite = true }: MoveDto) {
    const command = { source: { path: fromPath }, targetFolder: { path: toPath }, onConflict: overwrite ? 'rename' : 'fail' } as const;
    return this.wire.node(actor, await this.copies.copy(actor, command));
  }

  @Route('fileops/rename', {
    auth: 'account',
    head: false,
    summary: 'Give a file or folder another name',
    errors: { NAME_TAKEN: [403, 'FileCantBeRenamed'], NAME_ILLEGAL: [403, 'FileCantBeRenamed'], ROOT_IMMUTABLE: [403, 'FileCantBeRenamed'] },
  })
  async rename(@CurrentActor() actor: AccountActor, @Params(RenameDto) { path, newname }: RenameDto) {
    return this.wire.node(actor, await this.moves.rename(actor, { node: { path }, name: newname }));
  }

  @Route('fileops/set_favorite', { auth: 'account', head: false, summary: 'Mark or unmark as favourite' })
  async setFavorite(@CurrentActor() actor: AccountActor, @Params(SetFavoriteDto) { path, favorite }: SetFavoriteDto) {
    return this.wire.node(actor, await this.browse.setFavorite(actor, { node: { path }, value: favorite }));
  }
}

/** What precheck is about: named by the client, or told by what it sent. */
function operationOf(type: string | undefined, hasSources: boolean): 'move' | 'copy' | 'create' {
  const named = /move|copy|create/.exec(type ?? '')?.[0];
  return (named as 'move' | 'copy' | 'create' | undefined) ?? (hasSources ? 'move' : 'create');
}
