import type { AccountActor } from '#libs/kernel';
import type { NodeRef } from '#libs/nodes';
import { TrashService } from '#libs/trash';

import { CloudikeController, CurrentActor, Header, ok, Params, PathTail, Reply, Route, UrlSegment } from '../http/index.js';
import { knownHash } from '../presenters/etag.js';
import { hashHeaders } from '../presenters/listing.presenter.js';
import { NodeWire } from '../presenters/node-wire.js';
import { presentOutcomes, succeeded, theOnly } from '../presenters/outcome.presenter.js';
import { presentTask } from '../presenters/task.presenter.js';
import { DeleteDto, MultiDeleteDto, MultiPathDto, PathDto } from './fileops.dto.js';
import { orderOf } from './order.js';
import { TrashClearDto, TrashListDto, TrashRestoreDto, TrashRestoreManyDto } from './trash.dto.js';

@CloudikeController('trash')
export class TrashController {
  constructor(
    private readonly trash: TrashService,
    private readonly wire: NodeWire,
  ) {}

  @Route('fileops/delete', { auth: 'account', head: false, summary: 'Move a file or folder to the trash, or erase it' })
  async delete(@CurrentActor() actor: AccountActor, @Params(DeleteDto) { path, onlyEmpty = false, withoutTrash = false }: DeleteDto) {
    return this.wire.node(actor, theOnly(await this.trash.trash(actor, { nodes: [{ path }], onlyEmpty, permanent: withoutTrash })));
  }

  @Route('fileops/multi/delete', { auth: 'account', head: false, summary: 'Move files and folders to the trash, or erase them' })
  async multiDelete(@CurrentActor() actor: AccountActor, @Params(MultiDeleteDto) { paths, onlyEmpty = false, withoutTrash = false }: MultiDeleteDto) {
    const outcomes = await this.trash.trash(actor, { nodes: paths.map((path) => ({ path })), onlyEmpty, permanent: withoutTrash });
    return presentOutcomes(paths, outcomes, await this.wire.around(actor, succeeded(outcomes)));
  }

  @Route('fileops/undelete', { auth: 'account', head: false, summary: 'Put what was deleted last at a path back in its place' })
  async undelete(@CurrentActor() actor: AccountActor, @Params(PathDto) { path }: PathDto) {
    return this.wire.node(actor, theOnly(await this.trash.undelete(actor, { paths: [path] })));
  }

  @Route('fileops/multi/undelete', { auth: 'account', head: false, summary: 'Put what was deleted at several paths back' })
  async multiUndelete(@CurrentActor() actor: AccountActor, @Params(MultiPathDto) { paths }: MultiPathDto) {
    const outcomes = await this.trash.undelete(actor, { paths });
    return presentOutcomes(paths, outcomes, await this.wire.around(actor, succeeded(outcomes)));
  }

  @Route('trash', { auth: 'account', summary: 'What is in the trash' })
  async list(@CurrentActor() actor: AccountActor, @Params(TrashListDto) params: TrashListDto, @Header('If-None-Match') ifNoneMatch?: string) {
    return this.page(actor, params, ifNoneMatch);
  }

  @Route('trash/from_shared/<path>', {
    auth: 'account',
    summary: 'What of a shared folder is in the trash of its owner',
  })
  async listShared(
    @CurrentActor() actor: AccountActor,
    @PathTail() path: string[],
    @Params(TrashListDto) params: TrashListDto,
    @Header('If-None-Match') ifNoneMatch?: string,
  ) {
    return this.page(actor, params, ifNoneMatch, { path });
  }

  private async page(actor: AccountActor, params: TrashListDto, ifNoneMatch?: string, from?: NodeRef) {
    const { entries, etag, notModified, isLastPage } = await this.trash.list(actor, {
      ...(from ? { from } : {}),
      dirsOnly: params.dirsOnly ?? false,
      ...orderOf(params.orderBy),
      offset: params.offset ?? 0,
      limit: params.limit ?? 0,
      knownEtag: knownHash(params.hash, ifNoneMatch),
    });
    if (notModified) return Reply.notModified(hashHeaders(etag));
    const content = await this.wire.trashItems(actor, entries, { extra: params.extra });
    return Reply.json(200, { content, is_last_page: isLastPage, hash: etag }, hashHeaders(etag));
  }

  @Route('trash/restore', { auth: 'account', head: false, summary: 'Put items of the trash back, in the background' })
  async restoreMany(@CurrentActor() actor: AccountActor, @Params(TrashRestoreManyDto) params: TrashRestoreManyDto) {
    return this.startRestore(actor, params.paths, params);
  }

  @Route('trash/restore/<name>', { auth: 'account', head: false, summary: 'Put one item of the trash back, in the background' })
  async restoreOne(@CurrentActor() actor: AccountActor, @UrlSegment('name') name: string, @Params(TrashRestoreDto) params: TrashRestoreDto) {
    return this.startRestore(actor, [name], params);
  }

  @Route('trash/restore/<name>/from_shared/<path>', {
    auth: 'account',
    head: false,
    summary: 'Put one item that was deleted out of a shared folder back, in the background',
  })
  async restoreShared(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('name') name: string,
    @PathTail() path: string[],
    @Params(TrashRestoreDto) params: TrashRestoreDto,
  ) {
    return this.startRestore(actor, [name], params, { path });
  }

  @Route('trash/clear', { auth: 'account', head: false, summary: 'Erase items of the trash, or all of it, in the background' })
  async clear(@CurrentActor() actor: AccountActor, @Params(TrashClearDto) { paths }: TrashClearDto) {
    return presentTask(await this.trash.startClear(actor, { names: paths ?? null }));
  }

  @Route('fileops/purge', { auth: 'account', head: false, summary: 'Erase the trash and all versions but the current ones, in the background' })
  async purge(@CurrentActor() actor: AccountActor) {
    await this.trash.startPurge(actor);
    return ok('The purge is queued');
  }

  @Route('fileops/purgestatus', { auth: 'account', summary: 'How far the last purge is' })
  async purgeStatus(@CurrentActor() actor: AccountActor) {
    return { status: await this.trash.purgeStatus(actor) };
  }

  private async startRestore(actor: AccountActor, names: readonly string[], { overwrite = true }: TrashRestoreDto, from?: NodeRef) {
    return presentTask(await this.trash.startRestore(actor, { names, onConflict: overwrite ? 'replace' : 'fail', ...(from ? { from } : {}) }));
  }
}
