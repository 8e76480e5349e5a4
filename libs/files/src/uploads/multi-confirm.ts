import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { type AccountActor, type Actor, DomainError, type DomainErrorCode } from '#libs/kernel';
import { type LocatedNode, NodeResolver } from '#libs/nodes';
import { HandlesTask, type TaskContext, type TaskHandler, TaskService } from '#libs/tasks';

import { BatchConfirmService, type ConfirmOutcome, type UploadName } from './batch-confirm.service.js';

/** Most uploads that one call may confirm. */
const MAX_ITEMS = 10_000;
const BATCH = 200;

interface MultiConfirmInput {
  readonly items: readonly UploadName[];
}

/** One entry per upload, in the order they were named. */
export type MultiConfirmEntry =
  | { readonly node: LocatedNode; readonly error: null }
  | { readonly node: null; readonly path: string | null; readonly error: { readonly code: DomainErrorCode; readonly message: string } };

/** Result of the task `files.multi-confirm`. */
export interface MultiConfirmResult {
  readonly success: number;
  readonly failed: number;
  readonly nodes: readonly MultiConfirmEntry[];
}

/** Starts the confirmation of many uploads in the background. */
@Injectable()
export class MultiConfirmService {
  constructor(private readonly tasks: TaskService) {}

  /** Public id of the task. INVALID_ARGUMENT for no uploads or too many; an unknown upload is an entry of the result, no error here. */
  async start(actor: Actor, items: readonly UploadName[]): Promise<{ publicId: string }> {
    if (items.length === 0) throw new DomainError('INVALID_ARGUMENT', 'No upload was named.');
    if (items.length > MAX_ITEMS) throw new DomainError('INVALID_ARGUMENT', `At most ${MAX_ITEMS} uploads can be confirmed at once.`);
    const input: MultiConfirmInput = { items: items.map(({ accountId, tempName }) => ({ accountId, tempName })) };
    return this.tasks.start(actor, 'files.multi-confirm', input);
  }
}

/** Confirms in batches; what was confirmed by a run that was killed is confirmed again with the same answer. */
@HandlesTask('files.multi-confirm')
export class MultiConfirmTask implements TaskHandler<MultiConfirmInput> {
  constructor(
    private readonly batches: BatchConfirmService,
    private readonly resolver: NodeResolver,
    private readonly access: AccessService,
  ) {}

  async run({ items }: MultiConfirmInput, context: TaskContext): Promise<MultiConfirmResult> {
    if (context.accountId === null) throw new DomainError('INVALID_ARGUMENT', 'Uploads belong to an account.');
    const actor: AccountActor = { kind: 'account', accountId: context.accountId, companyId: null, role: 'user', tokenId: null };
    const outcomes = [...((context.checkpoint as { outcomes: ConfirmOutcome[] } | null)?.outcomes ?? [])];
    while (outcomes.length < items.length) {
      await context.throwIfCancelled();
      outcomes.push(...(await this.batches.confirm(actor, items.slice(outcomes.length, outcomes.length + BATCH))));
      await context.saveProgress((outcomes.length / items.length) * 100, { outcomes });
    }
    return this.result(actor, outcomes);
  }

  private async result(actor: AccountActor, outcomes: readonly ConfirmOutcome[]): Promise<MultiConfirmResult> {
    const ids = outcomes.flatMap((outcome) => ('nodeId' in outcome ? [outcome.nodeId] : []));
    const found = (
      await this.resolver.findMany(
        actor,
        ids.map((id) => ({ id })),
      )
    ).flatMap((placed) => (placed ? [placed.node] : []));
    const readable = await this.access.allowed(actor, 'node.read', found);
    const located = new Map(found.filter((node) => readable.has(node.id)).map((node) => [node.id, node]));
    const nodes = outcomes.map((outcome): MultiConfirmEntry => {
      if (!('nodeId' in outcome)) return { node: null, ...outcome };
      const node = located.get(outcome.nodeId);
      if (node) return { node, error: null };
      return { node: null, path: null, error: { code: 'NODE_NOT_FOUND', message: 'The file was removed after its upload.' } };
    });
    const success = nodes.filter((entry) => entry.node !== null).length;
    return { success, failed: nodes.length - success, nodes };
  }
}
