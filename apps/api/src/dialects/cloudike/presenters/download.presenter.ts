import type { DownloadLink } from '#libs/files';

import { clientData } from './node.presenter.js';

/** The answer of files/get. */
export function presentDownload({ url, node, version }: DownloadLink) {
  return {
    url,
    path: node.path,
    deleted: node.removal !== null,
    method: 'GET',
    version: version.no,
    size: version.sizeBytes,
    checksum: version.md5,
    created: node.createdMs,
    modified: node.modifiedMs,
    client_data: clientData(node),
  };
}
