import 'reflect-metadata';

import { type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import { AuditChainModule, AuditVerifier } from '#libs/audit';
import { AppConfig, ConfigError, ConfigModule } from '#libs/config';
import { DatabaseModule } from '#libs/database';
import { Logger, ObservabilityModule } from '#libs/observability';

/** The records hold, they do not, or they could not be looked at. */
const EXIT = { clean: 0, findings: 1, failed: 2 } as const;
const ANCHOR = /^--expect=(\d{1,15}):([0-9a-f]{64})$/;

@Module({})
class VerifyModule {
  static forRoot(config: AppConfig): DynamicModule {
    const database = DatabaseModule.forRoot({ url: config.database.url, poolSize: 2, statementTimeoutMs: 0, applicationName: 'stowage-audit' });
    // stdout is for the findings
    const logger = Logger.create(config.log.level, { app: 'audit' }, process.stderr);
    return { module: VerifyModule, imports: [ConfigModule.forRoot(config), ObservabilityModule.forRoot(logger), database, AuditChainModule] };
  }
}

async function main(args: readonly string[]): Promise<number> {
  const [option, ...more] = args;
  const match = ANCHOR.exec(option ?? '');
  if (more.length > 0 || (option !== undefined && !match))
    throw new ConfigError(`unknown option ${more[0] ?? option}; there is --expect=POSITION:HASH, a place of the chain that was noted elsewhere`);
  const anchor = match ? { position: Number(match[1]), hash: match[2]! } : undefined;
  const app = await NestFactory.createApplicationContext(VerifyModule.forRoot(AppConfig.fromEnvironment()), {
    logger: ['error'],
    abortOnError: false,
  });
  try {
    const report = await app.get(AuditVerifier).run({
      anchor,
      onFinding: ({ kind, subject, detail }) => process.stdout.write(`${kind}  ${subject}  ${detail}\n`),
    });
    const { sealed, unsealed, basePosition, position, hash, findings } = report;
    process.stdout.write(`${sealed} records of the chain were read, and ${unsealed} that are not in it yet: ${findings} findings\n`);
    if (basePosition > 0) process.stdout.write(`the chain begins behind ${basePosition}: what was before has been removed by age\n`);
    process.stdout.write(`the chain ends at ${position}:${hash}\n`);
    return findings === 0 ? EXIT.clean : EXIT.findings;
  } finally {
    await app.close();
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`audit: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = EXIT.failed;
}
