import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** Rules that an account has of its own, and a group for its members. What they come to together is `Policy` of the kernel. */
export interface OwnPolicies {
  readonly canPrint: boolean;
  readonly canDownload: boolean;
  readonly canUpload: boolean;
  readonly pcCanDownload: boolean;
  readonly useWatermarks: boolean;
  readonly mobileRestriction: boolean;
  readonly ipRestriction: boolean;
  /** Addresses and CIDR blocks, comma-separated. */
  readonly allowedIps: string;
}

/** Absent ones stay as they are. */
export type PolicyChange = { readonly [Rule in keyof OwnPolicies]?: OwnPolicies[Rule] | undefined };

const COLUMNS: Readonly<Record<keyof OwnPolicies, string>> = {
  canPrint: 'can_print',
  canDownload: 'can_download',
  canUpload: 'can_upload',
  pcCanDownload: 'pc_can_download',
  useWatermarks: 'use_watermarks',
  mobileRestriction: 'mobile_restriction',
  ipRestriction: 'ip_restriction',
  allowedIps: 'allowed_ips',
};
const RULES = Object.keys(COLUMNS) as (keyof OwnPolicies)[];
const SET = RULES.map((rule, index) => `${COLUMNS[rule]} = coalesce($${index + 2}, ${COLUMNS[rule]})`).join(', ');
const UPDATES = { accounts: `UPDATE accounts SET ${SET} WHERE id = $1`, groups: `UPDATE groups SET ${SET} WHERE id = $1` } as const;

/** The columns that accounts and groups have in common. */
@Injectable()
export class OwnPoliciesRepository {
  constructor(private readonly database: Database) {}

  async change(of: keyof typeof UPDATES, id: number, change: PolicyChange): Promise<void> {
    await this.database.run(UPDATES[of], [id, ...RULES.map((rule) => change[rule] ?? null)]);
  }
}

/** What is selected of a table or its alias, as `OwnPolicies`. */
export function ownPolicies(table: string): string {
  return RULES.map((rule) => `${table}.${COLUMNS[rule]} AS "${rule}"`).join(', ');
}
