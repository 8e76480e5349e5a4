import 'reflect-metadata';

import { type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import { AppConfig, ConfigError, ConfigModule } from '#libs/config';
import { DatabaseModule } from '#libs/database';
import { FsckService, UploadsModule } from '#libs/files';
import { Logger, ObservabilityModule } from '#libs/observability';

/** Nothing is wrong, something is, or it could not be looked at. */
const EXIT = { clean: 0, findings: 1, failed: 2 } as const;
const OPTIONS = ['--deep', '--quarantine'];

@Module({})
class FsckModule {
  static forRoot(config: AppConfig): DynamicModule {
    const database = DatabaseModule.forRoot({
      url: config.database.url,
      poolSize: 4,
      // recounts of a large ledger take as long as they take
      statementTimeoutMs: 0,
      applicationName: 'stowage-fsck',
    });
    // stdout is for the findings
    const logger = Logger.create(config.log.level, { app: 'fsck' }, process.stderr);
    return { module: FsckModule, imports: [ConfigModule.forRoot(config), ObservabilityModule.forRoot(logger), database, UploadsModule] };
  }
}

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.find((arg) => !OPTIONS.includes(arg));
  if (unknown !== undefined) throw new ConfigError(`unknown option ${unknown}; there are ${OPTIONS.join(' and ')}`);
  const app = await NestFactory.createApplicationContext(FsckModule.forRoot(AppConfig.fromEnvironment()), { logger: ['error'], abortOnError: false });
  try {
    const { objects, blobs, findings } = await app.get(FsckService).run({
      deep: args.includes('--deep'),
      quarantine: args.includes('--quarantine'),
      onFinding: ({ kind, subject, detail }) => process.stdout.write(`${kind}  ${subject}  ${detail}\n`),
    });
    const counts = new Map<string, number>();
    for (const { kind } of findings) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    process.stdout.write(`${objects} objects in the store and ${blobs} in the ledger were compared: ${findings.length} findings\n`);
    for (const [kind, count] of counts) process.stdout.write(`  ${kind}: ${count}\n`);
    return findings.length === 0 ? EXIT.clean : EXIT.findings;
  } finally {
    await app.close();
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`fsck: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = EXIT.failed;
}
