import { ContentIds } from '#libs/content-ids';
import { DomainError } from '#libs/kernel';
import { RoomFiles, type RoomMember } from '#libs/rooms';

import type { DialectCall } from '../../../http/dialect/dialect.js';
import { CurrentCall, JsonBody, Segment } from '../../../http/dialect/request-decorators.js';
import { Route } from '../../../http/dialect/route.js';
import { CurrentMember } from '../auth/holders.js';
import { QuicksyncTokens } from '../auth/tokens.js';
import { type Body, integerIn, textIn, textsIn } from '../http/body.js';
import { QuicksyncController } from '../http/controller.js';
import { presentFile } from '../session/presenter.js';

const START_BYTES = 16 * 1024;
/** 10,000 tags of 32 characters, and room to write them. */
const COMPLETE_BYTES = 1024 * 1024;
const TEXT = { type: 'string' };
const NUMBER = { type: 'integer', format: 'int32' };
const LONG = { type: 'integer', format: 'int64' };
const NULLABLE = { type: 'string', nullable: true };
const INFO = {
  type: 'object',
  properties: {
    ...{ creatorId: NULLABLE, completed: { type: 'boolean' }, fileKey: NULLABLE, fileName: NULLABLE, totalParts: NUMBER, originalSizeInBytes: LONG },
  },
};

@QuicksyncController('buckets')
export class BucketsController {
  constructor(
    private readonly files: RoomFiles,
    private readonly contentIds: ContentIds,
    private readonly tokens: QuicksyncTokens,
  ) {}

  @Route('GET', 'buckets', {
    auth: 'session',
    summary: 'All files of the session, finished or not',
    answer: { type: 'array', items: INFO },
  })
  async list(@CurrentMember() member: RoomMember) {
    return (await this.files.list(member)).map(presentFile);
  }

  @Route('POST', 'buckets', {
    auth: 'session',
    summary: 'Begin to upload a file, of which each part is sent on its own',
    body: {
      types: ['application/json'],
      schema: { type: 'object', properties: { totalParts: NUMBER, encryptedName: NULLABLE, originalSizeInBytes: LONG } },
    },
    answer: { type: 'object', properties: { uploadId: TEXT, fileKey: TEXT } },
    refusals: ['INVALID_ARGUMENT', 'FORBIDDEN', 'TOO_LARGE', 'QUOTA_EXCEEDED'],
  })
  async start(@CurrentMember() member: RoomMember, @JsonBody(START_BYTES) body: Body) {
    const file = await this.files.start(member, {
      name: textIn(body, 'encryptedName') ?? null,
      totalParts: integerIn(body, 'totalParts') ?? 1,
      declaredBytes: integerIn(body, 'originalSizeInBytes') ?? null,
    });
    return { uploadId: file.uploadId, fileKey: file.id };
  }

  @Route('POST', 'buckets/complete', {
    auth: 'session',
    summary: 'Make the file of its parts; the same call again changes nothing',
    body: {
      types: ['application/json'],
      schema: { type: 'object', properties: { tags: { type: 'array', items: TEXT, nullable: true }, key: NULLABLE, uploadId: NULLABLE } },
    },
    answer: INFO,
    refusals: ['INVALID_ARGUMENT', 'UPLOAD_INCOMPLETE', 'UPLOAD_NOT_FOUND', 'UPLOAD_CLOSED', 'FORBIDDEN', 'WRONG_STATE'],
  })
  async complete(@CurrentMember() member: RoomMember, @JsonBody(COMPLETE_BYTES) body: Body, @CurrentCall() call: DialectCall) {
    const [fileId, uploadId] = [textIn(body, 'key'), textIn(body, 'uploadId') ?? null];
    if (fileId === undefined) throw new DomainError('INVALID_ARGUMENT', 'The body must have the "key" of the file.');
    call.about['file'] = fileId.slice(0, 100);
    return presentFile(await this.files.complete(member, { fileId, uploadId, tags: textsIn(body, 'tags') ?? [] }));
  }

  @Route('DELETE', 'buckets/<fileId>', {
    auth: 'session',
    summary: 'Remove a file for good, also one that is not finished; for who brought it, and for the host',
    refusals: ['NODE_NOT_FOUND', 'FORBIDDEN'],
  })
  async remove(@CurrentMember() member: RoomMember, @Segment('fileId') fileId: string): Promise<void> {
    await this.files.remove(member, fileId);
  }

  @Route('GET', 'buckets/file/<fileId>', {
    auth: 'session',
    summary: 'What is known of one file; `cid` is its name in IPFS, once that has been computed',
    answer: {
      type: 'object',
      properties: {
        ...INFO.properties,
        ...{ uploadedParts: NUMBER, storedSizeInBytes: LONG, cid: NULLABLE },
        ...{ createdAt: { type: 'string', format: 'date-time' }, completedAt: { type: 'string', format: 'date-time', nullable: true } },
      },
    },
    refusals: ['NODE_NOT_FOUND'],
  })
  async describe(@CurrentMember() member: RoomMember, @Segment('fileId') fileId: string) {
    const file = await this.files.get(member, fileId);
    const cids = file.nodeId === null ? null : await this.contentIds.of([file.nodeId]);
    return {
      ...presentFile(file),
      uploadedParts: file.arrivedParts,
      storedSizeInBytes: file.heldBytes,
      cid: cids?.get(file.nodeId ?? '') ?? null,
      createdAt: file.createdAt.toISOString(),
      completedAt: file.completedAt?.toISOString() ?? null,
    };
  }

  @Route('GET', 'buckets/download/<fileId>', {
    auth: 'session',
    summary: 'A URL that gives the bytes of a file without further credentials, for an hour at most',
    answer: { type: 'object', properties: { url: TEXT, expiresIn: NUMBER } },
    refusals: ['NODE_NOT_FOUND', 'WRONG_STATE', 'FORBIDDEN'],
    errors: { WRONG_STATE: [409, 'not_completed'] },
  })
  async download(@CurrentMember() member: RoomMember, @Segment('fileId') fileId: string) {
    const { id } = await this.files.requireDownload(member, fileId);
    return this.tokens.downloadUrl(member, id);
  }
}
