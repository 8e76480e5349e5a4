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

  @Column({ name: 'settings', type: 'jsonb', nullable: false, default: {} })
  settings: Record<string, unknown>;

  @Column({ name: 'reference_email', type: 'text', nullable: false, default: '' })
  referenceEmail: string;

  @Column({ name: 'payment_method', type: 'text', nullable: false, default: 'none' })
  paymentMethod: string;

  @Column({ name: 'logo_id', type: 'uuid', nullable: true })
  logoId: string | null;

  @Column({ name: 'logo_upload', type: 'text', nullable: true })
  logoUpload: string | null;

  @Column({ name: 'created_at', type: 'timestamptz', nullable: false })
  createdAt: Date;
}
