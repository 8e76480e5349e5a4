import { Injectable } from '@nestjs/common';

import { type Actor, DomainError, SYSTEM_ACTOR } from '#libs/kernel';
import type { NodeRef } from '#libs/nodes';
import { HandlesTask, type TaskHandler, TaskService, type TaskView } from '#libs/tasks';

import { BrowseService, type Totals } from './browse.service.js';

interface FolderSizeInput {
  readonly nodeId: string;
}

/** Starts the counting of a folder for clients that poll. */
@Injectable()
export class FolderSizeService {
  constructor(
    private readonly browse: BrowseService,
    private readonly tasks: TaskService,
  ) {}

  /** Starts the task `files.calculate-size`; its result is Totals. NODE_NOT_FOUND, NOT_A_FOLDER. */
  async start(actor: Actor, node: NodeRef): Promise<{ publicId: string }> {
    return this.tasks.start(actor, 'files.calculate-size', await this.input(actor, node));
  }

  /** The last task that the actor started for this folder, or null. NODE_NOT_FOUND, NOT_A_FOLDER. */
  async latest(actor: Actor, node: NodeRef): Promise<TaskView | null> {
    return this.tasks.latest(actor, 'files.calculate-size', await this.input(actor, node));
  }

  private async input(actor: Actor, node: NodeRef): Promise<FolderSizeInput> {
    const { id, kind, path } = await this.browse.get(actor, { node });
    if (kind !== 'folder') throw new DomainError('NOT_A_FOLDER', `"${path}" is not a folder.`);
    return { nodeId: id };
  }
}

/** Counts a folder. */
@HandlesTask('files.calculate-size')
export class FolderSizeTask implements TaskHandler<FolderSizeInput> {
  constructor(private readonly browse: BrowseService) {}

  async run({ nodeId }: FolderSizeInput): Promise<Totals> {
    const { files, folders, bytes } = await this.browse.totals(SYSTEM_ACTOR, { id: nodeId });
    return { files, folders, bytes };
  }
}
