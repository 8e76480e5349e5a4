import { Module } from '@nestjs/common';

import { AccountsModule } from '#libs/accounts';
import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';

import { AuditChain } from './chain.service.js';
import { AuditExporter } from './exporter.js';
import { ExpireAuditJob, SealAuditJob } from './jobs.js';
import { AuditSignatures } from './record.js';
import { AuditRecorder } from './recorder.js';
import { AuditRepository } from './repositories/audit.repository.js';
import { AuditVerifier } from './verifier.js';

const CLOCK = { provide: Clock, useClass: SystemClock };

/** The chain of records and what checks it. */
@Module({
  imports: [DatabaseModule],
  providers: [AuditChain, AuditVerifier, AuditRepository, AuditSignatures, CLOCK],
  exports: [AuditChain, AuditVerifier, AuditRepository, AuditSignatures],
})
export class AuditChainModule {}

/** Records of calls: making them, and reading them for administrators. */
@Module({
  imports: [AuditChainModule, AccountsModule],
  providers: [AuditRecorder, AuditExporter, CLOCK],
  exports: [AuditRecorder, AuditExporter],
})
export class AuditModule {}

/** The jobs of the chain, for the worker. */
@Module({ imports: [AuditChainModule], providers: [SealAuditJob, ExpireAuditJob, CLOCK] })
export class AuditJobsModule {}
