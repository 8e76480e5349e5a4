import { KoneksiUser } from '../../support/koneksi-user.js';
import type { HttpAnswer } from '../../support/http-session.js';
import { type ListedItem, noCall, type ParityDriver, type ParitySession, type Person, type Ref, type Refusal, Refused } from './driver.js';

/** Statuses and texts: this API has no other words. */
const REFUSALS: readonly (readonly [status: number, text: RegExp, refusal: Refusal])[] = [
  [401, /./, 'unauthenticated'],
  [404, /not found/, 'not-found'],
  [403, /upload limit reached/, 'no-space'],
  [403, /./, 'forbidden'],
  [400, /into itself|same as current/, 'into-itself'],
  [400, /./, 'invalid'],
];

const DIRECTORY = 'd:';
const FILE = 'f:';

/** Koneksi: nodes are ids, of directories or of files. */
class KoneksiSession implements ParitySession {
  readonly home = `${DIRECTORY}root`;

  constructor(private readonly user: KoneksiUser) {}

  area(name: string): Promise<Ref> {
    return this.mkdir(this.home, name);
  }

  async mkdir(parent: Ref, name: string): Promise<Ref> {
    const { directory } = await this.call<{ directory: { id: string } }>('POST', '/directories', { name, directory_id: idOf(parent) });
    return DIRECTORY + directory.id;
  }

  async put(parent: Ref, name: string, bytes: Buffer): Promise<Ref> {
    const { status, said, body } = await this.user.form([
      { field: 'directory_id', value: idOf(parent) },
      { field: 'file', fileName: name, bytes },
    ]);
    if (status >= 300) throw refused(status, said);
    return FILE + body.data.file_id;
  }

  async get(file: Ref, range?: { start: number; end: number }): Promise<Buffer> {
    const reply = await this.user.download(idOf(file), '', range ? { range: `bytes=${range.start}-${range.end}` } : {});
    if (reply.status >= 300) throw refused(reply.status, messageOf(reply));
    return reply.body;
  }

  async list(folder: Ref): Promise<ListedItem[]> {
    const { subdirectories, files } = await this.content(folder);
    return [...subdirectories.map(({ name }) => ({ name, folder: true })), ...files.map(({ name, size }) => ({ name, folder: false, bytes: size }))];
  }

  async find(parent: Ref, name: string): Promise<Ref> {
    const { subdirectories, files } = await this.content(parent);
    const directory = subdirectories.find((each) => each.name === name);
    const file = files.find((each) => each.name === name);
    if (!directory && !file) throw new Refused('not-found', `no ${name} in ${parent}`);
    return directory ? DIRECTORY + directory.id : FILE + file!.id;
  }

  async rename(node: Ref, name: string): Promise<Ref> {
    await this.call('PUT', pathOf(node), { name });
    return node;
  }

  async move(node: Ref, folder: Ref): Promise<Ref> {
    await this.call('PUT', pathOf(node), { directory_id: idOf(folder) });
    return node;
  }

  copy(): Promise<void> {
    return noCall();
  }

  async remove(node: Ref): Promise<void> {
    await this.call('DELETE', pathOf(node));
  }

  restore(): Promise<Ref> {
    return noCall();
  }

  close(): void {
    this.user.close();
  }

  private content(folder: Ref) {
    return this.call<{ subdirectories: { id: string; name: string }[]; files: { id: string; name: string; size: number }[] }>('GET', pathOf(folder));
  }

  private async call<D>(method: string, path: string, body?: unknown): Promise<D> {
    const { status, said, body: answer } = await this.user.say<D>(method, path, body);
    if (status >= 300) throw refused(status, said);
    return answer.data;
  }
}

function idOf(ref: Ref): string {
  return ref.slice(DIRECTORY.length);
}

function pathOf(ref: Ref): string {
  return ref.startsWith(FILE) ? `/files/${idOf(ref)}` : `/directories/${idOf(ref)}`;
}

function messageOf(reply: HttpAnswer): string {
  return `${reply.status} ${reply.json<{ message: string }>().message}`;
}

function refused(status: number, said: string): Error {
  const found = REFUSALS.find(([code, text]) => code === status && text.test(said));
  return found ? new Refused(found[2], said) : new Error(`an answer that nobody knows: ${said}`);
}

/** Revokes every service account of the person. */
async function revoke({ user }: Person): Promise<void> {
  const { content: accounts } = await user.http.get<{ content: { id: string }[] }>('/api/1/accounts/service_accounts/list/');
  if (accounts.length === 0) throw new Error('there is no service account to revoke');
  for (const { id } of accounts) await user.http.form('/api/1/accounts/service_accounts/revoke/', { id });
}

export const KONEKSI_DRIVER: ParityDriver = {
  name: 'koneksi',
  inTree: true,
  lacks: {
    clash: 'names need not be unique: one that is taken gets a number',
    copy: 'its document has no call that copies',
    restore: 'its document knows no trash: what it deletes comes back by the APIs that do',
  },
  again: 'another',
  nothing: `${FILE}00000000-0000-7000-8000-000000000000`,
  signIn: async (_baseUrl, { user }) => new KoneksiSession(await KoneksiUser.of(user)),
  revoke,
};
