import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the figures of days, weeks and months are made from, and the figures themselves. */
export class Analytics1795295040000 implements MigrationInterface {
  name = 'Analytics1795295040000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Who was active on a day (UTC), and by what kind of program. No foreign key: a day stays counted when the account is gone.
      CREATE TABLE account_days (
        day date NOT NULL,
        account_id bigint NOT NULL,
        client text NOT NULL CONSTRAINT ck_account_days_client CHECK (client IN ('desktop', 'mobile', 'other')),
        PRIMARY KEY (day, account_id, client)
      );

      -- The day (UTC) on which the use last changed. The first change of a later day keeps what was used until then in quota_days, so that the
      -- use at the end of any day can be told later; all further changes of that day cost one comparison.
      ALTER TABLE quotas ADD COLUMN changed_on date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date;
      CREATE TABLE quota_days (
        account_id bigint NOT NULL,
        -- from the end of this day on, until the next row or the row in quotas
        day date NOT NULL,
        used_bytes bigint NOT NULL,
        image_bytes bigint NOT NULL,
        audio_bytes bigint NOT NULL,
        video_bytes bigint NOT NULL,
        PRIMARY KEY (account_id, day)
      );
      CREATE FUNCTION keep_quota_day() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE today date := (now() AT TIME ZONE 'UTC')::date;
        BEGIN
          IF OLD.changed_on < today THEN
            INSERT INTO quota_days VALUES (OLD.owner_id, OLD.changed_on, OLD.used_bytes, OLD.image_bytes, OLD.audio_bytes, OLD.video_bytes)
            ON CONFLICT (account_id, day) DO UPDATE SET used_bytes = excluded.used_bytes, image_bytes = excluded.image_bytes,
              audio_bytes = excluded.audio_bytes, video_bytes = excluded.video_bytes;
          END IF;
          IF TG_OP = 'UPDATE' THEN
            NEW.changed_on := today;
            RETURN NEW;
          END IF;
          INSERT INTO quota_days VALUES (OLD.owner_id, greatest(today, OLD.changed_on), 0, 0, 0, 0)
          ON CONFLICT (account_id, day) DO UPDATE SET used_bytes = 0, image_bytes = 0, audio_bytes = 0, video_bytes = 0;
          RETURN OLD;
        END
      $$;
      CREATE TRIGGER tr_quotas_day BEFORE UPDATE OF used_bytes ON quotas FOR EACH ROW
        WHEN (OLD.owner_kind = 'account' AND NEW.used_bytes <> OLD.used_bytes AND OLD.changed_on < (now() AT TIME ZONE 'UTC')::date)
        EXECUTE FUNCTION keep_quota_day();
      CREATE TRIGGER tr_quotas_gone BEFORE DELETE ON quotas FOR EACH ROW WHEN (OLD.owner_kind = 'account') EXECUTE FUNCTION keep_quota_day();

