import { MediasaurUser, type MediaFile, type Said } from '../../support/mediasaur-user.js';
import { type ListedItem, noCall, type ParityDriver, type ParitySession, type Ref, type Refusal, Refused } from './driver.js';

const BUCKET = 'parity';
const REFUSALS: Readonly<Record<string, Refusal>> = {
  unauthorized: 'unauthenticated',
  not_found: 'not-found',
  forbidden: 'forbidden',
  conflict: 'taken',
  quota_exceeded: 'no-space',
  invalid_request: 'invalid',
};

/** Mediasaur: files are UUIDs, places are beginnings of paths in one bucket, `place/`. */
class MediasaurSession implements ParitySession {
  readonly home = '';

  constructor(private readonly user: MediasaurUser) {}

  area(name: string): Promise<Ref> {
    return Promise.resolve(`${name}/`);
  }

  mkdir(): Promise<Ref> {
    return noCall();
  }

  async put(parent: Ref, name: string, bytes: Buffer): Promise<Ref> {
    return good<MediaFile>(await this.user.upload({ bucket: BUCKET, path: `${parent}${name}` }, 'upload.bin', bytes)).id;
  }

  async get(file: Ref, range?: { start: number; end: number }): Promise<Buffer> {
    const { url } = await this.call<MediaFile>('GET', `/files/${file}`);
    const reply = await this.user.http.send(new URL(url).pathname, { headers: range ? { range: `bytes=${range.start}-${range.end}` } : {} });
    if (reply.status >= 300) throw refused(reply.status, reply.json<{ error?: { code?: string } }>());
    return reply.body;
  }

  async list(folder: Ref): Promise<ListedItem[]> {
    return (await this.files(folder)).map(({ name, size }) => ({ name, folder: false, bytes: size }));
  }

  async find(parent: Ref, name: string): Promise<Ref> {
    const found = (await this.files(parent)).find((file) => file.name === name);
    if (!found) throw new Refused('not-found', `no ${name} in ${parent}`);
    return found.id;
  }

  async rename(node: Ref, name: string): Promise<Ref> {
    await this.call('PUT', `/files/${node}`, { name });
    return node;
  }

  async move(node: Ref, folder: Ref): Promise<Ref> {
    await this.call('POST', '/files/move', { bucket: BUCKET, file_ids: [node], target_path: folder });
    return node;
  }

  async copy(node: Ref, folder: Ref): Promise<void> {
    await this.call('POST', '/files/copy', { source_bucket: BUCKET, target_bucket: BUCKET, target_path: folder, file_ids: [node] });
  }

  async remove(node: Ref): Promise<void> {
    await this.call('DELETE', `/files/${node}`);
  }

  restore(): Promise<Ref> {
    return noCall();
  }

  close(): void {
    this.user.close();
  }

  private async files(folder: Ref): Promise<MediaFile[]> {
    const query = new URLSearchParams({ bucket: BUCKET, path: folder, limit: '1000' });
    const { files } = await this.call<{ files: MediaFile[] }>('GET', `/files?${query}`);
    return files.filter(({ path }) => !path.slice(folder.length).includes('/'));
  }

  private async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    return good<T>(await this.user.say(method, path, body));
  }
}

function good<T>({ status, body }: Said): T {
  if (status >= 300) throw refused(status, body);
  return body as T;
}

function refused(status: number, body: { readonly error?: unknown }): Error {
  const refusal = REFUSALS[String((body.error as { code?: string } | undefined)?.code)];
  const answer = `${status} ${JSON.stringify(body)}`;
  return refusal ? new Refused(refusal, answer) : new Error(`an answer that nobody knows: ${answer}`);
}

export const MEDIASAUR_DRIVER: ParityDriver = {
  name: 'mediasaur',
  inTree: false,
  lacks: {
    folders: 'a path makes the folders that it goes through, and they go with the last file in them',
    places: 'the name of a bucket means one of the account that the key is of, so nobody can ask for that of somebody else',
    restore: 'what is deleted is erased at once: "This action cannot be undone."',
  },
  again: 'version',
  nothing: '00000000-0000-7000-8000-000000000000',
  signIn: async (baseUrl, { user }) => {
    const { content } = await user.http.get<{ content: { name: string }[] }>('/api/1/accounts/buckets/list/');
    if (!content.some(({ name }) => name === BUCKET)) await user.http.form('/api/1/accounts/buckets/create/', { name: BUCKET });
    return new MediasaurSession(await MediasaurUser.of(baseUrl, user));
  },
  revoke: async ({ user }) => {
    const { content } = await user.http.get<{ content: { id: string }[] }>('/api/1/accounts/api_keys/list/');
    if (content.length === 0) throw new Error('there is no key to end');
    for (const { id } of content) await user.http.form('/api/1/accounts/api_keys/revoke/', { id });
  },
};
