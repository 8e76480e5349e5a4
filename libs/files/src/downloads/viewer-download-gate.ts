import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { Authenticator } from '#libs/accounts';
import { DownloadGate, type DownloadPass } from '#libs/blob-store';
import { type Actor, type Client, type ClientKind, DomainError, viewerFrom, viewerText } from '#libs/kernel';
import { nodeNotFound, NodeRepository } from '#libs/nodes';

const KINDS: readonly ClientKind[] = ['desktop', 'mobile', 'other'];

/**
 * For whom a download URL is: the actor, and by which kind of program he asked, because the URL is often fetched by another one (the browser, a loader
 * of the system). `nodeId`: what he must still be allowed to download then.
 */
export function downloadPass(actor: Actor, nodeId?: string): DownloadPass {
  const kind = (actor.kind === 'account' ? actor.client?.kind : undefined) ?? 'other';
  return { holder: `${viewerText(actor)}~${kind}`, ...(nodeId === undefined ? {} : { nodeId }) };
}

/** Judges a download URL at each use: the token that asked for it must live, and the right to the file must still be there. */
@Injectable()
export class ViewerDownloadGate extends DownloadGate {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly nodes: NodeRepository,
    private readonly access: AccessService,
  ) {
    super();
  }

  async judge({ holder, nodeId }: DownloadPass, { address }: Client): Promise<void> {
    const at = holder.lastIndexOf('~');
    const viewer = viewerFrom(holder.slice(0, at));
    const kind = KINDS.find((known) => known === holder.slice(at + 1));
    if (viewer === null || kind === undefined) throw new DomainError('FORBIDDEN', 'This URL is not valid.');
    const actor = viewer.kind === 'guest' ? viewer : await this.authenticator.byUrl(viewer.accountId, viewer.tokenId, { kind, address });
    if (nodeId === undefined) return;
    // By its id alone: where it stands does not matter, and who may have it the access lib says.
    const [node] = await this.nodes.byIds([nodeId]);
    if (!node || node.removal === 'purging') throw nodeNotFound();
    await this.access.require(actor, 'node.download', [node]);
  }
}
