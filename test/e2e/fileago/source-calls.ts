/**
 * Every call that the source document prints, as it prints it: method, URL, headers that curl sends, body. curl adds
 * `application/x-www-form-urlencoded` to -d where the document names no type, and sends -F as a form. Words in capitals are the document's placeholders.
 */
export interface SourceCall {
  readonly title: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** As behind -d; FORM = `-F 'file=@filename.txt'`. */
  readonly body?: string;
  readonly status: number;
}

const BEARER = { Authorization: 'Bearer TOKEN' };
const JSON_BEARER = { ...BEARER, 'Content-Type': 'application/json' };
const NODE = 'https://fileago.mydomain.com/api/nodes/NODEUUID';

export const SOURCE_CALLS: readonly SourceCall[] = [
  {
    title: 'Authentication',
    method: 'POST',
    url: 'https://fileago.mydomain.com/auth',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: '{"username":"<EMAIL ADDRESS>", "password": "<PASSWORD>"}',
    status: 200,
  },
  { title: 'Create folder', method: 'POST', url: NODE, headers: JSON_BEARER, body: '{\n"new_dir": DIRNAME\n}', status: 204 },
  { title: 'Rename a node', method: 'POST', url: NODE, headers: JSON_BEARER, body: '{\n"new_name": NEWNAME\n}', status: 204 },
  { title: 'Mark as favorite', method: 'POST', url: NODE, headers: JSON_BEARER, body: '{\n"starred": BOOL\n}', status: 204 },
  { title: 'Copy node to another folder', method: 'POST', url: NODE, headers: JSON_BEARER, body: '{\n"copy_to": TARGETNODEUUID\n}', status: 204 },
  { title: 'Move node to another folder', method: 'POST', url: NODE, headers: JSON_BEARER, body: '{\n"move_to": TARGETNODEUUID\n}', status: 204 },
  { title: 'Share a copy', method: 'POST', url: NODE, headers: JSON_BEARER, body: '{\n"share_copy_with": [TARGET]\n}', status: 204 },
  { title: 'Request an upload token', method: 'GET', url: `${NODE}/upload`, headers: JSON_BEARER, status: 200 },
  { title: 'Upload file', method: 'POST', url: 'https://fileago.mydomain.com/upload/UPLOADTOKEN', headers: {}, body: 'FORM', status: 200 },
  { title: 'Get details of a node', method: 'GET', url: NODE, headers: JSON_BEARER, status: 200 },
  { title: 'Get path of a node', method: 'GET', url: `${NODE}/path`, headers: JSON_BEARER, status: 200 },
  { title: 'List contents of a folder', method: 'GET', url: `${NODE}/dirlist`, headers: JSON_BEARER, status: 200 },
  { title: 'Delete a node', method: 'DELETE', url: NODE, headers: BEARER, status: 204 },
];

/** The aliases that the document lists, and its example calls. */
export const SOURCE_ALIASES = ['home', 'incoming', 'trash', 'public_shares', 'private_shares', 'favorites', 'shared_with_you'] as const;
