import type { Readable } from 'node:stream';

import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { BlobStore, type ByteRange } from '#libs/blob-store';
import { ConfirmService, MoveService, UploadIntake, UploadService } from '#libs/files';
import { type AccountActor, DomainError, isDomainError } from '#libs/kernel';
import {
  checkName,
  childPath,
  type LocatedNode,
  nameKey,
  nodeNotFound,
  NodeRepository,
  NodeResolver,
  numberedCandidates,
  pathSegments,
  type PlacedNode,
  type StoredVersion,
  VersionRepository,
} from '#libs/nodes';
import { TrashService } from '#libs/trash';

import { WopiAccess, type WopiGrant, type WopiSession, writerOf } from './wopi-access.service.js';
import { judgeWrite, lockMismatch, WopiLocks } from './wopi-locks.service.js';

/** A file as an office server sees it. */
export interface WopiFile {
  readonly session: WopiSession;
  readonly version: StoredVersion;
  readonly folderName: string;
  readonly mayWriteBeside: boolean;
  readonly mayDelete: boolean;
}

/** Bytes on their way from an office server. */
export interface WopiBody {
  readonly stream: Readable;
  /** Null when it was not announced. */
  readonly sizeBytes: number | null;
}

/** `suggested`: a name, or an extension that begins with a dot, which may be changed so that it fits. `exact`: this name or none. */
export type RelativeTarget = { readonly suggested: string } | { readonly exact: string; readonly overwrite: boolean };

export interface RelativeFile {
  readonly node: LocatedNode;
  readonly grant: WopiGrant;
}

const TRIES = 3;
const CANDIDATES = 100;

/** What an office server does with a file: looks, reads, saves, saves beside, renames, removes. */
@Injectable()
export class WopiFiles {
  constructor(
    private readonly locks: WopiLocks,
    private readonly grants: WopiAccess,
    private readonly intake: UploadIntake,
    private readonly uploads: UploadService,
    private readonly confirms: ConfirmService,
    private readonly moves: MoveService,
    private readonly trash: TrashService,
    private readonly versions: VersionRepository,
    private readonly nodes: NodeRepository,
    private readonly resolver: NodeResolver,
    private readonly access: AccessService,
    private readonly store: BlobStore,
  ) {}

  /** NODE_NOT_FOUND when the version is gone. */
  async info(session: WopiSession): Promise<WopiFile> {
    const version = await this.versionOf(session);
    const folder = await this.folderOf(session);
    const rights = folder && (await this.access.rights(session.actor, [folder.node])).get(folder.node.id);
    const editing = session.mayWrite && session.actor.kind === 'account';
    return {
      session,
      version,
      folderName: folder?.node.name ?? '',
      mayWriteBeside: editing && rights?.write === true,
      mayDelete: editing && session.right.delete,
    };
  }

  /** The bytes that the session opens. NODE_NOT_FOUND. */
  async content(session: WopiSession): Promise<{ version: StoredVersion; stream: (range?: ByteRange) => Promise<Readable> }> {
    const version = await this.versionOf(session);
    return { version, stream: (range) => this.store.getRange(version.storeKey, range) };
  }

  /**
   * Saves the file: a new version by the ordinary way of uploads. The lock is judged before the first byte and again, together with the right to
   * write, when the version is made. `seenModifiedMs`: when the version was made that the office server has read, if it tells; VERSION_CONFLICT
   * when there is a newer one. LOCK_MISMATCH, FORBIDDEN, QUOTA_EXCEEDED, TOO_LARGE, BUSY.
   */
  async put(session: WopiSession, lockId: string | null, body: WopiBody, seenModifiedMs: number | null = null): Promise<StoredVersion> {
    const actor = writerOf(session);
    const { node } = session;
    judgeWrite(await this.locks.current(node.id), lockId, node.sizeBytes);
    await this.judgeSeen(node, seenModifiedMs);
    const tempName = await this.receive(actor, node.path, body, true);
    return this.locks.whileHeld(node.id, async (current) => {
      const now = (await this.resolver.find(actor, { id: node.id }))?.node;
      if (!now) throw nodeNotFound();
      judgeWrite(current, lockId, now.sizeBytes);
      await this.judgeSeen(now, seenModifiedMs);
      const saved = await this.confirm(actor, tempName, node.id);
      return (await this.versions.find(saved.id, saved.versionNo))!;
    });
  }

