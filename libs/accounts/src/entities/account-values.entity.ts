import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A row of `account_values`. */
@Entity('account_values')
export class AccountValueEntity {
  @PrimaryColumn({ name: 'account_id', type: 'bigint' })
  accountId: number;

  @PrimaryColumn({ name: 'key', type: 'text' })
  key: string;

  @Column({ name: 'value', type: 'jsonb', nullable: false })
  value: unknown;

  @Column({ name: 'updated_at', type: 'timestamptz', nullable: false })
  updatedAt: Date;
}
