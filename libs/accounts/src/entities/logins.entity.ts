import { Column, Entity, PrimaryColumn } from 'typeorm';

import type { LoginKind } from '../login-name.js';

/** A row of `logins`. */
@Entity('logins')
export class LoginEntity {
  @PrimaryColumn({ name: 'id', type: 'uuid' })
  id: string;

  @Column({ name: 'account_id', type: 'bigint', nullable: false })
  accountId: number;

  @Column({ name: 'kind', type: 'text', nullable: false })
  kind: LoginKind;

  @Column({ name: 'value', type: 'text', nullable: false })
  value: string;

  @Column({ name: 'value_key', type: 'text', nullable: false })
  valueKey: string;

  @Column({ name: 'secret_hash', type: 'text', nullable: true })
  secretHash: string | null;

  @Column({ name: 'confirmed_at', type: 'timestamptz', nullable: true })
  confirmedAt: Date | null;

  @Column({ name: 'created_at', type: 'timestamptz', nullable: false })
  createdAt: Date;
}
