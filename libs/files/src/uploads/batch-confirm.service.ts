import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { type AccountActor, DomainError, type DomainErrorCode } from '#libs/kernel';
import { NodeRepository, pathKey, type UploadSession, UploadSessionRepository } from '#libs/nodes';

import { ConfirmService, verifyDeclared } from './confirm.service.js';
import { placeOf } from './file-place.js';
import { isTempName } from './temp-names.js';
import { isStarter, planOf } from './upload-command.js';
import { type PlacedUpload, UploadWriter } from './upload-writer.js';

export interface UploadName {
  readonly accountId: number;
  readonly tempName: string;
}

/** What became of one upload: the id of its file, or why there is none. */
export type ConfirmOutcome =
  { readonly nodeId: string } | { readonly path: string | null; readonly error: { readonly code: DomainErrorCode; readonly message: string } };

/** Confirms many uploads with a handful of statements; what does not fit the common way is confirmed one by one. */
@Injectable()
export class BatchConfirmService {
  constructor(
    private readonly confirms: ConfirmService,
    private readonly sessions: UploadSessionRepository,
    private readonly nodes: NodeRepository,
    private readonly access: AccessService,
    private readonly writer: UploadWriter,
  ) {}

  /** Outcomes in the order of `names`. Repeating it gives the same for what was confirmed. */
  async confirm(actor: AccountActor, names: readonly UploadName[]): Promise<ConfirmOutcome[]> {
    const sessions = await this.sessions.findMany(names.map((name) => name.tempName).filter(isTempName));
    const byName = new Map(sessions.map((session) => [session.tempName, session]));
    // In the order they were named: of two for one path the first is written first.
    const inOrder = [...new Set(names.map((name) => byName.get(name.tempName)))].filter((session) => session !== undefined);
    const done = new Map<string, string>();
    for (const group of groupsOf(inOrder.filter((session) => isStarter(session, actor) && isReady(session)))) {
      for (const [tempName, nodeId] of await this.writeTogether(actor, group)) done.set(tempName, nodeId);
    }
    const outcomes: ConfirmOutcome[] = [];
    for (const name of names) {
      const nodeId = done.get(name.tempName);
      outcomes.push(nodeId === undefined ? await this.confirmOne(actor, name, byName.get(name.tempName)) : { nodeId });
    }
    return outcomes;
  }

  /** Ids of the files by name of the upload. What another change gets in the way of is missing. */
  private async writeTogether(actor: AccountActor, group: readonly UploadSession[]): Promise<Map<string, string>> {
    try {
      const placed = await this.places(actor, group);
      if (placed.length === 0) return new Map();
      const written = await this.writer.fromSessions(placed);
      return new Map([...written].map(([tempName, node]) => [tempName, node.id]));
    } catch (error) {
      // Any refusal concerns one of them: one by one it is told to that one alone.
      if (error instanceof DomainError) return new Map();
      throw error;
    }
  }

  private async places(actor: AccountActor, group: readonly UploadSession[]): Promise<PlacedUpload[]> {
    // Of uploads to one path only the first comes along: the next has to see what it did.
    const distinct = [...new Map(group.map((session) => [pathKey(planOf(session).path), session] as const).reverse()).values()];
    const { startId } = planOf(distinct[0]!);
    const paths = distinct.map((session) => planOf(session).path);
    const resolutions = (await this.nodes.resolveManyFrom(startId, paths, actor.accountId)) ?? [];
    const nodes = resolutions.map(({ placed }) => placed.node);
    const files = nodes.filter((node) => node.kind === 'file');
    const folders = nodes.filter((node) => node.kind === 'folder');
    const allowed = new Set([
      ...(await this.access.allowed(actor, 'node.write', files)),
      ...(await this.access.allowed(actor, 'node.create', folders)),
    ]);
    return resolutions.flatMap((resolution, index) => {
      const session = distinct[index]!;
      const { node } = resolution.placed;
      if (!allowed.has(node.id) || node.spaceId !== session.spaceId) return [];
      try {
        return [{ session, place: placeOf(planOf(session), resolution) }];
      } catch (error) {
        if (error instanceof DomainError) return [];
        throw error;
      }
    });
  }

  private async confirmOne(actor: AccountActor, name: UploadName, session: UploadSession | undefined): Promise<ConfirmOutcome> {
    try {
      return { nodeId: (await this.confirms.confirm({ ...name, actor })).id };
    } catch (error) {
      if (!(error instanceof DomainError) || error.code === 'BUSY' || error.code === 'STORAGE_UNAVAILABLE') throw error;
      const path = session && isStarter(session, actor) ? await this.pathOf(actor, session) : null;
      return { path, error: { code: error.code, message: error.message } };
    }
  }

  /** The path that the upload was to have, as the actor sees it now; of a folder that is gone the part below it. */
  private async pathOf(actor: AccountActor, session: UploadSession): Promise<string> {
    const { startId, path } = planOf(session);
    const start = (await this.nodes.locate([startId], actor.accountId)).get(startId);
    const above = start === undefined || start.node.path === '/' ? '' : start.node.path;
    return `${above}/${path.join('/')}`;
  }
}

/** The sessions whose paths begin in one folder of one space together. */
function groupsOf(sessions: readonly UploadSession[]): UploadSession[][] {
  const groups = new Map<string, UploadSession[]>();
  for (const session of sessions) {
    const key = `${session.spaceId}/${planOf(session).startId}`;
    const group = groups.get(key);
    if (group) group.push(session);
    else groups.set(key, [session]);
  }
  return [...groups.values()];
}

function isReady(session: UploadSession): boolean {
  if (session.state !== 'uploaded' || !session.accountActive || planOf(session).diff) return false;
  try {
    verifyDeclared(session);
    return true;
  } catch {
    return false;
  }
}
