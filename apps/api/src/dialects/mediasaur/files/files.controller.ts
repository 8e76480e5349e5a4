import { BucketFiles, type BucketHolder, BucketTokens } from '#libs/buckets';
import { Clock, DomainError } from '#libs/kernel';

import type { DialectCall } from '../../../http/dialect/dialect.js';
import { CurrentCall, Segment } from '../../../http/dialect/request-decorators.js';
import { Route } from '../../../http/dialect/route.js';
import { Holder } from '../auth/bearer.js';
import { MediasaurController } from '../http/controller.js';
import { type Fields, JsonFields, QueryFields, requiredText, textOf, textsOf, visibilityOf, wholeNumber } from '../http/fields.js';
import { FILE_SCHEMA, FilePresenter } from './file.presenter.js';
import { LIFE, lifeOf } from './life.js';

const TEXT = { type: 'string' };
const TEXTS = { type: 'array', items: TEXT };
const FILES = { type: 'object', properties: { files: { type: 'array', items: FILE_SCHEMA } } };
const CHANGE = {
  summary: 'Give a file another name, place or visibility, all or nothing',
  auth: 'key',
  body: {
    types: ['application/json'],
    schema: { type: 'object', minProperties: 1, properties: { name: TEXT, path: TEXT, visibility: { type: 'string', enum: ['PUBLIC', 'PRIVATE'] } } },
  },
  answer: FILE_SCHEMA,
  refusals: ['INVALID_ARGUMENT', 'NODE_NOT_FOUND', 'NAME_TAKEN', 'NAME_ILLEGAL', 'TREE_TOO_DEEP', 'NOT_A_FOLDER'],
} as const;
const PLACES = ['INVALID_ARGUMENT', 'NODE_NOT_FOUND', 'NAME_TAKEN', 'NAME_ILLEGAL', 'TREE_TOO_DEEP'] as const;
const MOST_LISTED = 1_000;

@MediasaurController('files')
export class FilesController {
  constructor(
    private readonly files: BucketFiles,
    private readonly tokens: BucketTokens,
    private readonly presenter: FilePresenter,
    private readonly clock: Clock,
  ) {}

  @Route('GET', 'files', {
    auth: 'key',
    summary: 'Files of a bucket by the beginning of their path, page by page',
    query: { bucket: TEXT, path: TEXT, limit: { type: 'integer', default: 100, maximum: MOST_LISTED }, offset: { type: 'integer', default: 0 } },
    answer: {
      type: 'object',
      properties: {
        ...FILES.properties,
        total: { type: 'integer' },
        limit: { type: 'integer' },
        offset: { type: 'integer' },
        has_more: { type: 'boolean' },
      },
    },
    refusals: ['INVALID_ARGUMENT', 'NODE_NOT_FOUND'],
  })
  async list(@Holder() holder: BucketHolder, @QueryFields() query: Fields) {
    const bucket = requiredText(query, 'bucket');
    const limit = wholeNumber(query, 'limit', { otherwise: 100, min: 1, max: MOST_LISTED });
    const offset = wholeNumber(query, 'offset', { otherwise: 0, min: 0, max: 1_000_000_000 });
    const { files, total } = await this.files.list(holder, bucket, { prefix: textOf(query, 'path') ?? '', limit, offset });
    return { files: this.presenter.presentAll(files), total, limit, offset, has_more: offset + files.length < total };
  }

  @Route('GET', 'files/<file_id>', { auth: 'key', summary: 'One file', answer: FILE_SCHEMA, refusals: ['NODE_NOT_FOUND'] })
  async get(@Holder() holder: BucketHolder, @Segment('file_id') id: string) {
    return this.presenter.present(await this.files.get(holder, id));
  }

  @Route('GET', 'files/<file_id>/signed_url', {
    auth: 'key',
    summary: 'A url for the bytes of a file that needs no key, for a time',
    query: { expires_in: { type: 'integer', default: LIFE.otherwise, maximum: LIFE.max } },
    answer: { type: 'object', properties: { url: TEXT, expires_at: { type: 'string', format: 'date-time' } } },
    refusals: ['INVALID_ARGUMENT', 'NODE_NOT_FOUND'],
  })
  async sign(@Holder() holder: BucketHolder, @Segment('file_id') id: string, @QueryFields() query: Fields) {
    const lifeMs = lifeOf(query);
    const file = await this.files.get(holder, id);
    const token = this.tokens.forDownload(holder, file.bucket.id, file.id, lifeMs);
    return { url: `${this.presenter.urlOf(file)}?token=${token}`, expires_at: new Date(this.clock.nowMs() + lifeMs).toISOString() };
  }

