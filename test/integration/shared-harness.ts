import { GrantService, type Right } from '#libs/access';
import { ArchiveJobsModule, ArchivesModule } from '#libs/archives';
import { BrowseService, FolderService, MoveService } from '#libs/files';
import { type AccountActor, type GuestActor, newId, randomUrlSafe } from '#libs/kernel';
import { type LocatedNode, Purger } from '#libs/nodes';
import type { TaskContext, TaskHandler } from '#libs/tasks';
import { ClearTask, RestoreTask, TrashJobsModule, TrashService } from '#libs/trash';

import { type BytesHarness, segments, startBytes } from './bytes-harness.js';

export const WRITER: Right = { write: true, delete: true, download: true };
export const READER: Right = { write: false, delete: false, download: true };
export const VIEWER: Right = { write: false, delete: false, download: false };

/** The byte side of the core with shared folders, passes and their trash. */
export class SharedHarness {
  private constructor(readonly bytes: BytesHarness) {}

  static async start(): Promise<SharedHarness> {
    return new SharedHarness(await startBytes({}, undefined, [TrashJobsModule, ArchivesModule, ArchiveJobsModule]));
  }

  readonly service = <T>(type: abstract new (...args: never[]) => T): T => this.bytes.app.get<T>(type, { strict: false });

  get trash(): TrashService {
    return this.service(TrashService);
  }

  get grants(): GrantService {
    return this.service(GrantService);
  }

  account(limitBytes: number | null = null): Promise<AccountActor> {
    return this.bytes.account({ limitBytes });
  }

  folder(actor: AccountActor, path: string): Promise<LocatedNode> {
    return this.service(FolderService).create(actor, { path: segments(path), createParents: true });
  }

  get(actor: AccountActor | GuestActor, path: string): Promise<LocatedNode> {
    return this.service(BrowseService).get(actor, { node: { path: segments(path) } });
  }

  async rename(actor: AccountActor, path: string, name: string): Promise<void> {
    await this.service(MoveService).rename(actor, { node: { path: segments(path) }, name });
  }

  /** Names in a folder as the actor sees it, in name order. */
  async names(actor: AccountActor, path: string): Promise<string[]> {
    const { entries } = await this.service(BrowseService).list(actor, {
      node: { path: segments(path) },
      dirsOnly: false,
      includeRemoved: false,
      orderBy: 'name',
      descending: false,
      offset: 0,
      limit: 0,
    });
    return entries.map((entry) => entry.name);
  }

  /** Shares a folder of the owner; every receiver has accepted. Returns the folder as the owner sees it. */
  async share(owner: AccountActor, path: string, right: Right, ...receivers: AccountActor[]): Promise<LocatedNode> {
    const node = await this.get(owner, path).catch(() => this.folder(owner, path));
    for (const { accountId } of receivers) await this.grants.grant(owner, { node, subject: { accountId }, right, accepted: true });
    await this.bytes.database.run('UPDATE nodes SET shared = true WHERE id = $1', [node.id]);
    return node;
  }

  revoke(owner: AccountActor, node: LocatedNode, member: AccountActor): Promise<void> {
    return this.grants.revoke(owner, node, { accountId: member.accountId });
  }

  /** A pass to a node by a new public link of its owner. One node has one link of each issuer. */
  async pass(owner: AccountActor, node: LocatedNode, rights: 'download' | 'upload'): Promise<GuestActor> {
    const passId = newId();
    await this.bytes.database.run('INSERT INTO links (id, node_id, issuer_id, hash, rights) VALUES ($1, $2, $3, $4, $5)', [
      passId,
      node.id,
      owner.accountId,
      randomUrlSafe(16),
      rights,
    ]);
    return { kind: 'guest', pass: 'link', passId, rootId: node.id, spaceId: node.spaceId, issuerId: owner.accountId };
  }

  async endPass(guest: GuestActor): Promise<void> {
    await this.bytes.database.run('DELETE FROM links WHERE id = $1', [guest.passId]);
  }

  async remove(actor: AccountActor, path: string, permanent = false): Promise<LocatedNode> {
    const [outcome] = await this.trash.trash(actor, { nodes: [{ path: segments(path) }], onlyEmpty: false, permanent });
    if (!outcome || 'error' in outcome) throw outcome?.error ?? new Error('no outcome');
    return outcome.node;
  }

  async undelete(actor: AccountActor, path: string): Promise<LocatedNode> {
    const [outcome] = await this.trash.undelete(actor, { paths: [segments(path)] });
    if (!outcome || 'error' in outcome) throw outcome?.error ?? new Error('no outcome');
    return outcome.node;
  }

  /** The trash of the actor, or of a shared folder of his, as trash names with restore paths. */
  async listTrash(actor: AccountActor, from?: string): Promise<string[]> {
    const page = { dirsOnly: false, orderBy: 'name', descending: false, offset: 0, limit: 0 } as const;
    const { entries } = await this.trash.list(actor, { ...page, ...(from === undefined ? {} : { from: { path: segments(from) } }) });
    return entries.map((entry) => `${entry.trashName} ${entry.restorePath}`);
  }

  /** Does what the worker would do with a task, and returns its result. */
  async runTask(handler: abstract new (...args: never[]) => TaskHandler<never>, publicId: string): Promise<unknown> {
    const row = await this.bytes.database.queryOne<{ input: never; account_id: number | null; guest: GuestActor | null }>(
      `UPDATE tasks SET state = 'succeeded' WHERE public_id = $1 RETURNING input, account_id, guest`,
      [publicId],
    );
    return this.service(handler).run(row!.input, contextOf(row!.account_id, row!.guest));
  }

  async restore(actor: AccountActor, names: string[], from?: string, onConflict: 'fail' | 'replace' = 'replace'): Promise<unknown> {
    const { publicId } = await this.trash.startRestore(actor, {
      names,
      onConflict,
      ...(from === undefined ? {} : { from: { path: segments(from) } }),
    });
    return this.runTask(RestoreTask, publicId);
  }

  async clearTrash(actor: AccountActor): Promise<void> {
    await this.runTask(ClearTask, (await this.trash.startClear(actor, { names: null })).publicId);
    const { spaceId } = await this.get(actor, '/');
    await this.service(Purger).all(spaceId, () => Promise.resolve());
  }

  /** What the feeds of a space or shared folder tell, oldest first: `type path`. */
  async feed(scopeId: string): Promise<string[]> {
    const rows = await this.bytes.database.query<{ event: string }>(
      `SELECT type || ' ' || path AS event FROM change_events WHERE scope_id = $1 ORDER BY xid, seq`,
      [scopeId],
    );
    return rows.map((row) => row.event);
  }

  close(): Promise<void> {
    return this.bytes.close();
  }
}

function contextOf(accountId: number | null, guest: GuestActor | null): TaskContext {
  return {
    taskId: newId(),
    accountId,
    guest,
    checkpoint: null,
    signal: new AbortController().signal,
    saveProgress: () => Promise.resolve(),
    throwIfCancelled: () => Promise.resolve(),
  };
}

/** The results of `work` for 0 to `count - 1`, all at once: how many were done, and the codes of the refusals. */
export async function race<T>(count: number, work: (index: number) => Promise<T>): Promise<{ done: T[]; codes: string[] }> {
  const results = await Promise.allSettled(Array.from({ length: count }, (_, index) => work(index)));
  return {
    done: results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])),
    codes: results.flatMap((result) => (result.status === 'rejected' ? [String((result.reason as { code?: unknown }).code ?? result.reason)] : [])),
  };
}
