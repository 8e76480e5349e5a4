import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Proofs of wallets, and rooms: groups of people who exchange files for a while. */
export class Rooms1795302240000 implements MigrationInterface {
  name = 'Rooms1795302240000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- who has shown that a wallet is his: the row is the credential, and keeps its nonce from being used again
      CREATE TABLE wallet_proofs (
        id uuid PRIMARY KEY,
        nonce bigint NOT NULL CONSTRAINT uq_wallet_proofs_nonce UNIQUE,
        address text NOT NULL CONSTRAINT ck_wallet_proofs_address CHECK (address ~ '^0x[0-9a-f]{40}$'),
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX ix_wallet_proofs_expiry ON wallet_proofs (expires_at);

      CREATE TABLE rooms (
        id uuid PRIMARY KEY,
        account_id bigint NOT NULL CONSTRAINT fk_rooms_account REFERENCES accounts (id) ON DELETE CASCADE,
        -- the key it was made with; null when that was revoked, and then the room lets nobody in
        key_id uuid CONSTRAINT fk_rooms_key REFERENCES service_keys (id) ON DELETE SET NULL,
        space_id uuid NOT NULL CONSTRAINT uq_rooms_space UNIQUE CONSTRAINT fk_rooms_space REFERENCES spaces (id) ON DELETE CASCADE,
        capacity integer NOT NULL CONSTRAINT ck_rooms_capacity CHECK (capacity > 0),
        max_files integer NOT NULL CONSTRAINT ck_rooms_max_files CHECK (max_files > 0),
        max_bytes bigint NOT NULL CONSTRAINT ck_rooms_max_bytes CHECK (max_bytes > 0),
        password_hash text,
        listed_only boolean NOT NULL,
        listed text[] NOT NULL,
        -- bytes of files and of parts, arrived or on their way
        used_bytes bigint NOT NULL DEFAULT 0 CONSTRAINT ck_rooms_used CHECK (used_bytes >= 0),
        -- number of the newest event
        event_seq bigint NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        ended_at timestamptz
      ) WITH (fillfactor = 60);
      CREATE INDEX ix_rooms_account ON rooms (account_id);
      CREATE INDEX ix_rooms_key ON rooms (key_id);
      CREATE INDEX ix_rooms_expiry ON rooms (expires_at) WHERE ended_at IS NULL;
      CREATE INDEX ix_rooms_ended ON rooms (ended_at) WHERE ended_at IS NOT NULL;

      CREATE TABLE room_members (
        id uuid PRIMARY KEY,
        room_id uuid NOT NULL CONSTRAINT fk_room_members_room REFERENCES rooms (id) ON DELETE CASCADE,
        -- named by his credential; another one each time he comes back, so that the one before stays ended
        pass_id uuid NOT NULL CONSTRAINT uq_room_members_pass UNIQUE,
        address text NOT NULL CONSTRAINT ck_room_members_address CHECK (address ~ '^0x[0-9a-f]{40}$'),
        name text NOT NULL,
        role text NOT NULL CONSTRAINT ck_room_members_role CHECK (role IN ('host', 'client')),
        joined_at timestamptz NOT NULL,
        left_at timestamptz,
        banned boolean NOT NULL DEFAULT false,
        CONSTRAINT uq_room_members_address UNIQUE (room_id, address)
      );

      -- a file from the moment it is announced; its node is there when it is complete
      CREATE TABLE room_files (
        id uuid PRIMARY KEY,
        room_id uuid NOT NULL CONSTRAINT fk_room_files_room REFERENCES rooms (id) ON DELETE CASCADE,
        member_id uuid NOT NULL CONSTRAINT fk_room_files_member REFERENCES room_members (id) ON DELETE CASCADE,
        upload_id uuid NOT NULL,
        -- opaque: the members' own cipher
        name text CONSTRAINT ck_room_files_name CHECK (length(name) <= 1024),
        total_parts integer NOT NULL CONSTRAINT ck_room_files_parts CHECK (total_parts BETWEEN 1 AND 10000),
        declared_bytes bigint CONSTRAINT ck_room_files_declared CHECK (declared_bytes >= 0),
        -- holds the quota for the parts until the file is complete
        temp_name text NOT NULL,
        held_bytes bigint NOT NULL DEFAULT 0 CONSTRAINT ck_room_files_held CHECK (held_bytes >= 0),
        node_id uuid,
        created_at timestamptz NOT NULL,
        completed_at timestamptz,
        -- of the tags that it was completed with, so that the same call again is told from another one
        tags_sha256 bytea,
        CONSTRAINT ck_room_files_complete CHECK ((node_id IS NULL) = (completed_at IS NULL))
      ) WITH (fillfactor = 80);
      CREATE INDEX ix_room_files_room ON room_files (room_id, created_at, id);
      CREATE INDEX ix_room_files_member ON room_files (member_id);

      -- parts of files that are not complete; each is an object of its own, noted as one to be deleted when its room ends
      CREATE TABLE room_parts (
        id uuid PRIMARY KEY,
        file_id uuid NOT NULL CONSTRAINT fk_room_parts_file REFERENCES room_files (id) ON DELETE CASCADE,
        no integer NOT NULL CONSTRAINT ck_room_parts_no CHECK (no BETWEEN 1 AND 10000),
        store_key text NOT NULL,
        -- announced while it is on its way, then what has arrived
        size_bytes bigint NOT NULL,
        md5 text,
        sha256 text,
        crc32 bigint,
        arrived boolean NOT NULL DEFAULT false,
        begun_at timestamptz NOT NULL,
        CONSTRAINT ck_room_parts_arrived CHECK (NOT arrived OR (md5 IS NOT NULL AND sha256 IS NOT NULL AND crc32 IS NOT NULL))
      );
      CREATE UNIQUE INDEX uq_room_parts_arrived ON room_parts (file_id, no) WHERE arrived;
      CREATE INDEX ix_room_parts_file ON room_parts (file_id);
      CREATE INDEX ix_room_parts_under_way ON room_parts (begun_at) WHERE NOT arrived;

      -- what is told to the members, in the order in which it was committed
      CREATE TABLE room_events (
        room_id uuid NOT NULL CONSTRAINT fk_room_events_room REFERENCES rooms (id) ON DELETE CASCADE,
        seq bigint NOT NULL,
        type text NOT NULL,
        data jsonb NOT NULL,
        PRIMARY KEY (room_id, seq)
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE room_events, room_parts, room_files, room_members, rooms, wallet_proofs');
  }
}
