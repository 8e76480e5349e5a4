import { IdList, Int, Path, Text } from '../http/index.js';

const ID = { required: true, maxBytes: 64, aliases: ['comment_id'] } as const;

export class CreateCommentDto {
  @Path({ description: 'For a file whose path cannot stand in the URL.' })
  path?: string[];

  @Text({ required: true })
  text!: string;

  @Text({
    name: 'taggedText',
    aliases: ['tagged_text'],
    description: 'The text with people named in it: @[name](id), @userid:id, @mail@example.org.',
  })
  taggedText?: string;

  @Text({ maxBytes: 16, description: 'text or task.' })
  type?: string;

  @Int({ description: 'Of a task, in milliseconds since the epoch; 0 = none.' })
  dueDate?: number;

  @IdList({ description: 'Of a task.' })
  assignees?: number[];
}

export class EditCommentDto {
  @Text(ID)
  id!: string;

  @Text()
  text?: string;

  @Text({ name: 'taggedText', aliases: ['tagged_text'] })
  taggedText?: string;

  @Int()
  dueDate?: number;

  @IdList()
  assignees?: number[];
}

export class CommentIdDto {
  @Text(ID)
  id!: string;
}

export class ListCommentsDto {
  @Path()
  path?: string[];

  @Int()
  offset?: number;

  @Int({ description: '0: as many as one page holds.' })
  limit?: number;
}

export class TaskStatusDto {
  @Text(ID)
  id!: string;

  @Text({ required: true, maxBytes: 16, description: 'new, accept, decline or done.' })
  status!: string;
}
