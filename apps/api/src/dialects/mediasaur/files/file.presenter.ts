import { Injectable } from '@nestjs/common';

import type { BucketFile } from '#libs/buckets';
import { AppConfig } from '#libs/config';

import { MEDIASAUR } from '../http/dialect.js';

const TEXT = { type: 'string' };
const TIME = { type: 'string', format: 'date-time' };

export const FILE_SCHEMA = {
  type: 'object',
  properties: {
    ...{ id: TEXT, bucket: TEXT, name: TEXT, path: TEXT, url: TEXT, size: { type: 'integer' }, mime_type: TEXT },
    ...{ visibility: { type: 'string', enum: ['PUBLIC', 'PRIVATE'] }, metadata: { type: 'object' }, created_at: TIME, updated_at: TIME },
  },
};

/** Files as this API shows them. */
@Injectable()
export class FilePresenter {
  private readonly base: string;

  constructor({ http }: AppConfig) {
    this.base = `${http.publicUrl.replace(/\/+$/, '')}${MEDIASAUR.prefix}/media`;
  }

  present(file: BucketFile) {
    return {
      id: file.id,
      bucket: file.bucket.name,
      name: file.name,
      path: file.path,
      url: this.urlOf(file),
      size: file.sizeBytes,
      mime_type: file.mimeType,
      visibility: file.public ? 'PUBLIC' : 'PRIVATE',
      metadata: file.metadata,
      created_at: new Date(file.createdMs).toISOString(),
      updated_at: new Date(file.modifiedMs).toISOString(),
    };
  }

  presentAll(files: readonly BucketFile[]) {
    return files.map((file) => this.present(file));
  }

  /** Where its bytes are; it follows the path. */
  urlOf({ bucket, path }: BucketFile): string {
    return `${this.base}/${bucket.id}/${path.split('/').map(encodeURIComponent).join('/')}`;
  }
}
