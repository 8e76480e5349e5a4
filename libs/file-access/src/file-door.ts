import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { Call, Clock, type GuestActor, isDomainError, isUuid, sha256 } from '#libs/kernel';
import { LinkDoor, LinkUsage } from '#libs/links';
import { nodeNotFound, NodeResolver } from '#libs/nodes';

import type { AccessMode } from './file-sharing.service.js';
import { FileAccessRepository } from './repositories/file-access.repository.js';
import { FileKeyRepository } from './repositories/file-key.repository.js';

/** What somebody without an account shows. */
export interface FileDoorKey {
  readonly key?: string | undefined;
  readonly password?: string | undefined;
  /** Address of the caller: wrong passwords are counted for it. */
  readonly ip: string;
}

/** An open file. What may be done is judged again at every step, by the pass. */
export interface OpenedFileDoor {
  readonly guest: GuestActor;
  /** Does `work`, which hands the file out, and counts it where the file is open by a link. In one transaction then. */
  readonly counted: <T>(work: () => Promise<T>) => Promise<T>;
}

const KEY = /^[\w-]{16,64}$/;

/** The way to one file for people who know its id, and have nothing else or a key or a password. */
@Injectable()
export class FileDoor {
  constructor(
    private readonly rows: FileAccessRepository,
    private readonly keys: FileKeyRepository,
    private readonly door: LinkDoor,
    private readonly usage: LinkUsage,
    private readonly resolver: NodeResolver,
    private readonly access: AccessService,
    private readonly clock: Clock,
  ) {}

  /** What anybody is told of a file in place: how it is open, and its size in bytes. NODE_NOT_FOUND. */
  async describe(id: string): Promise<{ readonly id: string; readonly mode: AccessMode; readonly sizeBytes: number; readonly versionNo: number }> {
    const file = isUuid(id) ? await this.rows.file(id) : null;
    if (!file) throw nodeNotFound();
    const row = (await this.rows.find([file.id], this.clock.now())).get(file.id);
    return { id: file.id, mode: row?.mode ?? 'private', sizeBytes: file.sizeBytes, versionNo: file.versionNo };
  }

  /**
   * Opens a file by a key of it, whatever its mode, else by its mode. NODE_NOT_FOUND when it is not open so, LINK_PASSWORD_WRONG (`details.reason`),
   * LINK_BLOCKED, RATE_LIMITED.
   */
  async open(id: string, { key, password, ip }: FileDoorKey): Promise<OpenedFileDoor> {
    const file = isUuid(id) ? await this.rows.file(id) : null;
    if (!file) throw nodeNotFound();
    const byKey = key === undefined ? null : await this.byKey(file, key);
    if (byKey) return byKey;
    const hash = (await this.rows.find([file.id], this.clock.now())).get(file.id)?.hash ?? null;
    if (hash === null) throw nodeNotFound();
    try {
      const opened = await this.door.open(hash, { password, ip, rights: 'download' });
      return { guest: opened.guest, counted: (work) => this.usage.counted(opened, work) };
    } catch (error) {
      throw isDomainError(error, 'LINK_NOT_FOUND') ? nodeNotFound() : error;
    }
  }

  private async byKey(file: { readonly id: string; readonly spaceId: string }, secret: string): Promise<OpenedFileDoor | null> {
    const found = KEY.test(secret) ? await this.keys.find(file.id, sha256(secret)) : null;
    if (!found) return null;
    const guest: GuestActor = { kind: 'guest', pass: 'key', passId: found.id, rootId: file.id, spaceId: file.spaceId, issuerId: found.issuerId };
    const placed = await this.resolver.find(guest, { id: file.id });
    if (!placed || !(await this.access.allowed(guest, 'node.download', [placed.node])).has(file.id)) return null;
    Call.identify(guest);
    return { guest, counted: (work) => work() };
  }
}
