/**
 * Every call that the source document prints: method and path in the letters it has them, bare, with the header `Authorization` that each names ("Bearer
 * schema token issued by session credentials"), header and body members by the names it prints. It prints no values; words in capitals stand for them.
 */
export interface SourceCall {
  readonly title: string;
  readonly method: 'get' | 'post' | 'put' | 'delete';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
}

export const SOURCE_CALLS: readonly SourceCall[] = [
  { title: 'Start a new file upload', method: 'post', path: '/buckets', body: { totalParts: 1, encryptedName: 'NAME', originalSizeInBytes: 4 } },
  {
    title: 'Upload a file part for multipart upload',
    method: 'put',
    path: '/buckets',
    headers: { 'X-API-KEY': 'APIKEY', partNumber: '1', key: 'KEY', uploadId: 'UPLOADID' },
  },
  { title: 'Finalize a multipart file upload.', method: 'post', path: '/buckets/complete', body: { tags: ['TAG'], key: 'KEY' } },
  { title: "Retrieve all files in the user's storage bucket", method: 'get', path: '/buckets' },
  { title: 'Get metadata for a specific file.', method: 'get', path: '/buckets/file/KEY' },
  { title: 'Get a downloadable link for a file.', method: 'get', path: '/buckets/download/KEY' },
  { title: 'Remove a file from the bucket', method: 'delete', path: '/buckets/KEY' },
];