  /**
   * Saves beside the file. With an exact name: NAME_TAKEN (`details.suggestion` is a name that is free), LOCK_MISMATCH when what is there is
   * being edited, NAME_ILLEGAL (`details.suggestion`). FORBIDDEN, QUOTA_EXCEEDED, TOO_LARGE, BUSY.
   */
  async putRelative(session: WopiSession, target: RelativeTarget, body: WopiBody): Promise<RelativeFile> {
    const actor = writerOf(session);
    const folder = (await this.folderOf(session))?.node;
    if (!folder) throw new DomainError('FORBIDDEN', 'Nothing can be saved beside this file.');
    await this.access.require(actor, 'node.upload', [folder]);
    const node =
      'suggested' in target ? await this.saveNew(session, actor, folder, target.suggested, body) : await this.saveExact(actor, folder, target, body);
    return { node, grant: await this.grants.issue(actor, node.id, { mayWrite: true, untilMs: session.expiresMs }) };
  }

  /** Gives the file another name; `stem` comes without the extension, which stays. The name may get a number. LOCK_MISMATCH, NAME_ILLEGAL, FORBIDDEN. */
  async rename(session: WopiSession, lockId: string | null, stem: string): Promise<LocatedNode> {
    const actor = writerOf(session);
    const { node } = session;
    const extension = extensionOf(node.name);
    legal(stem + extension);
    return this.locks.whileHeld(node.id, async (current) => {
      if (current !== null && current !== lockId) throw lockMismatch(current, 'The file is locked by another editing session.');
      const wanted = stem + extension;
      const same = nameKey(wanted) === nameKey(node.name);
      const name = same ? wanted : await this.freeName(node.parentId!, wanted);
      return this.moves.rename(actor, { node: { id: node.id }, name });
    });
  }

  /** Puts the file into the trash. LOCK_MISMATCH when it is locked, FORBIDDEN. */
  async remove(session: WopiSession): Promise<void> {
    const actor = writerOf(session);
    await this.locks.whileHeld(session.node.id, async (current) => {
      if (current !== null) throw lockMismatch(current, 'The file is being edited.');
      const [outcome] = await this.trash.trash(actor, { nodes: [{ id: session.node.id }], onlyEmpty: false, permanent: false });
      if (outcome && 'error' in outcome) throw outcome.error;
    });
  }

  private async versionOf({ node, versionNo }: WopiSession): Promise<StoredVersion> {
    const version = await this.versions.find(node.id, versionNo ?? node.versionNo);
    if (!version) throw nodeNotFound();
    return version;
  }

  private async judgeSeen({ id, versionNo }: LocatedNode, seenModifiedMs: number | null): Promise<void> {
    if (seenModifiedMs === null) return;
    const version = await this.versions.find(id, versionNo);
    if (version?.createdAtMs !== seenModifiedMs) throw new DomainError('VERSION_CONFLICT', 'The file has changed since it was opened.');
  }

  /** The folder of the file, as the actor sees it; null where his sight begins with the file. */
  private async folderOf({ actor, node }: WopiSession): Promise<PlacedNode | null> {
    if (node.parentId === null || node.path === '/') return null;
    const folder = await this.resolver.find(actor, { id: node.parentId });
    const visible = folder && (await this.access.allowed(actor, 'node.read', [folder.node])).has(folder.node.id);
    return visible ? folder : null;
  }

  private async saveNew(session: WopiSession, actor: AccountActor, folder: LocatedNode, suggested: string, body: WopiBody): Promise<LocatedNode> {
    const { name } = session.node;
    const proposed = suggested.startsWith('.') ? name.slice(0, name.length - extensionOf(name).length) + suggested : suggested;
    const free = await this.freeName(folder.id, fitting(proposed));
    const tempName = await this.receive(actor, childPath(folder, free), body, false);
    return this.confirm(actor, tempName, null);
  }

