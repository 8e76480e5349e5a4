import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { type CloudikeUser, encodePath, type UploadTicket, type WireNode } from '../support/cloudike-user.js';
import { type HttpAnswer, HttpSession } from '../support/http-session.js';

/** Where a file may be and what it may hold; `path` null: not in the tree. More than one: an operation was cut off and either outcome is right. */
interface Place {
  readonly path: string | null;
  readonly sha256: string;
}

interface TrackedFile {
  readonly id: number;
  places: Place[];
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Thrown by a request that got no answer, or one that says "not now": its effect is unknown. */
class CutOff extends Error {}

/**
 * One client that works on its own folder while processes are killed around it. It remembers what was acknowledged; an operation without an
 * answer leaves its file with two possible places, and the next look at the server decides.
 */
export class Lane {
  private readonly files: TrackedFile[] = [];
  private next = 0;
  readonly violations: string[] = [];
  acknowledged = 0;
  cutOff = 0;

  constructor(
    private readonly user: CloudikeUser,
    private readonly folder: string,
    private readonly random: () => number,
  ) {}

  /** Works until `stopped` says so. */
  async work(stopped: () => boolean): Promise<void> {
    while (!stopped()) {
      const file = this.files.length > 0 ? this.files[Math.floor(this.random() * this.files.length)] : undefined;
      const choice = this.random();
      try {
        if (!file || choice < 0.45) await this.create();
        else {
          await this.settle(file);
          if (choice < 0.6) await this.overwrite(file);
          else if (choice < 0.75) await this.rename(file);
          else if (choice < 0.85) await this.trashAndRestore(file);
          else if (choice < 0.92) await this.erase(file);
          else await this.move(file);
        }
      } catch (error) {
        if (!(error instanceof CutOff)) throw error;
        this.cutOff += 1;
        await sleep(50);
      }
    }
  }

  /** Settles and downloads every file; afterwards `violations` names all that was lost or altered. */
  async verify(): Promise<void> {
    for (const file of this.files) await this.patiently(() => this.settle(file));
    const known = new Map(this.files.flatMap((file) => file.places.map((place) => [place.path, place.sha256] as const)));
    const visible = await this.patiently(() => this.listAll());
    for (const node of visible) {
      const expected = known.get(node.path);
      if (expected === undefined) this.violations.push(`${node.path} is visible, but was never uploaded there`);
    }
    const paths = new Set(visible.map((node) => node.path));
    for (const [path, expected] of known) {
      if (path === null) continue;
      if (!paths.has(path)) this.violations.push(`${path} was acknowledged, but is not listed`);
      else if (sha256(await this.patiently(() => this.user.download(path))) !== expected)
        this.violations.push(`${path} has other bytes than were acknowledged`);
    }
  }

  private async create(): Promise<void> {
    const bytes = this.content();
    const path = `${this.folder}/${this.next}.bin`;
    const file: TrackedFile = {
      id: this.next++,
      places: [
        { path: null, sha256: '' },
        { path, sha256: sha256(bytes) },
      ],
    };
    this.files.push(file);
    await this.upload(path, bytes, false);
    this.decide(file, { path, sha256: sha256(bytes) });
  }

  private async overwrite(file: TrackedFile): Promise<void> {
    const path = file.places[0]?.path;
    if (path === null || path === undefined) return;
    const bytes = this.content();
    const place = { path, sha256: sha256(bytes) };
    file.places = [...file.places, place];
    await this.upload(path, bytes, true);
    this.decide(file, place);
  }

  private async rename(file: TrackedFile): Promise<void> {
    const current = file.places[0]!;
    if (current.path === null) return;
    const newname = `${file.id}-${this.next++}.bin`;
    const place = { path: `${current.path.slice(0, current.path.lastIndexOf('/'))}/${newname}`, sha256: current.sha256 };
    file.places = [current, place];
    await this.post('/api/1/fileops/rename/', { path: current.path, newname });
    this.decide(file, place);
  }

  private async move(file: TrackedFile): Promise<void> {
    const current = file.places[0]!;
    if (current.path === null) return;
    const target = `${this.folder}/${Math.floor(this.random() * 5)}`;
    if (current.path.startsWith(`${target}/`)) return;
    await this.post('/api/1/fileops/folder_create/', { path: target }, [200, 403]);
    const place = { path: `${target}/${current.path.slice(current.path.lastIndexOf('/') + 1)}`, sha256: current.sha256 };
    file.places = [current, place];
    await this.post('/api/1/fileops/move/', { from_path: current.path, to_path: target, overwrite: false });
    this.decide(file, place);
  }

