import { Bool, Int, List, Ms, Path, PathList, Text } from '../http/index.js';

export class FolderCreateDto {
  @Path({ required: true })
  path: string[];

  @Ms()
  created?: number;

  @Ms()
  modified?: number;
}

export class PathDto {
  @Path({ required: true })
  path: string[];
}

export class PrecheckDto {
  @Path({ required: true })
  toPath: string[];

  @PathList({ description: 'What is to be moved or copied.' })
  fromPath?: string[][];

  @List({ aliases: ['names'], description: 'Names that are to be created.' })
  name?: string[];

  @Text({ aliases: ['operation'], maxBytes: 32, description: 'move, copy or create.' })
  type?: string;

  @Int({ description: 'Bytes that are to be created.' })
  size?: number;
}

export class MoveDto {
  @Path({ required: true })
  fromPath: string[];

  @Path({ required: true, description: 'The folder that takes the object.' })
  toPath: string[];

  @Bool({ description: 'What stands in the way is replaced (move) or the copy gets a number (copy); false: 403 (default true).' })
  overwrite?: boolean;
}

export class RenameDto {
  @Path({ required: true })
  path: string[];

  @Text({ required: true, aliases: ['new_name'] })
  newname: string;
}

export class SetFavoriteDto {
  @Path({ required: true })
  path: string[];

  @Bool({ description: 'Absent: the other way round.' })
  favorite?: boolean;
}

export class DeleteDto {
  @Path({ required: true })
  path: string[];

  @Bool({ description: 'true: a folder that is not empty stays, 403.' })
  onlyEmpty?: boolean;

  @Bool({ description: 'true: for good.' })
  withoutTrash?: boolean;
}

export class MultiDeleteDto {
  @PathList({ required: true, name: 'path', aliases: ['paths'] })
  paths: string[][];

  @Bool()
  onlyEmpty?: boolean;

  @Bool()
  withoutTrash?: boolean;
}

export class MultiPathDto {
  @PathList({ required: true, name: 'path', aliases: ['paths'] })
  paths: string[][];
}
