import { Injectable } from '@nestjs/common';

import { type Actor, SYSTEM_ACTOR } from '#libs/kernel';
import type { NodeRef } from '#libs/nodes';
import { HandlesTask, type TaskHandler, TaskService } from '#libs/tasks';

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

  /** Starts the task `files.calculate-size`; its result is Totals. NODE_NOT_FOUND. */
  async start(actor: Actor, node: NodeRef): Promise<{ publicId: string }> {
    const { id } = await this.browse.get(actor, { node });
    return this.tasks.start(actor, 'files.calculate-size', { nodeId: id } satisfies FolderSizeInput);
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
