/**
 * Every call that the source document prints, in its order: method, path, query and body members as printed, with its example values. `<...>` stands
 * where the document has an id of its own; FORM = a multipart form of the members.
 */
export interface SourceCall {
  readonly title: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  /** Beside Client-ID and Client-Secret. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly isForm?: true;
  readonly status: number;
}

export const SOURCE_CALLS: readonly SourceCall[] = [
  { title: 'Get profile', method: 'GET', path: '/clients/v1/profile/me', status: 200 },
  { title: 'Collect User metrics', method: 'GET', path: '/clients/v1/dashboard/collect-metrics', status: 200 },
  {
    title: 'Create directory',
    method: 'POST',
    path: '/clients/v1/directories',
    body: { directory_id: '<directory>', name: 'Documents' },
    status: 201,
  },
  { title: 'Read directory', method: 'GET', path: '/clients/v1/directories/<directory>', status: 200 },
  {
    title: 'Update directory',
    method: 'PUT',
    path: '/clients/v1/directories/<moved directory>',
    body: { directory_id: '<directory>', name: 'Documents' },
    status: 200,
  },
  { title: 'Delete directory', method: 'DELETE', path: '/clients/v1/directories/<deleted directory>', status: 200 },
  {
    title: 'Delete multiple directories',
    method: 'DELETE',
    path: '/clients/v1/directories/delete',
    body: { directory_ids: ['<other deleted directory>'] },
    status: 200,
  },
  {
    title: 'Move multiple directories files',
    method: 'POST',
    path: '/clients/v1/directories/move',
    body: { target_directory_id: '<directory>', directory_ids: ['<moved directory>', '<other moved directory>'] },
    status: 200,
  },
  {
    title: 'Upload file',
    method: 'POST',
    path: '/clients/v1/files',
    isForm: true,
    body: { file: 'FILE', directory_id: '<directory>', passphrase: 'Passphrase123!' },
    status: 201,
  },
  {
    title: 'Download file',
    method: 'GET',
    path: '/clients/v1/files/<sealed file>/download?stream=false',
    headers: { Passphrase: 'Password123!' },
    status: 200,
  },
  { title: 'Read file', method: 'GET', path: '/clients/v1/files/<file>?include_chunks=false', status: 200 },
  { title: 'Update file', method: 'PUT', path: '/clients/v1/files/<file>', body: { directory_id: '<directory>', name: 'Profile.jpg' }, status: 200 },
  { title: 'Delete file', method: 'DELETE', path: '/clients/v1/files/<deleted file>', status: 200 },
  {
    title: 'Delete multiple files',
    method: 'DELETE',
    path: '/clients/v1/files/delete',
    body: { file_ids: ['<other deleted file>'] },
    status: 200,
  },
  {
    title: 'Move multiple files',
    method: 'POST',
    path: '/clients/v1/files/move',
    body: { directory_id: '<directory>', file_ids: ['<file>', '<other file>'] },
    status: 200,
  },
  {
    title: 'Generate temporary token',
    method: 'POST',
    path: '/clients/v1/files/<file>/generate-link',
    body: { duration: 3600 },
    status: 200,
  },
  {
    title: 'Share file',
    method: 'POST',
    path: '/clients/v1/files/<file>/share?access=password',
    body: { password: 'Password123!' },
    status: 200,
  },
  {
    title: 'Share file with people',
    method: 'POST',
    path: '/clients/v1/files/<file>/share?access=email',
    body: { emails: ['<first address>', '<second address>'] },
    status: 200,
  },
];
