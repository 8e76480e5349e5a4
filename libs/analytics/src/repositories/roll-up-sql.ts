// Columns of analytics_figures. Text of statements is made of these constants alone.

/** What is so at the end of the period. */
export const STATE_COLUMNS = [
  'users',
  'storing_users',
  'storage_bytes',
  'image_bytes',
  'audio_bytes',
  'video_bytes',
  'image_files',
  'audio_files',
  'video_files',
  'other_files',
  'links',
  'shares',
  'devices',
] as const;

/** What happened in the period: figures of days add up. */
export const SUM_COLUMNS = [
  'users_added',
  'users_deleted',
  'files_added',
  'links_added',
  'shares_added',
  'devices_added',
  'uploads',
  'uploaded_bytes',
  'downloads',
  'downloaded_bytes',
] as const;

/** Different accounts in the period: figures of days do not add up. */
const UNIQUE_COLUMNS = ['active_users', 'active_desktop', 'active_mobile', 'active_other'] as const;

const COLUMNS = [...STATE_COLUMNS, ...SUM_COLUMNS, ...UNIQUE_COLUMNS];
const FILES = ['image_files', 'audio_files', 'video_files', 'other_files'];
const quoted = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');
const table = (names: readonly string[], alias: string): string => names.map((name) => `('${name}', ${alias}.${name})`).join(', ');

/** Rows made in time that are there now. With those that were removed since, it is how many there were. */
const present = (kind: string, added: string, from: string, account: string, where = 'true'): string => `
  SELECT ${account} AS account_id, '${kind}' AS figure, count(*) AS n FROM ${from} WHERE created_at < t.ends_at AND ${where} GROUP BY 1
  UNION ALL SELECT ${account}, '${added}', count(*) FROM ${from} WHERE created_at >= t.starts_at AND created_at < t.ends_at AND ${where} GROUP BY 1`;

/**
 * The figures of one day from the raw tables. $1 = the day, $2 and $3 = its first moment and the one after it in ms, $4 and $5 = the first ids (UUID
 * v7) of these moments, $6 = a day before it whose figures of files are taken as the base, or null: then all files are counted.
 *
 * Everything is told as of the end of the day, whenever this runs: what changed since is taken back by quota_days and analytics_removals.
 */
