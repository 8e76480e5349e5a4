import { Injectable } from '@nestjs/common';

import { FolderSizeService, type Totals } from '#libs/files';
import type { AccountActor } from '#libs/kernel';
import { TaskService, type TaskView } from '#libs/tasks';

import { Reply } from '../http/index.js';

/**
 * dir_size_calculate is one URL without an id: a call starts a count, unless one of the same folder is running or has ended and nobody has read
 * its end yet.
 * What was read is forgotten, so that the next call starts anew.
 */
@Injectable()
export class FolderSizePoll {
  constructor(
    private readonly sizes: FolderSizeService,
    private readonly tasks: TaskService,
  ) {}

  async poll(actor: AccountActor, path: readonly string[]): Promise<Reply> {
    const last = await this.sizes.latest(actor, { path });
    if (!last) return this.start(actor, path);
    const state = last.state;
    if (state === 'waiting' || state === 'running') return running(last);
    await this.tasks.forget(actor, last.publicId);
    return state === 'succeeded' ? done(last) : notFound();
  }

  private async start(actor: AccountActor, path: readonly string[]): Promise<Reply> {
    const { publicId } = await this.sizes.start(actor, { path });
    const { createdMs } = await this.tasks.get(actor, publicId);
    return Reply.json(200, { status: 'start calculating', time: createdMs });
  }
}

function running({ createdMs, progress }: TaskView): Reply {
  return Reply.json(404, {
    status: 'calculating',
    time: String(createdMs),
    progress: Math.floor(progress),
    code: 'TaskRunning',
    description: 'The count has not ended yet.',
  });
}

function done({ finishedMs, createdMs, result }: TaskView): Reply {
  const { files, folders, bytes } = result as unknown as Totals;
  return Reply.json(200, { status: 'done', time: String(finishedMs ?? createdMs), bytes, files_count: files, folders_count: folders });
}

function notFound(): Reply {
  return Reply.json(404, { status: null, code: 'NotFound', description: 'no previous result found' });
}
