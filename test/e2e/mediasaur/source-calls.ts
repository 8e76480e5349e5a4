/**
 * Every call of the source document, as it prints it: path, headers that it names as required, and the parameters of its table by their names. The document's
 * page lost the methods of calls that are no GET; those are of the contract (3.3). Words in capitals are placeholders.
 */
export interface SourceCall {
  readonly title: string;
  readonly method: 'GET' | 'PATCH' | 'DELETE' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
}

const KEY = { Authorization: 'Bearer SECRET' };
const JSON_KEY = { ...KEY, 'Content-Type': 'application/json' };

export const SOURCE_CALLS: readonly SourceCall[] = [
  { title: 'Retrieve all buckets accessible by your API key.', method: 'GET', path: '/buckets', headers: KEY },
  { title: 'Retrieve details for a specific bucket.', method: 'GET', path: '/buckets/BUCKET', headers: KEY },
  {
    title: 'List files in a bucket with optional filtering and pagination.',
    method: 'GET',
    path: '/files',
    headers: KEY,
    query: { bucket: 'BUCKET', path: 'users/', limit: '100', offset: '0' },
  },
  { title: 'Retrieve details for a specific file by ID.', method: 'GET', path: '/files/FILE', headers: KEY },
  {
    title: 'Update file properties: rename, move, or change visibility.',
    method: 'PATCH',
    path: '/files/FILE',
    headers: JSON_KEY,
    body: { name: 'me.png', path: 'users/123/avatar.png', visibility: 'PUBLIC' },
  },
  {
    title: 'Copy one or more files to a new location, optionally across buckets: by path.',
    method: 'POST',
    path: '/files/copy',
    headers: JSON_KEY,
    body: { source_bucket: 'BUCKET', target_bucket: 'OTHER', target_path: 'copies/me.png', source_path: 'users/123/me.png' },
  },
  {
    title: 'Copy one or more files to a new location, optionally across buckets: by ids.',
    method: 'POST',
    path: '/files/copy',
    headers: JSON_KEY,
    body: { source_bucket: 'BUCKET', target_bucket: 'BUCKET', target_path: 'copies/', file_ids: ['FILE'] },
  },
  {
    title: 'Move one or more files to a different path within the same bucket.',
    method: 'POST',
    path: '/files/move',
    headers: JSON_KEY,
    body: { bucket: 'BUCKET', file_ids: ['FILE'], target_path: 'moved' },
  },
  { title: 'Permanently delete a file from storage.', method: 'DELETE', path: '/files/FILE', headers: KEY },
];
