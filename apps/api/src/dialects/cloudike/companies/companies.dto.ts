import { Bool, Text } from '../http/index.js';

export class CreateMemberDto {
  @Text({ required: true, maxBytes: 1024, aliases: ['email'], description: 'email:a@b.c, a bare address, or a phone number.' })
  login!: string;

  @Text({ required: true, maxBytes: 256 })
  name!: string;

  @Text({ required: true, maxBytes: 256 })
  password!: string;

  @Text({ maxBytes: 16 })
  lang?: string;

  @Bool()
  canDownload?: boolean;

  @Bool()
  canPrint?: boolean;

  @Bool()
  canUpload?: boolean;

  @Bool()
  pcCanDownload?: boolean;
}
