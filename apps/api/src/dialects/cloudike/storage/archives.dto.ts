import { Bool, Path, PathList, Text } from '../http/index.js';

export class ArchiveDto {
  @PathList({ required: true, name: 'path', aliases: ['paths'], description: 'Files and folders.' })
  paths: string[][];

  @Path({ description: 'The folder open in the client: names in the archive begin below it.' })
  parentFolder?: string[];

  @Bool({ description: 'true: names are made safe for Windows.' })
  isWin?: boolean;
}

export class ArchiveStreamDto {
  @PathList({ name: 'path', aliases: ['paths'], description: 'Files and folders; POST makes a link to their archive, GET gives the archive itself.' })
  paths?: string[][];

  @Path({ description: 'The folder open in the client: names in the archive begin below it.' })
  parentFolder?: string[];

  @Bool({ description: 'true: names are made safe for Windows.' })
  isWin?: boolean;

  @Text({ maxBytes: 256, aliases: ['private_hash'], description: 'Hash of a link, when it is not in the path.' })
  hash?: string;
}

export class StreamProgressDto {
  @Text({ maxBytes: 256, aliases: ['hash'], description: 'One stream; all of the user when absent.' })
  privateHash?: string;
}
