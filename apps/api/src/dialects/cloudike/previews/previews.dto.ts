import { Int, Path, Text } from '../http/index.js';

export class PreviewFileDto {
  @Path({ required: true })
  path!: string[];

  @Int({ description: 'A version of the file; absent or 0 = the current one.' })
  version?: number;
}

export class PreviewDto extends PreviewFileDto {
  @Text({ maxBytes: 16, aliases: ['type'], description: 'small (default), middle or preview: 128, 512 or 1280 pixels; or pdf, of documents.' })
  size?: string;
}

export class LinkFileDto {
  @Text({ required: true, maxBytes: 256 })
  hash!: string;

  @Path({ description: 'Below the folder of the link; absent = what the link leads to.' })
  path?: string[];

  @Text({ maxBytes: 1024, description: 'When the link has one.' })
  password?: string;

  @Int({ description: 'A version of the file; absent or 0 = the current one.' })
  version?: number;
}

export class LinkPreviewDto extends LinkFileDto {
  @Text({ maxBytes: 16, aliases: ['type'], description: 'small (default), middle or preview; or pdf.' })
  size?: string;
}

export class ShareFileDto extends PreviewFileDto {
  @Text({ required: true, maxBytes: 256, aliases: ['hash', 'shared_hash'], description: 'Hash of the share, or of an invitation to it.' })
  inviteHash!: string;
}

export class SharePreviewDto extends ShareFileDto {
  @Text({ maxBytes: 16, aliases: ['type'], description: 'small (default), middle or preview; or pdf.' })
  size?: string;
}
