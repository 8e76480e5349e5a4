import { IsIn } from 'class-validator';

import { Int, List, Text } from '../http/index.js';

const LINE = 1024;

class ComplaintFactsDto {
  @Text({ maxBytes: LINE })
  position?: string;

  @Text({ maxBytes: LINE })
  phone?: string;

  @Text({ maxBytes: LINE })
  fax?: string;

  @Text({ maxBytes: LINE })
  address?: string;

  @Text({ maxBytes: LINE })
  city?: string;

  @Text({ maxBytes: LINE })
  region?: string;

  @Int()
  postcode?: number;

  @Text({ maxBytes: LINE })
  country?: string;
}

export class MakeComplaintDto extends ComplaintFactsDto {
  @Text({ required: true, maxBytes: LINE })
  contentType!: string;

  @List({ required: true, maxItems: 100, aliases: ['urls'], description: 'Public links.' })
  url!: string[];

  @Text({ required: true, maxBytes: 32_768 })
  description!: string;

  @Text({ required: true, maxBytes: LINE })
  copyrightHolder!: string;

  @Text({ required: true, maxBytes: LINE })
  name!: string;

  @Text({ required: true, maxBytes: LINE, description: 'Full name, typed as signature.' })
  sign!: string;

  @Text({ required: true, maxBytes: 254 })
  email!: string;
}

const STATUSES = ['new', 'accepted', 'declined'];

export class GetComplaintsDto extends ComplaintFactsDto {
  @Int()
  complaintId?: number;

  @Text({ maxBytes: LINE })
  contentType?: string;

  @Text({ maxBytes: LINE })
  copyrightHolder?: string;

  @Text({ maxBytes: LINE })
  name?: string;

  @Text({ maxBytes: 254 })
  email?: string;

  @Text({ maxBytes: 16, description: 'new, accepted or declined.' })
  @IsIn(['', ...STATUSES, undefined], { message: 'The parameter "status" is new, accepted or declined.' })
  status?: string;

  @Int({ description: '0 = as many as one page may hold (2000).' })
  limit?: number;

  @Int()
  offset?: number;

  @Text({ maxBytes: 64 })
  orderField?: string;

  @Text({ maxBytes: 16, description: 'ASCENDING or DESCENDING.' })
  orderDirection?: string;
}

export class EditComplaintDto {
  @Int({ required: true })
  complaintId!: number;

  @Text({ required: true, maxBytes: 16, description: 'new, accepted or declined.' })
  @IsIn(STATUSES, { message: 'The parameter "status" is new, accepted or declined.' })
  status!: 'new' | 'accepted' | 'declined';
}