  @Route('PATCH', 'files/<file_id>', CHANGE)
  patch(@Holder() holder: BucketHolder, @CurrentCall() call: DialectCall, @Segment('file_id') id: string, @JsonFields() fields: Fields) {
    return this.change(holder, call, id, fields);
  }

  @Route('PUT', 'files/<file_id>', CHANGE)
  put(@Holder() holder: BucketHolder, @CurrentCall() call: DialectCall, @Segment('file_id') id: string, @JsonFields() fields: Fields) {
    return this.change(holder, call, id, fields);
  }

  @Route('DELETE', 'files/<file_id>', {
    auth: 'key',
    summary: 'Erase a file, its bytes too',
    answer: { type: 'object', properties: { success: { type: 'boolean' }, id: TEXT } },
    refusals: ['NODE_NOT_FOUND'],
  })
  async remove(@Holder() holder: BucketHolder, @Segment('file_id') id: string) {
    await this.files.remove(holder, id);
    return { success: true, id };
  }

  @Route('POST', 'files/copy', {
    auth: 'key',
    summary: 'Copy one file by its path, or several by their ids, into the same or another bucket',
    body: {
      types: ['application/json'],
      schema: {
        type: 'object',
        required: ['source_bucket', 'target_bucket', 'target_path'],
        properties: { source_bucket: TEXT, target_bucket: TEXT, target_path: TEXT, source_path: TEXT, file_ids: TEXTS },
      },
    },
    answer: FILES,
    refusals: [...PLACES, 'QUOTA_EXCEEDED'],
  })
  async copy(@Holder() holder: BucketHolder, @CurrentCall() call: DialectCall, @JsonFields() fields: Fields) {
    const [source, target] = [requiredText(fields, 'source_bucket'), requiredText(fields, 'target_bucket')];
    const targetPath = requiredText(fields, 'target_path', { empty: true });
    const [path, ids] = [textOf(fields, 'source_path'), textsOf(fields, 'file_ids')];
    if ((path === undefined) === (ids === undefined)) throw new DomainError('INVALID_ARGUMENT', 'Give either "source_path" or "file_ids".');
    Object.assign(call.about, { source_bucket: source, target_bucket: target });
    const files = path === undefined ? { ids: ids ?? [] } : { path };
    return { files: this.presenter.presentAll(await this.files.copy(holder, { source, target, files, targetPath })) };
  }

  @Route('POST', 'files/move', {
    auth: 'key',
    summary: 'Put files into one folder of their bucket, all or none',
    body: {
      types: ['application/json'],
      schema: { type: 'object', required: ['bucket', 'file_ids', 'target_path'], properties: { bucket: TEXT, file_ids: TEXTS, target_path: TEXT } },
    },
    answer: FILES,
    refusals: PLACES,
  })
  async move(@Holder() holder: BucketHolder, @CurrentCall() call: DialectCall, @JsonFields() fields: Fields) {
    const bucket = requiredText(fields, 'bucket');
    const ids = textsOf(fields, 'file_ids') ?? [];
    const folder = requiredText(fields, 'target_path', { empty: true });
    call.about['bucket'] = bucket;
    return { files: this.presenter.presentAll(await this.files.move(holder, bucket, ids, folder)) };
  }

  private async change(holder: BucketHolder, call: DialectCall, id: string, fields: Fields) {
    const change = { name: textOf(fields, 'name'), path: textOf(fields, 'path'), public: visibilityOf(fields) };
    if (Object.values(change).every((value) => value === undefined)) {
      throw new DomainError('INVALID_ARGUMENT', 'Give at least one of "name", "path" and "visibility".');
    }
    if (change.public !== undefined) call.about['visibility'] = change.public ? 'PUBLIC' : 'PRIVATE';
    return this.presenter.present(await this.files.change(holder, id, change));
  }
}
