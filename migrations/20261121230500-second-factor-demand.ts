import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The view of policies; `ofCompany`: more of what the company decides. */
const policies = (ofCompany: string): string => `
  CREATE OR REPLACE VIEW effective_policies AS
  SELECT f.*, json_build_object(
           'canPrint', can_print, 'canDownload', can_download, 'canUpload', can_upload, 'pcCanDownload', pc_can_download,
           'useWatermarks', use_watermarks, 'mobileRestriction', mobile_restriction, 'addressLists', address_lists, 'company', company) AS policy
    FROM (
      SELECT a.id AS account_id,
             a.can_print AND coalesce(g.can_print, true) AS can_print,
             a.can_download AND coalesce(g.can_download, true) AS can_download,
             -- a company whose time is over keeps what it has and takes no more
             a.can_upload AND coalesce(g.can_upload, true) AND (a.role = 'admin' OR coalesce(c.status <> 'expired', true)) AS can_upload,
             a.pc_can_download AND coalesce(g.pc_can_download, true) AS pc_can_download,
             a.use_watermarks OR coalesce(g.use_watermarks, false) AS use_watermarks,
             a.mobile_restriction OR coalesce(g.mobile_restriction, false) AS mobile_restriction,
             -- an address must be in each of these lists
             CASE WHEN a.ip_restriction THEN ARRAY[a.allowed_ips] ELSE ARRAY[]::text[] END || coalesce(g.address_lists, ARRAY[]::text[]) AS address_lists,
             coalesce(a.role = 'admin' OR (c.settings ->> 'sharingOutsideAllow')::boolean, true) AS share_outside,
             CASE WHEN c.id IS NOT NULL AND a.role <> 'admin' THEN json_build_object(
               'expired', c.status = 'expired',
               'useMobile', coalesce((c.settings ->> 'canUseMobile')::boolean, true),
               'useDesktop', coalesce((c.settings ->> 'canUsePcClient')::boolean, true),
               'mobileHours', CASE WHEN (c.settings ->> 'restrictMobileUsing')::boolean THEN json_build_object(
                 'from', coalesce(c.settings ->> 'mobileUsingStartAt', ''), 'until', coalesce(c.settings ->> 'mobileUsingEndAt', ''),
                 'timezone', coalesce(o.timezone, '')) END,
               'makeFolders', m.admin OR NOT coalesce((c.settings ->> 'folderCreateAdminOnly')::boolean, false),
               'offerFolders', m.admin OR coalesce((c.settings ->> 'companyFolderCreationAllow')::boolean, true),
               'limitFolders', m.admin OR coalesce((c.settings ->> 'folderLimitCreationAllow')::boolean, true),
               'shareOutside', coalesce((c.settings ->> 'sharingOutsideAllow')::boolean, true)${ofCompany}) END AS company
        FROM accounts a
        LEFT JOIN companies c ON c.id = a.company_id
        LEFT JOIN accounts o ON o.id = c.owner_id
       CROSS JOIN LATERAL (SELECT a.is_company_admin OR coalesce(c.owner_id = a.id, false) AS admin) m
        LEFT JOIN LATERAL (
          SELECT bool_and(r.can_print) AS can_print, bool_and(r.can_download) AS can_download, bool_and(r.can_upload) AS can_upload,
                 bool_and(r.pc_can_download) AS pc_can_download, bool_or(r.use_watermarks) AS use_watermarks,
                 bool_or(r.mobile_restriction) AS mobile_restriction, array_agg(DISTINCT r.allowed_ips) FILTER (WHERE r.ip_restriction) AS address_lists
            FROM group_members gm JOIN groups r ON r.id = gm.group_id WHERE gm.account_id = a.id) g ON true
    ) f`;

const SECOND_FACTOR = `,
               'secondFactor', CASE WHEN (c.settings ->> 'secondFactorRequired')::boolean THEN
                 CASE WHEN EXISTS (SELECT 1 FROM second_factors s WHERE s.account_id = a.id AND s.confirmed_at IS NOT NULL) THEN 'on' ELSE 'missing' END END`;

/** Policies tell whether a company demands a second factor of an account that has none; open uploads of a link are counted by an index. */
export class SecondFactorDemand1795302300000 implements MigrationInterface {
  name = 'SecondFactorDemand1795302300000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(policies(SECOND_FACTOR));
    // without "state", which changes while the rest of the row stays where it is
    await runner.query(
      `CREATE INDEX ix_upload_sessions_pass ON upload_sessions ((command -> 'guest' ->> 'passId'), lease_until) WHERE command -> 'guest' IS NOT NULL`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX ix_upload_sessions_pass');
    await runner.query(policies(''));
  }
}
