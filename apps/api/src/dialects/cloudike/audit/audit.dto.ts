import { IsIn } from 'class-validator';

import { Int, Ms, Text } from '../http/index.js';

const OUTCOMES = ['changed', 'unchanged', 'refused'] as const;
const FORMATS = ['jsonl', 'csv'] as const;

/** Which audit records, in which form. */
export class AuditDto {
  @Ms({ description: 'Records of this moment and later, in ms since the epoch.' })
  from?: number;

  @Ms({ description: 'Records before this moment, in ms since the epoch.' })
  to?: number;

  @Int({ description: 'What this user did, or an administrator who acted as another one.' })
  account?: number;

  @Text({ maxBytes: 100, description: 'Name of the action, such as Fileops.move.' })
  action?: string;

  @Text({ maxBytes: 16, description: 'changed, unchanged, or refused (sign-ins).' })
  @IsIn(['', ...OUTCOMES, undefined], { message: 'The parameter "outcome" is changed, unchanged or refused.' })
  outcome?: '' | (typeof OUTCOMES)[number];

  @Text({ maxBytes: 16, description: 'jsonl (the default) or csv.' })
  @IsIn(['', ...FORMATS, undefined], { message: 'The parameter "format" is jsonl or csv.' })
  format?: '' | (typeof FORMATS)[number];
}

/** The same of one company. */
export class CompanyAuditDto extends AuditDto {
  @Int({ description: 'The company; default: that of the caller.' })
  companyId?: number;
}
