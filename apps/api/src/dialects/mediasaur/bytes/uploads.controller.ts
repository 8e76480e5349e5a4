import { Req } from '@nestjs/common';
import type { Request } from 'express';

import { BucketFiles, type BucketHolder, BucketTokens, type FileWish, type UploadLeave } from '#libs/buckets';
import { Clock, DomainError } from '#libs/kernel';

import type { DialectCall } from '../../../http/dialect/dialect.js';
import { CurrentCall } from '../../../http/dialect/request-decorators.js';
import { Route } from '../../../http/dialect/route.js';
import { type FormFile, readFileForm } from '../../../http/file-form.js';
import { type Held, Holder, Uploader } from '../auth/bearer.js';
import { FILE_SCHEMA, FilePresenter } from '../files/file.presenter.js';
import { LIFE, lifeOf } from '../files/life.js';
import { MediasaurController } from '../http/controller.js';
import { type Fields, invalid, JsonFields, requiredText, textOf, visibilityOf } from '../http/fields.js';

const TEXT = { type: 'string' };
const FIELD = 'file';
const MOST_METADATA_BYTES = 16 * 1024;
const UPLOAD = {
  auth: 'upload',
  status: 201,
  streams: true,
  summary: 'Bring a file, by the key, or by a token for its path; a file that is there gets the new bytes',
  body: {
    types: ['multipart/form-data'],
    schema: {
      type: 'object',
      required: [FIELD],
      properties: {
        [FIELD]: { type: 'string', format: 'binary' },
        ...{
          bucket: TEXT,
          path: TEXT,
          visibility: { type: 'string', enum: ['PUBLIC', 'PRIVATE'] },
          metadata: { type: 'string', description: 'A JSON object.' },
        },
      },
    },
  },
  answer: FILE_SCHEMA,
  refusals: ['INVALID_ARGUMENT', 'NODE_NOT_FOUND', 'FORBIDDEN', 'NAME_ILLEGAL', 'NAME_TAKEN', 'QUOTA_EXCEEDED'],
} as const;

@MediasaurController('bytes')
export class UploadsController {
  constructor(
    private readonly files: BucketFiles,
    private readonly tokens: BucketTokens,
    private readonly presenter: FilePresenter,
    private readonly clock: Clock,
  ) {}

  @Route('POST', 'upload', UPLOAD)
  upload(@Uploader() held: Held, @CurrentCall() call: DialectCall, @Req() request: Request) {
    return this.receive(held, call, request);
  }

  /** The address of the upload host has no path. */
  @Route('POST', '', UPLOAD)
  uploadAtHost(@Uploader() held: Held, @CurrentCall() call: DialectCall, @Req() request: Request) {
    return this.receive(held, call, request);
  }

  @Route('POST', 'token', {
    auth: 'key',
    summary: 'A token for one upload to one path, to be given to somebody who has no key',
    body: {
      types: ['application/json'],
      schema: {
        type: 'object',
        required: ['bucket', 'path'],
        properties: { bucket: TEXT, path: TEXT, expires_in: { type: 'integer', default: LIFE.otherwise, maximum: LIFE.max } },
      },
    },
    answer: { type: 'object', properties: { token: TEXT, bucket: TEXT, path: TEXT, expires_at: { type: 'string', format: 'date-time' } } },
    audit: 'none',
    refusals: ['INVALID_ARGUMENT', 'NODE_NOT_FOUND', 'NAME_ILLEGAL'],
  })
  async token(@Holder() holder: BucketHolder, @JsonFields() fields: Fields) {
    const place = { bucket: requiredText(fields, 'bucket'), path: requiredText(fields, 'path') };
    const lifeMs = lifeOf(fields);
    const { token, path } = await this.tokens.forUpload(holder, place, lifeMs);
    return { token: `token_${token}`, bucket: place.bucket, path, expires_at: new Date(this.clock.nowMs() + lifeMs).toISOString() };
  }

  private async receive({ holder, leave }: Held, call: DialectCall, request: Request) {
    let name: string | undefined;
    const take = async ({ field, fileName, body }: FormFile, fields: ReadonlyMap<string, string>) => {
      if (field !== FIELD) {
        body.resume();
        return null;
      }
      name = fileName;
      // where it goes may be said behind its bytes
      return this.files.take(holder, leave || (fields.has('bucket') && fields.has('path')) ? wishOf(fields, leave, fileName) : null, body);
    };
    const form = await readFileForm(request, { maxFiles: 1, take });
    const arrived = form.files.find((file) => file !== null);
    if (!arrived || name === undefined) throw new DomainError('INVALID_ARGUMENT', `The form must have a file "${FIELD}".`);
    const wish = wishOf(form.fields, leave, name);
    Object.assign(call.about, { bucket: wish.bucket, path: wish.path });
    return this.presenter.present(await this.files.keep(holder, arrived, wish));
  }
}

/** What a form says of its file. A token says where it goes; a form that says something else is FORBIDDEN. */
function wishOf(form: ReadonlyMap<string, string>, leave: UploadLeave | null, fileName: string): FileWish {
  const fields: Fields = Object.fromEntries(form);
  const said = { bucket: textOf(fields, 'bucket'), path: textOf(fields, 'path') };
  if (leave) {
    const strays = (said.bucket ?? leave.bucket) !== leave.bucket || (said.path ?? leave.path).replace(/^\//, '') !== leave.path;
    if (strays) throw new DomainError('FORBIDDEN', 'This token is for another bucket or path.');
  }
  return {
    bucket: leave?.bucket ?? requiredText(fields, 'bucket'),
    path: leave?.path ?? said.path ?? '',
    name: fileName,
    public: visibilityOf(fields),
    metadata: metadataOf(fields),
  };
}

function metadataOf(fields: Fields): Readonly<Record<string, unknown>> | undefined {
  const text = textOf(fields, 'metadata');
  if (text === undefined || text === '') return undefined;
  if (Buffer.byteLength(text) > MOST_METADATA_BYTES) throw invalid('metadata', `must not be larger than ${MOST_METADATA_BYTES} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid('metadata', 'must be JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('metadata', 'must be a JSON object');
  return value as Record<string, unknown>;
}
