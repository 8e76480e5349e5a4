import type { CompanySettings } from './settings/company-settings.js';

export const COMPANY_STATUSES = ['waiting', 'active', 'inactive', 'denied', 'expired', 'removing'] as const;
/** Members of a company that is inactive or denied do not get in; one that waits or is expired takes no new ones. */
export type CompanyStatus = (typeof COMPANY_STATUSES)[number];

/** A company. Sizes in bytes, null = not limited; times in ms since the epoch. */
export interface Company {
  readonly id: number;
  readonly name: string;
  /** Empty = none. */
  readonly domain: string;
  readonly plan: string;
  readonly status: CompanyStatus;
  readonly ownerId: number | null;
  readonly createdMs: number;
  /** Members that are not deleted, invited ones too. */
  readonly employeesCount: number;
  /** 0 = not limited. */
  readonly quotaEmployeesCount: number;
  readonly usedBytes: number;
  readonly limitBytes: number | null;
  readonly softLimitBytes: number | null;
  readonly logoId: string | null;
  readonly referenceEmail: string;
  readonly paymentMethod: string;
  readonly settings: CompanySettings;
}
