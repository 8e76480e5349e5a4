import type { AccountActor, DomainErrorCode } from '#libs/kernel';
import { OwnTreeActions, OwnTreeReader } from '#libs/own-tree';

import type { DialectCall } from '../../../http/dialect/dialect.js';
import { CurrentActor, CurrentCall, Segment } from '../../../http/dialect/request-decorators.js';
import { Route } from '../../../http/dialect/route.js';
import { FILE, FilePresenter } from '../files/file.presenter.js';
import { KoneksiController } from '../http/controller.js';
import { answerOf, envelope, trimmedMeta } from '../http/envelope.js';
import { type Body, directoryId, fitted, invalid, JsonRequest, optionalText, requiredText, textList } from '../http/input.js';
import { presentRemoved, REMOVED } from '../http/removed.presenter.js';
import { DIRECTORY, presentDirectory } from './directory.presenter.js';

const TEXT = { type: 'string' };
const TEXTS = { type: 'array', items: TEXT };
const JSON_TYPE = ['application/json'];
const ONE = { type: 'object', properties: { directory: DIRECTORY } };
const WRITING: readonly DomainErrorCode[] = ['INVALID_ARGUMENT', 'NODE_NOT_FOUND', 'FORBIDDEN', 'ROOT_IMMUTABLE'];
const DIRECTORY_NOT_FOUND = [404, 'directory not found'] as const;
const PARENT = { PARENT_NOT_FOUND: [404, 'parent directory not found'], NODE_NOT_FOUND: DIRECTORY_NOT_FOUND } as const;

@KoneksiController('directories')
export class DirectoriesController {
  constructor(
    private readonly reader: OwnTreeReader,
    private readonly actions: OwnTreeActions,
    private readonly files: FilePresenter,
  ) {}

  @Route('POST', 'directories', {
    auth: 'client',
    status: 201,
    summary: 'Make a directory, in the root if no other is named',
    body: { types: JSON_TYPE, schema: { type: 'object', required: ['name'], properties: { name: TEXT, directory_id: TEXT } } },
    answer: answerOf(ONE),
    refusals: ['INVALID_ARGUMENT', 'PARENT_NOT_FOUND', 'NAME_ILLEGAL', 'FORBIDDEN', 'QUOTA_EXCEEDED'],
  })
  async create(@CurrentActor() actor: AccountActor, @JsonRequest() body: Body, @CurrentCall() call: DialectCall) {
    const { name, isTrimmed } = fitted(requiredText(body, 'name'), 'folder');
    const parentId = directoryId(optionalText(body, 'directory_id'));
    Object.assign(call.about, { directory_id: parentId ?? 'root', name });
    const node = await this.actions.createFolder(actor, parentId, name);
    const directory = presentDirectory({ node, bytes: 0 }, name);
    return envelope('directory created successfully', { directory, ...directory }, trimmedMeta(isTrimmed));
  }

  @Route('GET', 'directories/<directory_id>', {
    auth: 'client',
    summary: 'A directory with what it holds; `root` is the top one',
    answer: answerOf({
      type: 'object',
      properties: { directory: DIRECTORY, subdirectories: { type: 'array', items: DIRECTORY }, files: { type: 'array', items: FILE } },
    }),
    refusals: ['INVALID_ARGUMENT', 'NODE_NOT_FOUND'],
    errors: { NODE_NOT_FOUND: DIRECTORY_NOT_FOUND },
  })
  async read(@CurrentActor() actor: AccountActor, @Segment('directory_id') id: string) {
    const { folder, folders, files } = await this.reader.content(actor, directoryId(id));
    return envelope('directory read successfully', {
      directory: presentDirectory(folder),
      subdirectories: folders.map((each) => presentDirectory(each)),
      files: await this.files.all(actor, files),
    });
  }