      -- What is gone and was counted before: how many of each kind, made on one day and removed on another (UTC). Rows are only ever added.
      CREATE TABLE analytics_removals (
        removed_on date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date,
        made_on date NOT NULL,
        kind text NOT NULL CONSTRAINT ck_analytics_removals_kind
          CHECK (kind IN ('image_files', 'audio_files', 'video_files', 'other_files', 'links', 'shares', 'devices')),
        account_id bigint NOT NULL,
        count bigint NOT NULL
      );
      CREATE INDEX ix_analytics_removals_day ON analytics_removals (removed_on);
      CREATE FUNCTION media_files(mime_type text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
        SELECT CASE split_part(mime_type, '/', 1) WHEN 'image' THEN 'image_files' WHEN 'audio' THEN 'audio_files' WHEN 'video' THEN 'video_files' ELSE 'other_files' END
      $$;
      -- the moment in a UUID v7
      CREATE FUNCTION uuid_ms(id uuid) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
        SELECT ('x' || substr(translate(id::text, '-', ''), 1, 12))::bit(48)::bigint
      $$;
      CREATE FUNCTION note_removals() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          CASE TG_TABLE_NAME
            WHEN 'nodes' THEN
              INSERT INTO analytics_removals (made_on, kind, account_id, count)
              SELECT (to_timestamp(uuid_ms(g.id) / 1000.0) AT TIME ZONE 'UTC')::date, media_files(g.mime_type), coalesce(s.account_id, 0), count(*)
                FROM gone g LEFT JOIN spaces s ON s.id = g.space_id WHERE g.kind = 'file' GROUP BY 1, 2, 3;
            WHEN 'links' THEN
              INSERT INTO analytics_removals (made_on, kind, account_id, count)
              SELECT (created_at AT TIME ZONE 'UTC')::date, 'links', issuer_id, count(*) FROM gone GROUP BY 1, 3;
            WHEN 'shares' THEN
              INSERT INTO analytics_removals (made_on, kind, account_id, count)
              SELECT (created_at AT TIME ZONE 'UTC')::date, 'shares', shared_by, count(*) FROM gone GROUP BY 1, 3;
            WHEN 'auth_tokens' THEN
              INSERT INTO analytics_removals (made_on, kind, account_id, count)
              SELECT (created_at AT TIME ZONE 'UTC')::date, 'devices', account_id, count(*) FROM gone WHERE permanent GROUP BY 1, 3;
          END CASE;
          RETURN NULL;
        END
      $$;
      CREATE TRIGGER tr_nodes_gone AFTER DELETE ON nodes REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION note_removals();
      CREATE TRIGGER tr_links_gone AFTER DELETE ON links REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION note_removals();
      CREATE TRIGGER tr_shares_gone AFTER DELETE ON shares REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION note_removals();
      CREATE TRIGGER tr_auth_tokens_gone AFTER DELETE ON auth_tokens REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION note_removals();

      -- How far the roll-ups have come. closed: made after every transaction of the period had ended, and never made again.
      CREATE TABLE analytics_periods (
        period text NOT NULL CONSTRAINT ck_analytics_periods_period CHECK (period IN ('day', 'week', 'month')),
        starts_on date NOT NULL,
        closed boolean NOT NULL DEFAULT false,
        -- transactions below this one may have facts of the day that nobody sees yet
        horizon xid8,
        made_at timestamptz,
        PRIMARY KEY (period, starts_on)
      );
      -- nothing is known of the time before
      INSERT INTO analytics_periods (period, starts_on, closed) VALUES ('day', (now() AT TIME ZONE 'UTC')::date - 1, true);

      -- one row for each company and region of its people; 0 and '' = none
      CREATE TABLE analytics_figures (
        period text NOT NULL,
        starts_on date NOT NULL,
        company_id bigint NOT NULL,
        region text NOT NULL,
        -- at the end of the period
        users bigint NOT NULL,
        storing_users bigint NOT NULL,
        storage_bytes bigint NOT NULL,
        image_bytes bigint NOT NULL,
        audio_bytes bigint NOT NULL,
        video_bytes bigint NOT NULL,
        image_files bigint NOT NULL,
        audio_files bigint NOT NULL,
        video_files bigint NOT NULL,
        other_files bigint NOT NULL,
        links bigint NOT NULL,
        shares bigint NOT NULL,
        devices bigint NOT NULL,
        -- in the period
        users_added bigint NOT NULL,
        users_deleted bigint NOT NULL,
        files_added bigint NOT NULL,
        links_added bigint NOT NULL,
        shares_added bigint NOT NULL,
        devices_added bigint NOT NULL,
        uploads bigint NOT NULL,
        uploaded_bytes bigint NOT NULL,
        downloads bigint NOT NULL,
        downloaded_bytes bigint NOT NULL,
        -- different accounts in the period
        active_users bigint NOT NULL,
        active_desktop bigint NOT NULL,
        active_mobile bigint NOT NULL,
        active_other bigint NOT NULL,
        PRIMARY KEY (period, starts_on, company_id, region),
        CONSTRAINT fk_analytics_figures_period FOREIGN KEY (period, starts_on) REFERENCES analytics_periods (period, starts_on) ON DELETE CASCADE
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TRIGGER tr_auth_tokens_gone ON auth_tokens;
      DROP TRIGGER tr_shares_gone ON shares;
      DROP TRIGGER tr_links_gone ON links;
      DROP TRIGGER tr_nodes_gone ON nodes;
      DROP TRIGGER tr_quotas_gone ON quotas;
      DROP TRIGGER tr_quotas_day ON quotas;
      DROP FUNCTION note_removals(), keep_quota_day(), media_files(text), uuid_ms(uuid);
      ALTER TABLE quotas DROP COLUMN changed_on;
      DROP TABLE analytics_figures, analytics_periods, analytics_removals, quota_days, account_days;
    `);
  }
}
