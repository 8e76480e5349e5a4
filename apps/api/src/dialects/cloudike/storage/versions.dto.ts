import { Int, Path } from '../http/index.js';

export class VersionsDto {
  @Int()
  skip?: number;

  @Int({ description: '0 = all.' })
  limit?: number;
}

export class PathVersionDto {
  @Path({ required: true })
  path: string[];

  @Int({ required: true })
  version: number;
}