  private async saveExact(
    actor: AccountActor,
    folder: LocatedNode,
    { exact, overwrite }: { readonly exact: string; readonly overwrite: boolean },
    body: WopiBody,
  ): Promise<LocatedNode> {
    legal(exact);
    const occupant = await this.nodes.findChild(folder.id, nameKey(exact));
    if (occupant && (!overwrite || occupant.kind === 'folder')) {
      throw new DomainError('NAME_TAKEN', 'A file with this name already exists.', { suggestion: await this.freeName(folder.id, exact) });
    }
    if (!occupant) return this.confirm(actor, await this.receive(actor, childPath(folder, exact), body, false), null);
    const refuse = (current: string | null): void => {
      if (current !== null) throw lockMismatch(current, 'The file of this name is being edited.');
    };
    refuse(await this.locks.current(occupant.id));
    const tempName = await this.receive(actor, childPath(folder, occupant.name), body, true);
    return this.locks.whileHeld(occupant.id, (current) => {
      refuse(current);
      return this.confirm(actor, tempName, occupant.id);
    });
  }

  /** The bytes, durable but not visible yet: the name of their upload. */
  private async receive(actor: AccountActor, path: string, { stream, sizeBytes }: WopiBody, overwrite: boolean): Promise<string> {
    const size = sizeBytes === null ? {} : { sizeBytes };
    const upload = await this.uploads.create(actor, { path: pathSegments(path), overwrite, createParents: false, multipart: false, ...size });
    if (upload.kind !== 'session') throw new Error('an upload without checksum cannot be known already');
    await this.intake.take(upload, stream, sizeBytes);
    return upload.tempName;
  }

  /** Makes the upload visible. BUSY when it would become another file than `expectedId`, because that was renamed or moved meanwhile. */
  private async confirm(actor: AccountActor, tempName: string, expectedId: string | null): Promise<LocatedNode> {
    const node = await this.confirms.confirm({ accountId: actor.accountId, tempName, actor });
    if (expectedId !== null && node.id !== expectedId) throw new DomainError('BUSY', 'The file was moved while it was being saved; save it again.');
    return node;
  }

  /** The name, or the first with a number that nothing in the folder has. */
  private async freeName(folderId: string, name: string): Promise<string> {
    for (let round = 0; round < TRIES; round++) {
      const candidates = [
        ...(round === 0 ? [{ name, nameKey: nameKey(name) }] : []),
        ...numberedCandidates(name, 'file', 1 + round * CANDIDATES, CANDIDATES),
      ];
      const taken = await this.nodes.takenKeys(
        folderId,
        candidates.map((candidate) => candidate.nameKey),
      );
      const free = candidates.find((candidate) => !taken.has(candidate.nameKey));
      if (free) return free.name;
    }
    throw new DomainError('NAME_TAKEN', 'Too many files have this name already.');
  }
}

/** `.docx` of `a.docx`; empty when there is none. */
function extensionOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot > 0 ? name.slice(dot) : '';
}

/** NAME_ILLEGAL with a name that would do. */
function legal(name: string): void {
  try {
    checkName(name);
  } catch (error) {
    if (!isDomainError(error)) throw error;
    throw new DomainError('NAME_ILLEGAL', error.message, { ...error.details, suggestion: fitting(name) });
  }
}

/** The nearest legal name: what cannot stand in one becomes `_`, and what is too long is cut before the extension. */
function fitting(name: string): string {
  const clean = name.replace(/[/\p{Cc}]|[\ud800-\udfff]/gu, '_').trim();
  const extension = extensionOf(clean);
  const kept = Buffer.byteLength(extension) <= 32 ? extension : '';
  let stem = clean.slice(0, clean.length - kept.length);
  while (Buffer.byteLength(stem) > 200) stem = [...stem].slice(0, -1).join('');
  return /^\.{0,2}$/.test(stem + kept) ? 'document' : stem + kept;
}
