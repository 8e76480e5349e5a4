import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A row of `account_secrets`. */
@Entity('account_secrets')
export class AccountSecretEntity {
  @PrimaryColumn({ name: 'id', type: 'uuid' })
  id: string;

  @Column({ name: 'account_id', type: 'bigint', nullable: true })
  accountId: number | null;

  @Column({ name: 'purpose', type: 'text', nullable: false })
  purpose: string;

  @Column({ name: 'secret_sha256', type: 'bytea', nullable: false })
  secretSha256: Buffer;

  @Column({ name: 'payload', type: 'jsonb', nullable: false })
  payload: object;

  @Column({ name: 'created_at', type: 'timestamptz', nullable: false })
  createdAt: Date;

  @Column({ name: 'expires_at', type: 'timestamptz', nullable: false })
  expiresAt: Date;

  @Column({ name: 'used_at', type: 'timestamptz', nullable: true })
  usedAt: Date | null;
}