  @Route('PUT', 'directories/<directory_id>', {
    auth: 'client',
    summary: 'Give a directory another name, another parent, or both',
    body: { types: JSON_TYPE, schema: { type: 'object', properties: { name: TEXT, directory_id: TEXT } } },
    answer: answerOf(ONE),
    refusals: [...WRITING, 'PARENT_NOT_FOUND', 'NAME_ILLEGAL', 'MOVE_INTO_DESCENDANT', 'QUOTA_EXCEEDED'],
    errors: PARENT,
  })
  async update(
    @CurrentActor() actor: AccountActor,
    @Segment('directory_id') id: string,
    @JsonRequest() body: Body,
    @CurrentCall() call: DialectCall,
  ) {
    const own = directoryId(id);
    const [wanted, parent] = [optionalText(body, 'name'), optionalText(body, 'directory_id')];
    if (wanted === undefined && parent === undefined) throw invalid('no fields to update');
    const folderId = parent === undefined ? undefined : directoryId(parent);
    if (own !== null && own === folderId) throw invalid('parent directory cannot be same as current directory');
    const name = wanted === undefined ? null : fitted(wanted, 'folder');
    Object.assign(call.about, { ...(name ? { name: name.name } : {}), ...(parent === undefined ? {} : { to: folderId ?? 'root' }) });
    const node = await this.actions.change(actor, 'folder', own, { name: name?.name, folderId });
    const [sized] = await this.reader.sized([node]);
    return envelope('directory updated successfully', { directory: presentDirectory(sized!, name?.name) }, trimmedMeta(name?.isTrimmed ?? false));
  }

  @Route('DELETE', 'directories/delete', {
    auth: 'client',
    summary: 'Put directories with all they hold into the trash, each for itself',
    body: { types: JSON_TYPE, schema: { type: 'object', properties: { directory_ids: TEXTS } } },
    answer: answerOf(REMOVED),
    refusals: ['INVALID_ARGUMENT', 'ROOT_IMMUTABLE'],
    errors: { ROOT_IMMUTABLE: [400, 'cannot delete root directory'] },
  })
  async removeMany(@CurrentActor() actor: AccountActor, @JsonRequest() body: Body, @CurrentCall() call: DialectCall) {
    const ids = textList(body, 'directory_ids').map(directoryId);
    call.about['directory_ids'] = ids;
    return envelope('directories deleted successfully', presentRemoved(await this.actions.remove(actor, 'folder', ids), 'directory'));
  }

  @Route('DELETE', 'directories/<directory_id>', {
    auth: 'client',
    summary: 'Put a directory with all it holds into the trash',
    answer: answerOf(),
    refusals: WRITING,
    errors: { NODE_NOT_FOUND: DIRECTORY_NOT_FOUND, ROOT_IMMUTABLE: [400, 'cannot delete root directory'] },
  })
  async remove(@CurrentActor() actor: AccountActor, @Segment('directory_id') id: string) {
    await this.actions.removeOne(actor, 'folder', directoryId(id));
    return envelope('directory deleted successfully');
  }

  @Route('POST', 'directories/move', {
    auth: 'client',
    summary: 'Move directories, all of them or none',
    body: {
      types: JSON_TYPE,
      schema: { type: 'object', required: ['target_directory_id', 'directory_ids'], properties: { target_directory_id: TEXT, directory_ids: TEXTS } },
    },
    answer: answerOf({ type: 'object', properties: { directories: { type: 'array', items: DIRECTORY } } }),
    refusals: [...WRITING, 'PARENT_NOT_FOUND', 'MOVE_INTO_DESCENDANT', 'QUOTA_EXCEEDED'],
    errors: { NODE_NOT_FOUND: DIRECTORY_NOT_FOUND },
  })
  async move(@CurrentActor() actor: AccountActor, @JsonRequest() body: Body, @CurrentCall() call: DialectCall) {
    const target = optionalText(body, 'target_directory_id');
    if (target === undefined) throw invalid('target_directory_id is required');
    const [targetId, ids] = [directoryId(target), textList(body, 'directory_ids').map(directoryId)];
    Object.assign(call.about, { target_directory_id: targetId ?? 'root', directory_ids: ids });
    const moved = await this.reader.sized(await this.actions.move(actor, 'folder', ids, targetId));
    const directories = moved.map((each) => ({ ...presentDirectory(each), directory_id: each.node.parentId }));
    return envelope('directories moved successfully', { directories });
  }
}
