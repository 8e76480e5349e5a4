import { type FileagoEntry, FileagoUser } from '../../support/fileago-user.js';
import { endSessions, type ListedItem, type ParityDriver, type ParitySession, type Ref, type Refusal, Refused } from './driver.js';

const REFUSALS: Readonly<Record<string, Refusal>> = {
  unauthenticated: 'unauthenticated',
  node_not_found: 'not-found',
  forbidden: 'forbidden',
  name_taken: 'taken',
  into_itself: 'into-itself',
  quota_exceeded: 'no-space',
  name_illegal: 'invalid',
  invalid: 'invalid',
};

/** FileAgo: nodes are UUIDs. */
class FileagoSession implements ParitySession {
  readonly home = 'home';

  constructor(private readonly user: FileagoUser) {}

  area(name: string): Promise<Ref> {
    return this.mkdir(this.home, name);
  }

  async mkdir(parent: Ref, name: string): Promise<Ref> {
    await this.act(parent, { new_dir: name });
    return this.find(parent, name);
  }

  async put(parent: Ref, name: string, bytes: Buffer): Promise<Ref> {
    await this.call('GET', `/api/nodes/${parent}`);
    const reply = await this.user.upload(parent, name, bytes);
    if (reply.status !== 200) throw refused(reply.status, reply.json());
    return this.find(parent, name);
  }

  async get(file: Ref, range?: { start: number; end: number }): Promise<Buffer> {
    const reply = await this.user.http.send(this.user.downloadPath(file), { headers: range ? { range: `bytes=${range.start}-${range.end}` } : {} });
    if (reply.status >= 300) throw refused(reply.status, reply.json());
    return reply.body;
  }

  async list(folder: Ref): Promise<ListedItem[]> {
    return (await this.entries(folder)).map(({ name, type, size }) => ({ name, folder: type === 'Dir', ...(type === 'Dir' ? {} : { bytes: size }) }));
  }

  async find(parent: Ref, name: string): Promise<Ref> {
    const found = (await this.entries(parent)).find((entry) => entry.name === name);
    if (!found) throw new Refused('not-found', `no ${name} in ${parent}`);
    return found.uuid;
  }

  async rename(node: Ref, name: string): Promise<Ref> {
    await this.act(node, { new_name: name });
    return node;
  }

  async move(node: Ref, folder: Ref): Promise<Ref> {
    await this.act(node, { move_to: folder });
    return node;
  }

  async copy(node: Ref, folder: Ref): Promise<void> {
    await this.act(node, { copy_to: folder });
  }

  async remove(node: Ref): Promise<void> {
    await this.call('DELETE', `/api/nodes/${node}`);
  }

  restore(node: Ref, folder: Ref): Promise<Ref> {
    return this.move(node, folder);
  }

  close(): void {
    this.user.close();
  }

  private async entries(folder: Ref): Promise<FileagoEntry[]> {
    return (await this.call('GET', `/api/nodes/${folder}/dirlist`))['data'] as FileagoEntry[];
  }

  private async act(node: Ref, action: Record<string, unknown>): Promise<void> {
    await this.call('POST', `/api/nodes/${node}`, action);
  }

  private async call(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const answer = await this.user.say(method, path, body);
    if (answer.status >= 300) throw refused(answer.status, answer.body);
    return answer.body;
  }
}

function refused(status: number, body: Record<string, unknown>): Error {
  const refusal = REFUSALS[String(body['code'])];
  return refusal
    ? new Refused(refusal, `${status} ${JSON.stringify(body)}`)
    : new Error(`an answer that nobody knows: ${status} ${JSON.stringify(body)}`);
}

export const FILEAGO_DRIVER: ParityDriver = {
  name: 'fileago',
  inTree: true,
  lacks: {},
  again: 'version',
  nothing: '00000000-0000-7000-8000-000000000000',
  signIn: async (baseUrl, { email, password }) => new FileagoSession(await FileagoUser.login(baseUrl, email, password)),
  revoke: endSessions,
};
