import { CloudikeUser, encodePath } from '../../support/cloudike-user.js';
import type { HttpAnswer } from '../../support/http-session.js';
import { endSessions, type ListedItem, type ParityDriver, type ParitySession, type Ref, type Refusal, Refused } from './driver.js';

const REFUSALS: Readonly<Record<string, Refusal>> = {
  Unauthorized: 'unauthenticated',
  NotFound: 'not-found',
  FileNotFound: 'not-found',
  AlreadyExists: 'taken',
  FolderAlreadyCreated: 'taken',
  FileCantBeRenamed: 'taken',
  Forbidden: 'forbidden',
  MoveIntoDescendant: 'into-itself',
  QuotaExceeded: 'no-space',
  InvalidParameters: 'invalid',
};

/** Cloudike: nodes are paths. */
class CloudikeSession implements ParitySession {
  readonly home = '/';

  constructor(private readonly user: CloudikeUser) {}

  area(name: string): Promise<Ref> {
    return this.mkdir(this.home, name);
  }

  async mkdir(parent: Ref, name: string): Promise<Ref> {
    await this.call('fileops/folder_create/', { path: join(parent, name) });
    return join(parent, name);
  }

  async put(parent: Ref, name: string, bytes: Buffer): Promise<Ref> {
    const path = join(parent, name);
    const ticket = (await this.call('files/create/', { path, size: bytes.length, overwrite: true, create_dirs: false })).json<
      Parameters<CloudikeUser['put']>[0] & { confirm_url: string }
    >();
    const status = await this.user.put(ticket, bytes);
    if (status !== 200) throw new Error(`the storage answered ${status}`);
    checked(await this.user.http.send(ticket.confirm_url, { method: 'POST' }));
    return path;
  }

  async get(file: Ref, range?: { start: number; end: number }): Promise<Buffer> {
    const { url } = checked(await this.user.http.send(`/api/1/files/get${encodePath(file)}`)).json<{ url: string }>();
    return checked(await this.user.http.send(url, { headers: range ? { range: `bytes=${range.start}-${range.end}` } : {} })).body;
  }

  async list(folder: Ref): Promise<ListedItem[]> {
    const { content } = checked(await this.user.http.send(`/api/1/metadata${encodePath(folder)}`)).json<{
      content: { path: string; folder: boolean; bytes: number }[];
    }>();
    return content.map(({ path, folder: isFolder, bytes }) => ({
      name: path.slice(path.lastIndexOf('/') + 1),
      folder: isFolder,
      ...(isFolder ? {} : { bytes }),
    }));
  }

  async find(parent: Ref, name: string): Promise<Ref> {
    checked(await this.user.http.send(`/api/1/metadata${encodePath(join(parent, name))}`));
    return join(parent, name);
  }

  async rename(node: Ref, name: string): Promise<Ref> {
    await this.call('fileops/rename/', { path: node, newname: name });
    return join(node.slice(0, node.lastIndexOf('/')), name);
  }

  async move(node: Ref, folder: Ref): Promise<Ref> {
    await this.call('fileops/move/', { from_path: node, to_path: folder, overwrite: false });
    return join(folder, node.slice(node.lastIndexOf('/') + 1));
  }

  async copy(node: Ref, folder: Ref): Promise<void> {
    await this.call('fileops/copy/', { from_path: node, to_path: folder });
  }

  async remove(node: Ref): Promise<void> {
    await this.call('fileops/delete/', { path: node });
  }

  async restore(node: Ref): Promise<Ref> {
    await this.call('fileops/undelete/', { path: node });
    return node;
  }

  close(): void {
    this.user.http.close();
  }

  private async call(path: string, parameters: Record<string, string | number | boolean>): Promise<HttpAnswer> {
    const body = new URLSearchParams(Object.entries(parameters).map(([name, value]): [string, string] => [name, String(value)])).toString();
    return checked(
      await this.user.http.send(`/api/1/${path}`, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body }),
    );
  }
}

function checked(reply: HttpAnswer): HttpAnswer {
  if (reply.status < 300) return reply;
  const text = reply.body.toString();
  const refusal = REFUSALS[(JSON.parse(text) as { code: string }).code];
  if (!refusal) throw new Error(`an answer that nobody knows: ${reply.status} ${text}`);
  throw new Refused(refusal, `${reply.status} ${text}`);
}

function join(parent: string, name: string): string {
  return parent.endsWith('/') ? `${parent}${name}` : `${parent}/${name}`;
}

export const CLOUDIKE_DRIVER: ParityDriver = {
  name: 'cloudike',
  inTree: true,
  lacks: {},
  again: 'version',
  // one word for a name that is taken and for one that cannot be
  says: { invalid: 'taken' },
  nothing: '/nothing',
  signIn: async (baseUrl, { email, password }) => new CloudikeSession(await CloudikeUser.login(baseUrl, email, password)),
  revoke: endSessions,
};