export const DAY_FIGURES = `
  WITH t AS MATERIALIZED (
    SELECT $1::date AS day, to_timestamp($2::bigint / 1000.0) AS starts_at, to_timestamp($3::bigint / 1000.0) AS ends_at, $6::date AS base
  ),
  used AS (
    SELECT q.owner_id AS account_id, q.used_bytes, q.image_bytes, q.audio_bytes, q.video_bytes
      FROM quotas q, t WHERE q.owner_kind = 'account' AND q.changed_on <= t.day
    UNION ALL
    SELECT * FROM (
      SELECT DISTINCT ON (h.account_id) h.account_id, h.used_bytes, h.image_bytes, h.audio_bytes, h.video_bytes
        FROM quota_days h, t
       WHERE h.day <= t.day AND NOT EXISTS (SELECT 1 FROM quotas q WHERE q.owner_kind = 'account' AND q.owner_id = h.account_id AND q.changed_on <= t.day)
       ORDER BY h.account_id, h.day DESC) kept
  ),
  file AS (
    SELECT s.account_id, media_files(n.mime_type) AS figure, count(*) AS n, count(*) FILTER (WHERE n.id >= $4::uuid) AS added
      FROM nodes n JOIN spaces s ON s.id = n.space_id, t
     WHERE n.kind = 'file' AND n.id < $5::uuid AND n.id >= CASE WHEN t.base IS NULL THEN '00000000-0000-0000-0000-000000000000' ELSE $4::uuid END
     GROUP BY 1, 2
  ),
  fact AS (
    SELECT a.id AS account_id, v.figure, v.n::numeric AS n
      FROM accounts a, t, LATERAL (VALUES
        ('users', (a.confirmed_at < t.ends_at AND (a.deleted_at IS NULL OR a.deleted_at >= t.ends_at))::int),
        ('users_added', (a.confirmed_at >= t.starts_at AND a.confirmed_at < t.ends_at)::int),
        ('users_deleted', (a.deleted_at >= t.starts_at AND a.deleted_at < t.ends_at)::int)) v (figure, n) WHERE v.n = 1
    UNION ALL
    SELECT u.account_id, v.figure, v.n FROM used u, LATERAL (VALUES
        ('storing_users', (u.used_bytes > 0)::int), ('storage_bytes', u.used_bytes), ('image_bytes', u.image_bytes), ('audio_bytes', u.audio_bytes),
        ('video_bytes', u.video_bytes)) v (figure, n)
    UNION ALL SELECT account_id, figure, n FROM file
    UNION ALL SELECT account_id, 'files_added', added FROM file
    UNION ALL
    SELECT p.* FROM t, LATERAL (${present('links', 'links_added', 'links', 'issuer_id')}) p
    UNION ALL
    SELECT p.* FROM t, LATERAL (${present('shares', 'shares_added', 'shares', 'shared_by')}) p
    UNION ALL
    SELECT p.* FROM t, LATERAL (${present('devices', 'devices_added', 'auth_tokens', 'account_id', 'permanent')}) p
    UNION ALL
    -- removed after the day: it was there. Removed since the base: it is there no more
    SELECT r.account_id, r.kind, CASE WHEN r.removed_on > t.day THEN r.count ELSE 0 - r.count END
      FROM analytics_removals r, t
     WHERE (r.removed_on > t.day AND r.made_on <= t.day AND (r.kind NOT IN (${quoted(FILES)}) OR t.base IS NULL OR r.made_on > t.base))
        OR (r.removed_on <= t.day AND r.removed_on > t.base AND r.made_on <= t.base AND r.kind IN (${quoted(FILES)}))
    UNION ALL
    SELECT r.account_id, CASE WHEN r.kind IN (${quoted(FILES)}) THEN 'files_added' ELSE r.kind || '_added' END, r.count
      FROM analytics_removals r, t WHERE r.made_on = t.day AND r.removed_on >= t.day
    UNION ALL
    SELECT s.account_id, v.figure, v.n
      FROM change_events e JOIN spaces s ON s.id = e.scope_id, LATERAL (
        SELECT CASE WHEN e.type IN ('file_download', 'folder_download') THEN 'download' ELSE 'upload' END AS what, coalesce((e.facts->>'size')::numeric, 0) AS size) w,
        LATERAL (VALUES (w.what || 's', 1::numeric), (w.what || 'ed_bytes', w.size)) v (figure, n)
     WHERE e.at_ms >= $2::bigint AND e.at_ms < $3::bigint AND e.type IN ('file_created', 'file_new_content', 'file_download', 'folder_download')
       AND NOT e.facts ? 'half'
    UNION ALL SELECT DISTINCT d.account_id, 'active_users', 1 FROM account_days d, t WHERE d.day = t.day
    UNION ALL SELECT d.account_id, 'active_' || d.client, 1 FROM account_days d, t WHERE d.day = t.day
  ),
  cell AS (
    SELECT coalesce(a.company_id, 0) AS company_id, coalesce(a.region, '') AS region, f.figure, sum(f.n) AS n
      FROM fact f LEFT JOIN accounts a ON a.id = f.account_id GROUP BY 1, 2, 3
    UNION ALL
    SELECT b.company_id, b.region, v.figure, v.n
      FROM analytics_figures b JOIN t ON b.period = 'day' AND b.starts_on = t.base, LATERAL (VALUES ${table(FILES, 'b')}) v (figure, n)
  )
  INSERT INTO analytics_figures (period, starts_on, company_id, region, ${COLUMNS.join(', ')})
  SELECT 'day', $1::date, company_id, region, ${COLUMNS.map((name) => `coalesce(sum(n) FILTER (WHERE figure = '${name}'), 0)`).join(', ')}
    FROM cell GROUP BY company_id, region`;

/**
 * The figures of a week or a month from those of its days: sums, the state of its last day, and accounts counted once. $1 = the period, $2 = its
 * first day, $3 = the first day after it.
 */
export const LONG_FIGURES = `
  WITH days AS (
    SELECT f.*, f.starts_on = max(f.starts_on) OVER () AS is_last FROM analytics_figures f
     WHERE f.period = 'day' AND f.starts_on >= $2::date AND f.starts_on < $3::date
  ),
  active AS (
    SELECT coalesce(a.company_id, 0) AS company_id, coalesce(a.region, '') AS region, count(DISTINCT d.account_id) AS active_users,
           ${['desktop', 'mobile', 'other'].map((client) => `count(DISTINCT d.account_id) FILTER (WHERE d.client = '${client}') AS active_${client}`).join(', ')}
      FROM account_days d LEFT JOIN accounts a ON a.id = d.account_id WHERE d.day >= $2::date AND d.day < $3::date GROUP BY 1, 2
  ),
  summed AS (
    SELECT company_id, region, ${STATE_COLUMNS.map((name) => `coalesce(sum(${name}) FILTER (WHERE is_last), 0) AS ${name}`).join(', ')},
           ${SUM_COLUMNS.map((name) => `sum(${name}) AS ${name}`).join(', ')} FROM days GROUP BY company_id, region
  )
  INSERT INTO analytics_figures (period, starts_on, company_id, region, ${COLUMNS.join(', ')})
  SELECT $1, $2::date, company_id, region, ${COLUMNS.map((name) => `coalesce(${name}, 0)`).join(', ')}
    FROM summed FULL JOIN active USING (company_id, region)`;
