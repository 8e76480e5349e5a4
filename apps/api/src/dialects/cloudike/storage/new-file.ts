import type { CreateUpload } from '#libs/files';

import type { NewFileDto } from './uploads.dto.js';

/** What an upload is told of the client's file. */
export function newFile({ created, modified, deviceId, deviceReference, size, checksum, multipart = false }: NewFileDto) {
  const file = { clientCreatedMs: created, clientModifiedMs: modified, deviceId, deviceReference, sizeBytes: size, md5: checksum, multipart };
  return file satisfies Partial<CreateUpload>;
}
