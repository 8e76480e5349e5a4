import { Accounts1795255200000 } from './20261121100000-accounts.js';
import { Nodes1795255260000 } from './20261121100100-nodes.js';
import { Tasks1795255320000 } from './20261121100200-tasks.js';
import { Archives1795255380000 } from './20261121100300-archives.js';
import { Sharing1795291200000 } from './20261121200000-sharing.js';
import { Links1795291260000 } from './20261121200100-links.js';
import { Notices1795291320000 } from './20261121200200-notices.js';
import { Renditions1795291380000 } from './20261121200300-renditions.js';
import { Comments1795291440000 } from './20261121200400-comments.js';
import { Office1795291500000 } from './20261121200500-office.js';
import { ContentMigrations1795291560000 } from './20261121200600-content-migrations.js';
import { ArchiveGuests1795291620000 } from './20261121200700-archive-guests.js';
import { Administration1795294800000 } from './20261121210000-administration.js';
import { CompanySettings1795294860000 } from './20261121210100-company-settings.js';
import { Policies1795294920000 } from './20261121210200-policies.js';
import { Audit1795294980000 } from './20261121210300-audit.js';
import { Analytics1795295040000 } from './20261121210400-analytics.js';
import { SignIn1795295100000 } from './20261121210500-sign-in.js';
import { Erasing1795295160000 } from './20261121210600-erasing.js';
import { Fileago1795298400000 } from './20261121220000-fileago.js';
import { OauthNonces1795298460000 } from './20261121220100-oauth-nonces.js';
import { ServiceKeys1795302000000 } from './20261121230000-service-keys.js';
import { Buckets1795302060000 } from './20261121230100-buckets.js';
import { ContentIds1795302120000 } from './20261121230200-content-ids.js';
import { FileAccess1795302180000 } from './20261121230300-file-access.js';
import { Rooms1795302240000 } from './20261121230400-rooms.js';
import { SecondFactorDemand1795302300000 } from './20261121230500-second-factor-demand.js';
import { LookupsOfFew1795302360000 } from './20261121230600-lookups-of-few.js';
import { LimitsBehindQuotas1795305600000 } from './20261122000000-limits-behind-quotas.js';

/** Every migration, oldest first. */
export const MIGRATIONS = [
  Accounts1795255200000,
  Nodes1795255260000,
  Tasks1795255320000,
  Archives1795255380000,
  Sharing1795291200000,
  Links1795291260000,
  Notices1795291320000,
  Renditions1795291380000,
  Comments1795291440000,
  Office1795291500000,
  ContentMigrations1795291560000,
  ArchiveGuests1795291620000,
  Administration1795294800000,
  CompanySettings1795294860000,
  Policies1795294920000,
  Audit1795294980000,
  Analytics1795295040000,
  SignIn1795295100000,
  Erasing1795295160000,
  Fileago1795298400000,
  OauthNonces1795298460000,
  ServiceKeys1795302000000,
  Buckets1795302060000,
  ContentIds1795302120000,
  FileAccess1795302180000,
  Rooms1795302240000,
  SecondFactorDemand1795302300000,
  LookupsOfFew1795302360000,
  LimitsBehindQuotas1795305600000,
];
