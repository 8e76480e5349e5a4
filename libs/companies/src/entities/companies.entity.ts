import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** A row of `companies`. */
@Entity('companies')
export class CompanyEntity {
  @PrimaryGeneratedColumn('identity', { name: 'id', type: 'bigint', generatedIdentity: 'BY DEFAULT' })
  id: number;

  @Column({ name: 'name', type: 'text', nullable: false })
  name: string;

  @Column({ name: 'domain', type: 'text', nullable: true })
  domain: string | null;

  @Column({ name: 'plan', type: 'text', nullable: false })
  plan: string;

  @Column({ name: 'status', type: 'text', nullable: false })
  status: string;

  @Column({ name: 'owner_id', type: 'bigint', nullable: true })
  ownerId: number | null;

  @Column({ name: 'public_links_allow', type: 'boolean', nullable: false, default: true })
  publicLinksAllow: boolean;

  /** How many members it may have; 0 = not limited. */
  @Column({ name: 'quota_employees_count', type: 'bigint', nullable: false, default: 0 })
  quotaEmployeesCount: number;

  @Column({ name: 'created_at', type: 'timestamptz', nullable: false })
  createdAt: Date;
}