  private async trashAndRestore(file: TrackedFile): Promise<void> {
    const current = file.places[0]!;
    if (current.path === null) return;
    file.places = [current, { path: null, sha256: current.sha256 }];
    await this.post('/api/1/fileops/delete/', { path: current.path });
    await this.post('/api/1/fileops/undelete/', { path: current.path });
    this.decide(file, current);
  }

  private async erase(file: TrackedFile): Promise<void> {
    const current = file.places[0]!;
    if (current.path === null) return;
    const place = { path: null, sha256: current.sha256 };
    file.places = [current, place];
    await this.post('/api/1/fileops/delete/', { path: current.path, without_trash: true });
    this.decide(file, place);
  }

  private decide(file: TrackedFile, place: Place): void {
    file.places = [place];
    this.acknowledged += 1;
  }

  /** Asks the server which of the possible places is true. None of them: something acknowledged is lost or altered. */
  private async settle(file: TrackedFile): Promise<void> {
    if (file.places.length === 1) return;
    const found: Place[] = [];
    for (const path of new Set(file.places.map((place) => place.path))) {
      if (path === null) continue;
      const reply = await this.request('GET', `/api/1/metadata${encodePath(path)}`, [200, 404]);
      if (reply.status === 200) found.push({ path, sha256: sha256(await this.bytesOf(path)) });
    }
    const fits = (place: Place) => file.places.some((possible) => possible.path === place.path && possible.sha256 === place.sha256);
    const absent = file.places.find((place) => place.path === null);
    if (found.length === 1 && fits(found[0]!)) file.places = found;
    else if (found.length === 0 && absent) file.places = [absent];
    else {
      this.violations.push(`file ${file.id} may be ${JSON.stringify(file.places)}, but is ${JSON.stringify(found)}`);
      file.places = found.length > 0 ? [found[0]!] : [{ path: null, sha256: '' }];
    }
  }

  private async bytesOf(path: string): Promise<Buffer> {
    const { url } = (await this.request('GET', `/api/1/files/get${encodePath(path)}`, [200])).json<{ url: string }>();
    return (await this.request('GET', url, [200])).body;
  }

  private async listAll(): Promise<WireNode[]> {
    const found: WireNode[] = [];
    const folders = [this.folder];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      const { content } = (await this.request('GET', `/api/1/metadata${encodePath(folder)}`, [200])).json<WireNode>();
      for (const node of content!) {
        if (node.folder) folders.push(node.path);
        else found.push(node);
      }
    }
    return found;
  }

  private async upload(path: string, bytes: Buffer, overwrite: boolean): Promise<void> {
    const ticket = (await this.post('/api/1/files/create/', { path, overwrite, size: bytes.length })).json<UploadTicket>();
    await this.request('PUT', ticket.url, [200], bytes);
    await this.post(ticket.confirm_url, {});
  }

  private content(): Buffer {
    const size = this.random() < 0.1 ? 0 : Math.floor(this.random() ** 3 * 400_000);
    return randomBytes(size);
  }

  private async post(path: string, parameters: Record<string, string | number | boolean>, expected: readonly number[] = [200]): Promise<HttpAnswer> {
    const body = new URLSearchParams(Object.entries(parameters).map(([name, value]): [string, string] => [name, String(value)])).toString();
    return this.request('POST', path, expected, Buffer.from(body), 'application/x-www-form-urlencoded');
  }

  /** One request. No answer and any 5xx mean a cut-off; a refusal that was not expected is a violation. */
  private async request(
    method: string,
    path: string,
    expected: readonly number[],
    body?: Buffer,
    type = 'application/octet-stream',
  ): Promise<HttpAnswer> {
    let reply: HttpAnswer;
    try {
      const headers: Record<string, string> = body ? { 'content-type': type, 'content-length': String(body.length) } : {};
      reply = await this.user.http.send(path, { method, headers, body });
    } catch (error) {
      throw new CutOff(`${method} ${path}`, { cause: error });
    }
    if (expected.includes(reply.status)) return reply;
    if (reply.status < 500) this.violations.push(`${method} ${path} answered ${reply.status} ${reply.body.toString().slice(0, 200)}`);
    throw new CutOff(`${method} ${path} answered ${reply.status}`);
  }

  private async patiently<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await work();
      } catch (error) {
        if (tries === 40) throw error;
        await sleep(250);
      }
    }
  }
}

/** True when the api answers and says that it is ready. */
export async function isReady(baseUrl: string): Promise<boolean> {
  const http = new HttpSession(baseUrl);
  try {
    return (await http.send('/health/ready')).status === 200;
  } catch {
    return false;
  } finally {
    http.close();
  }
}
