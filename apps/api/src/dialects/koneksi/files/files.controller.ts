import type { AccountActor, DomainErrorCode } from '#libs/kernel';
import { OwnTreeActions, OwnTreeReader } from '#libs/own-tree';

import type { DialectCall } from '../../../http/dialect/dialect.js';
import { CurrentActor, CurrentCall, Segment } from '../../../http/dialect/request-decorators.js';
import { Route } from '../../../http/dialect/route.js';
import { KoneksiController } from '../http/controller.js';
import { answerOf, envelope, trimmedMeta } from '../http/envelope.js';
import { type Body, directoryId, fileId, fitted, flag, invalid, JsonRequest, optionalText, Query, textList } from '../http/input.js';
import { presentRemoved, REMOVED } from '../http/removed.presenter.js';
import { FILE, FilePresenter } from './file.presenter.js';

const TEXT = { type: 'string' };
const TEXTS = { type: 'array', items: TEXT };
const JSON_TYPE = ['application/json'];
const WRITING: readonly DomainErrorCode[] = ['INVALID_ARGUMENT', 'NODE_NOT_FOUND', 'FORBIDDEN'];
const NOT_FOUND = { NODE_NOT_FOUND: [404, 'file not found'] } as const;

@KoneksiController('files')
export class FilesController {
  constructor(
    private readonly reader: OwnTreeReader,
    private readonly actions: OwnTreeActions,
    private readonly presenter: FilePresenter,
  ) {}

  @Route('GET', 'files/<file_id>', {
    auth: 'client',
    summary: 'Details of a file',
    query: { include_chunks: { type: 'boolean', default: false } },
    answer: answerOf(FILE),
    refusals: ['INVALID_ARGUMENT', 'NODE_NOT_FOUND'],
    errors: NOT_FOUND,
  })
  async read(@CurrentActor() actor: AccountActor, @Segment('file_id') id: string, @Query() query: URLSearchParams) {
    const wantsChunks = flag(query, 'include_chunks', false);
    const node = await this.reader.get(actor, 'file', fileId(id));
    const file = await this.presenter.one(actor, node);
    return envelope('file read successfully', { ...file, chunks: wantsChunks ? await this.presenter.chunks(node) : null });
  }

  @Route('PUT', 'files/<file_id>', {
    auth: 'client',
    summary: 'Give a file another name (with the same extension), another directory, or both',
    body: { types: JSON_TYPE, schema: { type: 'object', properties: { name: TEXT, directory_id: TEXT } } },
    answer: answerOf(FILE),
    refusals: [...WRITING, 'PARENT_NOT_FOUND', 'NAME_ILLEGAL', 'QUOTA_EXCEEDED'],
    errors: NOT_FOUND,
  })
  async update(@CurrentActor() actor: AccountActor, @Segment('file_id') id: string, @JsonRequest() body: Body, @CurrentCall() call: DialectCall) {
    const [wanted, directory] = [optionalText(body, 'name'), optionalText(body, 'directory_id')];
    if (wanted === undefined && directory === undefined) throw invalid('no fields to update');
    const name = wanted === undefined ? null : fitted(wanted, 'file');
    const folderId = directory === undefined ? undefined : directoryId(directory);
    Object.assign(call.about, { ...(name ? { name: name.name } : {}), ...(directory === undefined ? {} : { to: folderId ?? 'root' }) });
    const node = await this.actions.change(actor, 'file', fileId(id), { name: name?.name, folderId });
    return envelope('file updated successfully', await this.presenter.one(actor, node, name?.name), trimmedMeta(name?.isTrimmed ?? false));
  }

  @Route('DELETE', 'files/delete', {
    auth: 'client',
    summary: 'Put files into the trash, each for itself',
    body: { types: JSON_TYPE, schema: { type: 'object', properties: { file_ids: TEXTS } } },
    answer: answerOf(REMOVED),
    refusals: ['INVALID_ARGUMENT'],
  })
  async removeMany(@CurrentActor() actor: AccountActor, @JsonRequest() body: Body, @CurrentCall() call: DialectCall) {
    const ids = textList(body, 'file_ids').map(fileId);
    call.about['file_ids'] = ids;
    return envelope('files deleted successfully', presentRemoved(await this.actions.remove(actor, 'file', ids), 'file'));
  }

  @Route('DELETE', 'files/<file_id>', {
    auth: 'client',
    summary: 'Put a file into the trash',
    answer: answerOf(),
    refusals: WRITING,
    errors: NOT_FOUND,
  })
  async remove(@CurrentActor() actor: AccountActor, @Segment('file_id') id: string) {
    await this.actions.removeOne(actor, 'file', fileId(id));
    return envelope('file deleted successfully');
  }

  @Route('POST', 'files/move', {
    auth: 'client',
    summary: 'Move files, all of them or none',
    body: {
      types: JSON_TYPE,
      schema: { type: 'object', required: ['directory_id', 'file_ids'], properties: { directory_id: TEXT, file_ids: TEXTS } },
    },
    answer: answerOf({ type: 'object', properties: { files: { type: 'array', items: FILE } } }),
    refusals: [...WRITING, 'PARENT_NOT_FOUND', 'QUOTA_EXCEEDED'],
    errors: NOT_FOUND,
  })
  async move(@CurrentActor() actor: AccountActor, @JsonRequest() body: Body, @CurrentCall() call: DialectCall) {
    const target = optionalText(body, 'directory_id');
    if (target === undefined) throw invalid('directory_id is required');
    const [targetId, ids] = [directoryId(target), textList(body, 'file_ids').map(fileId)];
    Object.assign(call.about, { directory_id: targetId ?? 'root', file_ids: ids });
    const moved = await this.actions.move(actor, 'file', ids, targetId);
    return envelope('files moved successfully', { files: await this.presenter.all(actor, moved) });
  }
}
