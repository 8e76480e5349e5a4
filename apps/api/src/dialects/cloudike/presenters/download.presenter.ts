import type { DownloadLink } from '#libs/files';

import { clientData, isDeleted } from './node.presenter.js';
import { asOf } from './version.presenter.js';

/** The answer of files/get: what the file was in the version asked for. */
export function presentDownload({ url, node, version }: DownloadLink) {
  const file = version.no === node.versionNo ? node : asOf(node, version);
  return {
    url,
    path: file.path,
    deleted: isDeleted(file),
    method: 'GET',
    version: version.no,
    size: version.sizeBytes,
    checksum: version.md5,
    created: file.createdMs,
    modified: file.modifiedMs,
    client_data: clientData(file),
  };
}
