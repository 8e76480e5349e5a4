import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { BrowseService, CopyService } from '#libs/files';
import { type AccountActor, Clock, DomainError, type GuestActor } from '#libs/kernel';
import { nodeNotFound, type PlacedNode, NodeResolver, quotaExceeded, QuotaLedger, SubtreeRepository } from '#libs/nodes';
import { HandlesTask, type TaskContext, type TaskHandler, TaskService } from '#libs/tasks';

import type { OpenedLink } from './link-door.js';
import { LinkUsage } from './link-usage.js';
import { LinkRepository } from './repositories/link.repository.js';

export interface AddToStorage {
  /** What is wanted of the link, by paths below it; empty = all. */
  readonly paths: readonly (readonly string[])[];
  /** The folder in the actor's tree that takes it. */
  readonly target: readonly string[];
}

interface AddInput {
  readonly guest: GuestActor;
  readonly nodeIds: readonly string[];
  readonly targetId: string;
  readonly targetSpaceId: string;
}

/** What is done: the copies that can be seen, in the order of the input, and the one that cannot yet. */
interface AddState {
  readonly made: readonly string[];
  readonly stagedId: string | null;
}

export interface AddResult {
  /** Path of what came, or of the folder that took it when it was more than one thing. */
  readonly folderName: string;
  readonly files: number;
  readonly bytes: number;
}

/** Takes what a link gives into the tree of an account. */
@Injectable()
export class AddToStorageService {
  constructor(
    private readonly resolver: NodeResolver,
    private readonly browse: BrowseService,
    private readonly subtrees: SubtreeRepository,
    private readonly quotas: QuotaLedger,
    private readonly access: AccessService,
    private readonly usage: LinkUsage,
    private readonly tasks: TaskService,
  ) {}

  /**
   * Starts the task `links.add-to-storage` (its result is an AddResult) and counts it as one download. NODE_NOT_FOUND, NOT_A_FOLDER, FORBIDDEN,
   * QUOTA_EXCEEDED, LINK_NOT_FOUND.
   */
  async start(actor: AccountActor, opened: OpenedLink, { paths, target: targetPath }: AddToStorage): Promise<{ publicId: string }> {
    const { guest } = opened;
    const chosen = await this.choose(guest, paths);
    const target = await this.browse.get(actor, { node: { path: targetPath } });
    if (target.kind !== 'folder') throw new DomainError('NOT_A_FOLDER', `"${target.path}" is not a folder.`);
    await this.access.require(actor, 'node.upload', [target]);
    const free = await this.quotas.freeBytes(target.ownerId);
    if (free !== null) {
      let bytes = 0;
      for (const { node } of chosen) bytes += node.kind === 'file' ? node.sizeBytes : (await this.subtrees.figures(node.id)).bytes;
      if (bytes > free) throw quotaExceeded();
    }
    const nodeIds = chosen.map(({ node }) => node.id);
    const input: AddInput = { guest, nodeIds, targetId: target.id, targetSpaceId: target.spaceId };
    return this.usage.counted(opened, () => this.tasks.start(actor, 'links.add-to-storage', input));
  }

  /** Every wanted node once, and none that another one holds. */
  private async choose(guest: GuestActor, paths: AddToStorage['paths']): Promise<PlacedNode[]> {
    const wanted = paths.length === 0 ? [[]] : paths;
    const found = await this.resolver.findMany(
      guest,
      wanted.map((path) => ({ path })),
    );
    const placed = found.map((each) => {
      if (!each) throw nodeNotFound('source');
      return each;
    });
    await this.access.require(
      guest,
      'node.download',
      placed.map(({ node }) => node),
    );
    const once = new Map(placed.map((each) => [each.node.id, each]));
    return [...once.values()].filter(({ chain }) => !chain.slice(0, -1).some((id) => once.has(id)));
  }
}

/**
 * Copies what was chosen, one thing after the other. Each is built where nobody sees it and noted as done in the transaction that shows it; what
 * a killed run has left half done is given up and begun anew, so that every run ends with the same tree.
 */
@HandlesTask('links.add-to-storage')
export class AddToStorageTask implements TaskHandler<AddInput> {
  constructor(
    private readonly copies: CopyService,
    private readonly links: LinkRepository,
    private readonly resolver: NodeResolver,
    private readonly subtrees: SubtreeRepository,
    private readonly clock: Clock,
  ) {}

  /** FORBIDDEN when the account may not work any more; else as CopyService.copy: the link and its issuer are judged for each thing again. */
  async run(input: AddInput, context: TaskContext): Promise<AddResult> {
    const actor = await this.actorOf(context);
    let state = (context.checkpoint as unknown as AddState | null) ?? { made: [], stagedId: null };
    while (state.made.length < input.nodeIds.length) {
      await context.throwIfCancelled();
      if (state.stagedId !== null) await this.copies.giveUp(state.stagedId, input.targetSpaceId);
      state = { made: [...state.made, await this.copyNext(actor, input, state.made, context)], stagedId: null };
    }
    return this.resultOf(actor, input, state);
  }

  private async copyNext(
    actor: AccountActor,
    { guest, nodeIds, targetId }: AddInput,
    made: readonly string[],
    context: TaskContext,
  ): Promise<string> {
    const percent = (done: number) => (done / nodeIds.length) * 100;
    const { id } = await this.copies.copy(actor, {
      source: { id: nodeIds[made.length]! },
      targetFolder: { id: targetId },
      onConflict: 'rename',
      reader: guest,
      steps: {
        begun: (stagedId) => context.saveProgress(percent(made.length), { made, stagedId } satisfies AddState),
        shown: (copyId) => context.saveProgress(percent(made.length + 1), { made: [...made, copyId], stagedId: null } satisfies AddState),
      },
    });
    return id;
  }

  /** Sizes are those of what came, as it is now; the user may have moved or changed it already. */
  private async resultOf(actor: AccountActor, { targetId }: AddInput, { made }: AddState): Promise<AddResult> {
    const found = (
      await this.resolver.findMany(
        actor,
        made.map((id) => ({ id })),
      )
    ).filter((placed) => placed !== null);
    let files = 0;
    let bytes = 0;
    for (const { node } of found) {
      const figures = node.kind === 'file' ? { files: 1, bytes: node.sizeBytes } : await this.subtrees.figures(node.id);
      files += figures.files;
      bytes += figures.bytes;
    }
    const shown = made.length === 1 ? found[0] : await this.resolver.find(actor, { id: targetId });
    return { folderName: shown?.node.path ?? '/', files, bytes };
  }

  private async actorOf({ accountId }: TaskContext): Promise<AccountActor> {
    if (accountId === null || !(await this.links.isActive(accountId, this.clock.now()))) {
      throw new DomainError('FORBIDDEN', 'This account may not add files any more.');
    }
    return { kind: 'account', accountId, companyId: null, role: 'user', tokenId: null };
  }
}
